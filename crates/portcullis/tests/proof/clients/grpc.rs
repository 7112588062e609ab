//! gRPC by a library on both sides: all four shapes of calls, deadlines, statuses, metadata and trailers.
//!
//! The codec carries bytes as they are, so that nothing has to be generated.

use crate::house::{House, Setup};
use bytes::{Buf, BufMut, Bytes};
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio_stream::{Stream, StreamExt};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{ClientStreamingService, ServerStreamingService, StreamingService, UnaryService};
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status, Streaming};

/// Bytes as they are.
#[derive(Clone, Copy, Debug, Default)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

type Answer<T> = Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send>>;
type Messages = Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>;

/// Repeats; `fail` fails with a status and metadata, `wait` takes long.
#[derive(Clone, Copy, Debug)]
struct Echo;

impl UnaryService<Bytes> for Echo {
    type Response = Bytes;
    type Future = Answer<Bytes>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        Box::pin(async move {
            let message = request.get_ref().clone();
            match &message[..] {
                b"fail" => {
                    let mut status = Status::resource_exhausted("no more: 100 % \u{fc}sed");
                    status.metadata_mut().insert("x-detail", "seven".parse().unwrap());
                    return Err(status);
                }
                // SLEEP: longer than any deadline of a client here.
                b"wait" => tokio::time::sleep(Duration::from_secs(20)).await,
                b"deadline" => {
                    let told = request.metadata().get("grpc-timeout").map(|value| value.to_str().unwrap().to_owned());
                    return Ok(Response::new(told.unwrap_or_default().into()));
                }
                _ => {}
            }
            let mut answer = Response::new(message);
            if let Some(value) = request.metadata().get("x-ask") {
                answer.metadata_mut().insert("x-answer", value.clone());
            }
            Ok(answer)
        })
    }
}

impl ServerStreamingService<Bytes> for Echo {
    type Response = Bytes;
    type ResponseStream = Messages;
    type Future = Answer<Messages>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let message = request.into_inner();
        let many = (0..100).map(move |number: u8| Ok(Bytes::from([&message[..], &[number]].concat())));
        Box::pin(async { Ok(Response::new(Box::pin(tokio_stream::iter(many)) as Messages)) })
    }
}

impl ClientStreamingService<Bytes> for Echo {
    type Response = Bytes;
    type Future = Answer<Bytes>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        Box::pin(async move {
            let (mut all, mut stream) = (Vec::new(), request.into_inner());
            while let Some(message) = stream.message().await? {
                all.extend_from_slice(&message);
            }
            Ok(Response::new(all.into()))
        })
    }
}

impl StreamingService<Bytes> for Echo {
    type Response = Bytes;
    type ResponseStream = Messages;
    type Future = Answer<Messages>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let stream: Messages = Box::pin(request.into_inner());
        Box::pin(async { Ok(Response::new(stream)) })
    }
}

impl tower_service::Service<http::Request<tonic::body::Body>> for Echo {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let mut grpc = tonic::server::Grpc::new(Plain);
        Box::pin(async move {
            Ok(match request.uri().path() {
                "/proof.Echo/Unary" => grpc.unary(Echo, request).await,
                "/proof.Echo/Many" => grpc.server_streaming(Echo, request).await,
                "/proof.Echo/Sum" => grpc.client_streaming(Echo, request).await,
                "/proof.Echo/Talk" => grpc.streaming(Echo, request).await,
                other => Status::unimplemented(other.to_owned()).into_http(),
            })
        })
    }
}

/// A server on a thread of its own, so that nothing that a test waits for keeps it from answering.
fn serve() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
            Server::builder().serve_with_incoming(Echo, incoming).await.expect("the server serves");
        });
    });
    address
}

async fn connect(address: SocketAddr) -> Grpc<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    Grpc::new(endpoint.connect().await.expect("the gateway accepts"))
}

async fn unary(client: &mut Grpc<Channel>, request: Request<Bytes>) -> Result<Response<Bytes>, Status> {
    client.ready().await.expect("a connection");
    client.unary(request, http::uri::PathAndQuery::from_static("/proof.Echo/Unary"), Plain).await
}

fn ask(text: &'static str) -> Request<Bytes> {
    Request::new(Bytes::from_static(text.as_bytes()))
}

async fn shapes(client: &mut Grpc<Channel>) {
    // One message, one answer, metadata both ways.
    let mut request = ask("one");
    request.metadata_mut().insert("x-ask", "yes".parse().unwrap());
    let answer = unary(client, request).await.unwrap();
    assert_eq!(answer.metadata().get("x-answer").unwrap(), "yes");
    assert_eq!(answer.into_inner(), "one");

    // One message, a stream of answers.
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/proof.Echo/Many");
    let stream = client.server_streaming(ask("n"), path, Plain).await.unwrap().into_inner();
    let many: Vec<Bytes> = stream.map(Result::unwrap).collect().await;
    assert_eq!(many.len(), 100);
    assert!(many.iter().enumerate().all(|(index, message)| usize::from(message[1]) == index));

    // A stream of messages, one answer.
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/proof.Echo/Sum");
    let messages = tokio_stream::iter((0..100).map(|number: u8| Bytes::from(vec![number; 1000])));
    let sum = client.client_streaming(Request::new(messages), path, Plain).await.unwrap().into_inner();
    assert_eq!((sum.len(), sum[99_999]), (100_000, 99));

    // Streams both ways, in turn: each message waits for the answer to the one before, so nothing may be held back.
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/proof.Echo/Talk");
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    sender.send(Bytes::from_static(b"0")).await.unwrap();
    let messages = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let mut talk = client.streaming(Request::new(messages), path, Plain).await.unwrap().into_inner();
    for number in 1..50 {
        let said = talk.message().await.unwrap().unwrap();
        assert_eq!(said, (number - 1).to_string());
        sender.send(number.to_string().into()).await.unwrap();
    }
    drop(sender);
    assert_eq!(talk.message().await.unwrap().unwrap(), "49");
    assert_eq!(talk.message().await.unwrap(), None, "the end of both");
}

async fn endings(client: &mut Grpc<Channel>) {
    // A status of the server with its message and metadata.
    let status = unary(client, ask("fail")).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, "no more: 100 % \u{fc}sed"));
    assert_eq!(status.metadata().get("x-detail").unwrap(), "seven");

    // What is left of the client's deadline is told to the server.
    let mut request = ask("deadline");
    request.set_timeout(Duration::from_secs(5));
    let told = unary(client, request).await.unwrap().into_inner();
    assert!(!told.is_empty(), "no grpc-timeout arrived");

    // A deadline that passes: client, gateway and server all watch it, and whoever is first says so.
    let mut request = ask("wait");
    request.metadata_mut().insert("grpc-timeout", "300m".parse().unwrap());
    let asked = std::time::Instant::now();
    let status = unary(client, request).await.unwrap_err();
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status:?}");
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());

    // What nobody serves is a status, not a broken stream.
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/proof.Echo/None");
    let unknown: Result<Response<Bytes>, Status> = client.unary(ask("x"), path, Plain).await;
    assert_eq!(unknown.unwrap_err().code(), Code::Unimplemented);
    // A refusal of the gateway itself: a target that it takes for an attack on itself.
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/%2e%2e/x");
    let refused: Result<Response<Bytes>, Status> = client.unary(ask("x"), path, Plain).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    assert!(!refused.message().is_empty());
    assert_eq!(unary(client, ask("after")).await.unwrap().into_inner(), "after");
}

#[test]
fn a_grpc_library_talks_through_the_gateway_in_all_four_shapes() {
    let routes = "      - { path: \"/proof.Echo/{call}\", methods: [POST], grpc: true }\n";
    let house = House::start(Setup { upstream: ", protocol: http2", routes, ..Setup::new("grpc", &[serve()]) });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut client = connect(house.plain).await;
        shapes(&mut client).await;
        endings(&mut client).await;
    });
    house.stop();
}

/// The library by itself does what the test above asks of it through the gateway.
#[test]
fn a_grpc_library_talks_to_itself() {
    let address = serve();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { shapes(&mut connect(address).await).await });
}
