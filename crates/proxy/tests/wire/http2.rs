//! HTTP/2 with clients and with upstreams: the same target, pipeline, answers and records as HTTP/1.

use crate::check::good_request_works;
use bytes::Bytes;
use http::{Request, Response};
use peer::{Peer, Server, ask, get, give, post};
use portcullis_config::plan::{Methods, UpstreamProtocol};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, FakeUpstream};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[cfg(test)]
#[path = "http2/peer.rs"]
pub(crate) mod peer;

/// A gateway before a server that is spoken to in HTTP/2.
pub(crate) fn before_http2(server: &Server) -> Gatehouse {
    Gatehouse::with(server.address, |plan| {
        gateway::each_upstream(plan, |upstream| upstream.protocol = UpstreamProtocol::Http2);
    })
}

#[test]
fn a_request_is_served_and_recorded_like_any_other() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let mut peer = Peer::connect(gate.address());
    let request = Request::post("http://api.test/a/./b/../c%41?x=%31")
        .header("x-own", "1")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("x-consumer-id", "admin")
        .header("x-forwarded-for", "9.9.9.9")
        .body(())
        .unwrap();
    let got = peer.ask(request, b"hello");
    assert_eq!(got.status, 200);
    let text = got.text();
    assert!(text.starts_with("POST /a/cA?x=1 HTTP/1.1\r\nhost: api.test\r\n"), "{text}");
    assert!(text.contains("\r\nx-own: 1\r\n"), "{text}");
    assert!(text.contains("\r\ncookie: a=1; b=2\r\n"), "{text}");
    assert!(text.contains("\r\ntransfer-encoding: chunked\r\n") && text.contains("hello"), "{text}");
    assert!(!text.contains("admin") && !text.contains("9.9.9.9"), "{text}");
    for name in ["x-content-type-options", "content-security-policy", "x-request-id", "date"] {
        assert_eq!(got.headers.get_all(name).iter().count(), 1, "{name}");
    }
    let record = gate.records().of(got.field("x-request-id").unwrap());
    assert_eq!(record["protocol"], "2");
    assert_eq!((record["method"].as_str(), record["target"].as_str()), (Some("POST"), Some("/a/cA?x=*")));
    assert_eq!((record["status"].as_u64(), record["request_bytes"].as_u64()), (Some(200), Some(5)));
    assert_eq!(record["outcome"], "served");
}

#[test]
fn a_length_that_was_declared_stays_one() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let mut peer = Peer::connect(gate.address());
    let mut request = post("/a");
    request.headers_mut().insert("content-length", "5".parse().unwrap());
    let text = peer.ask(request, b"hello").text();
    assert!(text.contains("\r\ncontent-length: 5\r\n") && !text.contains("transfer-encoding"), "{text}");
}

#[test]
fn refusals_are_the_same_problems() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        gateway::each_route(plan, |route| {
            route.methods = Methods::Only(vec!["GET".to_owned(), "POST".to_owned()]);
            route.body_bytes = 10;
        });
    });
    let mut peer = Peer::connect(gate.address());
    let delete = Request::delete("http://api.test/a").body(()).unwrap();
    let connect = Request::connect("api.test:443").body(()).unwrap();
    let host = Request::get("http://api.test/a").header("host", "other.test").body(()).unwrap();
    let same = Request::get("http://api.test/a").header("host", "api.test").body(()).unwrap();
    for (request, body, status, code) in [
        (get("/a%2fb"), &b""[..], 400, "ambiguous_target"),
        (get("/a/%zz"), b"", 400, "malformed_target"),
        (delete, b"", 405, "method_not_allowed"),
        (connect, b"", 501, "method_not_implemented"),
        (host, b"", 400, "invalid_host"),
        (post("/a"), b"more than ten bytes", 413, "body_too_large"),
        (get(&format!("/{}", "a".repeat(5000))), b"", 414, "target_too_long"),
    ] {
        let about = format!("{request:?}");
        let got = peer.ask(request, body);
        let problem: serde_json::Value =
            serde_json::from_slice(&got.body).unwrap_or_else(|_| panic!("{about}: {got:?}"));
        assert_eq!((got.status, problem["code"].as_str()), (status, Some(code)), "{about}");
        assert_eq!(got.field("content-type"), Some("application/problem+json"), "{about}");
        assert_eq!(problem["request_id"].as_str(), got.field("x-request-id"), "{about}");
        assert_eq!(got.field("x-content-type-options"), Some("nosniff"), "{about}");
        assert_eq!(got.field("connection"), None, "{about}");
        assert_eq!(peer.ask(get("/good"), b"").status, 200, "after {about}");
    }
    assert_eq!(peer.ask(same, b"").status, 200, "a host that repeats the authority");
    good_request_works(&gate, "refusals");
}

#[test]
fn bodies_of_every_size_pass_both_ways_between_both_versions() {
    let (old, new) = (FakeUpstream::echoing(), Server::echoing());
    let to_old = Gatehouse::with(old.address(), |plan| gateway::each_route(plan, |route| route.body_bytes = 1 << 30));
    let to_new = Gatehouse::with(new.address, |plan| {
        gateway::each_route(plan, |route| route.body_bytes = 1 << 30);
        gateway::each_upstream(plan, |upstream| upstream.protocol = UpstreamProtocol::Http2);
    });
    for size in [0, 1, 100, 16_383, 16_384, 16_385, 65_535, 65_536, 300_000, 3_000_000] {
        let body: Vec<u8> = (0..size).map(|index| b'a' + u8::try_from(index % 26).unwrap()).collect();
        for gate in [&to_old, &to_new] {
            let got = Peer::connect(gate.address()).ask(post("/a"), &body);
            assert_eq!(got.status, 200, "{size}");
            let shared = std::ptr::eq(gate, &raw const to_new);
            if shared {
                assert!(got.body.ends_with(&[b"\n\n", &body[..]].concat()), "{size}");
            } else {
                let letters = got.body.len();
                assert!(letters >= size, "{size}: {letters}");
            }
            if size > 0 {
                let head = format!("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n");
                let answer = Client::connect(gate.address()).ask([head.as_bytes(), &body].concat());
                assert!(answer.whole && answer.status == 200 && answer.body.ends_with(&body), "{size}");
            }
        }
    }
}

#[test]
fn many_requests_share_one_connection_on_both_sides() {
    let server = Server::limited(10, |request, mut respond| {
        Box::pin(async move {
            // SLEEP: requests that take a while share a connection.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let path = request.uri().path().to_owned();
            let mut stream = respond.send_response(Response::new(()), false).unwrap();
            stream.send_data(path.into(), true).unwrap();
        })
    });
    let gate = before_http2(&server);
    let mut peer = Peer::connect(gate.address());
    let answers = peer.run(|send| async move {
        let asking: Vec<_> =
            (0..60).map(|index| tokio::spawn(ask(send.clone(), get(&format!("/{index}")), Bytes::new()))).collect();
        let mut answers = Vec::new();
        for one in asking {
            answers.push(one.await.unwrap().unwrap().text());
        }
        answers
    });
    assert_eq!(answers, (0..60).map(|index| format!("/{index}")).collect::<Vec<_>>());
    let connections = server.connections.load(Ordering::SeqCst);
    assert!(connections <= 8, "{connections} connections for 60 requests, ten at once on each");
    assert_eq!(server.requests.load(Ordering::SeqCst), 60);
}

#[test]
fn trailers_pass_both_ways() {
    let gate = before_http2(&Server::echoing());
    let mut peer = Peer::connect(gate.address());
    let got = peer.run(|send| async move {
        let mut send = send.ready().await.unwrap();
        let (answer, mut stream) = send.send_request(post("/a"), false).unwrap();
        give(&mut stream, Bytes::from_static(b"data"), false).await.unwrap();
        let mut trailers = http::HeaderMap::new();
        trailers.insert("x-sum", "42".parse().unwrap());
        stream.send_trailers(trailers).unwrap();
        peer::read(answer.await.unwrap()).await.unwrap()
    });
    assert!(got.text().ends_with("\n\ndata"));
    assert_eq!(got.trailers.get("x-sum").unwrap(), "42");
}

#[test]
fn trailers_that_would_change_what_was_decided_are_refused() {
    for name in ["authorization", "x-consumer-id", "content-length", "host"] {
        let server = Server::echoing();
        let gate = before_http2(&server);
        let mut peer = Peer::connect(gate.address());
        let outcome = peer.run(|send| async move {
            let mut send = send.ready().await.unwrap();
            let (answer, mut stream) = send.send_request(post("/a"), false).unwrap();
            stream.send_data(Bytes::from_static(b"data"), false).unwrap();
            let mut trailers = http::HeaderMap::new();
            trailers.insert(name, "1".parse().unwrap());
            stream.send_trailers(trailers)?;
            Ok::<u16, h2::Error>(answer.await?.status().as_u16())
        });
        assert!(!matches!(outcome, Ok(200)), "{name}: {outcome:?}");
        good_request_works(&gate, name);
    }
}

#[test]
fn a_server_that_never_reads_costs_bounded_memory_and_the_client_is_held_back() {
    let server = Server::with(|request, respond| {
        Box::pin(async move {
            // Keeps the body and reads nothing of it.
            let _kept = (request, respond);
            std::future::pending::<()>().await;
        })
    });
    let gate = Gatehouse::with(server.address, |plan| {
        gateway::each_route(plan, |route| route.body_bytes = 1 << 30);
        gateway::each_upstream(plan, |upstream| upstream.protocol = UpstreamProtocol::Http2);
    });
    let mut peer = Peer::connect(gate.address());
    let taken = peer.run(|send| async move {
        let mut send = send.ready().await.unwrap();
        let (_answer, mut stream) = send.send_request(post("/a"), false).unwrap();
        let mut taken = 0;
        loop {
            stream.reserve_capacity(16_384);
            let room = std::future::poll_fn(|context| stream.poll_capacity(context));
            match tokio::time::timeout(Duration::from_millis(500), room).await {
                Ok(room) => {
                    let count = room.unwrap().unwrap();
                    stream.send_data(vec![0; count].into(), false).unwrap();
                    taken += count;
                }
                Err(_) => return taken,
            }
            assert!(taken < 4_000_000, "nothing holds the client back");
        }
    });
    assert!(taken < 400_000, "{taken} bytes were taken for a server that reads none");
}

#[test]
fn a_client_that_takes_its_request_back_takes_it_back_upstream() {
    let (told, heard) = std::sync::mpsc::sync_channel(1);
    let server = Server::with(move |request, mut respond| {
        let told = told.clone();
        Box::pin(async move {
            let _request = request;
            let reset = std::future::poll_fn(|context| respond.poll_reset(context)).await;
            told.send(reset.is_ok()).unwrap();
        })
    });
    let gate = before_http2(&server);
    let mut peer = Peer::connect(gate.address());
    peer.run(|send| async move {
        let mut send = send.ready().await.unwrap();
        let (answer, mut stream) = send.send_request(get("/a"), true).unwrap();
        // SLEEP: the request has to have reached the server before it is taken back.
        tokio::time::sleep(Duration::from_millis(100)).await;
        stream.send_reset(h2::Reason::CANCEL);
        drop(answer.await);
        // SLEEP: the connection has to have its turn.
        tokio::time::sleep(Duration::from_millis(100)).await;
    });
    assert!(heard.recv_timeout(Duration::from_secs(10)).unwrap());
    eventually("the record says that the client is gone", || {
        gate.records().all().iter().any(|record| record["outcome"] == "gone").then_some(())
    });
}

#[test]
fn an_answer_that_breaks_off_is_not_made_to_look_whole() {
    let upstream = FakeUpstream::with(|talk| {
        drop(talk.request());
        talk.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        talk.pause(Duration::from_millis(50));
    });
    let gate = Gatehouse::before(upstream.address());
    let mut peer = Peer::connect(gate.address());
    let error = peer.try_ask(get("/a"), b"").unwrap_err();
    assert!(error.is_reset(), "{error:?}");
}

#[test]
fn requests_that_a_server_did_not_take_are_sent_again() {
    let server = Server::with(|_request, mut respond| {
        static SEEN: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        Box::pin(async move {
            // Every third is refused without a look.
            if SEEN.fetch_add(1, Ordering::SeqCst) % 3 == 2 {
                respond.send_reset(h2::Reason::REFUSED_STREAM);
            } else {
                respond.send_response(Response::new(()), true).unwrap();
            }
        })
    });
    let gate = before_http2(&server);
    let mut peer = Peer::connect(gate.address());
    for index in 0..20 {
        assert_eq!(peer.ask(get("/a"), b"").status, 200, "{index}");
    }
}

#[test]
fn a_head_over_the_limit_is_refused_with_a_record() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        gateway::limit(plan, |limits| (limits.head_bytes, limits.headers) = (4096, 64));
    });
    let mut peer = Peer::connect(gate.address());
    for (name, count, length) in [("long", 1, 8_000), ("many", 70, 1)] {
        let mut request = get("/a");
        for index in 0..count {
            let header: http::HeaderName = format!("x-{index}").parse().unwrap();
            request.headers_mut().insert(header, "v".repeat(length).parse().unwrap());
        }
        let got = peer.ask(request, b"");
        assert_eq!(got.status, 431, "{name}");
        assert!(got.text().contains("head_too_large"), "{name}: {}", got.text());
        assert_eq!(gate.records().of(got.field("x-request-id").unwrap())["reason"], "head_too_large");
    }
    assert_eq!(peer.ask(get("/a"), b"").status, 200);
}

#[test]
fn streams_beyond_the_limit_are_refused_and_counted() {
    let upstream = FakeUpstream::with(|talk| {
        while talk.request().is_some() {
            talk.pause(Duration::from_millis(300));
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let gate = Gatehouse::with(upstream.address(), |plan| {
        plan.listeners[0].http2 = Some(portcullis_config::plan::Http2Plan { streams: 2, ..Default::default() });
    });
    // Sent in one piece, before the client can know the limit.
    use portcullis_testkit::frames::{Block, END_STREAM, Frame, PREFACE};
    let mut bytes = [PREFACE, &Frame::settings(&[]).bytes()[..]].concat();
    for stream in [1, 3, 5, 7] {
        bytes.extend(Frame::headers(stream, &Block::request("GET", "/a"), END_STREAM).bytes());
    }
    let mut client = Client::connect(gate.address());
    client.send(&bytes);
    gate.wait_metric("portcullis_http2_streams_reset_total{code=\"refused_stream\"}", 2.0);
    eventually("the others are served", || (gate.records().all().len() == 2).then_some(()));
    good_request_works(&gate, "too many streams");
}

/// A connection that is closed while more comes is reset, and a client that still sends never reads why.
#[test]
fn a_flood_that_goes_on_learns_why_it_ended() {
    use portcullis_testkit::frames::{Frame, Frames, code, hello, kind};
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let mut socket = TcpStream::connect(gate.address()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let pings = Frame::ping(0, 7).bytes().repeat(2_000);
    socket.write_all(&[hello(&[]), pings.clone()].concat()).unwrap();
    gate.wait_metric("portcullis_http2_floods_total{limit=\"pings\"}", 1.0);
    for _ in 0..3 {
        socket.write_all(&pings).unwrap();
    }
    let (mut frames, mut goodbye, mut room) = (Frames::default(), None, [0; 4096]);
    while goodbye.is_none() {
        let count = socket.read(&mut room).unwrap();
        assert!(count > 0, "the connection ended without a word");
        frames.push(&room[..count]);
        while let Some(frame) = frames.next_frame() {
            if frame.kind == kind::GOAWAY {
                goodbye = frame.code();
            }
        }
    }
    assert_eq!(goodbye, Some(code::ENHANCE_YOUR_CALM));
    good_request_works(&gate, "a flood of pings");
}

#[test]
fn http2_that_is_switched_off_is_not_spoken() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| plan.listeners[0].http2 = None);
    let answer = Client::connect(gate.address()).ask("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    crate::check::problem(&answer, 505, "unsupported_version", "the preface");
    good_request_works(&gate, "the preface");
}

#[test]
fn a_drain_lets_requests_end_and_takes_no_more() {
    let upstream = FakeUpstream::with(|talk| {
        while talk.request().is_some() {
            talk.pause(Duration::from_millis(400));
            talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let mut gate = Gatehouse::before(upstream.address());
    let address = gate.address();
    let handle = gate.handle().clone();
    let (started, begun) = std::sync::mpsc::sync_channel(1);
    let client = std::thread::spawn(move || {
        let mut peer = Peer::connect(address);
        let first = peer.run(|send| async move {
            let mut ready = send.clone().ready().await.unwrap();
            let (answer, _) = ready.send_request(get("/a"), true).unwrap();
            // SLEEP: the request has to be under way when the drain begins.
            tokio::time::sleep(Duration::from_millis(100)).await;
            started.send(()).unwrap();
            peer::read(answer.await.unwrap()).await.unwrap()
        });
        // The connection says goodbye after it.
        let later = peer.try_ask(get("/b"), b"");
        (first.text(), later.is_err())
    });
    begun.recv().unwrap();
    handle.begin_drain(Duration::ZERO, Duration::from_secs(5));
    gate.stop(Duration::from_secs(5));
    assert_eq!(client.join().unwrap(), ("ok".to_owned(), true));
}

#[test]
fn a_connection_that_rests_too_long_is_closed() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        gateway::limit(plan, |limits| limits.idle_timeout = Duration::from_millis(300));
    });
    let mut peer = Peer::connect(gate.address());
    assert_eq!(peer.ask(get("/a"), b"").status, 200);
    gate.wait_metric("portcullis_connections", 0.0);
    assert!(peer.try_ask(get("/a"), b"").is_err());
}
