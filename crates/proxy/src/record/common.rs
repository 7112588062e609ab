//! The Common Log Format of web servers: `host ident user [time] "request" status bytes`. What a client sent is escaped as servers
//! do it, so that no field and no line can be forged.

use super::form::Ended;
use super::wall::WallTexts;
use portcullis_h1::write::{address, decimal};

// LIMIT: bytes of a client's text in a line.
const TEXT_BYTES_MAX: usize = 1024;

/// Appends the line, its line feed included.
pub(super) fn line(ended: Ended<'_>, wall: &mut WallTexts, out: &mut Vec<u8>) {
    let record = ended.record;
    match ended.address() {
        Some(from) => address(from, out),
        None => out.push(b'-'),
    }
    out.extend_from_slice(b" - ");
    match record.caller.as_ref().map(|caller| caller.id.as_bytes()) {
        Some(id) if !id.is_empty() => escape(id, out),
        Some(_) | None => out.push(b'-'),
    }
    out.extend_from_slice(b" [");
    out.extend_from_slice(wall.common(record.wall_ms).as_bytes());
    out.extend_from_slice(b"] \"");
    escape(ended.subject.method, out);
    out.push(b' ');
    escape(&ended.shown(), out);
    out.extend_from_slice(b" HTTP/");
    out.extend_from_slice(record.protocol.version().as_bytes());
    out.extend_from_slice(b"\" ");
    decimal(u64::from(record.status), out);
    out.push(b' ');
    decimal(record.response_bytes, out);
    out.push(b'\n');
}

/// Appends a word; what could end it, and all that is not visible ASCII, as `\xHH`.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    let cut = text.get(..TEXT_BYTES_MAX).unwrap_or(text);
    for byte in cut {
        match byte {
            // Brackets as well, since the time stands in such.
            b'"' | b'\\' | b'[' | b']' => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
            0x21..=0x7e => out.push(*byte),
            other => out.extend_from_slice(format!("\\x{other:02x}").as_bytes()),
        }
    }
    if cut.len() < text.len() {
        out.extend_from_slice(b"...");
    }
}
