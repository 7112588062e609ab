//! Request bodies: which processor reads one, and what the result adds to the values.

pub(crate) mod derived;
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

/// Why a body wasn't read to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unread {
    pub(crate) why: String,
    /// Whether a limit ended it: it may be what it claims to be, and what follows wasn't looked at.
    pub(crate) is_cut: bool,
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
        let kind = kind_of(content_type);
        let is = |name: &[u8]| kind.eq_ignore_ascii_case(name);
        let ends = |suffix: &[u8]| {
            let starts = crate::bytes::sub(kind, 0, 12).eq_ignore_ascii_case(b"application/");
            let from = kind.len().saturating_sub(suffix.len());
            starts && crate::bytes::sub(kind, from, kind.len()).eq_ignore_ascii_case(suffix)
        };
        if is(b"application/json") || ends(b"+json") {
            Some(Processor::Json)
        } else if is(b"application/x-www-form-urlencoded") {
            Some(Processor::UrlEncoded)
        } else if is(b"multipart/form-data") {
            Some(Processor::Multipart)
        } else if is(b"application/xml") || is(b"text/xml") || ends(b"+xml") {
            Some(Processor::Xml)
        } else {
            None
        }
    }
}

/// A content type without its parameters.
fn kind_of(content_type: &[u8]) -> &[u8] {
    let end = content_type.iter().position(|b| matches!(b, b';' | b',') || b.is_ascii_whitespace());
    crate::bytes::sub(content_type, 0, end.unwrap_or(content_type.len()))
}

/// Reads `body` into the store.
pub(crate) fn read(
    processor: Processor,
    body: &[u8],
    content_type: &[u8],
    limits: BodyLimits,
    separator: u8,
    store: &mut Store,
) -> Result<(), Unread> {
    match processor {
        Processor::UrlEncoded => urlencoded::arguments(body, separator, limits.arguments, List::ArgsPost, store),
        Processor::Multipart => multipart::read(body, content_type, limits.arguments, store),
        Processor::Json => json::read(body, limits, store),
        Processor::Xml => xml::read(body, store),
    }
}
