//! Whether a text can be looked at: signs are written in ASCII, and so has the text to be, where it is.

/// How names of charsets begin in which ASCII stands for itself (RFC 2978; names are those of IANA).
const CHARSETS: [&str; 16] = [
    "utf-8",
    "utf8",
    "us-ascii",
    "ascii",
    "iso-8859-",
    "iso8859-",
    "latin1",
    "windows-125",
    "cp125",
    "shift_jis",
    "gb2312",
    "gbk",
    "gb18030",
    "big5",
    "euc-",
    "koi8-",
];

/// Whether a body of this type can be looked at; nothing is known of a type with a charset in which ASCII is something else, such
/// as UTF-16, nor of a body that seems to be in one.
#[must_use]
pub fn is_readable(content_type: &[u8], body: &[u8]) -> bool {
    const NAME: &str = "charset=";
    let lower = String::from_utf8_lossy(content_type).to_ascii_lowercase().replace([' ', '\t', '"', '\\', '\''], "");
    let are_known = lower.match_indices(NAME).all(|(at, _)| {
        let value = lower.get(at + NAME.len()..).unwrap_or_default().trim_start_matches(['"', '\'', ' ']);
        CHARSETS.iter().any(|known| value.starts_with(known)) || value.is_empty() || value.starts_with(';')
    });
    are_known && !is_wide(body)
}

/// Whether characters seem to take two bytes or four: by the mark at the beginning, or because every second byte is 0.
fn is_wide(body: &[u8]) -> bool {
    // LIMIT: bytes that are looked at.
    const BYTES: usize = 64;
    let begin = body.get(..BYTES).unwrap_or(body);
    let zeros = |first: usize| {
        let all = begin.iter().skip(first).step_by(2);
        (all.clone().filter(|byte| **byte == 0).count() * 4, all.count() * 3)
    };
    let is_padded = |(zeros, most): (usize, usize)| zeros >= most;
    begin.starts_with(&[0xff, 0xfe])
        || begin.starts_with(&[0xfe, 0xff])
        || (begin.len() >= 4 && (is_padded(zeros(0)) || is_padded(zeros(1))))
}

#[cfg(test)]
mod tests {
    use super::is_readable;

    fn wide(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn only_what_is_written_in_ascii_can_be_looked_at() {
        for (content_type, readable) in [
            ("", true),
            ("text/plain", true),
            ("text/plain; charset=utf-8", true),
            ("text/plain; Charset=\"UTF-8\"; x=y", true),
            ("text/html; charset=iso-8859-1", true),
            ("text/plain; charset=", true),
            ("text/plain; charset=utf-16le", false),
            ("text/plain; charset=UTF-16", false),
            ("text/plain;charset=\"utf-32\"", false),
            ("text/plain; charset=utf-8; charset=utf-16", false),
            ("text/plain; charset=utf-7", false),
            ("text/plain; charset=ibm037", false),
        ] {
            assert_eq!(is_readable(content_type.as_bytes(), b"not found"), readable, "{content_type}");
        }
        let text = "Traceback (most recent call last):";
        for body in
            [wide(text, u16::to_le_bytes), wide(text, u16::to_be_bytes), wide("\u{feff}\u{8ba2}", u16::to_le_bytes)]
        {
            assert!(!is_readable(b"text/plain", &body), "{body:?}");
        }
        let four: Vec<u8> = text.chars().flat_map(|character| u32::from(character).to_le_bytes()).collect();
        assert!(!is_readable(b"", &four));
        for body in [
            &b""[..],
            b"a",
            b"\0",
            "\u{feff}plain".as_bytes(),
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\x01\0\x08\x06",
        ] {
            assert!(is_readable(b"", body), "{body:?}");
        }
    }
}
