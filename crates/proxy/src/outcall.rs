//! Requests of our own to other servers, beside those of clients: over HTTP/1.1, with our own codec. Waits are bounded by
//! the caller, sizes here.

pub(crate) mod patience;

use crate::carry::socket::Socket;
use crate::upstream::tls::UpstreamTls;
use portcullis_h1::{Body, HeadLimits, HeadScan, Part, ResponseHead};
use std::future::poll_fn;
use std::io;
use std::task::{Poll, ready};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A connection, with TLS where that is wanted.
pub(crate) async fn secure(stream: TcpStream, tls: Option<&UpstreamTls>, host: &str) -> io::Result<Socket> {
    stream.set_nodelay(true)?;
    let Some(tls) = tls else { return Ok(Socket::Plain(stream)) };
    let name = tls.server_name(host).map_err(io::Error::other)?;
    let stream = TlsConnector::from(tls.config()).connect(name, stream).await?;
    Ok(Socket::TlsClient(Box::new(stream)))
}

/// Whether the server has neither said anything since its last answer, which nobody has asked for, nor gone.
pub(crate) async fn is_quiet(socket: &mut Socket) -> bool {
    let mut room = [0; 1];
    poll_fn(|context| Poll::Ready(socket.poll_read(context, &mut room).is_pending())).await
}

/// Sends all of it.
pub(crate) async fn send(socket: &mut Socket, output: &[u8]) -> io::Result<()> {
    let mut sent = 0;
    poll_fn(|context| {
        while let Some(rest) = output.get(sent..).filter(|rest| !rest.is_empty()) {
            match ready!(socket.poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => sent += count,
            }
        }
        socket.poll_flush(context)
    })
    .await
}

/// Reads until there is the head of a final answer, and takes it off the input.
pub(crate) async fn read_head(socket: &mut Socket, input: &mut Vec<u8>) -> io::Result<ResponseHead> {
    let (mut scan, limits) = (HeadScan::default(), HeadLimits::default());
    loop {
        let found = scan.find(input, limits.head_bytes_max).map_err(|error| io::Error::other(error.rule()))?;
        let Some(length) = found else {
            if fill(socket, input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            continue;
        };
        let mut head = ResponseHead::default();
        let raw = input.get(..length).unwrap_or_default();
        head.parse(raw, false, &limits).map_err(|error| io::Error::other(error.rule()))?;
        input.drain(..length);
        if !head.is_interim() {
            return Ok(head);
        }
        scan = HeadScan::default();
    }
}

/// The body, and whether all of it was read.
pub(crate) async fn read_body(
    socket: &mut Socket,
    input: &mut Vec<u8>,
    head: &ResponseHead,
    bytes_max: usize,
) -> io::Result<(Vec<u8>, bool)> {
    let (mut body, mut data) = (Body::new(head.framing()), Vec::new());
    loop {
        match body.next(input).map_err(|error| io::Error::other(error.rule()))? {
            Part::Data(range) => {
                data.extend_from_slice(input.get(range.clone()).unwrap_or_default());
                input.drain(..range.end);
                if data.len() > bytes_max {
                    return Ok((data, false));
                }
            }
            Part::More(used) => {
                input.drain(..used);
                if fill(socket, input).await? == 0 {
                    let whole = body.closed().is_ok();
                    return Ok((data, whole));
                }
            }
            Part::End(used) => {
                input.drain(..used);
                return Ok((data, true));
            }
        }
    }
}

/// Reads once, onto the input; how many bytes.
pub(crate) async fn fill(socket: &mut Socket, input: &mut Vec<u8>) -> io::Result<usize> {
    let mut room = [0; 4096];
    let count = poll_fn(|context| socket.poll_read(context, &mut room)).await?;
    input.extend_from_slice(room.get(..count).unwrap_or_default());
    Ok(count)
}
