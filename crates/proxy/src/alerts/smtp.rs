//! The client's side of SMTP (RFC 5321): one message over one connection, command by command. The deadline is the caller's.
//!
//! A server is believed nothing: replies are bounded and have one form, nothing may come before it was asked for, and where TLS is wanted nothing
//! is said before it but what begins it (RFC 3207). No command holds the end of a line.

use crate::carry::socket::Socket;
use crate::outcall::{fill, secure, send};
use crate::upstream::tls::UpstreamTls;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_config::plan::{EmailPlan, MailCipher};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;

// LIMIT: bytes of a command with its end (RFC 5321 section 4.5.3.1.4).
const COMMAND_BYTES_MAX: usize = 512;
// LIMIT: bytes of a line of a reply; the standard grants 512 (section 4.5.3.1.5), lists of extensions take more.
const LINE_BYTES_MAX: usize = 2_048;
// LIMIT: lines of a reply.
const LINES_MAX: usize = 64;
// LIMIT: how long the end of a conversation may take whose message is taken.
const GOODBYE: Duration = Duration::from_secs(1);

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It may be taken later: the server is away or busy, or what it said was none of SMTP.
    Passing,
    /// It would not be taken later either: the server said so, or is not who it has to be.
    Final,
}

/// What became of a message that was taken for at least one reader.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// For whom it may be taken later.
    pub(super) later: Vec<String>,
    /// For how many it will not be.
    pub(super) refused: usize,
}

/// A reply: its code, and the text of each line.
#[derive(Debug, PartialEq, Eq)]
struct Reply {
    code: u16,
    texts: Vec<String>,
}

/// The connection, and what was read of it and not yet looked at.
#[derive(Debug)]
struct Session {
    socket: Socket,
    input: Vec<u8>,
}

/// Hands a message to the server for these readers. Its lines end with CRLF, and none begins with a point.
///
/// # Errors
/// It was taken for nobody.
pub(super) async fn hand_over(
    plan: &EmailPlan,
    tls: Option<&UpstreamTls>,
    readers: &[String],
    message: &str,
) -> Result<Taken, Fault> {
    let (mut session, extensions) = Session::open(plan, tls).await?;
    if let Some((user, password)) = &plan.login {
        session.log_in(&extensions, user, password.expose()).await?;
    }
    session.ask(&format!("MAIL FROM:<{}>", plan.from), 2).await?;
    let (mut taken, mut any) = (Taken::default(), false);
    for reader in readers {
        match session.say(&format!("RCPT TO:<{reader}>")).await?.is(2) {
            Ok(()) => any = true,
            Err(Fault::Passing) => taken.later.push(reader.clone()),
            Err(Fault::Final) => taken.refused += 1,
        }
    }
    if any {
        session.ask("DATA", 3).await?;
        send(&mut session.socket, message.as_bytes()).await?;
        session.ask(".", 2).await?;
    }
    // Whatever is said to this changes nothing, so that nobody waits for it.
    drop(tokio::time::timeout(GOODBYE, send(&mut session.socket, b"QUIT\r\n")).await);
    Ok(taken)
}

// === impl Fault ===

impl From<io::Error> for Fault {
    /// What rustls refuses is no matter of time.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::InvalidData { Self::Final } else { Self::Passing }
    }
}

// === impl Session ===

impl Session {
    /// Connects, and begins a conversation that is encrypted where it has to be; what the server can do.
    async fn open(plan: &EmailPlan, tls: Option<&UpstreamTls>) -> Result<(Self, Vec<String>), Fault> {
        let host = plan.server.host.as_str();
        let stream = TcpStream::connect((host, plan.server.port)).await?;
        let own = stream.local_addr()?;
        // What is to be encrypted is never sent in the clear, whatever is missing.
        let first = match (plan.cipher, tls) {
            (MailCipher::Tls, Some(tls)) => Some(tls),
            (MailCipher::StartTls, Some(_)) | (MailCipher::None, _) => None,
            (MailCipher::Tls | MailCipher::StartTls, None) => return Err(Fault::Final),
        };
        let mut session = Self { socket: secure(stream, first, host).await?, input: Vec::new() };
        session.reply().await?.is(2)?;
        let extensions = session.greet(own).await?;
        if plan.cipher != MailCipher::StartTls {
            return Ok((session, extensions));
        }
        if !extensions.iter().any(|extension| extension.eq_ignore_ascii_case("STARTTLS")) {
            return Err(Fault::Final);
        }
        session.ask("STARTTLS", 2).await?;
        // What came in the clear after the reply could be anybody's, and would be taken for the server's.
        let Self { socket: Socket::Plain(stream), input } = session else { return Err(Fault::Final) };
        if !input.is_empty() {
            return Err(Fault::Passing);
        }
        let mut session = Self { socket: secure(stream, tls, host).await?, input };
        let extensions = session.greet(own).await?;
        Ok((session, extensions))
    }

    /// Says who we are, by address, as whoever has no name does (RFC 5321 section 4.1.4); what the server can do.
    async fn greet(&mut self, own: SocketAddr) -> Result<Vec<String>, Fault> {
        let name = match own.ip() {
            IpAddr::V4(address) => format!("[{address}]"),
            IpAddr::V6(address) => format!("[IPv6:{address}]"),
        };
        let reply = self.ask(&format!("EHLO {name}"), 2).await?;
        // The first line is the server's name.
        Ok(reply.texts.into_iter().skip(1).collect())
    }

    /// Proves who we are (RFC 4954), by PLAIN (RFC 4616) or else by LOGIN.
    async fn log_in(&mut self, extensions: &[String], user: &str, password: &str) -> Result<(), Fault> {
        let offers = |wanted: &str| {
            let mut words = extensions.iter().map(|extension| extension.split([' ', '=']));
            words.any(|mut words| {
                words.next().is_some_and(|name| name.eq_ignore_ascii_case("AUTH"))
                    && words.any(|word| word.eq_ignore_ascii_case(wanted))
            })
        };
        if offers("PLAIN") {
            let both = STANDARD.encode(format!("\0{user}\0{password}"));
            self.ask(&format!("AUTH PLAIN {both}"), 2).await?;
        } else if offers("LOGIN") {
            self.ask("AUTH LOGIN", 3).await?;
            self.ask(&STANDARD.encode(user), 3).await?;
            self.ask(&STANDARD.encode(password), 2).await?;
        } else {
            return Err(Fault::Final);
        }
        Ok(())
    }

    /// Says a command, and takes a reply of this class alone.
    async fn ask(&mut self, command: &str, class: u16) -> Result<Reply, Fault> {
        let reply = self.say(command).await?;
        reply.is(class).map(|()| reply)
    }

    async fn say(&mut self, command: &str) -> Result<Reply, Fault> {
        if command.len() + 2 > COMMAND_BYTES_MAX || command.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(Fault::Final);
        }
        // A reply to nothing: the next one would be taken for another command's.
        if !self.input.is_empty() {
            return Err(Fault::Passing);
        }
        send(&mut self.socket, format!("{command}\r\n").as_bytes()).await?;
        self.reply().await
    }

    async fn reply(&mut self) -> Result<Reply, Fault> {
        let mut reply: Option<Reply> = None;
        for _ in 0..LINES_MAX {
            let line = self.line().await?;
            let (code, is_last, text) = parse(&line).ok_or(Fault::Passing)?;
            let whole = reply.get_or_insert_with(|| Reply { code, texts: Vec::new() });
            if whole.code != code {
                return Err(Fault::Passing);
            }
            whole.texts.push(text);
            if is_last {
                return reply.ok_or(Fault::Passing);
            }
        }
        Err(Fault::Passing)
    }

    /// The next line, without its end.
    async fn line(&mut self) -> Result<Vec<u8>, Fault> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.input) {
                let mut line: Vec<u8> = self.input.drain(..=end).collect();
                let is_whole = line.len() <= LINE_BYTES_MAX && line.ends_with(b"\r\n");
                line.truncate(line.len().saturating_sub(2));
                return is_whole.then_some(line).ok_or(Fault::Passing);
            }
            if self.input.len() > LINE_BYTES_MAX || fill(&mut self.socket, &mut self.input).await? == 0 {
                return Err(Fault::Passing);
            }
        }
    }
}

// === impl Reply ===

impl Reply {
    /// Whether it is of this class, by the first digit of its code.
    fn is(&self, class: u16) -> Result<(), Fault> {
        match self.code / 100 {
            found if found == class => Ok(()),
            5 => Err(Fault::Final),
            _ => Err(Fault::Passing),
        }
    }
}

/// A line of a reply: its code, whether it is the last one, its text (RFC 5321 section 4.2).
fn parse(line: &[u8]) -> Option<(u16, bool, String)> {
    let (code, rest) = line.split_at_checked(3)?;
    let code: u16 = std::str::from_utf8(code).ok()?.parse().ok()?;
    let is_last = match rest.first() {
        None | Some(b' ') => true,
        Some(b'-') => false,
        Some(_) => return None,
    };
    let text = String::from_utf8_lossy(rest.get(1..).unwrap_or_default()).into_owned();
    (200..600).contains(&code).then_some((code, is_last, text))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn lines_of_replies() {
        for (line, expected) in [
            ("220 mail.test", Some((220, true, "mail.test"))),
            ("250-SIZE 10", Some((250, false, "SIZE 10"))),
            ("354", Some((354, true, ""))),
            ("250-", Some((250, false, ""))),
            ("199 a", None),
            ("600 a", None),
            ("+20 a", None),
            ("25", None),
            ("2500 a", None),
            ("abc d", None),
            ("", None),
            ("HTTP/1.1 400 Bad Request", None),
        ] {
            let expected = expected.map(|(code, is_last, text)| (code, is_last, text.to_owned()));
            assert_eq!(parse(line.as_bytes()), expected, "{line:?}");
        }
    }
}
