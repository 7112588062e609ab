//! HTTP/1.1 for the load: one request after the other, answers read strictly.

use super::{Outcome, Question, Shared};
use std::cell::RefCell;
use std::rc::Rc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Either kind of connection.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Wire for T {}

struct Kept {
    wire: Box<dyn Wire>,
    ahead: Vec<u8>,
    /// Whether it has carried an answer: the other side may close such a connection at any moment.
    used: bool,
}

/// Asks one request after the other until the load is over.
pub(super) async fn slot(shared: Rc<Shared>) {
    let kept = RefCell::new(None);
    while let Some((question, from)) = shared.next().await {
        shared.settle(&question, from, async |question| ask(&shared, &kept, question).await).await;
    }
}

async fn ask(shared: &Shared, kept: &RefCell<Option<Kept>>, question: &Question) -> Outcome {
    // Taken out while it is used: a request that is given up takes its connection with it.
    let taken = kept.borrow_mut().take();
    let mut connection = match taken {
        Some(connection) => connection,
        None => match connect(shared).await {
            Some(wire) => Kept { wire, ahead: Vec::new(), used: false },
            None => return Outcome::Lost("no connection"),
        },
    };
    let (outcome, keep) = exchange(&mut connection, question).await;
    if keep {
        connection.used = true;
        *kept.borrow_mut() = Some(connection);
    }
    outcome
}

/// A connection of either kind.
pub(super) async fn connect(shared: &Shared) -> Option<Box<dyn Wire>> {
    let opened = tokio::net::TcpStream::connect(shared.load.address).await;
    let Ok(tcp) = opened else {
        shared.tally.borrow_mut().unreachable += 1;
        return None;
    };
    drop(tcp.set_nodelay(true));
    shared.tally.borrow_mut().connections += 1;
    let Some((config, name)) = &shared.load.tls else { return Some(Box::new(tcp)) };
    let name = rustls::pki_types::ServerName::try_from(name.clone()).expect("a name");
    let secured = tokio_rustls::TlsConnector::from(std::sync::Arc::clone(config)).connect(name, tcp).await;
    secured.ok().map(|stream| Box::new(stream) as Box<dyn Wire>)
}

async fn exchange(connection: &mut Kept, question: &Question) -> (Outcome, bool) {
    let body = question.body.as_deref().unwrap_or_default();
    let length = if question.body.is_some() { format!("Content-Length: {}\r\n", body.len()) } else { String::new() };
    let field = question.field.as_ref().map(|(name, value)| format!("{name}: {value}\r\n")).unwrap_or_default();
    let (method, path) = (question.method(), &question.path);
    let head = format!("{method} {path} HTTP/1.1\r\nHost: a.test\r\n{field}{length}\r\n{body}");
    // Nothing came back: the answer to a request on a kept connection that was closed meanwhile.
    let silent = if connection.used && question.is_repeatable() {
        Outcome::Again
    } else {
        Outcome::Lost("the connection ended before an answer")
    };
    if connection.wire.write_all(head.as_bytes()).await.is_err() || connection.wire.flush().await.is_err() {
        return (silent, false);
    }
    let end = loop {
        if let Some(at) = connection.ahead.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if !fill(connection).await {
            let cut = connection.ahead.is_empty();
            return (if cut { silent } else { Outcome::Lost("the connection ended in a head") }, false);
        }
    };
    let head: Vec<u8> = connection.ahead.drain(..end).collect();
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let Some(status) = head.strip_prefix("http/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()) else {
        return (Outcome::Lost("an answer that is none"), false);
    };
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let keep = field("connection") != Some("close");
    let (body, whole) = match (field("content-length").and_then(|length| length.parse().ok()), status) {
        (_, 204 | 304) => (Vec::new(), true),
        (Some(length), _) => take(connection, length).await,
        (None, _) if field("transfer-encoding") == Some("chunked") => chunks(connection).await,
        (None, _) => return (Outcome::Lost("an answer without an end"), false),
    };
    let outcome = if whole { Outcome::Answered(status, body) } else { Outcome::Cut(status, body) };
    (outcome, keep && whole)
}

async fn fill(connection: &mut Kept) -> bool {
    let mut room = [0; 16 * 1024];
    let Ok(count) = connection.wire.read(&mut room).await else { return false };
    connection.ahead.extend_from_slice(&room[..count]);
    count > 0
}

async fn take(connection: &mut Kept, length: usize) -> (Vec<u8>, bool) {
    while connection.ahead.len() < length {
        if !fill(connection).await {
            return (std::mem::take(&mut connection.ahead), false);
        }
    }
    (connection.ahead.drain(..length).collect(), true)
}

async fn line(connection: &mut Kept) -> Option<String> {
    loop {
        if let Some(at) = connection.ahead.windows(2).position(|two| two == b"\r\n") {
            let line: Vec<u8> = connection.ahead.drain(..at + 2).collect();
            return Some(String::from_utf8_lossy(&line[..at]).into_owned());
        }
        if !fill(connection).await {
            return None;
        }
    }
}

async fn chunks(connection: &mut Kept) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let size = line(connection).await.and_then(|size| usize::from_str_radix(&size, 16).ok());
        let Some(size) = size else { return (body, false) };
        if size == 0 {
            break;
        }
        let (piece, whole) = take(connection, size).await;
        body.extend_from_slice(&piece);
        if !whole || line(connection).await.as_deref() != Some("") {
            return (body, false);
        }
    }
    loop {
        match line(connection).await {
            None => return (body, false),
            Some(last) if last.is_empty() => return (body, true),
            Some(_trailer) => {}
        }
    }
}
