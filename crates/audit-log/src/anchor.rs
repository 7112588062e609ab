//! A point of a log that somebody keeps elsewhere: `SEQ:HASH`.

use crate::line::Hash;
use std::fmt;
use std::str::FromStr;

/// A line by its number and its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The number of the line, from 1.
    pub seq: u64,
    /// Its hash.
    pub(crate) hash: Hash,
}

impl fmt::Display for Anchor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.seq, self.hash)
    }
}

impl FromStr for Anchor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shape = "an anchor is a number, a colon and 64 hexadecimal digits, as `audit-log verify` prints it";
        let (seq, hash) = text.split_once(':').ok_or(shape)?;
        Ok(Self { seq: seq.parse().map_err(|_| shape)?, hash: Hash::parse(hash.as_bytes()).ok_or(shape)? })
    }
}
