//! The two fields of W3C Trace Context, level 2 (level 1 is contained in it): `traceparent` read strictly and written by us,
//! `tracestate` passed on whole or not at all.

use portcullis_h1::{Fields, Known};

// LIMIT: members of a `tracestate` (section 3.3.1.1).
const MEMBERS_MAX: usize = 32;
// LIMIT: bytes of a `tracestate` that are passed on; more need not be (section 3.3.1.5).
const STATE_BYTES_MAX: usize = 512;
const KEY_BYTES_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 256;

/// A client's valid `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parent {
    pub(crate) trace_id: [u8; 32],
    pub(crate) span_id: [u8; 16],
    pub(crate) flags: u8,
}

// === impl Parent ===

impl Parent {
    /// Section 3.2. A later version is read as far as this one goes (section 3.2.4).
    pub(crate) fn parse(field: &[u8]) -> Option<Self> {
        let part = |from: usize, to: usize| field.get(from..to);
        let dashed = [2, 35, 52].iter().all(|at| field.get(*at) == Some(&b'-'));
        let version = value(part(0, 2)?)?;
        let whole = match version {
            0 => field.len() == 55,
            0xff => false,
            _ => field.len() == 55 || field.get(55) == Some(&b'-'),
        };
        if !dashed || !whole {
            return None;
        }
        let trace_id: [u8; 32] = part(3, 35)?.try_into().ok()?;
        let span_id: [u8; 16] = part(36, 52)?.try_into().ok()?;
        Some(Self { trace_id: identifier(trace_id)?, span_id: identifier(span_id)?, flags: value(part(53, 55)?)? })
    }
}

/// Lower-case hexadecimal digits that are not all zeros.
fn identifier<const N: usize>(digits: [u8; N]) -> Option<[u8; N]> {
    let valid = digits.iter().all(|digit| nibble(*digit).is_some()) && digits.iter().any(|digit| *digit != b'0');
    valid.then_some(digits)
}

fn value(digits: &[u8]) -> Option<u8> {
    digits.iter().try_fold(0, |value: u8, digit| Some(value << 4 | nibble(*digit)?))
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Writes a `traceparent` of version 00; of the flags the lowest two bits.
pub(crate) fn write(trace_id: &[u8; 32], span_id: &[u8; 16], flags: u8, out: &mut [u8; 55]) {
    let parts: [(usize, &[u8]); 7] = [
        (0, b"00"),
        (2, b"-"),
        (3, trace_id),
        (35, b"-"),
        (36, span_id),
        (52, b"-"),
        (53, &[b'0', b'0' + (flags & 3)]),
    ];
    for (at, part) in parts {
        if let Some(slot) = out.get_mut(at..at + part.len()) {
            slot.copy_from_slice(part);
        }
    }
}

/// Whether the `tracestate` lines are one list that can be passed on (section 3.3.1): its grammar, no key twice, at most 32
/// members and 512 bytes. What is not is dropped whole; a part of it would say something else.
pub(crate) fn is_state(fields: Fields<'_>) -> bool {
    let mut keys: [&[u8]; MEMBERS_MAX] = [b""; MEMBERS_MAX];
    let (mut count, mut bytes) = (0, 0);
    for member in members(fields) {
        bytes += member.len() + usize::from(count > 0);
        let Some(key) = key_of(member) else { return false };
        let seen = keys.get(..count).unwrap_or_default();
        if bytes > STATE_BYTES_MAX || seen.contains(&key) {
            return false;
        }
        let Some(slot) = keys.get_mut(count) else { return false };
        *slot = key;
        count += 1;
    }
    count > 0
}

/// Appends the value of a `tracestate` that was found to be one.
pub(crate) fn write_state(fields: Fields<'_>, out: &mut Vec<u8>) {
    for (index, member) in members(fields).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(member);
    }
}

/// The members of all lines in order; empty ones are allowed and mean nothing.
fn members(fields: Fields<'_>) -> impl Iterator<Item = &[u8]> {
    let lines = fields.all(Known::Tracestate);
    let parts = lines.flat_map(|line| line.split(|byte| *byte == b','));
    parts.map(trim).filter(|part| !part.is_empty())
}

fn trim(part: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = part.iter().position(|byte| !is_blank(byte)).unwrap_or(part.len());
    let end = part.iter().rposition(|byte| !is_blank(byte)).map_or(start, |at| at + 1);
    part.get(start..end).unwrap_or_default()
}

/// The key of a valid `key=value`.
fn key_of(member: &[u8]) -> Option<&[u8]> {
    let at = member.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (member.get(..at)?, member.get(at + 1..)?);
    let starts = matches!(key.first()?, b'a'..=b'z' | b'0'..=b'9');
    let is_key = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@');
    let is_value = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b'=');
    // Blanks at the end were trimmed away: they belong to the list.
    let valid = starts
        && key.len() <= KEY_BYTES_MAX
        && key.iter().all(is_key)
        && (1..=VALUE_BYTES_MAX).contains(&value.len())
        && value.iter().all(is_value);
    valid.then_some(key)
}

#[cfg(test)]
mod tests {
    use super::{Parent, is_state, write_state};
    use portcullis_h1::{HeadLimits, RequestHead};

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[test]
    fn a_traceparent_is_read_strictly() {
        let row = |field: &str, flags: Option<u8>| {
            let parent = Parent::parse(field.as_bytes());
            assert_eq!(parent.map(|parent| parent.flags), flags, "{field}");
            if let Some(parent) = parent {
                assert_eq!((&parent.trace_id[..], &parent.span_id[..]), (TRACE.as_bytes(), &b"b7ad6b7169203331"[..]));
            }
        };
        let with = |version: &str, flags: &str| format!("{version}-{TRACE}-b7ad6b7169203331-{flags}");
        row(&with("00", "01"), Some(1));
        row(&with("00", "ff"), Some(255));
        row(&with("cc", "01"), Some(1));
        row(&with("cc", "01-what-the-future-will-be-like"), Some(1));
        for broken in [
            with("00", "01-more"),
            with("cc", "01.more"),
            with("cc", "01-").replace("01-", "01"),
            with("ff", "01"),
            with("00", "0G"),
            with("00", "1"),
            with("0x", "01"),
            with("00", "01").to_uppercase(),
            with("00", "01").replace('-', "_"),
            format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!(" {}", with("00", "01")),
            String::new(),
        ] {
            if broken.starts_with("cc") && broken.len() == 55 {
                continue;
            }
            row(&broken, None);
        }
    }

    fn state(lines: &[&str]) -> Option<String> {
        let lines: String = lines.iter().map(|line| format!("tracestate: {line}\r\n")).collect();
        let raw = format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        let mut head = RequestHead::default();
        head.parse(raw.as_bytes(), &HeadLimits::default()).unwrap();
        is_state(head.fields()).then(|| {
            let mut out = Vec::new();
            write_state(head.fields(), &mut out);
            String::from_utf8(out).unwrap()
        })
    }

    #[test]
    fn a_tracestate_is_passed_on_whole_or_not_at_all() {
        let many = |count: usize| (0..count).map(|index| format!("k{index}=v")).collect::<Vec<_>>().join(",");
        let row = |lines: &[&str], expected: Option<&str>| assert_eq!(state(lines).as_deref(), expected, "{lines:?}");
        row(&["congo=t61rcWkgMzE"], Some("congo=t61rcWkgMzE"));
        row(&["a=1,b=2", "c=3"], Some("a=1,b=2,c=3"));
        row(&[" a=1 \t,, b= x y , "], Some("a=1,b= x y"));
        row(&["fw529a3039@dt=FfAgAAAA", "0tenant@v_-*/=!\"#$"], Some("fw529a3039@dt=FfAgAAAA,0tenant@v_-*/=!\"#$"));
        row(&[&many(32)], Some(&many(32)));
        row(&[&many(33)], None);
        row(&[&format!("a={}", "x".repeat(256))], Some(&format!("a={}", "x".repeat(256))));
        row(&[&format!("a={}", "x".repeat(257))], None);
        let halves = format!("a={},b={}", "x".repeat(252), "y".repeat(253));
        assert_eq!(halves.len(), 510);
        row(&[&halves], Some(&halves));
        row(&[&format!("{halves},c=")], None);
        row(&[&halves, "c=1"], None);
        for broken in
            ["", ",", "a", "a=", "=1", "A=1", "_a=1", "a b=1", "a=1=2", "a=\u{e9}", "a=1,a=2", "a=1,b", "a=\t1\t2"]
        {
            row(&[broken], None);
        }
    }
}
