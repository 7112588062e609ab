//! Transformations that normalise text: white space, comments, command lines, paths.

use crate::bytes::{at, is_space};

/// White space, the no-break space of Latin-1 included.
pub(super) fn is_blank(byte: u8) -> bool {
    is_space(byte) || byte == 0xa0
}

pub(super) fn compress_whitespace(input: &[u8], out: &mut Vec<u8>) {
    let mut previous = false;
    for byte in input {
        let blank = is_blank(*byte);
        if !blank {
            out.push(*byte);
        } else if !previous {
            out.push(b' ');
        }
        previous = blank;
    }
}

/// A shell command line as the shell would see it: quotes and escapes gone, separators one space, lower case,
/// no space before a slash or a parenthesis.
pub(super) fn command_line(input: &[u8], out: &mut Vec<u8>) {
    let mut space = false;
    for byte in input {
        match byte {
            b'"' | b'\'' | b'\\' | b'^' => {}
            b' ' | b',' | b';' | b'\t' | b'\r' | b'\n' => {
                if !space {
                    out.push(b' ');
                    space = true;
                }
            }
            b'/' | b'(' => {
                if space {
                    out.pop();
                }
                space = false;
                out.push(*byte);
            }
            other => {
                space = false;
                out.push(other.to_ascii_lowercase());
            }
        }
    }
}

/// Each `/* … */`, an unclosed one included, becomes a space.
pub(super) fn replace_comments(input: &[u8], out: &mut Vec<u8>) {
    let mut i = 0;
    let mut inside = false;
    while let Some(byte) = input.get(i).copied() {
        let next = at(input, i + 1);
        if !inside && byte == b'/' && next == b'*' {
            inside = true;
            i += 2;
        } else if inside && byte == b'*' && next == b'/' {
            inside = false;
            out.push(b' ');
            i += 2;
        } else {
            if !inside {
                out.push(byte);
            }
            i += 1;
        }
    }
    if inside {
        out.push(b' ');
    }
}

/// Comment marks of SQL, C and HTML vanish.
pub(super) fn remove_comment_chars(input: &[u8], out: &mut Vec<u8>) {
    let mut rest = input;
    while let Some((first, tail)) = rest.split_first() {
        let mark: usize = match rest {
            [b'/', b'*', ..] | [b'*', b'/', ..] => 2,
            [b'<', b'!', b'-', b'-', ..] => 4,
            [b'-', b'-', b'>', ..] => 3,
            [b'-', b'-', ..] => 2,
            [b'#', ..] => 1,
            _ => {
                out.push(*first);
                rest = tail;
                continue;
            }
        };
        rest = rest.get(mark..).unwrap_or_default();
    }
}

/// Resolves `.`, `..` and doubled slashes; with `windows`, a backslash is a slash.
pub(super) fn normalize_path(input: &[u8], windows: bool, out: &mut Vec<u8>) {
    let is_separator = |b: &u8| *b == b'/' || (windows && *b == b'\\');
    let absolute = input.first().is_some_and(is_separator);
    let trailing = input.len() > 1 && input.last().is_some_and(is_separator);
    // Where each kept segment starts in `out`, so that `..` can take it back.
    let mut starts: Vec<usize> = Vec::new();
    if absolute {
        out.push(b'/');
    }
    let root = out.len();
    for segment in input.split(is_separator) {
        match segment {
            b"" | b"." => continue,
            b".." => {
                if let Some(start) = starts.pop() {
                    out.truncate(start);
                    continue;
                }
                if absolute {
                    continue;
                }
                // Above where it began: kept, and nothing can take it back.
                if out.len() > root {
                    out.push(b'/');
                }
                out.extend_from_slice(b"..");
            }
            name => {
                starts.push(out.len());
                if out.len() > root {
                    out.push(b'/');
                }
                out.extend_from_slice(name);
            }
        }
    }
    if trailing && out.len() > root {
        out.push(b'/');
    }
}
