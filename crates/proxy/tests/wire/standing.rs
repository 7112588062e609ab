//! What goes on ends with the credential that opened it: by its time, and soon after it was revoked.

use crate::http2::peer::{Peer, Server, give};
use crate::identity::{House, either, now};
use crate::websocket;
use bytes::Bytes;
use http::{Request, Response};
use portcullis_auth::revocation::{Revocation, RevokedBy};
use portcullis_config::plan::{Plan, UpstreamProtocol};
use portcullis_testkit::gateway;
use portcullis_testkit::{Client, FakeUpstream};
use serde_json::json;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

fn house(upstream: SocketAddr, change: impl FnOnce(&mut Plan)) -> House {
    House::with(&either(), |plan| {
        gateway::each_upstream(plan, |each| each.targets = vec![gateway::target(upstream)]);
        websocket::serves(plan);
        change(plan);
    })
}

/// A token that ends in so many seconds.
fn token(house: &House, id: &str, lifetime: u64) -> String {
    house.token(|claims| {
        claims.insert("jti".to_owned(), json!(id));
        claims.insert("exp".to_owned(), json!(now() + lifetime));
    })
}

fn revoke(house: &House, id: &str) {
    let revocation = Revocation {
        by: RevokedBy::TokenId,
        issuer: "https://idp.test".to_owned(),
        name: id.to_owned(),
        revoked_at: now(),
        until: u64::MAX,
    };
    house.store().0.revoke_tokens(&[revocation], now()).unwrap();
}

fn open(house: &House, credential: &str) -> Client {
    let mut client = Client::connect(house.gate().address());
    assert_eq!(client.ask(websocket::ask(credential)).status, 101);
    client.send(websocket::frame(1, b"hello"));
    assert_eq!(client.read_exactly(7)[2..], *b"hello");
    client
}

fn goodbye(mut client: Client, within: Duration, about: &str) {
    let begun = Instant::now();
    websocket::expect_goodbye(&mut client);
    assert!(begun.elapsed() < within, "{about}: {:?}", begun.elapsed());
    client.send(websocket::frame(8, &[0x03, 0xe9]));
    drop(client.rest());
}

#[test]
fn a_websocket_ends_with_its_token_and_with_its_key() {
    let upstream = FakeUpstream::with(websocket::echo);
    let house = house(upstream.address(), |_| {});
    let bearer = |id: &str, lifetime| format!("Authorization: Bearer {}\r\n", token(&house, id, lifetime));
    let mut lasting = open(&house, &bearer("lasting", 300));
    goodbye(open(&house, &bearer("short", 2)), Duration::from_secs(6), "its time is over");
    let revoked = open(&house, &bearer("revoked", 300));
    revoke(&house, "revoked");
    goodbye(revoked, Duration::from_secs(6), "the token was revoked");
    let key = house.known_key();
    let of_key = open(&house, &format!("X-API-Key: {}\r\n", key.reveal()));
    house.store().0.revoke(&[key.number()], now()).unwrap();
    goodbye(of_key, Duration::from_secs(6), "the key was revoked");
    lasting.send(websocket::frame(1, b"still"));
    assert_eq!(lasting.read_exactly(7)[2..], *b"still", "a token that stands is no reason to end");
    let records = house.gate().records().wait_for(3);
    for record in records.iter().filter(|record| record["status"] == 101) {
        assert_eq!(record["detail"], "the credential that opened it has ended or was revoked", "{record}");
    }
}

#[test]
fn events_end_with_their_token() {
    let upstream = FakeUpstream::with(|talk| {
        if talk.request().is_none() {
            return;
        }
        talk.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        while talk.send("8\r\ndata: 1\n\r\n") {
            talk.pause(Duration::from_millis(50));
        }
    });
    let house = house(upstream.address(), |_| {});
    for (id, lifetime) in [("short", 2), ("revoked", 300)] {
        let token = token(&house, id, lifetime);
        let mut client = Client::connect(house.gate().address());
        client.send(format!("GET /a HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer {token}\r\n\r\n"));
        let begun = Instant::now();
        if id == "revoked" {
            revoke(&house, id);
        }
        let answer = client.answer();
        assert!(answer.status == 200 && !answer.whole && !answer.body.is_empty(), "{id}: {:?}", answer.head);
        assert!(begun.elapsed() < Duration::from_secs(6), "{id}: {:?}", begun.elapsed());
        let record = house.gate().records().of(answer.field("x-request-id").unwrap());
        assert_eq!(record["outcome"], "truncated", "{record}");
        assert_eq!(record["detail"], "the credential that opened it has ended or was revoked", "{record}");
    }
    assert_eq!(house.bearer(&token(&house, "other", 300)[..3]).status, 401, "and the gateway goes on");
}

/// Calls of gRPC: keys and tokens that open, refusals as statuses of gRPC, and a call that ends with its token.
#[test]
fn calls_of_grpc_are_refused_in_their_own_words_and_end_with_their_token() {
    let server = Server::with(|_request, mut respond| {
        Box::pin(async move {
            let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
            let mut stream = respond.send_response(head, false).unwrap();
            while give(&mut stream, Bytes::from_static(b"tick"), false).await.is_ok() {
                // SLEEP: the call goes on for as long as it may.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
    });
    let house = house(server.address, |plan| {
        gateway::each_upstream(plan, |upstream| upstream.protocol = UpstreamProtocol::Http2);
    });
    let call = |credential: Option<(&str, String)>| {
        let mut request = Request::post("http://api.test/pkg.Service/Watch").header("content-type", "application/grpc");
        request = request.header("te", "trailers").header("x-forwarded-for", house.fresh_address());
        if let Some((name, value)) = credential {
            request = request.header(name, value);
        }
        request.body(()).unwrap()
    };
    let bearer = |token: String| Some(("authorization", format!("Bearer {token}")));
    let mut peer = Peer::connect(house.gate().address());
    let bound = house.token(|claims| drop(claims.insert("cnf".to_owned(), json!({ "jkt": "A".repeat(43) }))));
    for (request, code) in [
        (call(None), "missing_credential"),
        (call(bearer("a.b.c".to_owned())), "invalid_token"),
        (call(bearer(token(&house, "over", 0).replace('.', ".."))), "invalid_token"),
        (call(bearer(bound)), "insufficient_binding"),
        (call(Some(("x-api-key", "pk_x".to_owned()))), "invalid_api_key"),
    ] {
        let got = peer.ask(request, b"");
        assert_eq!((got.status, got.field("grpc-status")), (200, Some("16")), "{code}: {got:?}");
        assert!(got.field("grpc-message").unwrap().ends_with(&format!("({code})")), "{got:?}");
    }
    for credential in [bearer(token(&house, "short", 2)), Some(("x-api-key", house.known_key().reveal().to_owned()))] {
        let by_token = credential.as_ref().is_some_and(|(name, _)| *name == "authorization");
        let request = call(credential);
        let ended = peer.run(|send| async move {
            let mut send = send.ready().await.unwrap();
            let (answer, _) = send.send_request(request, true).unwrap();
            let (head, mut body) = answer.await.unwrap().into_parts();
            assert_eq!(head.status, 200);
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(6) {
                match body.data().await {
                    Some(Ok(chunk)) => body.flow_control().release_capacity(chunk.len()).unwrap(),
                    Some(Err(_)) | None => return true,
                }
                if !by_token && begun.elapsed() > Duration::from_secs(3) {
                    return false;
                }
            }
            false
        });
        assert_eq!(ended, by_token, "a call ends with what opened it, and with nothing else");
    }
}
