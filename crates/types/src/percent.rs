//! Percent-encoding of text that becomes a part of an address.

/// All but what is unreserved (RFC 3986 section 2.3) as `%XX`.
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn what_could_mean_something_is_encoded() {
        for (text, expect) in
            [("", ""), ("aZ09-._~", "aZ09-._~"), ("a b/?&=+%", "a%20b%2F%3F%26%3D%2B%25"), ("ä", "%C3%A4")]
        {
            assert_eq!(encoded(text), expect);
        }
    }
}
