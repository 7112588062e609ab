//! Records as messages of syslog (RFC 5424) to one collector, over TCP with messages counted by their octets (RFC 6587 section
//! 3.4.1) or over TLS (RFC 5425).
//!
//! Syslog has no answer that says what was taken. Where that has to be known, the connection is ended after a batch, and only a
//! collector that has ended its direction as well, and in order, has read everything: a system resets a connection of which
//! something is unread, and over TLS nobody else can say `close_notify`.

use super::wall::WallTexts;
use crate::carry::socket::Socket;
use crate::outcall::{is_quiet, secure, send};
use crate::tls::files::TlsError;
use crate::upstream::tls::UpstreamTls;
use portcullis_config::plan::{SyslogPlan, UpstreamProtocol};
use portcullis_h1::write::decimal;
use std::future::poll_fn;
use std::io;
use tokio::net::TcpStream;

// LIMIT: bytes that a collector may say before it ends, all of which are dropped.
const SAID_MAX: usize = 64 * 1024;

/// `SEVERITY` of RFC 5424 section 6.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Error = 3,
    Warning = 4,
    Notice = 5,
    Informational = 6,
}

/// What stands before each record.
#[derive(Debug)]
pub(crate) struct Header {
    facility: u8,
    /// From the host's name to the structured data, of which there is none.
    rest: String,
}

/// The connection to a collector.
#[derive(Debug)]
pub(super) struct Wire {
    plan: SyslogPlan,
    tls: Option<UpstreamTls>,
    /// Kept between batches of which nobody needs to know that they were taken.
    socket: Option<Socket>,
}

// === impl Header ===

impl Header {
    /// `kind` says which of our records they are.
    pub(super) fn new(facility: u8, kind: &str) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        // A name as the format has it, or none.
        let host = Some(host.trim())
            .filter(|host| !host.is_empty() && host.len() <= 255 && host.bytes().all(|byte| byte.is_ascii_graphic()));
        let rest = format!(" {} portcullis {} {kind} - ", host.unwrap_or("-"), std::process::id());
        Self { facility, rest }
    }

    /// Appends the header of a record of this moment.
    pub(super) fn write(&self, severity: Severity, wall_ms: u64, wall: &mut WallTexts, out: &mut Vec<u8>) {
        out.push(b'<');
        decimal(u64::from(self.facility) * 8 + severity as u64, out);
        out.extend_from_slice(b">1 ");
        wall.rfc3339(wall_ms, out);
        out.extend_from_slice(self.rest.as_bytes());
    }
}

/// Whole lines as messages: the number of octets, a blank, and what stands before the line feed. What comes after the last line
/// feed is no record.
pub(super) fn messages(lines: &[u8]) -> Vec<u8> {
    let whole = lines.iter().rposition(|byte| *byte == b'\n').and_then(|at| lines.get(..at)).unwrap_or_default();
    let mut out = Vec::with_capacity(lines.len() + lines.len() / 32);
    for line in whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        decimal(line.len() as u64, &mut out);
        out.push(b' ');
        out.extend_from_slice(line);
    }
    out
}

// === impl Wire ===

impl Wire {
    /// # Errors
    /// TLS files that cannot be used.
    pub(super) fn new(plan: &SyslogPlan) -> Result<Self, TlsError> {
        let tls = plan.tls.as_ref().map(|tls| UpstreamTls::new(tls, UpstreamProtocol::Http1)).transpose()?;
        Ok(Self { plan: plan.clone(), tls, socket: None })
    }

    /// Sends messages over a connection that may stay. That they are sent does not say that they are taken.
    pub(super) async fn send(&mut self, messages: &[u8]) -> io::Result<()> {
        let kept = match self.socket.take() {
            Some(mut socket) => is_quiet(&mut socket).await.then_some(socket),
            None => None,
        };
        let mut socket = match kept {
            Some(socket) => socket,
            None => self.connect().await?,
        };
        send(&mut socket, messages).await?;
        self.socket = Some(socket);
        Ok(())
    }

    /// Sends messages, and is done when the collector has read all of them.
    pub(super) async fn deliver(&self, messages: &[u8]) -> io::Result<()> {
        let mut socket = self.connect().await?;
        send(&mut socket, messages).await?;
        poll_fn(|context| socket.poll_shutdown(context)).await?;
        let (mut room, mut said) = ([0; 1024], 0);
        while said < SAID_MAX {
            match poll_fn(|context| socket.poll_read(context, &mut room)).await? {
                0 => return Ok(()),
                count => said += count,
            }
        }
        Err(io::ErrorKind::InvalidData.into())
    }

    async fn connect(&self) -> io::Result<Socket> {
        let server = &self.plan.server;
        let stream = TcpStream::connect((server.host.as_str(), server.port)).await?;
        let tls = server.tls.then_some(self.tls.as_ref());
        // What is to be encrypted is never sent in the clear, whatever is missing.
        let tls = tls.map(|tls| tls.ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))).transpose()?;
        secure(stream, tls, &server.host).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::wall::WallTexts;
    use super::{Header, Severity, messages};

    #[test]
    fn messages_are_counted_and_none_is_half() {
        for (lines, expected) in [
            ("", ""),
            ("a", ""),
            ("a\n", "1 a"),
            ("a\nbcd\n", "1 a3 bcd"),
            ("a\n\nb\nhalf", "1 a1 b"),
            ("1 a3 bcd\n", "8 1 a3 bcd"),
        ] {
            assert_eq!(messages(lines.as_bytes()), expected.as_bytes(), "{lines:?}");
        }
    }

    #[test]
    fn a_header_is_that_of_the_standard() {
        let (mut wall, mut out) = (WallTexts::default(), Vec::new());
        let header = Header { facility: 16, rest: " gate portcullis 7 access - ".to_owned() };
        header.write(Severity::Informational, 1_795_470_645_123, &mut wall, &mut out);
        assert_eq!(out, b"<134>1 2026-11-23T21:50:45.123Z gate portcullis 7 access - ");
        let made = Header::new(10, "security").rest;
        let words: Vec<&str> = made.trim_start().split(' ').collect();
        assert_eq!((words.len(), words[1], words[3], words[4]), (6, "portcullis", "security", "-"), "{made:?}");
        assert!(!words[0].is_empty(), "{made:?}");
    }
}
