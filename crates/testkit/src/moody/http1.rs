//! HTTP/1.1 of the moody upstream: reads what our gateway writes, and answers as its mood is.

use super::{Mood, Seen};
use crate::load::echo;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

pub(super) async fn serve(mut stream: TcpStream, mut mood: watch::Receiver<Mood>, seen: &Seen) {
    let mut ahead = Vec::new();
    while let Some((path, body)) = request(&mut stream, &mut ahead).await {
        seen.requests.fetch_add(1, Ordering::SeqCst);
        if !answer(&mut stream, &mut mood, &echo(&path, &body)).await {
            return;
        }
    }
}

/// Whether the connection goes on.
async fn answer(stream: &mut TcpStream, mood: &mut watch::Receiver<Mood>, text: &str) -> bool {
    let now = *mood.borrow();
    let whole = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{text}", text.len());
    match now {
        Mood::Well => {}
        // SLEEP: this upstream is slow on purpose.
        Mood::Slow(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
        Mood::Hung => {
            // Until it heals, or the other side gives up; then the connection is of no use to anybody.
            let mut room = [0; 1];
            tokio::select! {
                _ = mood.wait_for(|mood| *mood != Mood::Hung) => {}
                _ = stream.read(&mut room) => {}
            }
            return false;
        }
        Mood::HalfClosing => {
            drop(stream.write_all(&whole.as_bytes()[..whole.len() - text.len() / 2]).await);
            drop(stream.shutdown().await);
            // The other half stays open until the other side ends it, or the mood changes.
            let mut room = [0; 1024];
            tokio::select! {
                _ = mood.wait_for(|mood| *mood != Mood::HalfClosing) => {}
                () = async { while stream.read(&mut room).await.is_ok_and(|count| count > 0) {} } => {}
            }
            return false;
        }
        Mood::Garbage => {
            drop(stream.write_all(b"\x01\x02 200 garbage\r\nContent-Length: 2\r\n\r\nok").await);
            return false;
        }
        Mood::Resetting => {
            // A reset instead of an end (`SO_LINGER` of 0).
            drop(stream.set_zero_linger());
            return false;
        }
        Mood::Killed | Mood::Gone => return false,
    }
    stream.write_all(whole.as_bytes()).await.is_ok()
}

/// Path and body of the next request.
async fn request(stream: &mut TcpStream, ahead: &mut Vec<u8>) -> Option<(String, String)> {
    let end = loop {
        if let Some(at) = ahead.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        fill(stream, ahead).await?;
    };
    let head: Vec<u8> = ahead.drain(..end).collect();
    let head = String::from_utf8(head).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    let head = head.to_ascii_lowercase();
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let mut body = Vec::new();
    if let Some(length) = field("content-length") {
        take(stream, ahead, length.parse().ok()?, &mut body).await?;
    } else if field("transfer-encoding").is_some() {
        loop {
            let at = loop {
                if let Some(at) = ahead.windows(2).position(|two| two == b"\r\n") {
                    break at;
                }
                fill(stream, ahead).await?;
            };
            let line: Vec<u8> = ahead.drain(..at + 2).collect();
            let size = usize::from_str_radix(std::str::from_utf8(&line[..at]).ok()?, 16).ok()?;
            take(stream, ahead, size, &mut body).await?;
            // The line end of a chunk, or the empty line after the last one; our gateway sends no trailers here.
            take(stream, ahead, 2, &mut Vec::new()).await?;
            if size == 0 {
                break;
            }
        }
    }
    Some((path, String::from_utf8_lossy(&body).into_owned()))
}

async fn take(stream: &mut TcpStream, ahead: &mut Vec<u8>, count: usize, into: &mut Vec<u8>) -> Option<()> {
    while ahead.len() < count {
        fill(stream, ahead).await?;
    }
    into.extend(ahead.drain(..count));
    Some(())
}

async fn fill(stream: &mut TcpStream, ahead: &mut Vec<u8>) -> Option<()> {
    let mut room = [0; 16 * 1024];
    let count = stream.read(&mut room).await.ok()?;
    ahead.extend_from_slice(&room[..count]);
    (count > 0).then_some(())
}
