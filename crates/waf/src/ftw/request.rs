//! Builds the bytes of a test's request, and takes bytes apart again for the engine.

use super::yaml::Yaml;
use crate::LooseHead;
use crate::bytes::sub;

/// A request taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawRequest {
    /// The method.
    pub method: Vec<u8>,
    /// The target.
    pub target: Vec<u8>,
    /// The protocol.
    pub protocol: Vec<u8>,
    /// The fields.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body, chunks joined.
    pub body: Vec<u8>,
    /// Why a strict HTTP implementation answers 400; such a head is still shown to phase 1, for the record.
    pub refused: Option<&'static str>,
}

/// The bytes of a request, completed as the format's own runner completes them.
pub(super) fn build(input: &Yaml) -> Result<Vec<u8>, String> {
    let field = |name: &str| input.field(name).and_then(Yaml::text);
    if let Some(encoded) = field("encoded_request") {
        let mut out = Vec::new();
        let packed: Vec<u8> = encoded.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        crate::transform::Transform::Base64Decode.apply(&packed, &mut out);
        return Ok(out);
    }
    let complete = field("autocomplete_headers") != Some("false");
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in input.field("headers").map(Yaml::entries).unwrap_or_default() {
        headers.push((name.clone(), value.text().unwrap_or_default().to_owned()));
    }
    let has = |headers: &[(String, String)], name: &str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    let method = field("method").unwrap_or("GET");
    let mut data = repeat(field("data").unwrap_or_default())?;
    if !data.is_empty() && complete {
        if !has(&headers, "content-type") {
            headers.push(("Content-Type".into(), "application/x-www-form-urlencoded".into()));
        }
        let form = |(n, v): &(String, String)| {
            n.eq_ignore_ascii_case("content-type") && v.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        };
        if headers.iter().any(form) {
            data = encode_form(&data);
        }
    }
    let multipart = |(n, v): &(String, String)| {
        n.eq_ignore_ascii_case("content-type") && v.to_ascii_lowercase().contains("multipart/form-data;")
    };
    if headers.iter().any(multipart) {
        data = data.replace('\n', "\r\n");
    }
    if complete {
        if !has(&headers, "connection") {
            headers.push(("Connection".into(), "close".into()));
        }
        let may_have_body = matches!(method, "POST" | "PUT" | "PATCH" | "DELETE");
        if !has(&headers, "content-length") && (!data.is_empty() || may_have_body) {
            headers.push(("Content-Length".into(), data.len().to_string()));
        }
    }
    let target = repeat(field("uri").unwrap_or("/"))?;
    let mut out = format!("{method} {target} {}\r\n", field("version").unwrap_or("HTTP/1.1"));
    for (name, value) in &headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.push_str("\r\n");
    out.push_str(&data);
    Ok(out.into_bytes())
}

/// `{{ "x" | repeat 3 }}`.
fn repeat(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{ \"") {
        let (before, from) = rest.split_at(start);
        let parsed = from.split_once("}}").and_then(|(inner, after)| {
            let (what, count) = inner.get(4..)?.split_once("\" | repeat ")?;
            Some((what, count.trim().parse::<usize>().ok()?, after))
        });
        let Some((what, count, after)) = parsed else { break };
        // LIMIT: what a test may ask for.
        if count > 1 << 20 {
            return Err("a test repeats too much".into());
        }
        out.push_str(before);
        out.push_str(&what.repeat(count));
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Encodes a form unless it is encoded already.
fn encode_form(data: &str) -> String {
    let mut decoded = Vec::new();
    crate::transform::Transform::UrlDecode.apply(data.as_bytes(), &mut decoded);
    if decoded != data.as_bytes() {
        return data.to_owned();
    }
    let encode = |text: &str| {
        let mut out = String::new();
        for byte in text.bytes() {
            match byte {
                b' ' => out.push('+'),
                b if b.is_ascii_alphanumeric() || b"_.-~".contains(&b) => out.push(char::from(b)),
                b => out.push_str(&format!("%{b:02X}")),
            }
        }
        out
    };
    let pieces: Vec<String> = data
        .split('&')
        .map(|piece| match piece.split_once('=') {
            Some((name, value)) => format!("{}={}", encode(name), encode(value)),
            None => encode(piece),
        })
        .collect();
    pieces.join("&")
}

/// Takes a request apart, leniently, and says whether a strict implementation would refuse its head.
pub fn parse_request(bytes: &[u8]) -> RawRequest {
    let mut out = RawRequest::default();
    let end = memchr::memmem::find(bytes, b"\r\n\r\n").unwrap_or(bytes.len());
    let head = LooseHead::read(bytes);
    let body = sub(bytes, end + 4, bytes.len());
    request_line(&head, &mut out);
    for (name, value) in head.headers {
        if value.iter().any(|b| matches!(b, 0 | b'\r')) || name.iter().any(|b| *b <= b' ') {
            out.refused = Some("a forbidden byte in a field");
        }
        out.headers.push((name.to_vec(), value.to_vec()));
    }
    let find = |name: &[u8]| out.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone());
    let length = find(b"content-length");
    out.body = match (find(b"transfer-encoding"), length) {
        (Some(_), Some(_)) => {
            out.refused = Some("both lengths");
            body.to_vec()
        }
        (Some(_), None) => unchunk(body),
        // A body that is cut short or not announced: what came is what is inspected.
        (None, Some(length)) => {
            let length = usize::try_from(crate::bytes::integer(&length)).unwrap_or(0);
            sub(body, 0, length).to_vec()
        }
        (None, None) => Vec::new(),
    };
    let host = find(b"host");
    if find(b"content-length").is_some_and(|l| l.is_empty() || !l.iter().all(u8::is_ascii_digit)) {
        out.refused = Some("a length that isn't a number");
    }
    if host.as_ref().is_some_and(|h| h.iter().any(|b| !b.is_ascii_alphanumeric() && !b".:-_[]".contains(b))) {
        out.refused = Some("a host that isn't one");
    }
    if host.is_none_or(|h| h.is_empty()) && out.protocol == b"HTTP/1.1" {
        out.refused = Some("no host");
    }
    out
}

fn request_line(head: &LooseHead<'_>, out: &mut RawRequest) {
    out.method = head.method.to_vec();
    out.target = head.target.to_vec();
    out.protocol = head.protocol.to_vec();
    let good_method = !out.method.is_empty()
        && out.method.iter().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b));
    let good_target = match out.target.first() {
        _ if out.method == b"CONNECT" => false,
        Some(b'/') => true,
        Some(b'*') => out.target.len() == 1,
        _ => memchr::memmem::find(&out.target, b"://").is_some(),
    };
    if !good_method {
        out.refused = Some("the method");
    } else if !good_target || out.target.iter().any(|b| *b <= b' ' || *b == b'#' || *b == 0x7f) {
        out.refused = Some("the target");
    } else if out.protocol != b"HTTP/1.1" && out.protocol != b"HTTP/1.0" {
        out.refused = Some("the protocol");
    }
}

fn unchunk(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = body;
    loop {
        let digits = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let size = std::str::from_utf8(sub(rest, 0, digits)).ok().and_then(|t| usize::from_str_radix(t, 16).ok());
        let (Some(size), Some(line)) = (size, memchr::memchr(b'\n', rest)) else { return out };
        if size == 0 {
            return out;
        }
        out.extend_from_slice(sub(rest, line + 1, line + 1 + size));
        rest = sub(rest, line + 1 + size + 2, rest.len());
    }
}
