//! The signature base (RFC 9421 section 2.5): the exact bytes that were signed, made anew from the request as it came.

use super::fields::{Bare, Item, Member, dictionary};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashSet;

/// A request, as far as signatures are about it: as it came, before anything was made canonical.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The method, exactly.
    pub method: &'a str,
    /// Whether it came over TLS.
    pub secure: bool,
    /// The host and port as they came.
    pub authority: &'a str,
    /// The path as it came.
    pub path: &'a str,
    /// The query as it came, without the question mark.
    pub query: Option<&'a str>,
    /// The fields in order; names in any case.
    pub fields: &'a [(&'a str, &'a [u8])],
    /// Whether a body comes with it.
    pub has_body: bool,
}

/// The written form of a component that a signature covers: `"@method"`, `"content-digest"`, `"@query-param";name="id"`.
pub type Component = String;

/// The base for these components, or `None` where one of them is unknown, missing, ambiguous or doubled.
pub(super) fn base(message: &Message<'_>, items: &[Item], parameters_line: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut seen = HashSet::new();
    for item in items {
        let name = item.write();
        let value = value_of(message, item)?;
        if !seen.insert(name.clone()) || value.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            return None;
        }
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(&value);
        out.push(b'\n');
    }
    out.extend_from_slice(b"\"@signature-params\": ");
    out.extend_from_slice(parameters_line.as_bytes());
    Some(out)
}

fn value_of(message: &Message<'_>, item: &Item) -> Option<Vec<u8>> {
    let name = item.bare.text()?;
    if name.starts_with('@') { derived(message, name, item) } else { field(message, name, item) }
}

fn derived(message: &Message<'_>, name: &str, item: &Item) -> Option<Vec<u8>> {
    if name == "@query-param" {
        return match item.parameters.as_slice() {
            [(key, Bare::Text(wanted))] if key == "name" => {
                query_parameter(message.query?, wanted).map(String::into_bytes)
            }
            _ => None,
        };
    }
    if !item.parameters.is_empty() {
        return None;
    }
    let path = if message.path.is_empty() { "/" } else { message.path };
    let query = message.query.map_or(String::new(), |query| format!("?{query}"));
    let scheme = if message.secure { "https" } else { "http" };
    let text = match name {
        "@method" => message.method.to_owned(),
        "@scheme" => scheme.to_owned(),
        "@authority" => authority(message)?,
        "@target-uri" => format!("{scheme}://{}{path}{query}", authority(message)?),
        "@request-target" => format!("{path}{query}"),
        "@path" => path.to_owned(),
        "@query" => {
            if query.is_empty() {
                "?".to_owned()
            } else {
                query
            }
        }
        _ => return None,
    };
    Some(text.into_bytes())
}

/// In lower case, without the scheme's own port (section 2.2.3).
fn authority(message: &Message<'_>) -> Option<String> {
    let lower = message.authority.to_ascii_lowercase();
    let usual = if message.secure { ":443" } else { ":80" };
    let short = lower.strip_suffix(usual).unwrap_or(&lower);
    (!short.is_empty()).then(|| short.to_owned())
}

/// Section 2.2.8: a name that occurs several times cannot be covered.
fn query_parameter(query: &str, wanted: &str) -> Option<String> {
    let mut found = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if form_again(name)? == wanted && found.replace(form_again(value)?).is_some() {
            return None;
        }
    }
    found
}

/// Decodes a form-encoded text and encodes it in the one form that is signed: a blank is `%20`.
fn form_again(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let value = match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || bytes.next().map(char::from).and_then(|digit| digit.to_digit(16));
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        };
        if value.is_ascii_alphanumeric() || matches!(value, b'*' | b'-' | b'.' | b'_') {
            out.push(char::from(value));
        } else {
            out.push_str(&format!("%{value:02X}"));
        }
    }
    Some(out)
}

/// A field's lines without outer blanks, joined with commas; with `bs` each in its own encoding, with `key` one member of a
/// dictionary (sections 2.1 to 2.1.3). `sf`, `req` and `tr` are not understood and thereby refused.
fn field(message: &Message<'_>, name: &str, item: &Item) -> Option<Vec<u8>> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let lines = message.fields.iter().filter(|(have, _)| have.eq_ignore_ascii_case(name));
    let lines: Vec<&[u8]> = lines.map(|(_, value)| value.trim_ascii()).collect();
    if lines.is_empty() {
        return None;
    }
    match item.parameters.as_slice() {
        [] => Some(lines.join(&b", "[..])),
        [(key, Bare::Boolean(true))] if key == "bs" => {
            let encoded: Vec<String> = lines.iter().map(|line| format!(":{}:", STANDARD.encode(line))).collect();
            Some(encoded.join(", ").into_bytes())
        }
        [(key, Bare::Text(wanted))] if key == "key" => {
            let members = dictionary(std::str::from_utf8(&lines.join(&b", "[..])).ok()?)?;
            let member = members.into_iter().find(|(have, _)| have == wanted)?.1;
            Some(Member::write(&member).into_bytes())
        }
        _ => None,
    }
}
