//! The protocol of the store, RESP2: commands to bytes, bytes to replies, within limits. Pure.

/// What the store answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Text(Vec<u8>),
    /// `MOVED 3999 127.0.0.1:6381`, `NOSCRIPT …`.
    Error(Vec<u8>),
    Number(i64),
    Nothing,
    List(Vec<Self>),
}

/// The store speaks something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Garbled;

// LIMIT: bytes of one line or text, elements of one list, lists within lists.
const TEXT_BYTES_MAX: usize = 16 * 1024;
const ELEMENTS_MAX: usize = 64;
const DEPTH_MAX: u32 = 2;

/// Appends a command.
pub(crate) fn command(out: &mut Vec<u8>, words: &[&[u8]]) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

/// The first reply and how many bytes it takes; `None` while some are missing.
pub(crate) fn reply(input: &[u8]) -> Result<Option<(Reply, usize)>, Garbled> {
    let mut rest = input;
    let found = read(&mut rest, DEPTH_MAX)?;
    Ok(found.map(|reply| (reply, input.len().saturating_sub(rest.len()))))
}

fn read(rest: &mut &[u8], depth: u32) -> Result<Option<Reply>, Garbled> {
    let Some(line) = line(rest)? else { return Ok(None) };
    let (kind, text) = line.split_first().ok_or(Garbled)?;
    match kind {
        b'+' => Ok(Some(Reply::Text(text.to_vec()))),
        b'-' => Ok(Some(Reply::Error(text.to_vec()))),
        b':' => Ok(Some(Reply::Number(number(text)?))),
        b'$' => {
            let Some(length) = length(text, TEXT_BYTES_MAX)? else { return Ok(Some(Reply::Nothing)) };
            let Some((text, after)) = rest.split_at_checked(length) else { return Ok(None) };
            let Some((end, after)) = after.split_at_checked(2) else { return Ok(None) };
            if end != b"\r\n" {
                return Err(Garbled);
            }
            *rest = after;
            Ok(Some(Reply::Text(text.to_vec())))
        }
        b'*' => {
            let Some(count) = length(text, ELEMENTS_MAX)? else { return Ok(Some(Reply::Nothing)) };
            let depth = depth.checked_sub(1).ok_or(Garbled)?;
            let mut list = Vec::new();
            for _ in 0..count {
                let Some(element) = read(rest, depth)? else { return Ok(None) };
                list.push(element);
            }
            Ok(Some(Reply::List(list)))
        }
        _ => Err(Garbled),
    }
}

fn line<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Garbled> {
    let seen = rest.get(..TEXT_BYTES_MAX).unwrap_or(rest);
    let Some(end) = memchr::memchr(b'\r', seen) else {
        return if seen.len() < TEXT_BYTES_MAX { Ok(None) } else { Err(Garbled) };
    };
    let (line, after) = rest.split_at_checked(end).ok_or(Garbled)?;
    match after {
        [b'\r', b'\n', after @ ..] => {
            *rest = after;
            Ok(Some(line))
        }
        [b'\r'] => Ok(None),
        _ => Err(Garbled),
    }
}

fn number(text: &[u8]) -> Result<i64, Garbled> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(Garbled)
}

/// A length; `None` for what is not there.
fn length(text: &[u8], most: usize) -> Result<Option<usize>, Garbled> {
    if text == b"-1" {
        return Ok(None);
    }
    usize::try_from(number(text)?).ok().filter(|length| *length <= most).map(Some).ok_or(Garbled)
}

#[cfg(test)]
mod tests {
    use super::{Garbled, Reply, command, reply};

    #[test]
    fn commands_are_counted_strings() {
        let mut out = Vec::new();
        command(&mut out, &[b"SET", b"a b", b""]);
        assert_eq!(out, b"*3\r\n$3\r\nSET\r\n$3\r\na b\r\n$0\r\n\r\n");
    }

    #[test]
    fn replies_are_read_whole_or_not_at_all() {
        let list = Reply::List(vec![Reply::Number(3), Reply::Nothing, Reply::Text(b"x\r\ny".to_vec())]);
        for (bytes, expected) in [
            (&b"+OK\r\n"[..], Reply::Text(b"OK".to_vec())),
            (b"-MOVED 1 a:2\r\n", Reply::Error(b"MOVED 1 a:2".to_vec())),
            (b":-12\r\n", Reply::Number(-12)),
            (b"$-1\r\n", Reply::Nothing),
            (b"$0\r\n\r\n", Reply::Text(Vec::new())),
            (b"*3\r\n:3\r\n$-1\r\n$4\r\nx\r\ny\r\n", list),
        ] {
            for end in 0..bytes.len() {
                assert_eq!(reply(&bytes[..end]), Ok(None), "{end} bytes of {bytes:?}");
            }
            let more = [bytes, b"+next"].concat();
            assert_eq!(reply(&more), Ok(Some((expected, bytes.len()))), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        let long = [b"+".as_slice(), &[b'a'; 20_000]].concat();
        let nested = b"*1\r\n*1\r\n*1\r\n:1\r\n";
        for bytes in [
            &b"\r\n"[..],
            b"HTTP/1.1 400\r\n",
            b"%1\r\n",
            b":1x\r\n",
            b"$-2\r\n",
            b"$99999\r\n",
            b"*65\r\n",
            b"$1\r\nab\r\n",
            b"+a\rb\r\n",
            nested,
            &long,
        ] {
            assert_eq!(reply(bytes), Err(Garbled), "{bytes:?}");
        }
    }
}
