//! What of a client's text may stand in a record: its form and the words of attacks, which are nobody's secret.

// LIMIT: characters of an excerpt.
const EXCERPT_MAX: usize = 64;
// LIMIT: bytes of a part of a name; a longer one may be a key that stands where a name should.
const NAME_BYTES_MAX: usize = 32;
// LIMIT: bytes of a whole name.
const VARIABLE_BYTES_MAX: usize = 160;

/// Words that attacks are made of. Whoever reads a record has to see what was tried; all other words may be secrets.
const WORDS: [&str; 48] = [
    "alert",
    "and",
    "bash",
    "by",
    "cat",
    "cmd",
    "cookie",
    "curl",
    "delete",
    "document",
    "drop",
    "echo",
    "env",
    "etc",
    "eval",
    "exec",
    "from",
    "href",
    "http",
    "https",
    "id",
    "iframe",
    "img",
    "insert",
    "into",
    "javascript",
    "jndi",
    "like",
    "null",
    "onerror",
    "onload",
    "or",
    "order",
    "passwd",
    "php",
    "proc",
    "script",
    "select",
    "sh",
    "sleep",
    "src",
    "svg",
    "system",
    "table",
    "union",
    "update",
    "where",
    "whoami",
];

/// The name of a variable without what may be a key in the place of a name.
pub(super) fn variable(name: &str) -> String {
    let Some((collection, member)) = name.split_once(':') else { return name.to_owned() };
    let mut out = format!("{collection}:");
    for (index, part) in member.split('.').enumerate() {
        if index > 0 {
            out.push('.');
        }
        if out.len() + part.len() > VARIABLE_BYTES_MAX {
            out.push_str("...");
            break;
        }
        out.push_str(if part.len() > NAME_BYTES_MAX { "*" } else { part });
    }
    out
}

/// The form of a value: letters as `a` and digits as `0`, but for known words.
pub(super) fn excerpt(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let mut out = String::new();
    let mut rest: &str = &text;
    while !rest.is_empty() && out.chars().count() < EXCERPT_MAX {
        let is_inner = |c: char| c.is_alphanumeric();
        let length = rest.find(|c| !is_inner(c)).unwrap_or(rest.len());
        let (word, more) = rest.split_at(length);
        if WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)) {
            out.push_str(word);
        } else {
            out.extend(word.chars().map(|c| if c.is_numeric() { '0' } else { 'a' }));
        }
        let mark = more.chars().next();
        out.extend(mark);
        rest = more.get(mark.map_or(0, char::len_utf8)..).unwrap_or_default();
    }
    out.chars().take(EXCERPT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::{excerpt, variable};

    #[test]
    fn an_excerpt_tells_the_form_and_no_secret() {
        for (value, expected) in [
            ("", ""),
            ("s3cret", "a0aaaa"),
            ("hunter2' OR 1=1 --", "aaaaaa0' OR 0=0 --"),
            ("<script>alert(document.cookie)</script>", "<script>alert(document.cookie)</script>"),
            ("../../etc/shadow", "../../etc/aaaaaa"),
            ("pässwort", "aaaaaaaa"),
        ] {
            assert_eq!(excerpt(value.as_bytes()), expected, "{value}");
        }
        assert_eq!(excerpt(&[b'x'; 1000]).len(), 64);
        assert_eq!(excerpt(b"\xff\xfe"), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn a_key_in_the_place_of_a_name_is_not_written() {
        for (name, expected) in [
            ("REQUEST_URI", "REQUEST_URI"),
            ("ARGS:q", "ARGS:q"),
            ("ARGS:json.customer.street", "ARGS:json.customer.street"),
            ("ARGS_NAMES:pk_1Wj94X41jSX_e76mZzftPNOIaJM8GMBjKa1mH9MFiYWQ", "ARGS_NAMES:*"),
            ("ARGS:json.pk_1Wj94X41jSX_e76mZzftPNOIaJM8GMBjKa1mH9MFiYWQ.a", "ARGS:json.*.a"),
        ] {
            assert_eq!(variable(name), expected);
        }
        assert!(variable(&format!("ARGS:{}", "a.".repeat(1000))).len() < 200);
    }
}
