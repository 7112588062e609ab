//! `shape`: every answer's head, the upstream's and ours alike, made fit to leave: framed anew, banners removed,
//! security headers and the request id on it.

#[cfg(test)]
mod tests;

mod inner;

pub(crate) use inner::Inner;

use crate::head::{Block, Fixed, Head, fixed};
use crate::limits::{Charged, Hidden, is_hidden};
use crate::named::Named;
use crate::pipeline::cors::Preflight;
use crate::problem::{Form, Problem};
use crate::snapshot::cors::Sharing;
use crate::snapshot::lifecycle::Lifecycle;
use portcullis_h1::{Field, Framing, Known, ResponseHead, members};
use portcullis_mask::is_telling;
use portcullis_types::id::RequestId;

/// What decides about the outer form of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) id: RequestId,
    /// What answers tell browsers to refuse, where a route has been found.
    pub(crate) headers: Option<&'a Block>,
    /// Whether somebody has proved who he is.
    pub(crate) personal: bool,
    pub(crate) secure: bool,
    /// Whether the connection stays open after the answer.
    pub(crate) keep_alive: bool,
    /// A client of HTTP/1.0 has to be told that it stays open, and knows no chunks.
    pub(crate) old: bool,
    pub(crate) to_head: bool,
    /// What we accept a client's WebSocket with, where it goes on as one.
    pub(crate) accept: Option<&'a str>,
    /// Which pages may read the answer, where the route has rules for it.
    pub(crate) sharing: Option<Sharing<'a>>,
    /// The field that the version depends on.
    pub(crate) vary: Option<&'a str>,
    /// What is said about the end of the route's version, if anything is.
    pub(crate) lifecycle: Option<&'a Lifecycle>,
    pub(crate) date: &'a str,
    /// What masking leaves true of what the upstream says.
    pub(crate) masking: Masking,
    /// What limits say.
    pub(crate) charged: &'a Charged,
    /// The items of limits that nobody has come to.
    pub(crate) ahead: &'a [u8],
    /// Fields that the server meant for us alone.
    pub(crate) hidden: &'a Hidden,
    /// What fields may not say about the servers behind the gateway.
    pub(crate) inner: Inner<'a>,
}

/// Whether an answer is another one than the upstream gave.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Masking {
    /// For this caller it may be.
    pub(crate) changes: bool,
    /// Callers may get different ones.
    pub(crate) differs: bool,
    /// It came in a coding, so that in which it leaves depends on the client.
    pub(crate) came_coded: bool,
    /// It leaves in `gzip`.
    pub(crate) recoded: bool,
}

/// What is said of a body that leaves as another one.
const OF_THE_BODY: [&[u8]; 9] = [
    b"etag",
    b"content-encoding",
    b"accept-ranges",
    b"content-range",
    b"content-md5",
    b"digest",
    b"content-digest",
    b"repr-digest",
    b"last-modified",
];

/// Who may keep an answer: nobody, where it is for one caller.
const OF_CACHES: [&[u8]; 4] = [b"cache-control", b"expires", b"age", b"pragma"];

/// On every answer to what no API serves. Nothing an API sends is a document that a browser should render or run.
const SECURITY_HEADERS: Fixed = fixed! {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
};

/// Only over TLS, where it means something (RFC 6797 section 7.2).
const TRANSPORT_SECURITY: Fixed = fixed! { "strict-transport-security": "max-age=31536000; includeSubDomains" };

// === impl Frame ===

impl Frame<'_> {
    /// Whether a field says already that an answer to somebody is for him alone.
    fn keeps_private(&self, line: &Field<'_>) -> bool {
        let says = |word: &[u8]| members(line.value).any(|member| member.eq_ignore_ascii_case(word));
        self.personal
            && !self.masking.differs
            && line.name.eq_ignore_ascii_case(b"cache-control")
            && (says(b"private") || says(b"no-store"))
    }
}

const CHUNKED: &[u8] = b"transfer-encoding: chunked\r\n";

/// How the body of an upstream's answer leaves: in chunks or not.
pub(crate) fn is_chunked(framing: Framing, old: bool) -> bool {
    matches!(framing, Framing::Chunked | Framing::UntilClose) && !old
}

/// Whether only the end of the connection can tell the client where this answer ends.
pub(crate) fn needs_close(framing: Framing, old: bool) -> bool {
    matches!(framing, Framing::Chunked | Framing::UntilClose) && old
}

/// Writes the head of an upstream's answer.
pub(crate) fn answer(head: &ResponseHead, frame: &Frame<'_>, out: &mut impl Head) {
    out.status(head.status());
    let (mut dated, mut kept) = (false, false);
    let named = Named::by(head.fields());
    let looks = frame.inner.looks_at(head.status());
    for line in head.fields().iter() {
        dated |= line.known == Known::Date;
        let is_kept = frame.keeps_private(&line);
        kept |= is_kept;
        if (is_kept || !is_left_out(&line, frame, head)) && !named.holds(line.name) {
            if looks {
                frame.inner.write(&line, out);
            } else {
                out.field(line.name, line.value);
            }
        }
    }
    if !dated {
        out.field(b"date", frame.date.as_bytes());
    }
    if frame.masking.differs || (frame.personal && !kept) {
        out.fixed(&fixed! { "cache-control": "no-store" });
    }
    match body(head, frame) {
        framing if is_chunked(framing, frame.old) => out.framing(CHUNKED),
        Framing::Length(bytes) => out.number(b"content-length", bytes),
        Framing::None | Framing::Chunked | Framing::UntilClose => {}
    }
    if frame.masking.recoded {
        out.field(b"content-encoding", b"gzip");
    }
    if frame.masking.changes && frame.masking.came_coded {
        out.field(b"vary", b"accept-encoding");
    }
    finish(frame, out);
}

/// Writes the head of one of our own answers to a body of `length` bytes.
pub(crate) fn problem(problem: &Problem, form: Form, length: usize, frame: &Frame<'_>, out: &mut impl Head) {
    out.status(form.status(problem));
    out.field(b"date", frame.date.as_bytes());
    out.field(b"content-type", form.content_type().as_bytes());
    if form == Form::Grpc {
        problem.grpc_status(out);
        // HTTP/1 has no other end of an answer without a body.
        out.framing(b"content-length: 0\r\n");
    } else {
        out.number(b"content-length", length as u64);
    }
    out.fixed(&fixed! { "cache-control": "no-store", "vary": "accept" });
    out.field_with(b"proxy-status", |out| {
        out.extend_from_slice(b"portcullis; error=");
        out.extend_from_slice(problem.proxy_status.as_bytes());
    });
    for (name, value) in &problem.headers {
        out.field(name.as_bytes(), value.as_bytes());
    }
    finish(frame, out);
}

/// Writes the head of the answer to a preflight, which has no body.
pub(crate) fn preflight(preflight: &Preflight, frame: &Frame<'_>, out: &mut impl Head) {
    out.status(204);
    out.field(b"date", frame.date.as_bytes());
    if let Some(sharing) = &frame.sharing {
        sharing.write_preflight(&preflight.method, preflight.private_network, out);
    }
    end(frame, out);
}

/// Writes the head of an answer that says no more than that something was taken.
pub(crate) fn noted(frame: &Frame<'_>, out: &mut impl Head) {
    out.status(204);
    out.field(b"date", frame.date.as_bytes());
    end(frame, out);
}

/// Writes the head of a document about an API, which everybody may read: it says how to get in, and nothing else.
pub(crate) fn document(length: usize, frame: &Frame<'_>, out: &mut impl Head) {
    out.status(200);
    out.field(b"date", frame.date.as_bytes());
    out.number(b"content-length", length as u64);
    out.fixed(&fixed! {
        "content-type": "application/json",
        "cache-control": "max-age=300",
        "access-control-allow-origin": "*",
    });
    end(frame, out);
}

fn finish(frame: &Frame<'_>, out: &mut impl Head) {
    if let Some(field) = frame.vary {
        out.field(b"vary", field.as_bytes());
    }
    if let Some(sharing) = &frame.sharing {
        sharing.write(out);
    }
    if let Some(lifecycle) = frame.lifecycle {
        lifecycle.write(out);
    }
    end(frame, out);
}

fn end(frame: &Frame<'_>, out: &mut impl Head) {
    match frame.headers {
        Some(block) => out.block(block),
        None => {
            out.fixed(&SECURITY_HEADERS);
            if frame.secure {
                out.fixed(&TRANSPORT_SECURITY);
            }
        }
    }
    out.field(b"x-request-id", frame.id.as_bytes());
    frame.charged.write(frame.ahead, out);
    if let Some(accept) = frame.accept {
        out.framing(b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ");
        out.framing(accept.as_bytes());
        out.framing(b"\r\n");
    }
    match (frame.keep_alive, frame.old) {
        (false, _) => out.framing(b"connection: close\r\n"),
        (true, true) => out.framing(b"connection: keep-alive\r\n"),
        (true, false) => {}
    }
    out.end();
}

/// How the body is framed that leaves: nobody can say how long one will be that is masked.
fn body(head: &ResponseHead, frame: &Frame<'_>) -> Framing {
    match head.framing() {
        Framing::Length(1..) if frame.masking.changes => Framing::UntilClose,
        framing @ (Framing::None | Framing::Length(_) | Framing::Chunked | Framing::UntilClose) => framing,
    }
}

/// Fields of the upstream's connection, banners, and what we say ourselves.
fn is_left_out(line: &Field<'_>, frame: &Frame<'_>, head: &ResponseHead) -> bool {
    let known = line.known;
    let is_one_of = |names: &[&[u8]]| names.iter().any(|name| line.name.eq_ignore_ascii_case(name));
    if frame.masking.changes && (known == Known::ContentLength || is_one_of(&OF_THE_BODY)) {
        return true;
    }
    if (frame.masking.differs || frame.personal) && is_one_of(&OF_CACHES) {
        return true;
    }
    if known == Known::ContentLength {
        // Of an answer without a body it tells what the body would have been (RFC 9110 section 8.6).
        return !(head.framing() == Framing::None && head.status() != 204 && (frame.to_head || head.status() == 304));
    }
    is_ours(known)
        || is_about_origins(line)
        || (frame.lifecycle.is_some() && is_about_an_end(line))
        || is_banner(line)
        || is_hidden(frame.hidden, line)
        || frame.headers.is_some_and(|block| known == Known::Other && block.holds(line.name))
        || known.is_hop_by_hop()
        || known.is_identity()
}

/// Fields that the gateway answers for, whatever the upstream says.
const fn is_ours(known: Known) -> bool {
    matches!(
        known,
        Known::ProxyStatus
            | Known::XRequestId
            | Known::XContentTypeOptions
            | Known::ContentSecurityPolicy
            | Known::XFrameOptions
            | Known::ReferrerPolicy
            | Known::StrictTransportSecurity
            // The handshake with the client is ours.
            | Known::SecWebSocketAccept
    )
}

/// What the server says about its own end, where the configuration says it.
fn is_about_an_end(line: &Field<'_>) -> bool {
    [&b"deprecation"[..], b"sunset"].iter().any(|name| line.name.eq_ignore_ascii_case(name))
}

/// Who may read an answer is the gateway's to say, also where it says nothing.
fn is_about_origins(line: &Field<'_>) -> bool {
    const PREFIX: &[u8] = b"access-control-";
    line.name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

/// Fields that tell an attacker what runs behind the gateway.
fn is_banner(line: &Field<'_>) -> bool {
    const BANNERS: [Known; 5] =
        [Known::Server, Known::XPoweredBy, Known::XAspNetVersion, Known::XAspNetMvcVersion, Known::Via];
    let may_tell =
        line.known == Known::Other && line.name.first().is_some_and(|first| first.eq_ignore_ascii_case(&b'x'));
    BANNERS.contains(&line.known) || (may_tell && is_telling(line.name))
}
