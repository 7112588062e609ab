//! A server that takes mail (RFC 5321), keeps every byte that it is told, and misbehaves where a test says so.

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::deadline::DEADLINE;

/// What is done in place of what should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// These bytes are said.
    Say(&'static str),
    /// They are said again and again, until the client has gone.
    Flood(&'static str),
    /// Nothing is said until the client has gone.
    Dawdle,
    /// The connection is closed.
    Close,
}

/// What happens in one connection: acts at the commands that begin so; the greeting is at an empty command, the end of a message at `.`.
pub type Mood = &'static [(&'static str, Act)];

/// How the server is spoken to.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// TLS from the first byte.
    pub tls: Option<Arc<ServerConfig>>,
    /// TLS that is begun in the clear.
    pub starttls: Option<Arc<ServerConfig>>,
    /// What else is offered, a line each.
    pub extensions: &'static [&'static str],
    /// The moods of the first connections, in turn; all others are good ones.
    pub moods: Vec<Mood>,
}

/// What was heard in one connection.
#[derive(Clone, Debug, Default)]
pub struct Conversation {
    /// Every byte in the clear.
    pub clear: String,
    /// Every byte under TLS.
    pub secret: String,
    /// Messages that were taken: for whom, and their bytes without the end.
    pub mails: Vec<(Vec<String>, String)>,
}

/// The server.
#[derive(Debug)]
pub struct MailServer {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Conversation>>>,
    ends: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

trait Line: Read + Write {}

impl<T: Read + Write> Line for T {}

/// One connection.
struct Talk {
    line: Box<dyn Line>,
    tcp: TcpStream,
    is_secret: bool,
    manner: Manner,
    mood: Mood,
    number: usize,
    heard: Arc<Mutex<Vec<Conversation>>>,
}

// === impl MailServer ===

impl MailServer {
    /// One that listens.
    #[must_use]
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (heard, ends): (Arc<Mutex<Vec<Conversation>>>, Arc<AtomicBool>) = (Arc::default(), Arc::default());
        let (all, told) = (Arc::clone(&heard), Arc::clone(&ends));
        let accepting = std::thread::spawn(move || {
            while let Ok((tcp, _)) = listener.accept() {
                if told.load(Ordering::SeqCst) {
                    return;
                }
                let (manner, heard) = (manner.clone(), Arc::clone(&all));
                let number = {
                    let mut all = heard.lock().unwrap_or_else(PoisonError::into_inner);
                    all.push(Conversation::default());
                    all.len() - 1
                };
                std::thread::spawn(move || Talk::serve(tcp, manner, number, heard));
            }
        });
        Self { address, heard, ends, accepting: Some(accepting) }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was heard, connection by connection.
    #[must_use]
    pub fn heard(&self) -> Vec<Conversation> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every message that was taken.
    #[must_use]
    pub fn mails(&self) -> Vec<(Vec<String>, String)> {
        self.heard().into_iter().flat_map(|conversation| conversation.mails).collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // Wakes whoever accepts.
        drop(TcpStream::connect(self.address));
        drop(self.accepting.take().map(JoinHandle::join));
    }
}

// === impl Talk ===

impl Talk {
    /// Serves one connection; whatever breaks it off is seen in what was heard.
    fn serve(tcp: TcpStream, manner: Manner, number: usize, heard: Arc<Mutex<Vec<Conversation>>>) {
        drop(tcp.set_read_timeout(Some(DEADLINE)));
        let mood = manner.moods.get(number).copied().unwrap_or_default();
        let line: Box<dyn Line> = Box::new(tcp.try_clone().expect("a socket"));
        let mut talk = Self { line, tcp, is_secret: false, manner, mood, number, heard };
        if let Some(tls) = talk.manner.tls.clone() {
            talk.encrypt(tls);
        }
        talk.converse();
    }

    fn encrypt(&mut self, tls: Arc<ServerConfig>) {
        let session = ServerConnection::new(tls).expect("a session");
        self.line = Box::new(StreamOwned::new(session, self.tcp.try_clone().expect("a socket")));
        self.is_secret = true;
    }

    fn converse(&mut self) -> Option<()> {
        self.say("", "220 mail.test ready\r\n")?;
        let mut readers: Vec<String> = Vec::new();
        loop {
            let command = self.hear("\n")?;
            let name = command.trim_end();
            let verb = name.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => self.greet(name)?,
                "STARTTLS" => {
                    self.say(name, "220 go ahead\r\n")?;
                    let tls = self.manner.starttls.clone()?;
                    self.encrypt(tls);
                }
                "AUTH" if name.eq_ignore_ascii_case("AUTH LOGIN") => {
                    self.say(name, "334 VXNlcm5hbWU6\r\n")?;
                    self.hear("\n")?;
                    self.say("user", "334 UGFzc3dvcmQ6\r\n")?;
                    self.hear("\n")?;
                    self.say("password", "235 welcome\r\n")?;
                }
                "AUTH" => drop(self.say(name, "235 welcome\r\n")?),
                "RCPT" => {
                    if self.say(name, "250 fine\r\n")?.starts_with('2') {
                        readers.push(name.to_owned());
                    }
                }
                "DATA" => {
                    if self.say(name, "354 go on\r\n")?.starts_with('3') {
                        let mail = self.hear("\r\n.\r\n")?;
                        // Before it is said, so that whoever was told finds it.
                        if self.act(".").is_none() {
                            self.note(|heard| heard.mails.push((std::mem::take(&mut readers), mail)));
                        }
                        self.say(".", "250 taken\r\n")?;
                    }
                }
                "QUIT" => {
                    self.say(name, "221 bye\r\n")?;
                    return None;
                }
                _ => drop(self.say(name, "250 fine\r\n")?),
            }
        }
    }

    fn greet(&mut self, command: &str) -> Option<()> {
        let mut reply = "250-mail.test\r\n".to_owned();
        if self.manner.starttls.is_some() && !self.is_secret {
            reply.push_str("250-STARTTLS\r\n");
        }
        for extension in self.manner.extensions {
            reply.push_str(&format!("250-{extension}\r\n"));
        }
        self.say(command, &(reply + "250 8BITMIME\r\n")).map(drop)
    }

    fn note(&self, change: impl FnOnce(&mut Conversation)) {
        change(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner)[self.number]);
    }

    /// What the mood has for this command.
    fn act(&self, command: &str) -> Option<Act> {
        let is_meant = |prefix: &str| if prefix.is_empty() { command.is_empty() } else { command.starts_with(prefix) };
        self.mood.iter().find(|(prefix, _)| is_meant(prefix)).map(|(_, act)| *act)
    }

    /// Says what the mood has for this command, or else `usual`; what was said.
    fn say(&mut self, command: &str, usual: &str) -> Option<String> {
        match self.act(command) {
            None => self.write(usual).map(|()| usual.to_owned()),
            Some(Act::Say(text)) => self.write(text).map(|()| text.to_owned()),
            Some(Act::Close) => None,
            Some(Act::Dawdle) => {
                self.hear("\0")?;
                None
            }
            Some(Act::Flood(text)) => loop {
                self.write(text)?;
            },
        }
    }

    fn write(&mut self, text: &str) -> Option<()> {
        self.line.write_all(text.as_bytes()).and_then(|()| self.line.flush()).ok()
    }

    /// Reads up to these bytes, and keeps what was read, whole or not. One at a time: what comes behind may be TLS.
    fn hear(&mut self, end: &str) -> Option<String> {
        let (mut input, mut byte) = (Vec::new(), [0; 1]);
        let is_whole = loop {
            match self.line.read(&mut byte) {
                Ok(1) => input.push(byte[0]),
                Ok(_) | Err(_) => break false,
            }
            if input.ends_with(end.as_bytes()) {
                break true;
            }
        };
        let text = String::from_utf8_lossy(&input).into_owned();
        let is_secret = self.is_secret;
        self.note(|heard| if is_secret { heard.secret.push_str(&text) } else { heard.clear.push_str(&text) });
        is_whole.then_some(text)
    }
}
