//! `a=1&b=2`, from a query or a body.

use super::Unread;
use crate::bytes::hex_pair;
use crate::store::{List, Store};

/// Adds the arguments; a name without `=` has an empty value. Fails only where there are more of them than the limit.
pub(crate) fn arguments(
    input: &[u8],
    separator: u8,
    limit: usize,
    list: List,
    store: &mut Store,
) -> Result<(), Unread> {
    for piece in input.split(|b| *b == separator).filter(|p| !p.is_empty()) {
        if store.list(list).len() >= limit {
            return Err(Unread { why: format!("more than {limit} arguments"), is_cut: true });
        }
        let at = memchr::memchr(b'=', piece);
        let (name, value) = match at {
            Some(at) => (crate::bytes::sub(piece, 0, at), crate::bytes::sub(piece, at + 1, piece.len())),
            None => (piece, &[][..]),
        };
        let name = store.write(|out| decode(name, out));
        let value = store.write(|out| decode(value, out));
        store.push(list, name, value);
    }
    Ok(())
}

fn decode(input: &[u8], out: &mut Vec<u8>) {
    let mut rest = input;
    while let Some(at) = rest.iter().position(|b| matches!(b, b'+' | b'%')) {
        out.extend_from_slice(crate::bytes::sub(rest, 0, at));
        let escape = crate::bytes::at(rest, at) == b'%';
        let decoded = if escape { hex_pair(rest, at + 1) } else { None };
        out.push(decoded.unwrap_or(if escape { b'%' } else { b' ' }));
        rest = crate::bytes::sub(rest, at + if decoded.is_some() { 3 } else { 1 }, rest.len());
    }
    out.extend_from_slice(rest);
}
