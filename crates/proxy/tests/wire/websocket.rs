//! WebSocket: who may open one, that frames pass both ways, and how a conversation ends.

use crate::check::{good_request_works, problem};
use crate::http2::peer::Peer;
use bytes::Bytes;
use http::Request;
use portcullis_config::plan::{Origins, Plan, StreamsPlan, WebSocketPlan};
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, FakeUpstream, Heard, Talk};
use std::time::Duration;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fn accept_for(key: &str) -> String {
    // Only what a server has to know, from the example of the standard for one key and by the library for the rest.
    use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
    use base64::Engine as _;
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    base64::engine::general_purpose::STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()))
}

pub(crate) fn ask(more: &str) -> String {
    format!(
        "GET /chat HTTP/1.1\r\nHost: api.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
    )
}

/// Accepts, then gives every byte back as a frame of the server's: the tests send masked with zeros, so that only the
/// head differs.
pub(crate) fn echo(talk: &mut Talk) {
    let Some(heard) = talk.head() else { return };
    if heard.field("upgrade").is_none() {
        talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        return;
    }
    converse(talk, &heard);
}

/// Takes a conversation on, and says whatever it hears.
pub(crate) fn converse(talk: &mut Talk, heard: &Heard) {
    let accept = accept_for(&heard.field("sec-websocket-key").unwrap());
    talk.send(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\
         Server: banner\r\n\r\n"
    ));
    while let Some(frame) = talk.frame() {
        let (opcode, payload) = frame;
        let length = u8::try_from(payload.len()).unwrap();
        talk.send([&[0x80 | opcode, length], &payload[..]].concat());
        if opcode == 8 {
            return;
        }
    }
}

pub(crate) fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0x80 | opcode, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

pub(crate) fn serves(plan: &mut Plan) {
    gateway::each_route(plan, |route| {
        let origins = Origins::Only(vec!["https://app.example.com".to_owned()]);
        route.websocket = Some(WebSocketPlan { origins, require_origin: false });
    });
}

#[test]
fn frames_pass_both_ways_and_the_record_comes_at_the_end() {
    let upstream = FakeUpstream::with(echo);
    let gate = Gatehouse::with(upstream.address(), serves);
    let mut client = Client::connect(gate.address());
    let answer = client.ask(ask("Origin: https://app.example.com\r\nSec-WebSocket-Protocol: chat\r\n"));
    assert_eq!(answer.status, 101);
    assert_eq!(answer.field("sec-websocket-accept"), Some(ACCEPT));
    assert_eq!(answer.field("upgrade"), Some("websocket"));
    assert_eq!(answer.field("server"), None);
    for round in 0..20 {
        let text = format!("hello {round}");
        client.send(frame(1, text.as_bytes()));
        assert_eq!(client.read_exactly(text.len() + 2)[2..], *text.as_bytes());
    }
    assert!(gate.records().all().is_empty(), "the conversation goes on");
    client.send(frame(8, &[0x03, 0xe8]));
    assert_eq!(client.read_exactly(4), [0x88, 2, 0x03, 0xe8]);
    client.expect_end();
    let record = gate.records().wait_for(1).remove(0);
    assert_eq!((record["status"].as_u64(), record["outcome"].as_str()), (Some(101), Some("served")));
    assert!(record["request_bytes"].as_u64().unwrap() > 200 && record["response_bytes"].as_u64().unwrap() > 200);
    let text = upstream.text();
    assert!(!text.contains(KEY), "the handshake with the server is our own");
    assert!(text.to_lowercase().contains("sec-websocket-protocol: chat"), "{text}");
    good_request_works(&gate, "a conversation");
}

#[test]
fn only_declared_pages_may_open_one() {
    let upstream = FakeUpstream::with(echo);
    let gate = Gatehouse::with(upstream.address(), serves);
    let closed = Gatehouse::with(upstream.address(), |plan| {
        serves(plan);
        gateway::each_route(plan, |route| route.websocket.as_mut().unwrap().require_origin = true);
    });
    let rows = [
        (&gate, ask("Origin: https://evil.example.com\r\n"), 403, "origin_refused"),
        (&gate, ask("Origin: null\r\n"), 403, "origin_refused"),
        (&gate, ask("Origin: https://app.example.com.evil.com\r\n"), 403, "origin_refused"),
        (&gate, ask("Origin: https://app.example.com\r\nOrigin: https://evil.example.com\r\n"), 403, "origin_refused"),
        (&closed, ask(""), 403, "origin_refused"),
        (&gate, ask("").replace("Version: 13", "Version: 8"), 426, "websocket_version"),
        (&gate, ask("").replace(KEY, "c2hvcnQ="), 400, "websocket_handshake"),
        (&gate, ask("").replace(KEY, ""), 400, "websocket_handshake"),
        (&gate, ask(&format!("Sec-WebSocket-Key: {KEY}\r\n")), 400, "websocket_handshake"),
    ];
    for (gate, request, status, code) in rows {
        let answer = Client::connect(gate.address()).ask(&request);
        problem(&answer, status, code, &request);
        good_request_works(gate, &request);
    }
    assert!(!upstream.text().to_lowercase().contains("sec-websocket"), "nothing of them was forwarded");
    let answer = Client::connect(gate.address()).ask(ask(""));
    assert_eq!(answer.status, 101, "a client that is no browser states no origin");
}

#[test]
fn a_route_that_declares_none_opens_none() {
    let upstream = FakeUpstream::with(echo);
    let gate = Gatehouse::before(upstream.address());
    let answer = Client::connect(gate.address()).ask(ask(""));
    assert_eq!(answer.status, 200);
    assert!(!upstream.text().to_lowercase().contains("upgrade"), "{}", upstream.text());
}

#[test]
fn a_server_that_accepts_another_handshake_is_not_believed() {
    let upstream = FakeUpstream::with(|talk| {
        while talk.head().is_some() {
            talk.send(format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
            ));
        }
    });
    let gate = Gatehouse::with(upstream.address(), serves);
    let answer = Client::connect(gate.address()).ask(ask(""));
    problem(&answer, 502, "upstream_malformed", "another key");
}

#[test]
fn a_server_that_declines_is_passed_on() {
    let upstream = FakeUpstream::answering("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
    let gate = Gatehouse::with(upstream.address(), serves);
    let answer = Client::connect(gate.address()).ask(ask(""));
    assert_eq!((answer.status, answer.text().as_str()), (404, "no"));
}

#[test]
fn frames_that_no_client_may_send_end_the_conversation() {
    for bytes in [&b"\x81\x05Hello"[..], b"\x83\x80\0\0\0\0", b"\x89\xfe\x01\x00\0\0\0\0"] {
        let upstream = FakeUpstream::with(echo);
        let gate = Gatehouse::with(upstream.address(), serves);
        let mut client = Client::connect(gate.address());
        assert_eq!(client.ask(ask("")).status, 101);
        client.send(bytes);
        let (rest, _) = client.rest();
        assert!(rest.is_empty(), "{rest:?}");
        let record = gate.records().wait_for(1).remove(0);
        assert_eq!(record["outcome"], "refused", "{record}");
        assert!(record["detail"].as_str().unwrap().contains("frame"), "{record}");
        good_request_works(&gate, "bad frames");
    }
}

pub(crate) fn expect_goodbye(client: &mut Client) {
    assert_eq!(client.read_exactly(4), [0x88, 2, 0x03, 0xe9], "going away");
}

#[test]
fn a_conversation_that_rests_or_lasts_too_long_is_told_goodbye() {
    for streams in [
        StreamsPlan { idle_timeout: Duration::from_millis(200), lifetime: Duration::from_secs(60) },
        StreamsPlan { idle_timeout: Duration::from_secs(60), lifetime: Duration::from_millis(400) },
    ] {
        let upstream = FakeUpstream::with(echo);
        let gate = Gatehouse::with(upstream.address(), |plan| {
            serves(plan);
            gateway::each_upstream(plan, |upstream| upstream.streams = streams);
        });
        let mut client = Client::connect(gate.address());
        assert_eq!(client.ask(ask("")).status, 101);
        expect_goodbye(&mut client);
        client.send(frame(8, &[0x03, 0xe9]));
        drop(client.rest());
        let record = gate.records().wait_for(1).remove(0);
        assert_eq!(record["outcome"], "served", "{record}");
        assert!(record["detail"].as_str().unwrap().contains("`streams."), "{record}");
    }
}

#[test]
fn a_drain_says_goodbye_between_two_frames() {
    let upstream = FakeUpstream::with(echo);
    let mut gate = Gatehouse::with(upstream.address(), serves);
    let mut client = Client::connect(gate.address());
    assert_eq!(client.ask(ask("")).status, 101);
    client.send(frame(1, b"hello"));
    assert_eq!(client.read_exactly(7)[2..], *b"hello");
    let handle = gate.handle().clone();
    handle.begin_drain(Duration::ZERO, Duration::from_secs(5));
    expect_goodbye(&mut client);
    client.send(frame(8, &[0x03, 0xe9]));
    drop(client.rest());
    gate.stop(Duration::from_secs(5));
    let records = gate.records().all();
    assert_eq!(records[0]["detail"], "the gateway drains");
}

#[test]
fn over_http2_a_stream_carries_the_frames() {
    let upstream = FakeUpstream::with(echo);
    let gate = Gatehouse::with(upstream.address(), serves);
    let mut peer = Peer::connect(gate.address());
    let request = |origin: &str| {
        let mut request = Request::connect("http://api.test/chat").header("origin", origin).body(()).unwrap();
        request.headers_mut().insert("sec-websocket-version", "13".parse().unwrap());
        request.extensions_mut().insert(h2::ext::Protocol::from_static("websocket"));
        request
    };
    let (good, evil) = (request("https://app.example.com"), request("https://evil.example.com"));
    peer.run(|send| async move {
        let mut send = send.ready().await.unwrap();
        // The server's settings have to have come before an extended CONNECT may be sent.
        while !send.is_extended_connect_protocol_enabled() {
            // SLEEP: looked at again until the deadline.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let (answer, _) = send.send_request(evil, false).unwrap();
        assert_eq!(answer.await.unwrap().status(), 403);
        let (answer, mut stream) = send.send_request(good, false).unwrap();
        let (head, mut body) = answer.await.unwrap().into_parts();
        assert_eq!(head.status, 200);
        assert!(head.headers.get("sec-websocket-accept").is_none());
        for round in 0..10 {
            let text = format!("hello {round}");
            stream.send_data(Bytes::from(frame(1, text.as_bytes())), false).unwrap();
            let mut got = Vec::new();
            while got.len() < text.len() + 2 {
                let chunk = body.data().await.unwrap().unwrap();
                body.flow_control().release_capacity(chunk.len()).unwrap();
                got.extend_from_slice(&chunk);
            }
            assert_eq!(got[2..], *text.as_bytes());
        }
        stream.send_data(Bytes::from(frame(8, &[0x03, 0xe8])), true).unwrap();
        while let Some(Ok(_)) = body.data().await {}
    });
    let records = gate.records().wait_for(2);
    let served = records.iter().find(|record| record["outcome"] == "served").unwrap();
    assert_eq!((served["protocol"].as_str(), served["status"].as_u64()), (Some("2"), Some(101)));
}
