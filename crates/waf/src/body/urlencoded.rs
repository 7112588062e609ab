//! `a=1&b=2`, from a query or a body.

use crate::bytes::hex_pair;
use crate::store::{List, Store};

/// Adds the arguments; a name without `=` has an empty value.
pub(crate) fn arguments(
    input: &[u8],
    separator: u8,
    limit: usize,
    list: List,
    store: &mut Store,
) -> Result<(), String> {
    for piece in input.split(|b| *b == separator).filter(|p| !p.is_empty()) {
        if store.list(list).len() >= limit {
            return Err(format!("more than {limit} arguments"));
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
    let mut i = 0;
    while let Some(byte) = input.get(i).copied() {
        i += 1;
        match byte {
            b'+' => out.push(b' '),
            b'%' => match hex_pair(input, i) {
                Some(decoded) => {
                    out.push(decoded);
                    i += 2;
                }
                None => out.push(b'%'),
            },
            other => out.push(other),
        }
    }
}
