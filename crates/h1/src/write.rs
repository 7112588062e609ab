//! Messages to bytes: what goes out is framed anew from what was parsed, never copied through.

use std::net::IpAddr;

/// Appends the size line of a chunk of `length` bytes; the data and [`CHUNK_END`] follow. `length` is not 0,
/// since that would end the body.
pub fn chunk_start(length: usize, out: &mut Vec<u8>) {
    let mut digits = [0u8; 16];
    let mut at = digits.len();
    let mut rest = length;
    loop {
        at -= 1;
        let nibble = rest & 0xf;
        if let (Some(slot), Some(digit)) = (digits.get_mut(at), b"0123456789abcdef".get(nibble)) {
            *slot = *digit;
        }
        rest >>= 4;
        if rest == 0 || at == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
    out.extend_from_slice(b"\r\n");
}

/// What follows the data of a chunk.
pub const CHUNK_END: &[u8] = b"\r\n";

/// The last chunk; trailer lines and an empty line follow.
pub const LAST_CHUNK: &[u8] = b"0\r\n";

/// Appends `name: value` and a line end. The caller vouches for both: they were parsed, or they are ours.
pub fn field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// The two digits of every number below a hundred.
const PAIRS: &[u8; 200] =
    b"0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
    5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/// Appends a number in decimal.
pub fn decimal(value: u64, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    let mut rest = value;
    // Two digits a step: a division costs more than a look into a small table.
    while rest >= 10 && at >= 2 {
        at -= 2;
        put_pair(rest % 100, at, &mut digits);
        rest /= 100;
    }
    if rest > 0 || value == 0 {
        at = at.saturating_sub(1);
        if let (Some(slot), Ok(digit)) = (digits.get_mut(at), u8::try_from(rest % 10)) {
            *slot = b'0' + digit;
        }
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

fn put_pair(below_hundred: u64, at: usize, digits: &mut [u8]) {
    let pair = usize::try_from(below_hundred).ok().and_then(|index| PAIRS.get(2 * index..2 * index + 2));
    if let (Some(slot), Some(pair)) = (digits.get_mut(at..at + 2), pair) {
        slot.copy_from_slice(pair);
    }
}

/// Appends an address without brackets.
pub fn address(ip: IpAddr, out: &mut Vec<u8>) {
    match ip {
        IpAddr::V4(address) => {
            // The longest one has fifteen characters; each octet leaves room for the dot before it.
            let mut text = [b'.'; 16];
            let mut at = text.len();
            for octet in address.octets().into_iter().rev() {
                at = octet_before(octet, at, &mut text) - 1;
            }
            out.extend_from_slice(text.get(at + 1..).unwrap_or_default());
        }
        IpAddr::V6(address) => out.extend_from_slice(address.to_string().as_bytes()),
    }
}

/// Writes an octet so that it ends before `end`, at least four places in; gives the place of its first digit.
fn octet_before(octet: u8, end: usize, text: &mut [u8; 16]) -> usize {
    let (hundreds, rest) = (octet / 100, octet % 100);
    if octet < 10 {
        put(b'0' + octet, end - 1, text);
        return end - 1;
    }
    put_pair(u64::from(rest), end - 2, text);
    if hundreds == 0 {
        return end - 2;
    }
    put(b'0' + hundreds, end - 3, text);
    end - 3
}

fn put(byte: u8, at: usize, text: &mut [u8; 16]) {
    if let Some(slot) = text.get_mut(at) {
        *slot = byte;
    }
}

/// Appends the status line of HTTP/1.1 with the standard phrase of the status.
pub fn status_line(status: u16, out: &mut Vec<u8>) {
    if status == 200 {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    out.extend_from_slice(b"HTTP/1.1 ");
    decimal(u64::from(status), out);
    out.push(b' ');
    out.extend_from_slice(phrase(status).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// The standard phrase of a status (RFC 9110 section 15 and the IANA registry); empty for unassigned ones.
#[must_use]
pub const fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        208 => "Already Reported",
        226 => "IM Used",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        506 => "Variant Also Negotiates",
        507 => "Insufficient Storage",
        508 => "Loop Detected",
        511 => "Network Authentication Required",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::{address, decimal};
    use std::net::IpAddr;

    #[test]
    fn numbers_are_those_that_the_standard_library_writes() {
        let edges = (0..20).map(|power| 10u64.pow(power)).flat_map(|edge| [edge - 1, edge, edge + 1]);
        for value in (0..1100).chain(edges).chain([u64::MAX, u64::MAX - 1]) {
            let mut out = b"=".to_vec();
            decimal(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("={value}"));
        }
    }

    #[test]
    fn addresses_are_those_that_the_standard_library_writes() {
        let quads = (0..=255u8).flat_map(|octet| [[octet, 0, 9, octet], [10, octet, 255, 99], [100, 200, octet, 1]]);
        for ip in quads.map(IpAddr::from).chain(["::1", "2001:db8::a:0:1"].map(|text| text.parse().unwrap())) {
            let mut out = Vec::new();
            address(ip, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), ip.to_string());
        }
    }
}
