//! The sample API as two servers on loopback, and an address where nobody is.

use super::live::{self, Answered};
use super::sample::{self, Question};
use super::stock;
use crate::ending::Stop;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue, SERVER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::net::{TcpListener, TcpSocket};

// LIMIT: bytes of a request body; the gateway's own limits are below it.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Where an issuer says where its keys are (OpenID Connect Discovery, section 4).
const METADATA: &str = "/.well-known/openid-configuration";
/// What the gateway asks for itself.
const ASKED_BY_GATEWAY: [&str; 5] =
    ["/introspect", METADATA, "/.well-known/oauth-authorization-server", sample::KEYS, sample::DEMO_KEYS];

/// The running servers. They live as long as the process.
#[derive(Debug)]
pub(crate) struct Upstreams {
    addresses: [SocketAddr; 2],
    stock: SocketAddr,
    nobody: SocketAddr,
    /// Bound and never listening: the port stays ours, and connecting is refused.
    _reserved: TcpSocket,
    asked: Arc<AtomicU64>,
    keys: Keys,
}

/// The key sets of an issuer that is asked where its keys are, and of the demo's; empty until there are some.
type Keys = Arc<OnceLock<[String; 2]>>;

// === impl Upstreams ===

impl Upstreams {
    /// Starts them on free ports.
    pub(crate) fn start() -> Result<Self, Stop> {
        Self::try_start().map_err(|error| Stop::environment(format!("the sample API cannot start: {error}")))
    }

    fn try_start() -> io::Result<Self> {
        let (asked, keys) = (Arc::new(AtomicU64::new(0)), Keys::default());
        let mut addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); 2];
        for (address, name) in addresses.iter_mut().zip(["a", "b"]) {
            let listener = std::net::TcpListener::bind(*address)?;
            listener.set_nonblocking(true)?;
            *address = listener.local_addr()?;
            let (asked, keys) = (Arc::clone(&asked), Arc::clone(&keys));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let serving = move || {
                runtime.block_on(async move {
                    if let Ok(listener) = TcpListener::from_std(listener) {
                        serve(listener, name, asked, keys).await;
                    }
                });
            };
            std::thread::Builder::new().name(format!("sample-{name}")).spawn(serving)?;
        }
        let stock = stock::start()?;
        let reserved = TcpSocket::new_v4()?;
        reserved.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let nobody = reserved.local_addr()?;
        Ok(Self { addresses, stock, nobody, _reserved: reserved, asked, keys })
    }

    pub(crate) fn addresses(&self) -> [SocketAddr; 2] {
        self.addresses
    }

    /// Where calls of gRPC are answered.
    pub(crate) fn stock(&self) -> SocketAddr {
        self.stock
    }

    /// Which issuer the first of them is as well, and says of itself where its keys are.
    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.addresses[0])
    }

    /// Lets that issuer publish a key set, and the demo's.
    pub(crate) fn publish(&self, keys: [String; 2]) {
        // A second one would come too late for whoever has asked already.
        self.keys.get_or_init(|| keys);
    }

    /// Where connections are refused.
    pub(crate) fn nobody(&self) -> SocketAddr {
        self.nobody
    }

    /// How many requests have reached the sample API.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

fn json_answer(body: String) -> Answered {
    let mut answer = Response::new(Full::from(body).boxed());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

async fn serve(listener: TcpListener, name: &'static str, asked: Arc<AtomicU64>, keys: Keys) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let (asked, keys) = (Arc::clone(&asked), Arc::clone(&keys));
        drop(tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                // What the gateway asks for itself is no request of a client.
                if !ASKED_BY_GATEWAY.contains(&request.uri().path()) {
                    asked.fetch_add(1, Ordering::Relaxed);
                }
                answer(name, request, Arc::clone(&keys))
            });
            // A gateway that breaks off is no business of the sample.
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await);
        }));
    }
}

async fn answer(name: &'static str, mut request: Request<Incoming>, keys: Keys) -> Result<Answered, Infallible> {
    match request.uri().path() {
        METADATA => {
            let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
            return Ok(json_answer(sample::metadata(&format!("http://{host}"))));
        }
        sample::KEYS => return Ok(json_answer(keys.get().map(|[found, _]| found.clone()).unwrap_or_default())),
        sample::DEMO_KEYS => return Ok(json_answer(keys.get().map(|[_, demo]| demo.clone()).unwrap_or_default())),
        "/lab/events" => return Ok(live::events()),
        "/lab/chat" => {
            if let Some(accepted) = live::conversation(&mut request) {
                return Ok(accepted);
            }
        }
        _ => {}
    }
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
        return Ok(Response::new(Full::default().boxed()));
    };
    let headers = head.headers.iter();
    let question = Question {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers: headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: body.to_bytes().to_vec(),
    };
    let told = sample::answer(name, &question);
    let cost = sample::cost(&question.path);
    tokio::time::sleep(told.after).await;
    let mut response = Response::new(Full::new(Bytes::from(told.body)).boxed());
    *response.status_mut() = StatusCode::from_u16(told.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(told.content_type));
    // What a gateway should not let through.
    headers.insert(SERVER, HeaderValue::from_static("SampleShop/2.3.1 (Debian)"));
    headers.insert("x-powered-by", HeaderValue::from_static("SampleFramework 4.17"));
    if let Some(cost) = cost {
        headers.insert("x-cost", HeaderValue::from(cost));
    }
    headers.insert("x-answered-by", HeaderValue::from_static(name));
    Ok(response)
}
