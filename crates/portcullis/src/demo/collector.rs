//! The demo's collector: it takes security records by syslog and appends each message to a file.

use crate::ending::Stop;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

// LIMIT: bytes of a message.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
// LIMIT: how long a connection may be quiet.
const QUIET: Duration = Duration::from_secs(10);

/// Listens from now on, for as long as the process lives.
pub(super) fn start(path: &Path) -> Result<SocketAddr, Stop> {
    let cannot = |error: io::Error| Stop::environment(format!("no collector for the demo: {error}"));
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(cannot)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let taking = move || {
        while let Ok((stream, _)) = listener.accept() {
            // A connection that breaks off is the gateway's to repeat.
            drop(take(stream, &mut file));
        }
    };
    std::thread::Builder::new().name("collector".to_owned()).spawn(taking).map_err(cannot)?;
    Ok(address)
}

/// Takes the messages of one connection, each with its octets before it, until the other side ends.
fn take(mut stream: TcpStream, file: &mut File) -> io::Result<()> {
    stream.set_read_timeout(Some(QUIET))?;
    let (mut input, mut room) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut room)?;
        if count == 0 {
            return Ok(());
        }
        input.extend_from_slice(room.get(..count).unwrap_or_default());
        while let Some(end) = message(&input)? {
            let blank = input.iter().position(|byte| *byte == b' ').unwrap_or(end);
            file.write_all(input.get(blank + 1..end).unwrap_or_default())?;
            file.write_all(b"\n")?;
            input.drain(..end);
        }
    }
}

/// Where the first message ends, if all of it is there.
fn message(input: &[u8]) -> io::Result<Option<usize>> {
    let Some(blank) = input.iter().position(|byte| *byte == b' ') else { return Ok(None) };
    let count = std::str::from_utf8(input.get(..blank).unwrap_or_default()).ok().and_then(|count| count.parse().ok());
    let count = count.filter(|count: &usize| *count <= MESSAGE_BYTES_MAX);
    let count = count.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
    let end = blank + 1 + count;
    Ok((input.len() >= end).then_some(end))
}
