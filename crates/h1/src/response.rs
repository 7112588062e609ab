//! An answer's head, and where its body ends given what was asked.

use crate::compose::{self, Composer};
use crate::field::{Line, Lines};
use crate::framing::{declared, keeps_alive};
use crate::request::diagnose_fields;
use crate::{FIELDS_CEILING, Fields, Framing, HeadError, HeadLimits, Version};
use std::mem::MaybeUninit;

/// The head of an answer, with its raw bytes.
#[derive(Clone, Debug, Default)]
pub struct ResponseHead {
    raw: Vec<u8>,
    version: Version,
    status: u16,
    lines: Lines,
    framing: Framing,
    keep_alive: bool,
}

// === impl ResponseHead ===

impl ResponseHead {
    /// Parses a complete head of an answer to a request that was `HEAD` or not (`to_head`).
    ///
    /// # Errors
    /// The first rule that the head breaks.
    pub fn parse(&mut self, raw: &[u8], to_head: bool, limits: &HeadLimits) -> Result<(), HeadError> {
        self.raw.clear();
        self.lines.clear();
        self.raw.extend_from_slice(raw);
        if raw.len() > limits.head_bytes_max {
            return Err(HeadError::HeadTooLarge);
        }
        self.split(limits)?;
        let declared = declared(self.fields(), self.version)?;
        // A body where none can be leaves bytes that belong to nothing.
        let stray = matches!(self.status, 100..=199 | 204) && !matches!(declared, Framing::None | Framing::Length(0));
        self.keep_alive = keeps_alive(self.fields(), self.version)? && !stray;
        self.framing = match (self.status, to_head, declared) {
            (100..=199 | 204 | 304, ..) | (_, true, _) => Framing::None,
            (_, false, Framing::None) => Framing::UntilClose,
            (_, false, framing) => framing,
        };
        Ok(())
    }

    /// Takes over an answer of HTTP/2 and its fields; `has_body` where its stream has not ended with them.
    ///
    /// # Errors
    /// The first rule that the head breaks.
    pub fn compose<'f>(
        &mut self,
        status: u16,
        fields: impl Iterator<Item = (&'f [u8], &'f [u8])>,
        (to_head, has_body): (bool, bool),
        limits: &HeadLimits,
    ) -> Result<(), HeadError> {
        self.raw.clear();
        self.lines.clear();
        (self.version, self.status, self.keep_alive) = (Version::Http2, status, true);
        if !(100..=599).contains(&status) {
            return Err(HeadError::StatusLine);
        }
        let mut out = Composer::new(&mut self.raw, &mut self.lines, limits);
        out.fields(fields)?;
        out.finish()?;
        if compose::names_connection(self.fields()) {
            return Err(HeadError::ConnectionField);
        }
        self.framing = match declared(self.fields(), self.version)? {
            _ if to_head || matches!(status, 100..=199 | 204 | 304) => Framing::None,
            _ if !has_body => Framing::Length(0),
            Framing::None => Framing::UntilClose,
            framing @ (Framing::Length(_) | Framing::Chunked | Framing::UntilClose) => framing,
        };
        Ok(())
    }

    fn split(&mut self, limits: &HeadLimits) -> Result<(), HeadError> {
        let mut table = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; FIELDS_CEILING];
        let table = table.get_mut(..limits.fields_max.min(FIELDS_CEILING)).unwrap_or_default();
        let raw = self.raw.as_slice();
        let mut parsed = httparse::Response::new(&mut []);
        let config = httparse::ParserConfig::default();
        let outcome = config.parse_response_with_uninit_headers(&mut parsed, raw, table);
        if !matches!(outcome, Ok(httparse::Status::Complete(length)) if length == raw.len()) {
            return Err(diagnose(raw, limits));
        }
        let (Some(status @ 100..=599), Some(version)) = (parsed.code, parsed.version) else {
            return Err(HeadError::StatusLine);
        };
        self.status = status;
        self.version = if version == 1 { Version::Http11 } else { Version::Http10 };
        parsed.headers.iter().for_each(|header| self.lines.push(Line::parsed(header, raw)));
        Ok(())
    }

    /// The status code, 100 to 599.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether this is an interim answer, after which another one follows.
    #[must_use]
    pub fn is_interim(&self) -> bool {
        (100..200).contains(&self.status) && self.status != 101
    }

    /// The field lines in their order.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        Fields { bytes: &self.raw, lines: &self.lines }
    }

    /// How the body is delimited.
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether the server keeps the connection open after the body.
    #[must_use]
    pub fn keep_alive(&self) -> bool {
        self.keep_alive && self.framing != Framing::UntilClose
    }
}

fn diagnose(raw: &[u8], limits: &HeadLimits) -> HeadError {
    let lines_start = memchr::memmem::find(raw, b"\r\n").map_or(raw.len(), |at| at + 2);
    diagnose_fields(raw.get(lines_start..).unwrap_or_default(), limits.fields_max).unwrap_or(HeadError::StatusLine)
}
