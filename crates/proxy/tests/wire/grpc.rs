//! Calls of gRPC: trailers, all four shapes, deadlines, and refusals that clients of gRPC understand.

use crate::http2::before_http2;
use crate::http2::peer::{Peer, Server, give, post, read};
use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::{HeaderMap, Request, Response};
use portcullis_config::plan::UpstreamProtocol;
use portcullis_testkit::gateway::{self, Gatehouse};
use std::time::Duration;

fn call(path: &str) -> Request<()> {
    let mut request = post(path);
    request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    request.headers_mut().insert("te", "trailers".parse().unwrap());
    request
}

fn status(code: &str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", code.parse().unwrap());
    trailers
}

fn grpc_head() -> Response<()> {
    Response::builder().header("content-type", "application/grpc").body(()).unwrap()
}

/// Answers each message with itself as it comes, and with a status at the end.
async fn echo(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
    assert_eq!(request.headers()["te"], "trailers");
    let mut body = request.into_body();
    let mut stream = respond.send_response(grpc_head(), false).unwrap();
    while let Some(Ok(chunk)) = body.data().await {
        body.flow_control().release_capacity(chunk.len()).unwrap();
        if give(&mut stream, chunk, false).await.is_err() {
            return;
        }
    }
    drop(stream.send_trailers(status("0")));
}

#[test]
fn a_conversation_goes_both_ways_at_once_and_ends_with_its_status() {
    let gate = before_http2(&Server::with(|request, respond| Box::pin(echo(request, respond))));
    let mut peer = Peer::connect(gate.address());
    peer.run(|send| async move {
        let mut send = send.ready().await.unwrap();
        let (answer, mut stream) = send.send_request(call("/pkg.Service/Chat"), false).unwrap();
        let (head, mut body) = answer.await.unwrap().into_parts();
        assert_eq!(head.headers["content-type"], "application/grpc");
        for round in 0..50 {
            // Each message is answered before the next one is sent: nothing is held back on the way.
            let message = Bytes::from(format!("message {round}"));
            give(&mut stream, message.clone(), false).await.unwrap();
            let mut got = Vec::new();
            while got.len() < message.len() {
                let chunk = body.data().await.unwrap().unwrap();
                body.flow_control().release_capacity(chunk.len()).unwrap();
                got.extend_from_slice(&chunk);
            }
            assert_eq!(got, message);
        }
        stream.send_data(Bytes::new(), true).unwrap();
        assert!(body.data().await.is_none());
        assert_eq!(body.trailers().await.unwrap().unwrap()["grpc-status"], "0");
    });
}

#[test]
fn a_status_without_messages_passes() {
    let gate = before_http2(&Server::with(|_request, mut respond| {
        Box::pin(async move {
            let mut head = grpc_head();
            head.headers_mut().insert("grpc-status", "5".parse().unwrap());
            head.headers_mut().insert("grpc-message", "no such thing".parse().unwrap());
            respond.send_response(head, true).unwrap();
        })
    }));
    let got = Peer::connect(gate.address()).ask(call("/pkg.Service/Get"), b"x");
    assert_eq!((got.status, got.field("grpc-status")), (200, Some("5")));
}

#[test]
fn refusals_and_failures_are_statuses_of_grpc() {
    let nobody = portcullis_testkit::FakeUpstream::nobody();
    let gate = Gatehouse::with(nobody, |plan| {
        gateway::each_upstream(plan, |upstream| upstream.protocol = UpstreamProtocol::Http2);
        plan.apis[0].versions[0].routes[1].body_bytes = 4;
    });
    let mut peer = Peer::connect(gate.address());
    let mut long = call("/pkg.Service/Get");
    long.headers_mut().insert("content-length", "5".parse().unwrap());
    for (request, body, code, reason) in [
        (call("/a%2fb"), &b"x"[..], "3", "ambiguous_target"),
        (call("/pkg.Service/Get"), b"x", "14", "upstream_unreachable"),
        (long, b"hello", "8", "body_too_large"),
    ] {
        let got = peer.ask(request, body);
        assert_eq!((got.status, got.field("grpc-status")), (200, Some(code)), "{got:?}");
        assert_eq!(got.field("content-type"), Some("application/grpc"));
        assert!(got.field("grpc-message").unwrap().ends_with(&format!("({reason})")), "{got:?}");
        assert!(got.body.is_empty() && got.field("content-length").is_none(), "{got:?}");
        assert!(got.field("x-request-id").is_some());
    }
}

#[test]
fn a_deadline_that_the_client_states_ends_the_call() {
    let server = Server::with(|request, respond| {
        Box::pin(async move {
            let _kept = (request, respond);
            std::future::pending::<()>().await;
        })
    });
    let gate = before_http2(&server);
    let mut request = call("/pkg.Service/Get");
    request.headers_mut().insert("grpc-timeout", "300m".parse().unwrap());
    let begun = std::time::Instant::now();
    let got = Peer::connect(gate.address()).ask(request, b"x");
    assert_eq!(got.field("grpc-status"), Some("4"), "{got:?}");
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn a_call_that_streams_outlives_the_time_of_ordinary_requests() {
    let server = Server::with(|_request, mut respond| {
        Box::pin(async move {
            let mut stream = respond.send_response(grpc_head(), false).unwrap();
            for _ in 0..5 {
                // SLEEP: the call lasts longer than the route's time.
                tokio::time::sleep(Duration::from_millis(150)).await;
                stream.send_data(Bytes::from_static(b"tick"), false).unwrap();
            }
            stream.send_trailers(status("0")).unwrap();
        })
    });
    let gate = Gatehouse::with(server.address, |plan| {
        gateway::each_upstream(plan, |upstream| upstream.protocol = UpstreamProtocol::Http2);
        gateway::each_route(plan, |route| route.timeout = Duration::from_millis(200));
    });
    let got = Peer::connect(gate.address()).ask(call("/pkg.Service/Watch"), b"x");
    assert_eq!(got.text(), "tick".repeat(5));
    assert_eq!(got.trailers["grpc-status"], "0");
}

#[test]
fn a_client_that_streams_is_answered_at_its_end() {
    let server = Server::with(|request, mut respond| {
        Box::pin(async move {
            let mut body = request.into_body();
            let mut sum = 0;
            while let Some(Ok(chunk)) = body.data().await {
                body.flow_control().release_capacity(chunk.len()).unwrap();
                sum += chunk.len();
            }
            let mut stream = respond.send_response(grpc_head(), false).unwrap();
            stream.send_data(sum.to_string().into(), false).unwrap();
            stream.send_trailers(status("0")).unwrap();
        })
    });
    let gate = before_http2(&server);
    let mut peer = Peer::connect(gate.address());
    let got = peer.run(|send| async move {
        let mut send = send.ready().await.unwrap();
        let (answer, mut stream) = send.send_request(call("/pkg.Service/Add"), false).unwrap();
        for _ in 0..10 {
            give(&mut stream, Bytes::from_static(b"0123456789"), false).await.unwrap();
            // SLEEP: messages come one by one.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stream.send_data(Bytes::new(), true).unwrap();
        read(answer.await.unwrap()).await.unwrap()
    });
    assert_eq!(got.text(), "100");
}
