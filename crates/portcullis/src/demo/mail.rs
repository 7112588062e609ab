//! The demo's server of mail: it takes whatever alerts the gateway sends, and appends each message to a file.

use crate::ending::Stop;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

// LIMIT: bytes of a conversation.
const BYTES_MAX: u64 = 1024 * 1024;
// LIMIT: how long a connection may be quiet.
const QUIET: Duration = Duration::from_secs(10);

/// Listens from now on, for as long as the process lives.
pub(super) fn start(path: &Path) -> Result<SocketAddr, Stop> {
    let cannot = |error: io::Error| Stop::environment(format!("no server of mail for the demo: {error}"));
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(cannot)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let taking = move || {
        while let Ok((stream, _)) = listener.accept() {
            // A connection that breaks off is the gateway's to repeat.
            drop(take(stream, &mut file));
        }
    };
    std::thread::Builder::new().name("mail".to_owned()).spawn(taking).map_err(cannot)?;
    Ok(address)
}

/// Takes the messages of one connection (RFC 5321).
fn take(mut stream: TcpStream, file: &mut File) -> io::Result<()> {
    stream.set_read_timeout(Some(QUIET))?;
    let mut lines = BufReader::new(stream.try_clone()?.take(BYTES_MAX));
    stream.write_all(b"220 demo\r\n")?;
    let mut line = String::new();
    while lines.read_line(&mut line)? > 0 {
        let is_data = line.trim_end() == "DATA";
        line.clear();
        stream.write_all(if is_data { b"354 go on\r\n" } else { b"250 fine\r\n" })?;
        if is_data {
            let mut message = String::new();
            while lines.read_line(&mut message)? > 0 && !message.ends_with("\r\n.\r\n") {}
            file.write_all(message.as_bytes())?;
            stream.write_all(b"250 taken\r\n")?;
        }
    }
    Ok(())
}
