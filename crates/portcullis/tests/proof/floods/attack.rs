//! Sends a script of raw frames and reads how it ends, both at once, so that neither side waits for the other.

use super::rows::Row;
use portcullis_testkit::frames::{END_HEADERS, Frame, Frames, hello, kind, status};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How it ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct End {
    /// The code of the last GOAWAY.
    pub(crate) go_away: Option<u32>,
    pub(crate) resets: Vec<u32>,
    pub(crate) statuses: Vec<u16>,
    /// Bytes of answers' bodies.
    pub(crate) data: usize,
    /// Whether the gateway ended the connection.
    pub(crate) closed: bool,
}

/// LIMIT: what is remembered of a flood of answers.
const KEPT_MAX: usize = 32;

pub(crate) fn attack(address: SocketAddr, row: &Row) -> End {
    let mut stream = TcpStream::connect(address).expect("the gateway accepts");
    stream.set_nodelay(true).unwrap();
    stream.set_write_timeout(Some(row.patience)).unwrap();
    let (mut writing, script) = (stream.try_clone().unwrap(), row.clone());
    let writer = std::thread::spawn(move || {
        // Whatever ends the writing shows in what is read.
        if writing.write_all(&hello(&script.settings)).is_err() || writing.write_all(&script.begin).is_err() {
            return;
        }
        let mut batch = Vec::new();
        for number in 0..script.count {
            (script.piece)(number, &mut batch);
            if batch.len() > 8 * 1024 || number + 1 == script.count {
                if writing.write_all(&batch).is_err() {
                    return;
                }
                batch.clear();
            }
        }
    });
    let end = read(&mut stream, row);
    // Ends a writer that still waits.
    drop(stream.shutdown(Shutdown::Both));
    writer.join().unwrap();
    end
}

fn read(stream: &mut TcpStream, row: &Row) -> End {
    let (mut end, mut frames) = (End::default(), Frames::default());
    let due = Instant::now() + row.patience;
    let mut room = vec![0; 64 * 1024];
    while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1)))).unwrap();
        match stream.read(&mut room) {
            Ok(0) => {
                end.closed = true;
                return end;
            }
            Ok(count) => {
                frames.push(&room[..count]);
                while let Some(frame) = frames.next_frame() {
                    see(&mut end, &frame);
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return end,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => {
                end.closed = true;
                return end;
            }
        }
        if super::met(&row.expected, &end) {
            return end;
        }
    }
    end
}

/// Settings are not acknowledged: an acknowledgement might come to stand inside of a head that a script has begun.
fn see(end: &mut End, frame: &Frame) {
    match frame.kind {
        kind::GOAWAY => end.go_away = frame.code(),
        kind::RST_STREAM if end.resets.len() < KEPT_MAX => end.resets.extend(frame.code()),
        kind::HEADERS if frame.has(END_HEADERS) && end.statuses.len() < KEPT_MAX => {
            end.statuses.extend(status(&frame.payload));
        }
        kind::DATA => end.data += frame.payload.len(),
        _ => {}
    }
}
