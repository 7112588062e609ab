//! HTTP/1 messages from bytes and back, strictly, and why not (RFC 9112). Heads of HTTP/2 get the same form.
//!
//! Sans-io: bytes go in, heads and body parts come out; sockets, time and what to do about an error belong to
//! the caller. Nothing here is lenient: what two servers could read differently is refused, with the rule named.

pub mod body;
mod chunked;
mod compose;
mod error;
mod field;
mod framing;
mod fuzz;
mod known;
mod request;
mod response;
mod scan;
pub mod write;

#[cfg(test)]
mod tests;

pub use body::{Body, Part};
pub use compose::{trailer_fields, trailer_lines};
pub use error::{BodyError, HeadError};
pub use field::{Field, Fields, members};
pub use framing::Framing;
pub use fuzz::{fuzz_body, fuzz_compose, fuzz_head, fuzz_response_head};
pub use known::{Known, claims_identity, is_read_as};
pub use request::{Composed, RequestHead, Version};
pub use response::ResponseHead;
pub use scan::HeadScan;

/// Limits of a message head. All inclusive: a value at its limit passes.
#[derive(Clone, Copy, Debug)]
pub struct HeadLimits {
    /// Bytes of the whole head, from the request line to the empty line.
    pub head_bytes_max: usize,
    /// Bytes of the target.
    pub target_bytes_max: usize,
    /// Number of field lines; at most [`FIELDS_CEILING`].
    pub fields_max: usize,
}

// LIMIT: the parser's table of field lines stands on the stack; 256 lines are 8 KiB.
/// The highest number of field lines that any limit can allow.
pub const FIELDS_CEILING: usize = 256;

// === impl HeadLimits ===

impl Default for HeadLimits {
    fn default() -> Self {
        Self { head_bytes_max: 64 * 1024, target_bytes_max: 16 * 1024, fields_max: 100 }
    }
}
