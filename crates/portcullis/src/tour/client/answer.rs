//! Bytes into an answer. Reads what a gateway sends and is strict about nothing else.

#[cfg(test)]
mod tests;

/// An answer of the gateway, or of the status listener.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    fields: Vec<(String, String)>,
    pub(crate) body: String,
    /// TLS version and key exchange group.
    pub(crate) tls: Option<(String, String)>,
}

// === impl Answer ===

impl Answer {
    /// The first answer in these bytes and its length, once it is whole. `ended` says that no more will come.
    pub(crate) fn read(bytes: &[u8], ended: bool) -> Result<Option<(Self, usize)>, String> {
        let Some(head_end) = find(bytes, b"\r\n\r\n") else { return Ok(None) };
        let (head, body) = bytes.split_at(head_end + 4);
        let head = String::from_utf8_lossy(head).into_owned();
        let mut lines = head.lines();
        let status_line = lines.next().unwrap_or_default();
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| format!("not an answer: {status_line}"))?;
        let fields: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Self { status, fields, ..Self::default() };
        if (100..200).contains(&status) {
            let after = Self::read(body, ended)?;
            return Ok(after.map(|(answer, length)| (answer, head_end + 4 + length)));
        }
        let whole = match (answer.field("transfer-encoding"), answer.field("content-length")) {
            (Some(_), _) => dechunked(body)?,
            (None, Some(length)) => {
                let length: usize = length.parse().map_err(|_| format!("not a length: {length}"))?;
                body.get(..length).map(|body| (body.to_vec(), length))
            }
            (None, None) if matches!(status, 204 | 304) => Some((Vec::new(), 0)),
            (None, None) => ended.then(|| (body.to_vec(), body.len())),
        };
        Ok(whole.map(|(body, length)| {
            answer.body = String::from_utf8_lossy(&body).into_owned();
            (answer, head_end + 4 + length)
        }))
    }

    pub(crate) fn with_tls(mut self, tls: Option<(String, String)>) -> Self {
        self.tls = tls;
        self
    }

    /// A header field by its lower-case name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null if it isn't.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The code of a problem, or empty.
    pub(crate) fn code(&self) -> String {
        self.json().get("code").and_then(|code| code.as_str()).unwrap_or_default().to_owned()
    }

    /// Status, and the code where it is a problem.
    pub(crate) fn brief(&self) -> String {
        format!("{} {}", self.status, self.code()).trim_end().to_owned()
    }
}

fn dechunked(mut rest: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let whole = rest.len();
    let mut body = Vec::new();
    loop {
        let Some(end) = find(rest, b"\r\n") else { return Ok(None) };
        let (size, after) = rest.split_at(end);
        let size = usize::from_str_radix(&String::from_utf8_lossy(size), 16).map_err(|_| "not a chunk".to_owned())?;
        let data = after.get(2..).unwrap_or_default();
        let (Some(chunk), Some(next)) = (data.get(..size), data.get(size.saturating_add(2)..)) else { return Ok(None) };
        body.extend_from_slice(chunk);
        rest = next;
        if size == 0 {
            return Ok(Some((body, whole - rest.len())));
        }
    }
}

pub(super) fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
