//! Why a body cannot be decoded.

use std::fmt;

/// Why a body cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CodingError {
    /// A coding that is not known here, or more codings than are undone.
    UnknownCoding,
    /// The bytes are not what the coding calls for, or a check over them fails.
    Malformed,
    /// More output, or a larger window, than the limits grant.
    TooLarge,
    /// More output for each byte of input than the limits grant.
    RatioExceeded,
    /// The body ended before the coding did.
    Truncated,
    /// The coding ended before the body did.
    TrailingBytes,
}

// === impl CodingError ===

impl CodingError {
    /// What is wrong, in words that hold nothing of the body.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::UnknownCoding => "the content coding is not one that can be undone",
            Self::Malformed => "the body is not what its content coding calls for",
            Self::TooLarge => "the decoded body exceeds the limit",
            Self::RatioExceeded => "the decoded body is out of proportion to the encoded one",
            Self::Truncated => "the body ends before its content coding does",
            Self::TrailingBytes => "bytes follow the end of the content coding",
        }
    }
}

impl fmt::Display for CodingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.rule())
    }
}

impl std::error::Error for CodingError {}
