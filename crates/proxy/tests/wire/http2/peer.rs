//! Well-behaved peers of HTTP/2 on both sides: a client that asks one thing after another or several at once, and a server
//! that answers by a closure.

use bytes::Bytes;
use h2::client::SendRequest;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use portcullis_testkit::deadline::DEADLINE;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::Runtime;

/// What came back.
#[derive(Debug, Default)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: HeaderMap,
}

impl Got {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One connection to the gateway.
pub(crate) struct Peer {
    runtime: Runtime,
    send: SendRequest<Bytes>,
}

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A GET of the host that every test asks for.
pub(crate) fn get(path: &str) -> Request<()> {
    Request::get(format!("http://api.test{path}")).body(()).unwrap()
}

pub(crate) fn post(path: &str) -> Request<()> {
    Request::post(format!("http://api.test{path}")).body(()).unwrap()
}

impl Peer {
    /// Speaks HTTP/2 by prior knowledge.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let runtime = runtime();
        let send = runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let (send, connection) = h2::client::Builder::new().handshake::<_, Bytes>(stream).await.unwrap();
            drop(tokio::spawn(async move { drop(connection.await) }));
            send
        });
        Self { runtime, send }
    }

    /// Speaks HTTP/2 over TLS.
    pub(crate) fn secure(address: SocketAddr, config: rustls::ClientConfig, name: &str) -> Self {
        let runtime = runtime();
        let name = rustls::pki_types::ServerName::try_from(name.to_owned()).unwrap();
        let send = runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
            let stream = connector.connect(name, stream).await.unwrap();
            let (send, connection) = h2::client::Builder::new().handshake::<_, Bytes>(stream).await.unwrap();
            drop(tokio::spawn(async move { drop(connection.await) }));
            send
        });
        Self { runtime, send }
    }

    /// Runs what a test does with the connection, within the deadline.
    pub(crate) fn run<T, F: Future<Output = T>>(&mut self, work: impl FnOnce(SendRequest<Bytes>) -> F) -> T {
        let work = work(self.send.clone());
        self.runtime.block_on(async { tokio::time::timeout(DEADLINE, work).await.expect("done in time") })
    }

    pub(crate) fn try_ask(&mut self, request: Request<()>, body: &[u8]) -> Result<Got, h2::Error> {
        let body = Bytes::copy_from_slice(body);
        self.run(|send| ask(send, request, body))
    }

    pub(crate) fn ask(&mut self, request: Request<()>, body: &[u8]) -> Got {
        self.try_ask(request, body).unwrap()
    }
}

/// Asks and reads the whole answer.
pub(crate) async fn ask(send: SendRequest<Bytes>, request: Request<()>, body: Bytes) -> Result<Got, h2::Error> {
    let mut send = send.ready().await?;
    let (answer, mut stream) = send.send_request(request, body.is_empty())?;
    if !body.is_empty() {
        give(&mut stream, body, true).await?;
    }
    read(answer.await?).await
}

/// Sends data as flow control allows.
pub(crate) async fn give(stream: &mut SendStream<Bytes>, mut data: Bytes, last: bool) -> Result<(), h2::Error> {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let room = std::future::poll_fn(|context| stream.poll_capacity(context)).await.expect("open")?;
        let part = data.split_to(room.min(data.len()));
        stream.send_data(part, last && data.is_empty())?;
    }
    Ok(())
}

pub(crate) async fn read(answer: Response<RecvStream>) -> Result<Got, h2::Error> {
    let (head, mut body) = answer.into_parts();
    let mut got = Got { status: head.status.as_u16(), headers: head.headers, ..Got::default() };
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        got.body.extend_from_slice(&chunk);
    }
    got.trailers = body.trailers().await?.unwrap_or_default();
    Ok(got)
}

pub(crate) type Answering = Pin<Box<dyn Future<Output = ()>>>;
pub(crate) type Script = dyn Fn(Request<RecvStream>, SendResponse<Bytes>) -> Answering + Send + Sync;

/// A server of HTTP/2 by prior knowledge.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
    pub(crate) requests: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn with(
        script: impl Fn(Request<RecvStream>, SendResponse<Bytes>) -> Answering + Send + Sync + 'static,
    ) -> Self {
        Self::limited(1000, script)
    }

    /// The same, with so many requests at once on a connection.
    pub(crate) fn limited(
        streams: u32,
        script: impl Fn(Request<RecvStream>, SendResponse<Bytes>) -> Answering + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let server =
            Self { address: listener.local_addr().unwrap(), connections: Arc::default(), requests: Arc::default() };
        let (connections, requests) = (Arc::clone(&server.connections), Arc::clone(&server.requests));
        let script: Arc<Script> = Arc::new(script);
        std::thread::spawn(move || {
            let runtime = runtime();
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    connections.fetch_add(1, Ordering::SeqCst);
                    let (script, requests) = (Arc::clone(&script), Arc::clone(&requests));
                    drop(tokio::task::spawn_local(async move {
                        let mut builder = h2::server::Builder::new();
                        let Ok(mut served) = builder.max_concurrent_streams(streams).handshake(stream).await else {
                            return;
                        };
                        while let Some(Ok((request, respond))) = served.accept().await {
                            requests.fetch_add(1, Ordering::SeqCst);
                            drop(tokio::task::spawn_local(script(request, respond)));
                        }
                    }));
                }
            });
        });
        server
    }

    /// Answers with method, path, fields and body of the request as text, and its trailers as trailers.
    pub(crate) fn echoing() -> Self {
        Self::with(|request, respond| Box::pin(echo(request, respond)))
    }
}

async fn echo(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
    let (head, mut body) = request.into_parts();
    let mut text = format!("{} {}\n", head.method, head.uri);
    for (name, value) in &head.headers {
        text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    }
    text.push('\n');
    let mut bytes = text.into_bytes();
    while let Some(chunk) = body.data().await {
        let Ok(chunk) = chunk else { return };
        body.flow_control().release_capacity(chunk.len()).unwrap();
        bytes.extend_from_slice(&chunk);
    }
    let Ok(trailers) = body.trailers().await else { return };
    let to_head = head.method == http::Method::HEAD;
    let Ok(mut stream) = respond.send_response(Response::new(()), to_head) else { return };
    if to_head {
        return;
    }
    match trailers {
        None => drop(give(&mut stream, bytes.into(), true).await),
        Some(trailers) => {
            drop(give(&mut stream, bytes.into(), false).await);
            drop(stream.send_trailers(trailers));
        }
    }
}
