//! An answer as a server sends it, shown to rules that have seen its request.

use crate::ending::Stop;
use portcullis_waf::{LooseHead, ResponseHead, Transaction};

pub(super) fn show(transaction: &mut Transaction, raw: &[u8]) -> Result<(), Stop> {
    let cannot = |why: &str| Stop::environment(format!("the answer cannot be read: {why}"));
    let end = body_of(raw).ok_or_else(|| cannot("there is no empty line behind its head"))?;
    let head = LooseHead::read(raw);
    let words = String::from_utf8_lossy(head.target);
    let status = words.split(' ').next().and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| cannot("it does not begin with a line like `HTTP/1.1 200 OK`"))?;
    if head.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"content-encoding")) {
        return Err(cannot("its body has a content coding; undo it and leave Content-Encoding out"));
    }
    // It looks only; what would have been refused is asked for later.
    let _head = transaction.response_head(&ResponseHead { status, protocol: head.method, headers: &head.headers });
    let _body = transaction.response_body(raw.get(end..).unwrap_or_default());
    Ok(())
}

/// Where the body begins.
fn body_of(raw: &[u8]) -> Option<usize> {
    raw.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}
