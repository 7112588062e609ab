//! Hexadecimal digits: keys and signatures in files, names in questions to the admin socket.

/// Bytes as digits in small letters.
pub(crate) fn digits(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One spelling only: digits in capitals would be another text with the same meaning.
pub(crate) fn bytes<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    let all = pairs.map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.last()?)?));
    all.collect::<Option<Vec<u8>>>()?.try_into().ok()
}
