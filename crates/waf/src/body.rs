//! Request bodies: which processor reads one, and what the result adds to the values.

pub(crate) mod json;
pub(crate) mod multipart;
pub(crate) mod urlencoded;
pub(crate) mod xml;

use crate::store::{List, Store};

/// How a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Processor {
    UrlEncoded,
    Multipart,
    Json,
    Xml,
}

/// Limits of the processors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimits {
    pub(crate) arguments: usize,
    pub(crate) json_depth: usize,
}

// === impl Processor ===

impl Processor {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Processor::UrlEncoded => "URLENCODED",
            Processor::Multipart => "MULTIPART",
            Processor::Json => "JSON",
            Processor::Xml => "XML",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Processor::UrlEncoded, Processor::Multipart, Processor::Json, Processor::Xml]
            .into_iter()
            .find(|p| p.name().eq_ignore_ascii_case(name))
    }

    /// The processor that a content type asks for.
    pub(crate) fn for_type(content_type: &[u8]) -> Option<Self> {
        let end = content_type.iter().position(|b| matches!(b, b';' | b',') || b.is_ascii_whitespace());
        let kind = crate::bytes::sub(content_type, 0, end.unwrap_or(content_type.len())).to_ascii_lowercase();
        match kind.as_slice() {
            b"application/x-www-form-urlencoded" => Some(Processor::UrlEncoded),
            b"multipart/form-data" => Some(Processor::Multipart),
            b"application/json" => Some(Processor::Json),
            b"application/xml" | b"text/xml" => Some(Processor::Xml),
            other if other.starts_with(b"application/") && other.ends_with(b"+json") => Some(Processor::Json),
            other if other.starts_with(b"application/") && other.ends_with(b"+xml") => Some(Processor::Xml),
            _ => None,
        }
    }
}

/// Reads `body` into the store; the error says why it isn't what it claims to be.
pub(crate) fn read(
    processor: Processor,
    body: &[u8],
    content_type: &[u8],
    limits: BodyLimits,
    separator: u8,
    store: &mut Store,
) -> Result<(), String> {
    match processor {
        Processor::UrlEncoded => urlencoded::arguments(body, separator, limits.arguments, List::ArgsPost, store),
        Processor::Multipart => multipart::read(body, content_type, limits.arguments, store),
        Processor::Json => json::read(body, limits, store),
        Processor::Xml => xml::read(body, store),
    }
}
