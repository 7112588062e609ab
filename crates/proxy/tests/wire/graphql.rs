//! GraphQL within its limits, and calls of gRPC that are let through, on the wire.

use crate::http2::peer::{Peer, Server, get, post};
use portcullis_config::plan::{GrpcCalls, UpstreamProtocol};
use portcullis_contract::graphql::Limits;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Answer, Client, FakeUpstream};

const LIMITS: Limits = Limits { depth: 3, aliases: 1, fields: 10, cost: 100, introspection: false, batch: 2 };

fn ask(client: &mut Client, head: &str, body: &str) -> Answer {
    client.ask(format!(
        "{head} HTTP/1.1\r\nHost: api.test\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

#[test]
fn what_asks_for_too_much_does_not_arrive() {
    let upstream = FakeUpstream::echoing();
    let gate =
        Gatehouse::with(upstream.address(), |plan| gateway::each_route(plan, |route| route.graphql = Some(LIMITS)));
    let good = r#"{"query":"{a{b}}"}"#;
    for (head, body, expected) in [
        ("POST /graphql", r#"{"query":"{a{b{c{d}}}}"}"#, "400 graphql_limit depth"),
        ("POST /graphql", r#"{"query":"{x: a y: b}"}"#, "400 graphql_limit aliases"),
        ("POST /graphql", r#"{"query":"{a(first: 1000) {b}}"}"#, "400 graphql_limit cost"),
        ("POST /graphql", r#"{"query":"{__schema{types}}"}"#, "400 graphql_limit introspection"),
        ("POST /graphql", r#"[{"query":"{a}"},{"query":"{a}"},{"query":"{a}"}]"#, "400 graphql_limit batch"),
        ("POST /graphql", r#"{"query":"{a b c d e f g h i j k}"}"#, "400 graphql_limit fields"),
        ("POST /graphql", r#"{"query":"{...F} fragment F on T {...F}"}"#, "400 invalid_request fragments"),
        ("POST /graphql", r#"{"query":"{a"}"#, "400 invalid_request malformed"),
        ("POST /graphql", r#"{"id":"known to the server"}"#, "400 invalid_request unknown"),
        ("POST /graphql", r#"{"query":"{a}","query":"{b}"}"#, "400 malformed_json "),
        ("POST /graphql?query=%7Bb%7D", good, "400 invalid_request unknown"),
        ("PUT /graphql", good, "400 invalid_request "),
        ("GET /graphql?query=%7Ba%7D", good, "400 invalid_request "),
    ] {
        let before = upstream.requests();
        let mut client = Client::connect(gate.address());
        let answer = ask(&mut client, head, body);
        let keyword = answer.json()["errors"][0]["keyword"].as_str().unwrap_or_default().to_owned();
        assert_eq!(format!("{} {} {keyword}", answer.status, answer.code()), expected, "{head} {body}");
        assert_eq!(upstream.requests(), before, "{head} {body}");
        assert_eq!(
            ask(&mut Client::connect(gate.address()), "POST /graphql", good).status,
            200,
            "a good request after it"
        );
    }
    let mut client = Client::connect(gate.address());
    let get = |client: &mut Client, query: &str| {
        client.ask(format!("GET /graphql?{query} HTTP/1.1\r\nHost: api.test\r\n\r\n")).status
    };
    assert_eq!(get(&mut client, "query=%7Ba%7Bb%7D%7D"), 200);
    assert_eq!(get(&mut client, "query=mutation%7Ba%7D"), 400);
    let form = "query=%7Ba%7D";
    let answer = client.ask(format!(
        "POST /graphql HTTP/1.1\r\nHost: api.test\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    ));
    assert_eq!(answer.status, 415);
    gate.wait_metric(
        "portcullis_decisions_total{stage=\"conform\",decision=\"refused\",reason=\"graphql_limit\"}",
        6.0,
    );
}

#[test]
fn only_calls_that_are_named_are_let_through() {
    let server = Server::echoing();
    let gate = Gatehouse::with(server.address, |plan| {
        gateway::each_upstream(plan, |upstream| upstream.protocol = UpstreamProtocol::Http2);
        gateway::each_route(plan, |route| {
            route.grpc = true;
            let call = |service: &str, method: Option<&str>| GrpcCalls {
                service: service.to_owned(),
                method: method.map(str::to_owned),
            };
            route.grpc_calls = Some(vec![call("shop.Orders", Some("Get")), call("shop.Stock", None)]);
        });
    });
    let mut peer = Peer::connect(gate.address());
    for (path, is_let_through) in [
        ("/shop.Orders/Get", true),
        ("/shop.Orders/Delete", false),
        ("/shop.Stock/Any", true),
        ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", false),
    ] {
        let mut request = post(path);
        request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
        let answer = peer.ask(request, b"");
        let refused = answer.headers.get("grpc-status").is_some_and(|status| status == "12");
        assert_eq!(!refused, is_let_through, "{path} {answer:?}");
    }
    // Servers take calls in other forms as well.
    assert_eq!(peer.ask(post("/shop.Orders/Delete"), b"{}").status, 404);
    assert_eq!(peer.ask(get("/shop.Orders/Delete"), b"").status, 404);
}
