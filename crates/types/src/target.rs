//! The one canonical target of a request, which routing, access control, inspection and forwarding share.
//!
//! Rules (RFC 3986 section 6.2.2, made strict): percent-encoded unreserved characters are decoded once, other
//! escapes keep their meaning with upper-case digits, bytes outside the grammar are escaped, dot segments are
//! resolved, runs of slashes are one. What servers read in different ways is refused. The result is a fixed
//! point: the canonical form of a canonical target is itself.

pub use fuzz::fuzz_target;

use std::fmt;

mod bytes;
mod fuzz;
#[cfg(test)]
mod tests;

/// A target in canonical form. The path starts with `/`; the query has no `?`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CanonicalTarget {
    /// Path, then `?` and the query where there is one.
    text: String,
    path_len: usize,
    has_parameters: bool,
}

/// Why a target has no canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TargetError {
    /// Empty, or it does not start with a slash.
    NotAbsolute,
    /// A control character or white space, raw or escaped.
    Control,
    /// A `%` in the path without two hexadecimal digits.
    BrokenEscape,
    /// The path's bytes, once decoded, are not UTF-8 (overlong forms included).
    NotUtf8,
    /// A `#`: fragments are not sent.
    Fragment,
    /// `..` climbs above the root.
    AboveRoot,
    /// `%2f` in the path.
    EncodedSlash,
    /// A backslash in the path, raw or escaped.
    Backslash,
    /// A dot segment with parameters: `..;x`.
    DotParameters,
}

// === impl TargetError ===

impl TargetError {
    /// Whether it is broken (`false`) or whole but read differently by different servers (`true`).
    #[must_use]
    pub const fn is_ambiguous(self) -> bool {
        match self {
            Self::EncodedSlash | Self::Backslash | Self::DotParameters => true,
            Self::NotAbsolute
            | Self::Control
            | Self::BrokenEscape
            | Self::NotUtf8
            | Self::Fragment
            | Self::AboveRoot => false,
        }
    }

    /// The rule in a few words, for records and the public detail.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::NotAbsolute => "the target does not start with a slash",
            Self::Control => "the target holds a control character",
            Self::BrokenEscape => "the path holds a percent sign without two hexadecimal digits",
            Self::NotUtf8 => "the path is not UTF-8",
            Self::Fragment => "the target holds a fragment",
            Self::AboveRoot => "the path climbs above the root",
            Self::EncodedSlash => "the path holds an encoded slash",
            Self::Backslash => "the path holds a backslash",
            Self::DotParameters => "the path holds a dot segment with parameters",
        }
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.rule())
    }
}

// === impl CanonicalTarget ===

impl CanonicalTarget {
    /// Makes the canonical form of an origin-form target (`/path?query`).
    ///
    /// # Errors
    /// The first rule that the target breaks.
    pub fn parse(raw: &[u8]) -> Result<Self, TargetError> {
        let mut target = Self::default();
        target.replace(raw)?;
        Ok(target)
    }

    /// Like [`CanonicalTarget::parse`], into an existing value whose memory is used again.
    ///
    /// # Errors
    /// The first rule that the target breaks; the value is then empty.
    pub fn replace(&mut self, raw: &[u8]) -> Result<(), TargetError> {
        let outcome = self.fill(raw);
        if outcome.is_err() {
            self.clear();
        }
        outcome
    }

    fn fill(&mut self, raw: &[u8]) -> Result<(), TargetError> {
        self.text.clear();
        self.path_len = 0;
        self.has_parameters = false;
        let split = raw.iter().position(|byte| *byte == b'?');
        let (path, query) = match split.and_then(|at| raw.split_at_checked(at)) {
            Some((path, rest)) => (path, rest.get(1..)),
            None => (raw, None),
        };
        let mut out = std::mem::take(&mut self.text).into_bytes();
        let outcome = self.fill_bytes(path, query, &mut out);
        // The escapes above leave ASCII only, so this cannot fail; were it to, the target is refused.
        self.text = String::from_utf8(out).map_err(|_| TargetError::NotUtf8)?;
        outcome
    }

    fn fill_bytes(&mut self, path: &[u8], query: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), TargetError> {
        if bytes::is_plain_path(path) {
            out.extend_from_slice(path);
        } else {
            self.has_parameters = bytes::path(path, out)?;
        }
        self.path_len = out.len();
        if let Some(query) = query {
            out.push(b'?');
            bytes::query(query, out)?;
        }
        Ok(())
    }

    /// Forgets the target and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.path_len = 0;
        self.has_parameters = false;
    }

    /// The path, from its leading slash; empty where no target was taken.
    #[must_use]
    pub fn path(&self) -> &str {
        self.text.get(..self.path_len).unwrap_or_default()
    }

    /// The query without its question mark; an empty query is `Some("")`.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.text.get(self.path_len + 1..)
    }

    /// Path and query as they are forwarded.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a segment of the path holds a `;`: servers differ on whether what follows it belongs to the name.
    #[must_use]
    pub fn has_parameters(&self) -> bool {
        self.has_parameters
    }
}
