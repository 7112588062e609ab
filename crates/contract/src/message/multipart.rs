//! `multipart/form-data` (RFC 7578, RFC 2046 section 5.1), in its one strict form: nothing before the first boundary, nothing
//! after the last, CRLF everywhere. Servers differ about everything else.

use crate::media;
use memchr::memmem;

/// LIMIT: parts of one body.
const PARTS_MAX: usize = 1_000;
/// LIMIT: bytes of the header section of a part.
const HEAD_BYTES_MAX: usize = 8 << 10;
/// LIMIT: RFC 2046 section 5.1.1.
const BOUNDARY_BYTES_MAX: usize = 70;

/// One part.
#[derive(Debug)]
pub(super) struct Section<'b> {
    pub(super) name: String,
    pub(super) content_type: Option<String>,
    /// All of its header section.
    pub(super) fields: Vec<(&'b str, &'b str)>,
    pub(super) bytes: &'b [u8],
}

pub(super) fn sections<'b>(body: &'b [u8], boundary: &str) -> Result<Vec<Section<'b>>, &'static str> {
    if boundary.is_empty() || boundary.len() > BOUNDARY_BYTES_MAX || !boundary.is_ascii() {
        return Err("its Content-Type has no usable boundary");
    }
    let first = format!("--{boundary}");
    let mark = format!("\r\n--{boundary}");
    let finder = memmem::Finder::new(mark.as_bytes());
    let mut rest = body.strip_prefix(first.as_bytes()).ok_or("it does not begin with its boundary")?;
    let mut all = Vec::new();
    loop {
        if rest == b"--" || rest == b"--\r\n" {
            return Ok(all);
        }
        rest = rest.strip_prefix(b"\r\n").ok_or("a boundary is followed by something else")?;
        if all.len() >= PARTS_MAX {
            return Err("it has too many parts");
        }
        let end = finder.find(rest).ok_or("a part does not end")?;
        let (part, after) = rest.split_at_checked(end).ok_or("a part does not end")?;
        all.push(section(part)?);
        rest = after.get(mark.len()..).unwrap_or(b"");
    }
}

fn section(part: &[u8]) -> Result<Section<'_>, &'static str> {
    let head_end = memmem::find(part, b"\r\n\r\n").filter(|end| *end <= HEAD_BYTES_MAX);
    let head_end = head_end.ok_or("a part has no header section, or a very long one")?;
    let (head, rest) = part.split_at_checked(head_end).ok_or("a part has no header section")?;
    let head = std::str::from_utf8(head).map_err(|_| "the header section of a part is not UTF-8")?;
    let (mut name, mut content_type, mut fields) = (None, None, Vec::new());
    for line in head.split("\r\n") {
        let (field, value) = line.split_once(':').ok_or("a header line of a part has no colon")?;
        if line.contains(['\r', '\n', '\0']) || field.trim() != field || field.is_empty() {
            return Err("a header line of a part is malformed");
        }
        let value = value.trim_matches([' ', '\t']);
        fields.push((field, value));
        let twice = |is_there: bool| if is_there { Err("a header line of a part stands twice") } else { Ok(()) };
        if field.eq_ignore_ascii_case("content-disposition") {
            twice(name.is_some())?;
            let kind = value.split(';').next().unwrap_or("").trim();
            let found = media::parameter(value, "name").filter(|_| kind.eq_ignore_ascii_case("form-data"));
            name = Some(found.ok_or("a part has no name")?);
        } else if field.eq_ignore_ascii_case("content-type") {
            twice(content_type.is_some())?;
            content_type = Some(value.to_owned());
        } else if field.eq_ignore_ascii_case("content-transfer-encoding") {
            // Deprecated by RFC 7578 section 4.7; whether a server undoes it cannot be known.
            return Err("a part is in a transfer encoding");
        }
    }
    let name = name.ok_or("a part has no name")?;
    Ok(Section { name, content_type, fields, bytes: rest.get(4..).unwrap_or(b"") })
}

#[cfg(test)]
mod tests {
    use super::sections;

    fn shown(body: &str) -> String {
        match sections(body.as_bytes(), "b") {
            Err(error) => error.to_owned(),
            Ok(all) => {
                let one = |part: &super::Section<'_>| {
                    format!(
                        "{}={}:{}",
                        part.name,
                        part.content_type.as_deref().unwrap_or("-"),
                        String::from_utf8_lossy(part.bytes)
                    )
                };
                all.iter().map(one).collect::<Vec<_>>().join("|")
            }
        }
    }

    #[test]
    fn parts_are_taken_apart_or_refused() {
        let head = "Content-Disposition: form-data; name=\"a\"";
        for (body, expected) in [
            (format!("--b\r\n{head}\r\n\r\nx\r\n--b--\r\n"), "a=-:x"),
            (
                format!("--b\r\n{head}\r\nContent-Type: text/plain\r\n\r\n\r\n--b\r\n{head}\r\n\r\ny\r\n--b--"),
                "a=text/plain:|a=-:y",
            ),
            ("--b--".to_owned(), ""),
            (format!("pre\r\n--b\r\n{head}\r\n\r\nx\r\n--b--"), "it does not begin with its boundary"),
            (format!("--b\r\n{head}\r\n\r\nx\r\n--b--epilogue"), "a boundary is followed by something else"),
            (format!("--b\n{head}\n\nx\n--b--"), "a boundary is followed by something else"),
            (format!("--b\r\n{head}\r\n\r\nx"), "a part does not end"),
            ("--b\r\n\r\n\r\nx\r\n--b--".to_owned(), "a header line of a part has no colon"),
            ("--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--".to_owned(), "a part has no name"),
            (format!("--b\r\n{head}\r\n{head}\r\n\r\nx\r\n--b--"), "a header line of a part stands twice"),
            (
                format!("--b\r\n{head}\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n--b--"),
                "a part is in a transfer encoding",
            ),
            (format!("--b\r\n{head}\r\n\r\nx\r\n--bc\r\n--b--"), "a boundary is followed by something else"),
        ] {
            assert_eq!(shown(&body), expected, "{body}");
        }
    }
}
