//! Messages that are held to a contract, in both directions and both versions of HTTP.

use crate::bytes::{gzip, says};
use crate::check::{good_request_works, problem};
use crate::http2::peer::{Peer, Server, post};
use portcullis_config::plan::{ContractMode, ContractPlan, Methods, Plan, RouteContract};
use portcullis_contract::Options;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Answer, Client, FakeUpstream};
use std::net::SocketAddr;
use std::sync::Arc;

const DOCUMENT: &str = r##"
openapi: 3.1.0
info: { title: Users, version: "1" }
paths:
  /good:
    get: { responses: { "200": { description: any } } }
  /users/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: integer, minimum: 1 } }
    get:
      parameters:
        - { name: full, in: query, schema: { type: boolean } }
        - { name: X-Tenant, in: header, schema: { type: string, pattern: "^[a-z]+$" } }
      responses:
        "200":
          description: one
          content:
            application/json: { schema: { $ref: "#/components/schemas/User" } }
            text/event-stream: { schema: { type: string } }
        "304": { description: the same }
    put:
      requestBody:
        required: true
        content:
          application/json: { schema: { $ref: "#/components/schemas/User" } }
          application/octet-stream: { schema: { type: string, format: binary, maxLength: 30 } }
      responses: { "204": { description: done }, "200": { description: done, content: { application/json: {} } } }
components:
  schemas:
    User:
      type: object
      required: [name]
      properties:
        id: { type: integer, readOnly: true }
        name: { type: string, maxLength: 20 }
        age: { type: integer, minimum: 0 }
        password: { type: string, format: password, minLength: 12, writeOnly: true }
"##;

/// A gateway whose two routes are those of the document.
fn contracted(upstream: SocketAddr, request: ContractMode, response: ContractMode) -> Gatehouse {
    Gatehouse::start(plan(upstream, request, response))
}

pub(super) fn plan(upstream: SocketAddr, request: ContractMode, response: ContractMode) -> Plan {
    let mut plan = gateway::plan(upstream);
    let loaded = portcullis_contract::load("users.yaml", DOCUMENT.as_bytes(), Options::default(), &mut |_| None);
    let contract = Arc::new(loaded.contract.expect("a good document"));
    let at = |method: &str, template: &str| {
        let mut all = contract.operations().iter();
        all.position(|one| one.method() == method && one.template() == template).expect("an operation")
    };
    let operations = [
        ("/good", vec![("GET".to_owned(), at("GET", "/good"))]),
        (
            "/users/{id}",
            vec![("GET".to_owned(), at("GET", "/users/{id}")), ("PUT".to_owned(), at("PUT", "/users/{id}"))],
        ),
    ];
    let (file, hash, options) = ("users.yaml".into(), "1".to_owned(), Options::default());
    let whole = ContractPlan {
        file,
        hash,
        options,
        contract: Arc::clone(&contract),
        request,
        response,
        security: ContractMode::Off,
        answer_bytes: 5_000,
    };
    let whole = Arc::new(whole);
    let upstream = Arc::clone(&plan.apis[0].versions[0].routes[0].upstream);
    plan.apis[0].versions[0].routes = operations
        .into_iter()
        .map(|(template, operations)| {
            let methods = operations.iter().map(|(method, _)| method.clone()).collect();
            let mut route = gateway::route(Methods::Only(methods), template, &upstream);
            route.contract = Some(RouteContract { plan: Arc::clone(&whole), operations, security: None });
            route
        })
        .collect();
    plan
}

fn put(client: &mut Client, fields: &str, body: &str) -> Answer {
    client
        .ask(format!("PUT /users/7 HTTP/1.1\r\nHost: api.test\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len()))
}

const JSON: &str = "Content-Type: application/json\r\n";

/// Each error as `in name pointer keyword`.
fn errors(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let all = body["errors"].as_array().unwrap_or_else(|| panic!("{}", answer.text()));
    let word = |error: &serde_json::Value, name: &str| error[name].as_str().unwrap_or("-").to_owned();
    all.iter().map(|one| ["in", "name", "pointer", "keyword"].map(|name| word(one, name)).join(" ")).collect()
}

#[test]
fn what_the_contract_says_passes_and_nothing_else() {
    let upstream = FakeUpstream::answering("HTTP/1.1 204 Done\r\n\r\n");
    let gate = contracted(upstream.address(), ContractMode::Enforce, ContractMode::Off);
    let mut client = Client::connect(gate.address());
    for body in [r#"{"name":"ada"}"#, r#"{"name":"ada","age":36,"password":"correct horse"}"#] {
        assert_eq!(put(&mut client, JSON, body).status, 204, "{body}");
    }
    let seen = upstream.requests();
    for (fields, body, status, code, expected) in [
        (JSON, r#"{"name":"ada","role":"admin"}"#, 422, "invalid_body", "body - /role additionalProperties"),
        (JSON, r#"{"name":"ada","id":1}"#, 422, "invalid_body", "body - /id readOnly"),
        (JSON, r#"{"age":1}"#, 422, "invalid_body", "body - /name required"),
        (JSON, r#"{"name":"ada","password":"hunter2"}"#, 422, "invalid_body", "body - /password minLength"),
        (JSON, r#"{"name":"ada","name":"eve"}"#, 400, "invalid_request", "body -  repeated_member"),
        (JSON, r#"{"name":"#, 400, "invalid_request", "body -  malformed"),
        (JSON, "", 400, "invalid_request", "body -  required"),
        ("Content-Type: text/xml\r\n", "<a/>", 415, "unsupported_media_type", "body -  mediaType"),
        ("", "{}", 415, "unsupported_media_type", "body -  mediaType"),
        ("Content-Type: application/json; charset=utf-16\r\n", "{}", 415, "unsupported_media_type", "body -  charset"),
        (
            "Content-Type: application/json\r\nX-Admin: 1\r\n",
            r#"{"name":"a"}"#,
            400,
            "invalid_request",
            "header x-admin - unknown",
        ),
    ] {
        let answer = put(&mut client, fields, body);
        problem(&answer, status, code, body);
        assert_eq!(errors(&answer), [expected], "{body}");
        assert!(!answer.text().contains("hunter2"), "no value is repeated");
    }
    let all = put(&mut client, JSON, r#"{"age":-1,"admin":true,"<b>":"\""}"#);
    assert_eq!(errors(&all).len(), 4, "{:?}", errors(&all));
    assert_eq!(upstream.requests(), seen, "nothing of this has left");
    assert_eq!(put(&mut client, JSON, r#"{"name":"ada"}"#).status, 204, "on the same connection");
    let record = gate.records().of(all.field("x-request-id").unwrap());
    assert_eq!(record["stage"], "conform", "{record}");
    assert!(record["detail"].as_str().is_some_and(|text| text.contains("body /age: minimum")), "{record}");
}

#[test]
fn bytes_that_stream_are_held_to_their_length() {
    const BYTES: &str = "Content-Type: application/octet-stream\r\n";
    let upstream = FakeUpstream::answering("HTTP/1.1 204 Done\r\n\r\n");
    let gate = contracted(upstream.address(), ContractMode::Enforce, ContractMode::Off);
    let (fits, long) = ("x".repeat(30), "x".repeat(31));
    let mut client = Client::connect(gate.address());
    assert_eq!(put(&mut client, BYTES, &fits).status, 204);
    let seen = upstream.requests();
    problem(&put(&mut client, BYTES, &long), 413, "body_too_large", "its length was said");
    // What is behind a content coding is measured once that is undone.
    let coded = |text: &str| {
        let body = gzip(text.as_bytes());
        let head = format!(
            "PUT /users/7 HTTP/1.1\r\nHost: api.test\r\n{BYTES}Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut client = Client::connect(gate.address());
        client.ask([head.as_bytes(), &body].concat())
    };
    let answer = coded(&long);
    problem(&answer, 422, "invalid_body", "coded");
    assert_eq!(errors(&answer), ["body -  maxLength"]);
    assert_eq!(upstream.requests(), seen, "nothing of this has left");
    assert_eq!(coded(&fits).status, 204);
    let gate = contracted(upstream.address(), ContractMode::Report, ContractMode::Off);
    let mut client = Client::connect(gate.address());
    let answer = put(&mut client, BYTES, &long);
    assert_eq!(answer.status, 204, "it is only reported");
    let breach = gate.records().of(answer.field("x-request-id").unwrap())["request_breach"].clone();
    assert!(breach.as_str().is_some_and(|text| text.contains("maxLength")), "{breach}");
}

#[test]
fn parameters_are_judged_with_the_rest() {
    let upstream = FakeUpstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let gate = contracted(upstream.address(), ContractMode::Enforce, ContractMode::Off);
    let get = |target: &str, fields: &str| {
        Client::connect(gate.address()).ask(format!("GET {target} HTTP/1.1\r\nHost: api.test\r\n{fields}\r\n"))
    };
    for (target, fields) in [("/users/7", ""), ("/users/%37?full=true", "X-Tenant: acme\r\nUser-Agent: x\r\n")] {
        assert_eq!(get(target, fields).status, 200, "{target}");
    }
    let mut head = Client::connect(gate.address());
    head.send("HEAD /users/x HTTP/1.1\r\nHost: api.test\r\n\r\n");
    assert_eq!(head.answer_to(true).status, 400, "HEAD is judged as GET");
    for (target, fields, expected) in [
        ("/users/0", "", &["path id - minimum"][..]),
        ("/users/x", "", &["path id - type"]),
        ("/users/7?full=maybe", "", &["query full - type"]),
        ("/users/7?ful=true&x=1", "", &["query ful - unknown", "query x - unknown"]),
        ("/users/7", "X-Tenant: ACME\r\n", &["header x-tenant - pattern"]),
        ("/users/x?a=1", "Cookie: s=1\r\n", &["path id - type", "query a - unknown", "cookie s - unknown"]),
        ("/users/7", "Content-Length: 2\r\nContent-Type: application/json\r\n\r\n{}", &["body -  requestBody"]),
    ] {
        let answer = get(target, fields);
        problem(&answer, 400, "invalid_request", target);
        assert_eq!(errors(&answer), expected, "{target}");
    }
    for (method, status) in [("TRACE", 405), ("PATCH", 405), ("CONNECT", 501)] {
        let line = format!("{method} /users/7 HTTP/1.1\r\nHost: api.test\r\n\r\n");
        assert_eq!(Client::connect(gate.address()).ask(line).status, status, "{method}");
    }
    good_request_works(&gate, "parameters that are not declared");
}

#[test]
fn a_report_lets_pass_and_says_what() {
    let upstream = FakeUpstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    let gate = contracted(upstream.address(), ContractMode::Report, ContractMode::Report);
    let answer = put(&mut Client::connect(gate.address()), JSON, r#"{"role":"admin"}"#);
    assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
    let record = gate.records().of(answer.field("x-request-id").unwrap());
    let breach = record["request_breach"].as_str().unwrap();
    assert!(breach.contains("body /role: additionalProperties") && breach.contains("body /name: required"), "{record}");
    assert_eq!(record["answer_breach"], "body: mediaType", "{record}");
    assert_eq!(gate.metric("portcullis_contract_breaches_total{direction=\"request\"}"), 1.0);
    assert_eq!(gate.metric("portcullis_contract_breaches_total{direction=\"answer\"}"), 1.0);
}

#[test]
fn an_answer_leaves_only_if_it_was_promised() {
    let good = br#"{"id":7,"name":"ada"}"#.as_slice();
    let chunked = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"nam\r\nA\r\ne\":\"ada\"} \r\n0\r\n\r\n";
    let packed = format!("{JSON}Content-Encoding: gzip\r\n");
    let long = format!("{{\"name\":\"ada\"{}}}", " ".repeat(6_000));
    for (about, answer, passes) in [
        ("what was promised", says(JSON, good), true),
        ("the same in gzip", says(&packed, &gzip(good)), true),
        ("the same in chunks", chunked.to_vec(), true),
        ("not changed", b"HTTP/1.1 304 Same\r\n\r\n".to_vec(), true),
        ("events are declared", says("Content-Type: text/event-stream\r\n", b"data: 1\n\n"), true),
        ("a member too many", says(JSON, br#"{"id":7,"name":"ada","hash":"s3cret"}"#), false),
        ("what only goes in", says(JSON, br#"{"name":"ada","password":"s3cret-s3cret"}"#), false),
        ("a member too many in gzip", says(&packed, &gzip(br#"{"name":"ada","hash":"s3cret"}"#)), false),
        ("another type", says("Content-Type: text/html\r\n", b"s3cret"), false),
        ("no type", says("", b"s3cret"), false),
        ("no JSON", says(JSON, b"s3cret"), false),
        ("an unknown coding", says(&format!("{JSON}Content-Encoding: rot13\r\n"), b"s3cret"), false),
        ("a broken coding", says(&packed, b"s3cret"), false),
        ("another status", b"HTTP/1.1 500 No\r\nContent-Length: 6\r\n\r\ns3cret".to_vec(), false),
        ("too long", says(JSON, long.as_bytes()), false),
    ] {
        let body = body_of(&answer);
        let upstream = FakeUpstream::answering(answer);
        let gate = contracted(upstream.address(), ContractMode::Enforce, ContractMode::Enforce);
        let got = Client::connect(gate.address()).ask("GET /users/7 HTTP/1.1\r\nHost: api.test\r\n\r\n");
        if passes {
            assert!(got.status < 400 && (about.contains("chunks") || got.body == body), "{about}: {}", got.text());
            continue;
        }
        problem(&got, 502, "invalid_answer", about);
        assert!(!got.text().contains("s3cret") && got.json().get("errors").is_none(), "{about}: {}", got.text());
        let record = gate.records().of(got.field("x-request-id").unwrap());
        assert_eq!((record["stage"].as_str(), record["status"].as_u64()), (Some("shape"), Some(502)), "{about}");
    }
}

/// What follows the head.
fn body_of(answer: &[u8]) -> Vec<u8> {
    let at = portcullis_testkit::client::find(answer, b"\r\n\r\n").expect("a head") + 4;
    answer[at..].to_vec()
}

#[test]
fn an_answer_that_is_too_long_passes_whole_where_it_is_only_reported() {
    let long = format!("{{\"name\":\"ada\"{}}}", " ".repeat(300_000));
    let upstream = FakeUpstream::answering(says(JSON, long.as_bytes()));
    let gate = contracted(upstream.address(), ContractMode::Enforce, ContractMode::Report);
    let got = Client::connect(gate.address()).ask("GET /users/7 HTTP/1.1\r\nHost: api.test\r\n\r\n");
    assert!(got.status == 200 && got.text() == long, "{} bytes", got.body.len());
    let record = gate.records().of(got.field("x-request-id").unwrap());
    assert_eq!(record["answer_breach"], "body: answer_bytes", "{record}");
}

#[test]
fn all_of_it_holds_over_http2() {
    let server = Server::echoing();
    let mut plan = plan(server.address, ContractMode::Enforce, ContractMode::Enforce);
    gateway::each_upstream(&mut plan, |upstream| {
        upstream.protocol = portcullis_config::plan::UpstreamProtocol::Http2;
    });
    let gate = Gatehouse::start(plan);
    let mut peer = Peer::connect(gate.address());
    let mut ask = |body: &str| {
        let mut request = post("/users/7");
        *request.method_mut() = http::Method::PUT;
        request.headers_mut().insert("content-type", "application/json".parse().unwrap());
        peer.ask(request, body.as_bytes())
    };
    assert_eq!(ask(r#"{"name":"ada","role":"admin"}"#).status, 422);
    let seen = server.requests.load(std::sync::atomic::Ordering::SeqCst);
    // What this server echoes is not what the document promises.
    assert_eq!(ask(r#"{"name":"ada"}"#).status, 502);
    assert_eq!(server.requests.load(std::sync::atomic::Ordering::SeqCst), seen + 1);
    assert_eq!(ask(r#"{"name":1}"#).status, 422, "the connection goes on");
}
