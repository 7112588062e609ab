//! A request's head: parsed once, kept as raw bytes with offsets, memory used again for the next one.

use crate::compose::{self, Composer};
use crate::field::{Line, Lines, Span, is_token_byte, members};
use crate::framing::{declared, keeps_alive};
use crate::{FIELDS_CEILING, Fields, Framing, HeadError, HeadLimits, Known};
use std::mem::MaybeUninit;

mod diagnose;
mod host;

/// The versions that are spoken here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    #[default]
    Http11,
    /// HTTP/2; such heads are composed, never parsed.
    Http2,
}

/// A request's head as HTTP/2 delivers it (RFC 9113 section 8.3.1).
#[derive(Clone, Copy, Debug)]
pub struct Composed<'a> {
    /// `:method`; GET for an extended CONNECT (RFC 8441), which asks for what GET asks for in HTTP/1.
    pub method: &'a [u8],
    /// `:path`.
    pub target: &'a [u8],
    /// `:authority`; may be missing where there is a `host` field.
    pub authority: Option<&'a [u8]>,
    /// Whether a body follows.
    pub has_body: bool,
    /// Whether the request is an extended CONNECT with the protocol `websocket`.
    pub websocket: bool,
}

/// The head of a request, with its raw bytes.
#[derive(Clone, Debug, Default)]
pub struct RequestHead {
    raw: Vec<u8>,
    method: Span,
    target: Span,
    /// The authority of an absolute-form target, else empty.
    authority: Span,
    /// The origin-form part of the target.
    origin: Span,
    version: Version,
    lines: Lines,
    framing: Framing,
    keep_alive: bool,
    expects_continue: bool,
    /// Set for a head of HTTP/2 alone; in HTTP/1 the fields say it.
    websocket: bool,
}

// === impl RequestHead ===

impl RequestHead {
    /// Parses a complete head, `raw` being everything from the request line to the empty line (see
    /// [`crate::HeadScan`]). The value's memory is used again.
    ///
    /// # Errors
    /// The first rule that the head breaks. The raw bytes stay readable through [`RequestHead::raw`].
    pub fn parse(&mut self, raw: &[u8], limits: &HeadLimits) -> Result<(), HeadError> {
        self.clear();
        self.raw.extend_from_slice(raw);
        if raw.len() > limits.head_bytes_max {
            return Err(HeadError::HeadTooLarge);
        }
        self.split(limits)?;
        let target_bytes = self.target().len();
        if target_bytes > limits.target_bytes_max {
            return Err(HeadError::TargetTooLong);
        }
        self.framing = declared(self.fields(), self.version)?;
        self.keep_alive = keeps_alive(self.fields(), self.version)?;
        self.expects_continue = self.expectation()?;
        self.split_target()?;
        host::check(self)
    }

    /// Takes over a head of HTTP/2 and its fields, equal names side by side. It is kept as the lines that HTTP/1 would
    /// have had, under the same rules.
    ///
    /// # Errors
    /// The first rule that the head breaks. What was written so far stays readable through [`RequestHead::raw`].
    pub fn compose<'f>(
        &mut self,
        head: &Composed<'_>,
        fields: impl Iterator<Item = (&'f [u8], &'f [u8])>,
        limits: &HeadLimits,
    ) -> Result<(), HeadError> {
        self.clear();
        self.version = Version::Http2;
        let mut out = Composer::new(&mut self.raw, &mut self.lines, limits);
        self.method = out.word(head.method, b" ");
        self.target = out.word(head.target, b" HTTP/2\r\n");
        if head.target.starts_with(b"/") {
            self.origin = self.target;
        }
        if let Some(authority) = head.authority {
            out.field(b"host", authority)?;
        }
        let outcome = out.fields(fields).and_then(|()| out.finish());
        outcome?;
        if head.target.len() > limits.target_bytes_max {
            return Err(HeadError::TargetTooLong);
        }
        if !is_token(head.method) {
            return Err(HeadError::Method);
        }
        if diagnose::is_bad_target(head.target) || std::str::from_utf8(head.target).is_err() {
            return Err(HeadError::Target);
        }
        // The asterisk asks about the server, or stands in for the path that a CONNECT does not have.
        let pathless = head.target == b"*" && matches!(head.method, b"OPTIONS" | b"CONNECT");
        if !pathless && !head.target.starts_with(b"/") {
            return Err(HeadError::TargetForm);
        }
        if compose::names_connection(self.fields()) {
            return Err(HeadError::ConnectionField);
        }
        self.framing = match declared(self.fields(), self.version)? {
            _ if !head.has_body => Framing::None,
            Framing::None => Framing::Chunked,
            framing @ (Framing::Length(_) | Framing::Chunked | Framing::UntilClose) => framing,
        };
        self.keep_alive = true;
        self.expects_continue = self.expectation()?;
        self.websocket = head.websocket;
        host::check_composed(self, head.authority)
    }

    /// Forgets the message and keeps the memory.
    pub fn clear(&mut self) {
        self.raw.clear();
        self.lines.clear();
        (self.method, self.target, self.authority, self.origin) = Default::default();
        (self.version, self.framing) = Default::default();
        (self.keep_alive, self.expects_continue, self.websocket) = (false, false, false);
    }

    fn split(&mut self, limits: &HeadLimits) -> Result<(), HeadError> {
        let mut table = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; FIELDS_CEILING];
        let table = table.get_mut(..limits.fields_max.min(FIELDS_CEILING)).unwrap_or_default();
        let raw = self.raw.as_slice();
        let mut parsed = httparse::Request::new(&mut []);
        let outcome = parsed.parse_with_uninit_headers(raw, table);
        if !matches!(outcome, Ok(httparse::Status::Complete(length)) if length == raw.len()) {
            return Err(diagnose::request(raw, limits));
        }
        let (Some(method), Some(target)) = (parsed.method, parsed.path) else {
            return Err(HeadError::RequestLine);
        };
        self.method = Span::of(method.as_bytes(), raw);
        self.target = Span::of(target.as_bytes(), raw);
        self.version = if parsed.version == Some(1) { Version::Http11 } else { Version::Http10 };
        parsed.headers.iter().for_each(|header| self.lines.push(Line::parsed(header, raw)));
        if diagnose::is_bad_target(target.as_bytes()) { Err(HeadError::Target) } else { Ok(()) }
    }

    fn expectation(&self) -> Result<bool, HeadError> {
        let mut expects = false;
        for value in self.fields().all(Known::Expect) {
            if !value.eq_ignore_ascii_case(b"100-continue") {
                return Err(HeadError::Expectation);
            }
            // A client of HTTP/1.0 cannot understand an interim answer (RFC 9110 section 10.1.1).
            expects = self.version != Version::Http10;
        }
        Ok(expects)
    }

    /// Whether the head asks to go on as WebSocket (RFC 6455 section 4.1).
    fn asks_upgrade(&self) -> bool {
        self.version == Version::Http11
            && self.method() == b"GET"
            && self.fields().all(Known::Upgrade).flat_map(members).any(|name| name.eq_ignore_ascii_case(b"websocket"))
            && self.fields().all(Known::Connection).flat_map(members).any(|name| name.eq_ignore_ascii_case(b"upgrade"))
    }

    /// Sorts the target by its form (RFC 9112 section 3.2).
    fn split_target(&mut self) -> Result<(), HeadError> {
        let target = self.target.slice(&self.raw);
        if target.starts_with(b"/") {
            self.origin = self.target;
            return Ok(());
        }
        if self.method() == b"CONNECT" {
            return if target.contains(&b':') { Ok(()) } else { Err(HeadError::TargetForm) };
        }
        if target == b"*" {
            return if self.method() == b"OPTIONS" { Ok(()) } else { Err(HeadError::TargetForm) };
        }
        let scheme_end = ["http://", "https://"].iter().find_map(|scheme| {
            let start = target.get(..scheme.len())?;
            start.eq_ignore_ascii_case(scheme.as_bytes()).then_some(scheme.len())
        });
        let Some(start) = scheme_end else {
            return Err(HeadError::TargetForm);
        };
        let rest = target.get(start..).unwrap_or_default();
        let length = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
        let base = self.target.start as usize;
        self.authority = Span::of_range(base + start, base + start + length);
        self.origin = Span::of_range(base + start + length, self.target.end as usize);
        Ok(())
    }

    /// The bytes as they came, from the request line to the empty line. What inspection sees.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The method, a token.
    #[must_use]
    pub fn method(&self) -> &[u8] {
        self.method.slice(&self.raw)
    }

    /// The target as it came, in whatever form.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        self.target.slice(&self.raw)
    }

    /// Path and query of the target as they came. `/` for an absolute form without a path; empty for the
    /// asterisk and authority forms, which have none.
    #[must_use]
    pub fn origin_target(&self) -> &[u8] {
        let origin = self.origin.slice(&self.raw);
        if origin.is_empty() && self.authority != Span::default() { b"/" } else { origin }
    }

    /// The host and port that the request asks for, from the target or the Host field; they never differ.
    #[must_use]
    pub fn authority(&self) -> &[u8] {
        if self.authority == Span::default() {
            self.fields().first(Known::Host).unwrap_or_default()
        } else {
            self.authority.slice(&self.raw)
        }
    }

    /// The version of the request line.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The field lines in their order.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        Fields { bytes: &self.raw, lines: &self.lines }
    }

    /// How the body is delimited; never [`Framing::UntilClose`].
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether the client wants the connection to stay open.
    #[must_use]
    pub fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// Whether the client asks to go on as WebSocket after this message.
    #[must_use]
    pub fn asks_websocket(&self) -> bool {
        self.websocket || self.asks_upgrade()
    }

    /// Whether the client waits for `100 Continue` before it sends its body.
    #[must_use]
    pub fn expects_continue(&self) -> bool {
        self.expects_continue && !matches!(self.framing, Framing::None | Framing::Length(0))
    }
}

/// Whether a text is a token (RFC 9110 section 5.6.2).
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| is_token_byte(*byte))
}

pub(crate) use diagnose::fields as diagnose_fields;
