//! Pages of other origins: who may read answers, ours included, and how preflights are answered, over both versions of HTTP.

use crate::check::{GOOD, good_request_works, problem, security_headers};
use crate::http2::peer::Peer;
use portcullis_config::plan::{Authn, CorsPlan, Methods, Origins};
use portcullis_testkit::gateway::Gatehouse;
use portcullis_testkit::{Answer, Client, FakeUpstream};
use std::sync::Arc;
use std::time::Duration;

const PAGE: &str = "https://app.example.com";

fn rules() -> CorsPlan {
    CorsPlan {
        origins: Origins::Only(vec![PAGE.to_owned(), "https://*.example.org".to_owned()]),
        ..CorsPlan::default()
    }
}

/// `/orders` answers GET and DELETE, `/closed` nobody; what the server says about origins is as open as can be.
fn gate(cors: Option<CorsPlan>) -> (FakeUpstream, Gatehouse) {
    let upstream = FakeUpstream::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVary: accept-encoding\r\naccess-control-allow-origin: *\r\n\
         Access-Control-Allow-Credentials: true\r\nAccess-Control-Allow-Private-Network: true\r\n\r\nok",
    );
    let gate = Gatehouse::with(upstream.address(), |plan| {
        let only = |names: &[&str]| Methods::Only(names.iter().map(|name| (*name).to_owned()).collect());
        let route = plan.apis[0].versions[0].routes[0].clone();
        let of = |template: &str, methods| {
            let mut route = route.clone();
            (route.id, route.template, route.methods) = (template.into(), template.to_owned(), methods);
            route
        };
        let mut closed = of("/closed", only(&["GET"]));
        closed.authn = Authn::Refuse;
        plan.apis[0].versions[0].routes =
            vec![of("/orders", only(&["GET", "DELETE"])), of("/good", only(&["GET"])), closed];
        plan.apis[0].cors = cors.map(Arc::new);
    });
    (upstream, gate)
}

fn ask(gate: &Gatehouse, method: &str, path: &str, lines: &[(&str, &str)]) -> Answer {
    let lines: String = lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    Client::connect(gate.address()).ask(format!("{method} {path} HTTP/1.1\r\nHost: api.test\r\n{lines}\r\n"))
}

/// What an answer says to browsers, all of it.
fn about_origins(answer: &Answer) -> Vec<String> {
    let names = [
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-allow-private-network",
        "access-control-max-age",
        "vary",
    ];
    let lines = names.iter().flat_map(|name| answer.all(name).into_iter().map(move |value| format!("{name}: {value}")));
    lines.collect()
}

#[test]
fn pages_that_are_named_may_read_answers_and_no_others() {
    let (_upstream, gate) = gate(Some(rules()));
    for (origins, reader) in [
        (&[PAGE][..], Some(PAGE)),
        (&["https://a.b.example.org"], Some("https://a.b.example.org")),
        (&["https://evil.example.com"], None),
        (&["http://app.example.com"], None),
        (&["null"], None),
        (&[PAGE, PAGE], None),
        (&[], None),
    ] {
        let lines: Vec<_> = origins.iter().map(|origin| ("Origin", *origin)).collect();
        for (path, status) in [("/orders", 200), ("/closed", 403)] {
            let answer = ask(&gate, "GET", path, &lines);
            assert_eq!(answer.status, status, "{origins:?}");
            security_headers(&answer, path);
            let mut expected: Vec<String> =
                reader.iter().map(|reader| format!("access-control-allow-origin: {reader}")).collect();
            let own = if status == 200 { &["accept-encoding", "origin"][..] } else { &["accept", "origin"] };
            expected.extend(own.iter().map(|value| format!("vary: {value}")));
            assert_eq!(about_origins(&answer), expected, "{origins:?} {path}");
            assert_eq!(answer.field("access-control-expose-headers").is_some(), reader.is_some());
        }
    }
    good_request_works(&gate, "strange pages");
}

/// They say so of an API, whether one of its routes was found or not.
#[test]
fn refusals_without_a_route_may_be_read_as_well() {
    let (upstream, gate) = gate(Some(rules()));
    for (method, path, status, code) in
        [("GET", "/nowhere", 404, "route_not_found"), ("PUT", "/orders", 405, "method_not_allowed")]
    {
        for (origin, reader) in [(PAGE, Some(PAGE)), ("https://evil.example.com", None)] {
            let answer = ask(&gate, method, path, &[("Origin", origin)]);
            problem(&answer, status, code, path);
            assert_eq!(answer.field("access-control-allow-origin"), reader, "{method} {path}");
            assert_eq!(answer.all("vary"), ["accept", "origin"], "{method} {path}");
        }
    }
    let answer = ask(&gate, "OPTIONS", "/orders", &[("Origin", PAGE), ("Access-Control-Request-Method", "PUT")]);
    problem(&answer, 403, "preflight_refused", "a method that no route has");
    assert_eq!(answer.field("access-control-allow-origin"), Some(PAGE));
    assert_eq!(ask(&gate, "OPTIONS", "/orders", &[("Origin", PAGE)]).status, 405, "it asks for nothing");
    assert_eq!(upstream.requests(), 0);
    good_request_works(&gate, "refusals without a route");
}

#[test]
fn without_rules_no_page_may_read_anything() {
    let (_upstream, gate) = gate(None);
    let answer = ask(&gate, "GET", "/orders", &[("Origin", PAGE)]);
    assert_eq!((answer.status, about_origins(&answer)), (200, vec!["vary: accept-encoding".to_owned()]));
    let preflight = [("Origin", PAGE), ("Access-Control-Request-Method", "GET")];
    let answer = ask(&gate, "OPTIONS", "/orders", &preflight);
    problem(&answer, 405, "method_not_allowed", "a preflight where no page may call");
}

#[test]
fn a_preflight_is_answered_here() {
    let (upstream, gate) = gate(Some(CorsPlan { max_age: Duration::from_secs(90), ..rules() }));
    let asked = [
        ("Origin", PAGE),
        ("Access-Control-Request-Method", "DELETE"),
        ("Access-Control-Request-Headers", "authorization,Content-Type, x-api-key, dpop"),
    ];
    let answer = ask(&gate, "OPTIONS", "/orders", &asked);
    assert_eq!((answer.status, answer.body.as_slice()), (204, &b""[..]));
    security_headers(&answer, "a preflight");
    assert_eq!(
        about_origins(&answer),
        [
            "access-control-allow-origin: https://app.example.com",
            "access-control-allow-methods: DELETE",
            "access-control-allow-headers: authorization, content-type, dpop, x-api-key",
            "access-control-max-age: 90",
            "vary: origin, access-control-request-method, access-control-request-headers",
        ]
    );
    let record = gate.records().of(answer.field("x-request-id").unwrap());
    assert_eq!((&record["outcome"], &record["status"]), (&"answered".into(), &204.into()), "{record}");
    assert_eq!(record["route"], "/orders", "{record}");
    // Whoever may not call gets an answer to a question that holds no credential.
    assert_eq!(
        ask(&gate, "OPTIONS", "/closed", &[("Origin", PAGE), ("Access-Control-Request-Method", "GET")]).status,
        204
    );
    assert_eq!(upstream.requests(), 0);
}

#[test]
fn a_preflight_that_asks_too_much_is_told_so() {
    let (upstream, gate) = gate(Some(CorsPlan { methods: Some(vec!["GET".to_owned()]), ..rules() }));
    let get = ("Access-Control-Request-Method", "GET");
    for (lines, detail) in [
        (vec![("Origin", "https://evil.test"), get], "pages of this origin"),
        (vec![("Origin", PAGE), ("Origin", PAGE), get], "pages of this origin"),
        (vec![("Origin", PAGE), ("Access-Control-Request-Method", "DELETE")], "this method"),
        (vec![("Origin", PAGE), get, get], "this method"),
        (vec![("Origin", PAGE), get, ("Access-Control-Request-Headers", "x-secret-door")], "request headers"),
        (
            vec![
                ("Origin", PAGE),
                get,
                ("Access-Control-Request-Headers", "authorization"),
                ("Access-Control-Request-Headers", "x-b"),
            ],
            "request headers",
        ),
        (vec![("Origin", PAGE), get, ("Access-Control-Request-Private-Network", "true")], "network"),
    ] {
        let answer = ask(&gate, "OPTIONS", "/orders", &lines);
        problem(&answer, 403, "preflight_refused", detail);
        assert!(answer.json()["detail"].as_str().unwrap().contains(detail), "{lines:?}");
        good_request_works(&gate, detail);
    }
    let answer = ask(&gate, "OPTIONS", "/nowhere", &[("Origin", PAGE), get]);
    problem(&answer, 404, "route_not_found", "a path that is not there");
    assert_eq!(upstream.requests(), 7, "only the good ones");
}

#[test]
fn credentials_and_private_networks_are_opened_by_name() {
    let (_upstream, gate) = gate(Some(CorsPlan {
        credentials: true,
        private_network: true,
        headers: Some(vec!["x-tenant".to_owned()]),
        expose: Some(vec!["x-total".to_owned()]),
        ..rules()
    }));
    let answer = ask(&gate, "GET", "/orders", &[("Origin", PAGE)]);
    assert_eq!(answer.all("access-control-allow-credentials"), ["true"]);
    assert_eq!(answer.all("access-control-expose-headers"), ["x-total"]);
    let asked = [
        ("Origin", PAGE),
        ("Access-Control-Request-Method", "GET"),
        ("Access-Control-Request-Headers", "x-tenant"),
        ("Access-Control-Request-Private-Network", "true"),
    ];
    let answer = ask(&gate, "OPTIONS", "/orders", &asked);
    assert_eq!(answer.all("access-control-allow-private-network"), ["true"]);
    assert_eq!(answer.all("access-control-allow-headers"), ["x-tenant"]);
    // What the answer would not name, the browser would not send: better to be told.
    let json = [asked[0], asked[1], ("Access-Control-Request-Headers", "content-type")];
    problem(&ask(&gate, "OPTIONS", "/orders", &json), 403, "preflight_refused", "a field that is not listed");
    let strange = ask(&gate, "GET", "/orders", &[("Origin", "https://evil.test")]);
    assert_eq!(strange.field("access-control-allow-credentials"), None);
}

#[test]
fn any_page_is_a_star_and_never_an_echo() {
    let (_upstream, gate) = gate(Some(CorsPlan::default()));
    let answer = ask(&gate, "GET", "/orders", &[("Origin", "https://anybody.test")]);
    assert_eq!(answer.all("access-control-allow-origin"), ["*"]);
    assert_eq!(answer.field("access-control-allow-credentials"), None);
}

#[test]
fn over_http2_it_is_the_same() {
    let (_upstream, gate) = gate(Some(rules()));
    let mut peer = Peer::connect(gate.address());
    let request =
        |method: &str| http::Request::builder().method(method).uri("http://api.test/orders").header("origin", PAGE);
    let got = peer.ask(request("GET").body(()).unwrap(), b"");
    assert_eq!((got.status, got.field("access-control-allow-origin")), (200, Some(PAGE)));
    let preflight = request("OPTIONS").header("access-control-request-method", "GET");
    let got = peer.ask(preflight.body(()).unwrap(), b"");
    assert_eq!((got.status, got.field("access-control-allow-methods")), (204, Some("GET")));
    let preflight = request("OPTIONS").header("access-control-request-method", "GET");
    let got = peer.ask(preflight.header("access-control-request-headers", "x-b").body(()).unwrap(), b"");
    assert_eq!((got.status, got.field("access-control-allow-origin")), (403, Some(PAGE)));
    assert_eq!(Client::connect(gate.address()).ask(GOOD).status, 200);
}
