//! Answers that give too much away do not leave over HTTP/2 either: real frames on both sides, on one connection that goes on
//! after each of them. What goes on without an end, by declaration or by its type, passes unseen.

use crate::bytes::{gzip, says};
use crate::http2::peer::{Answering, Got, Peer, Server, get};
use crate::leaks::{BEGINNING, HARMLESS, LEAK, RULES, UNSEEN, first_rule, guarded};
use crate::websocket;
use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::{Request, Response};
use portcullis_testkit::gateway::Gatehouse;
use portcullis_testkit::scratch::Scratch;
use portcullis_testkit::{Client, FakeUpstream};
use serde_json::Value;

const WAF: &str = "exclusions: rules.conf";

/// What a server says for a path: content type, content coding, body, and what follows it as trailers.
fn said(path: &str) -> (&'static str, Option<&'static str>, Vec<u8>, bool) {
    let leak = LEAK.as_bytes().to_vec();
    match path {
        "/sql" => ("application/json", None, leak, false),
        "/trailed" => ("application/json", None, leak, true),
        "/gzip" => ("application/json", Some("gzip"), gzip(&leak), false),
        "/long" => ("text/plain", None, [vec![b'a'; 700_000], leak].concat(), false),
        "/unknown" => ("application/json", Some("snappy"), leak, false),
        "/broken" => ("application/json", Some("gzip"), gzip(&leak)[..30].to_vec(), false),
        "/events" => ("text/event-stream", None, [b"data: ".to_vec(), leak, b"\n\n".to_vec()].concat(), false),
        "/image" => ("image/png", None, leak, false),
        _ => ("application/json", None, HARMLESS.as_bytes().to_vec(), false),
    }
}

fn answer(request: &Request<RecvStream>, mut respond: SendResponse<Bytes>) {
    let (content_type, coding, body, trailed) = said(request.uri().path());
    let mut head = Response::builder().status(200).header("content-type", content_type);
    if let Some(coding) = coding {
        head = head.header("content-encoding", coding);
    }
    let Ok(mut stream) = respond.send_response(head.body(()).unwrap(), false) else { return };
    // An answer that is refused is reset meanwhile, so that nothing waits for room here.
    drop(stream.send_data(body.into(), !trailed));
    if trailed {
        let mut trailers = http::HeaderMap::new();
        trailers.insert("x-sum", "1".parse().unwrap());
        drop(stream.send_trailers(trailers));
    }
}

fn answering(request: Request<RecvStream>, respond: SendResponse<Bytes>) -> Answering {
    Box::pin(async move { answer(&request, respond) })
}

/// The same from a server of HTTP/1.
fn older() -> FakeUpstream {
    FakeUpstream::with(|talk| {
        while let Some(heard) = talk.request() {
            let (content_type, coding, body, _) = said(&heard.target());
            let coding = coding.map(|coding| format!("Content-Encoding: {coding}\r\n")).unwrap_or_default();
            if !talk.send(says(&format!("Content-Type: {content_type}\r\n{coding}"), &body)) {
                return;
            }
        }
    })
}

/// A gateway with the rules before a server, and one connection to it.
struct Place {
    gate: Gatehouse,
    peer: Peer,
    /// What the record says of the stage.
    inspect: &'static str,
    _scratch: Scratch,
}

impl Place {
    fn new(settings: &str, mode: &str, upstream: &str, route: &str) -> Self {
        let scratch = Scratch::new();
        assert!(scratch.file("rules.conf", &format!("{settings}\n{RULES}")).starts_with(scratch.path()));
        let gate = guarded(&scratch, &format!("mode: {mode}, {WAF}"), upstream, route);
        let peer = Peer::connect(gate.address());
        let inspect = if mode == "observe" { "observed" } else { "inspected" };
        Self { gate, peer, inspect, _scratch: scratch }
    }

    fn ask(&mut self, path: &str) -> (Got, Value) {
        let got = self.peer.ask(get(path), b"");
        let record = self.gate.records().of(got.field("x-request-id").unwrap());
        (got, record)
    }

    /// A good answer over the same connection, byte for byte.
    fn goes_on(&mut self, after: &str) {
        let (got, record) = self.ask("/good");
        assert_eq!((got.status, got.text().as_str()), (200, HARMLESS), "after {after}: {record}");
        assert_eq!((&record["inspect"], &record["protocol"]), (&self.inspect.into(), &"2".into()), "{record}");
    }

    fn refused(&mut self, path: &str, code: &str) -> Value {
        let (got, record) = self.ask(path);
        let body: Value = serde_json::from_slice(&got.body).unwrap_or_else(|_| panic!("{path}: {}", got.text()));
        assert_eq!((got.status, &body["code"]), (502, &code.into()), "{path}: {record}");
        assert_eq!(got.field("content-type"), Some("application/problem+json"), "{path}");
        assert!(!got.text().contains("SQL") && got.trailers.is_empty() && got.field("content-encoding").is_none());
        assert_eq!((&record["stage"], &record["reason"]), (&"inspect".into(), &code.into()), "{record}");
        self.goes_on(path);
        record
    }

    fn passes(&mut self, path: &str, detail: Option<&str>) {
        let (got, record) = self.ask(path);
        assert_eq!(got.status, 200, "{path}: {record}");
        assert!(got.body == said(path).2, "{path}: {}", got.text());
        assert_eq!(record["detail"].as_str(), detail, "{path}: {record}");
        self.goes_on(path);
    }
}

/// Both kinds of servers, alive as long as what is tried on them.
fn with_each_server(tried: impl Fn(&str)) {
    let server = Server::with(answering);
    tried(&format!("targets: ['http://{}'], protocol: http2", server.address));
    let server = older();
    tried(&format!("targets: ['http://{}']", server.address()));
}

#[test]
fn what_rules_refuse_does_not_leave_and_the_connection_goes_on() {
    with_each_server(|upstream| {
        let mut place = Place::new("", "enforce", upstream, "");
        place.goes_on("nothing");
        for path in ["/sql", "/trailed", "/gzip"] {
            let record = place.refused(path, "answer_refused");
            assert_eq!((first_rule(&record), &record["waf"]["verdict"]), ((11, "RESPONSE_BODY"), &"refused".into()));
        }
        place.passes("/long", Some(BEGINNING));
        place.passes("/image", None);
    });
}

#[test]
fn what_cannot_be_looked_into_does_not_leave_and_the_connection_goes_on() {
    with_each_server(|upstream| {
        let all = "SecResponseBodyMimeType application/json text/plain text/event-stream";
        let mut place = Place::new(&format!("{all}\nSecResponseBodyLimitAction Reject"), "enforce", upstream, "");
        for path in ["/unknown", "/broken", "/events", "/long"] {
            place.refused(path, "answer_uninspected");
        }
        let mut place = Place::new(all, "observe", upstream, "");
        for path in ["/unknown", "/broken", "/events"] {
            place.passes(path, Some(UNSEEN));
        }
        // A stream that no rule names passes as it comes.
        Place::new("", "enforce", upstream, "").passes("/events", None);
    });
}

#[test]
fn answers_of_streams_side_by_side_are_judged_apart() {
    let server = Server::with(answering);
    let upstream = format!("targets: ['http://{}'], protocol: http2", server.address);
    let mut place = Place::new("", "enforce", &upstream, "");
    let paths = ["/sql", "/good", "/gzip", "/good", "/trailed", "/image", "/sql", "/good"];
    let got = place.peer.run(|send| async move {
        let mut asked = Vec::new();
        for path in paths {
            let mut send = send.clone().ready().await.unwrap();
            asked.push(send.send_request(get(path), true).unwrap().0);
        }
        let mut got = Vec::new();
        for answer in asked {
            got.push(crate::http2::peer::read(answer.await.unwrap()).await.unwrap());
        }
        got
    });
    for (path, got) in paths.iter().zip(got) {
        let expected = if ["/good", "/image"].contains(path) { 200 } else { 502 };
        assert_eq!(got.status, expected, "{path}: {}", got.text());
        assert!(got.status == 502 || got.body == said(path).2, "{path}");
    }
    place.goes_on("all of them");
}

/// What a route declares to go on is seen by no rule, and `effective-policy` says so.
#[test]
fn messages_of_a_websocket_pass_rules_about_answers() {
    let upstream = FakeUpstream::with(websocket::echo);
    let target = format!("targets: ['http://{}']", upstream.address());
    let route = ", websocket: { origins: ['*'] }";
    let place = Place::new("", "enforce", &target, route);
    let mut client = Client::connect(place.gate.address());
    let answer = client.ask(websocket::ask(""));
    assert_eq!(answer.status, 101, "{}", answer.text());
    client.send(websocket::frame(1, LEAK.as_bytes()));
    assert_eq!(client.read_exactly(LEAK.len() + 2)[2..], *LEAK.as_bytes());
    client.send(websocket::frame(8, &[3, 232]));
    let record = place.gate.records().of(answer.field("x-request-id").unwrap());
    assert_eq!((&record["status"], &record["waf"]), (&101.into(), &Value::Null), "{record}");
    // An answer that is no conversation is one that rules see.
    let answer = Client::connect(place.gate.address()).ask("GET /chat HTTP/1.1\r\nHost: api.test\r\n\r\n");
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
}
