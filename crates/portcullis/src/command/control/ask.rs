//! One question over a Unix socket and its answer.

use crate::ending::Stop;
use serde_json::Value;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

// LIMIT: bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;
// LIMIT: until the answer; a reload of ten thousand routes takes a second.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// A gateway that can be asked.
pub(super) struct Asking(PathBuf);

/// What it said.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

// === impl Asking ===

impl Asking {
    pub(super) fn to(socket: PathBuf) -> Self {
        Self(socket)
    }

    pub(super) fn ask(&self, method: &str, path: &str) -> Result<Answer, Stop> {
        let shown = self.0.display();
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the system's own list grows; the rest is told in its words"
        )]
        let cannot = |error: std::io::Error| {
            Stop::environment(match error.kind() {
                ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                    format!("no gateway answers on {shown}; is it running, with this socket in its configuration?")
                }
                ErrorKind::PermissionDenied => {
                    format!("{shown} is for root and the gateway's own user only; ask as one of them")
                }
                _ => format!("{shown} cannot be asked: {error}"),
            })
        };
        let mut stream = UnixStream::connect(&self.0).map_err(cannot)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT)).map_err(cannot)?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT)).map_err(cannot)?;
        let request = format!("{method} {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).map_err(cannot)?;
        let mut text = String::new();
        stream.take(ANSWER_BYTES_MAX).read_to_string(&mut text).map_err(cannot)?;
        parse(&text).ok_or_else(|| {
            Stop::environment(format!(
                "{shown} did not answer like a gateway (or not to this user); ask as its own user"
            ))
        })
    }
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some(Answer { status, body: serde_json::from_str(body).ok()? })
}
