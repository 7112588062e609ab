//! One value that fits a schema, written as JSON.

use super::{About, Sampler};
use crate::schema::Spot;
use crate::tree::Shape;
use regex_syntax::hir::{Class, Hir, HirKind};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// LIMIT: values of one operation's requests.
pub(super) const VALUES_MAX: usize = 2_000;
/// LIMIT: values within each other; below, only what is required is made.
const OPTIONAL_DEPTH_MAX: usize = 3;
/// LIMIT: values within each other, whatever is required.
const DEPTH_MAX: usize = 12;
/// LIMIT: schemas that are taken together for one value.
const PARTS_MAX: usize = 64;
/// LIMIT: characters of a text that a pattern or a length asks for.
const TEXT_CHARS_MAX: usize = 4_096;

// === impl Sampler ===

impl Sampler<'_> {
    /// The schemas that one value must fit: itself, what it refers to, all of `allOf`, the first of `oneOf` and `anyOf`.
    pub(super) fn parts(&mut self, schema: Spot, resource: u32) -> Vec<(Spot, u32)> {
        let (mut parts, mut waiting) = (Vec::new(), vec![(schema, resource)]);
        while let Some((spot, resource)) = waiting.pop() {
            let Some((spot, resource)) = self.walker.target(spot, resource) else { continue };
            if parts.len() >= PARTS_MAX || parts.contains(&(spot, resource)) {
                continue;
            }
            parts.push((spot, resource));
            let items = |word: &str| self.library().member(spot, word).map(|at| self.library().items(at));
            let chosen = ["oneOf", "anyOf"].into_iter().filter_map(|word| items(word)?.first().copied());
            let inner: Vec<Spot> = items("allOf").unwrap_or_default().into_iter().rev().chain(chosen).collect();
            waiting.extend(inner.into_iter().map(|inner| (inner, resource)));
        }
        parts
    }

    pub(super) fn required(&self, parts: &[(Spot, u32)]) -> BTreeSet<String> {
        let lists = parts.iter().filter_map(|(spot, _)| self.library().member(*spot, "required"));
        let names = lists.flat_map(|list| self.library().items(list));
        names.filter_map(|spot| self.text(spot)).collect()
    }

    pub(super) fn is_read_only(&mut self, schema: Spot, resource: u32) -> bool {
        let parts = self.parts(schema, resource);
        parts.iter().any(|(spot, _)| self.library().flag_at(*spot, "readOnly") == Some(true))
    }

    pub(super) fn about(&mut self, schema: Spot, resource: u32) -> About {
        let parts = self.parts(schema, resource);
        let word = |name: &str| parts.iter().find_map(|(spot, _)| self.word(*spot, name));
        About {
            kind: self.kind(&parts),
            format: word("format").unwrap_or_default(),
            chosen: parts
                .iter()
                .any(|(spot, _)| ["enum", "const"].iter().any(|name| self.library().member(*spot, name).is_some())),
            minimum: word("minimum"),
            maximum: word("maximum"),
            max_length: word("maxLength"),
        }
    }

    /// What the document itself gives as an example here.
    pub(super) fn example(&self, spot: Spot) -> Option<Spot> {
        let library = self.library();
        let named = || {
            let examples = library.member(spot, "examples")?;
            let first = library.members(examples).first().map(|(_, at)| *at);
            first.and_then(|at| library.member(at, "value")).or_else(|| library.items(examples).first().copied())
        };
        library.member(spot, "example").or_else(named)
    }

    /// A value that fits.
    pub(super) fn value(&mut self, schema: Spot, resource: u32, depth: usize) -> String {
        if self.left == 0 || depth > DEPTH_MAX {
            return "null".to_owned();
        }
        self.left -= 1;
        let parts = self.parts(schema, resource);
        if let Some(given) = parts.iter().find_map(|(spot, _)| self.given(*spot)) {
            return self.written(given);
        }
        match self.kind(&parts).as_str() {
            "object" => self.object(&parts, depth),
            "array" => self.array(&parts, depth),
            "integer" => self.number(&parts, true),
            "number" => self.number(&parts, false),
            "boolean" => "true".to_owned(),
            "null" => "null".to_owned(),
            _ => quoted(&self.characters(&parts)),
        }
    }

    fn given(&self, spot: Spot) -> Option<Spot> {
        let library = self.library();
        let listed = || library.items(library.member(spot, "enum")?).first().copied();
        self.example(spot)
            .or_else(|| library.member(spot, "const"))
            .or_else(|| library.member(spot, "default"))
            .or_else(listed)
    }

    fn kind(&self, parts: &[(Spot, u32)]) -> String {
        for (spot, _) in parts {
            let Some(at) = self.library().member(*spot, "type") else { continue };
            let listed = self.library().items(at).into_iter().filter_map(|item| self.text(item));
            if let Some(kind) = self.text(at).into_iter().chain(listed).find(|kind| kind != "null") {
                return kind;
            }
        }
        let has = |word: &str| parts.iter().any(|(spot, _)| self.library().member(*spot, word).is_some());
        match () {
            () if has("properties") || has("additionalProperties") => "object",
            () if has("items") => "array",
            () if has("minimum") || has("maximum") || has("multipleOf") => "number",
            () => "",
        }
        .to_owned()
    }

    fn object(&mut self, parts: &[(Spot, u32)], depth: usize) -> String {
        let required = self.required(parts);
        let mut members: Vec<(String, String)> = Vec::new();
        for (spot, resource) in parts {
            let properties = self.library().member(*spot, "properties").map(|at| self.library().members(at));
            for (name, at) in properties.unwrap_or_default() {
                let wanted = required.contains(&name) || depth < OPTIONAL_DEPTH_MAX;
                if !wanted || members.iter().any(|(have, _)| *have == name) || self.is_read_only(at, *resource) {
                    continue;
                }
                let value = self.value(at, *resource, depth + 1);
                members.push((name, value));
            }
        }
        let members: Vec<String> = members.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
        format!("{{{}}}", members.join(","))
    }

    fn array(&mut self, parts: &[(Spot, u32)], depth: usize) -> String {
        let least = self.size(parts, "minItems").unwrap_or(1).clamp(1, 20);
        let items = parts.iter().find_map(|(spot, resource)| Some((self.library().member(*spot, "items")?, *resource)));
        let Some((items, resource)) = items else { return "[]".to_owned() };
        let all: Vec<String> = (0..least).map(|_| self.value(items, resource, depth + 1)).collect();
        format!("[{}]", all.join(","))
    }

    fn number(&self, parts: &[(Spot, u32)], whole: bool) -> String {
        let bound = |name: &str| parts.iter().find_map(|(spot, _)| self.word(*spot, name)?.parse::<f64>().ok());
        let exclusive = |name: &str| parts.iter().any(|(spot, _)| self.library().flag_at(*spot, name) == Some(true));
        let step = bound("multipleOf").filter(|step| *step > 0.0).unwrap_or(1.0);
        let mut least = bound("minimum");
        if exclusive("exclusiveMinimum") {
            least = least.map(|least| least + step);
        }
        least = bound("exclusiveMinimum").map(|least| least + step).or(least);
        let mut most = bound("maximum");
        if exclusive("exclusiveMaximum") {
            most = most.map(|most| most - step);
        }
        most = bound("exclusiveMaximum").map(|most| most - step).or(most);
        let value = match (least, most) {
            (Some(least), _) if least > 1.0 => (least / step).ceil() * step,
            (_, Some(most)) if most < 1.0 => (most / step).floor() * step,
            _ => step,
        };
        if whole { format!("{value:.0}") } else { format!("{value}") }
    }

    fn characters(&self, parts: &[(Spot, u32)]) -> String {
        let word = |name: &str| parts.iter().find_map(|(spot, _)| self.word(*spot, name));
        let least = self.size(parts, "minLength").unwrap_or(0).min(TEXT_CHARS_MAX);
        if let Some(text) = word("pattern").and_then(|pattern| of_pattern(&pattern, least)) {
            return text;
        }
        if let Some(text) = word("format").as_deref().and_then(of_format) {
            return text.to_owned();
        }
        let most = self.size(parts, "maxLength").unwrap_or(TEXT_CHARS_MAX);
        "sample".chars().chain(std::iter::repeat('a')).take(least.max(6).min(most)).collect()
    }

    fn size(&self, parts: &[(Spot, u32)], name: &str) -> Option<usize> {
        parts.iter().find_map(|(spot, _)| self.word(*spot, name)?.parse().ok())
    }

    fn text(&self, spot: Spot) -> Option<String> {
        match self.library().shape(spot) {
            Shape::Text(text) => Some(text.to_string()),
            Shape::Null | Shape::Bool(_) | Shape::Number(_) | Shape::List(_) | Shape::Map(_) => None,
        }
    }

    /// A text or a number.
    fn word(&self, spot: Spot, name: &str) -> Option<String> {
        match self.library().shape(self.library().member(spot, name)?) {
            Shape::Text(text) | Shape::Number(text) => Some(text.to_string()),
            Shape::Null | Shape::Bool(_) | Shape::List(_) | Shape::Map(_) => None,
        }
    }

    /// A node of the document as JSON.
    pub(super) fn written(&self, spot: Spot) -> String {
        let mut out = String::new();
        self.write(spot, &mut out, 0, &mut VALUES_MAX.clone());
        out
    }

    fn write(&self, spot: Spot, out: &mut String, depth: usize, left: &mut usize) {
        let spent = depth > DEPTH_MAX || *left == 0;
        *left = left.saturating_sub(1);
        match self.library().shape(spot) {
            Shape::Bool(flag) if !spent => out.push_str(if *flag { "true" } else { "false" }),
            Shape::Number(text) if !spent => out.push_str(text),
            Shape::Text(text) if !spent => out.push_str(&quoted(text)),
            Shape::List(_) if !spent => {
                out.push('[');
                for (at, item) in self.library().items(spot).into_iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    self.write(item, out, depth + 1, left);
                }
                out.push(']');
            }
            Shape::Map(_) if !spent => {
                out.push('{');
                for (at, (name, value)) in self.library().members(spot).into_iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    out.push_str(&quoted(&name));
                    out.push(':');
                    self.write(value, out, depth + 1, left);
                }
                out.push('}');
            }
            Shape::Null | Shape::Bool(_) | Shape::Number(_) | Shape::Text(_) | Shape::List(_) | Shape::Map(_) => {
                out.push_str("null");
            }
        }
    }
}

fn of_format(format: &str) -> Option<&'static str> {
    Some(match format {
        "date" => "2026-01-31",
        "date-time" => "2026-01-31T12:00:00Z",
        "time" => "12:00:00Z",
        "duration" => "P1D",
        "uuid" => "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "email" | "idn-email" => "sample@example.com",
        "uri" | "url" | "iri" | "uri-reference" | "iri-reference" => "https://example.com/sample",
        "hostname" | "idn-hostname" => "example.com",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "byte" => "c2FtcGxl",
        "password" => "Sample-password-1",
        _ => return None,
    })
}

/// The shortest text that a pattern is met by, long enough where it may be repeated.
fn of_pattern(pattern: &str, least: usize) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    [1, least.max(1)].into_iter().find_map(|often| {
        let mut out = String::new();
        spell(&hir, often, &mut out)?;
        (out.chars().count() >= least).then_some(out)
    })
}

fn spell(hir: &Hir, often: usize, out: &mut String) -> Option<()> {
    if out.len() > TEXT_CHARS_MAX {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => out.push(of_class(class)?),
        HirKind::Repetition(repetition) => {
            let least = usize::try_from(repetition.min).ok()?;
            let most = repetition.max.and_then(|most| usize::try_from(most).ok()).unwrap_or(TEXT_CHARS_MAX);
            for _ in 0..least.max(often).min(most).min(TEXT_CHARS_MAX) {
                spell(&repetition.sub, often, out)?;
            }
        }
        HirKind::Capture(capture) => spell(&capture.sub, often, out)?,
        HirKind::Concat(all) => all.iter().try_for_each(|one| spell(one, often, out))?,
        HirKind::Alternation(all) => spell(all.first()?, often, out)?,
    }
    Some(())
}

/// A letter or a digit where there is one.
fn of_class(class: &Class) -> Option<char> {
    let within = |wanted: char| match class {
        Class::Unicode(class) => class.iter().any(|range| (range.start()..=range.end()).contains(&wanted)),
        Class::Bytes(class) => u8::try_from(wanted)
            .is_ok_and(|byte| class.iter().any(|range| (range.start()..=range.end()).contains(&byte))),
    };
    let first = || match class {
        Class::Unicode(class) => class.iter().next().map(|range| range.start()),
        Class::Bytes(class) => class.iter().next().map(|range| char::from(range.start())),
    };
    "aA1-_ ".chars().find(|wanted| within(*wanted)).or_else(first)
}

/// A text as JSON writes it (RFC 8259 section 7).
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if u32::from(control) < 0x20 => {
                let written = write!(out, "\\u{:04x}", u32::from(control));
                debug_assert!(written.is_ok(), "a string takes everything");
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
