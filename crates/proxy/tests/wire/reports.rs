//! What browsers report: where they are told to, what is kept of it, and what is not taken.

use crate::check::{good_request_works, problem, security_headers};
use crate::http2::peer::{Peer, post};
use portcullis_config::{Environment, load_text};
use portcullis_testkit::gateway::Gatehouse;
use portcullis_testkit::scratch::Scratch;
use portcullis_testkit::{Answer, Client, FakeUpstream};

const CONFIG: &str = r#"
version: 1
listeners: { public: { bind: "127.0.0.1:0" } }
apis:
  shop:
    hosts: [api.test]
    base_path: /shop
    authn: public
    headers: { profile: browser, reports: /.reports }
    upstream: { targets: ["http://UPSTREAM"] }
    routes:
      - { id: page, path: /page, methods: [GET] }
      - { id: closed, path: /closed, methods: [GET], authn: refuse }
  own:
    hosts: [api.test]
    base_path: /own
    authn: public
    headers: { reports: /r, set: { Content-Security-Policy: "default-src 'self'; report-to elsewhere" } }
    upstream: { targets: ["http://UPSTREAM"] }
    routes: [{ id: own, path: /page, methods: [GET] }]
  plain:
    hosts: ["*"]
    authn: public
    upstream: { targets: ["http://UPSTREAM"] }
    routes: [{ id: good, path: "/{*rest}", methods: [any] }]
"#;

const VIOLATION: &str = r#"{"csp-report":{"document-uri":"https://api.test/shop/page?token=s3cr3t","effective-directive":"script-src-elem","blocked-uri":"https://evil.example/x.js"}}"#;

struct Shop {
    gate: Gatehouse,
    upstream: FakeUpstream,
    _scratch: Scratch,
}

impl Shop {
    fn open() -> Self {
        let (scratch, upstream) = (Scratch::new(), FakeUpstream::echoing());
        let text = CONFIG.replace("UPSTREAM", &upstream.address().to_string());
        let loaded = load_text("shop.yaml", &text, scratch.path(), &Environment::fixed::<&str, &str>([]));
        let mut plan = loaded.unwrap_or_else(|failure| panic!("{}", failure.render(false))).plan;
        plan.status.bind = "127.0.0.1:0".parse().unwrap();
        Self { gate: Gatehouse::start(plan), upstream, _scratch: scratch }
    }

    fn ask(&self, line: &str, fields: &str, body: &str) -> Answer {
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        Client::connect(self.gate.address())
            .ask(format!("{line} HTTP/1.1\r\nHost: api.test\r\n{fields}{length}\r\n{body}"))
    }

    fn report(&self, body: &str) -> Answer {
        self.ask("POST /shop/.reports", "Content-Type: application/csp-report\r\n", body)
    }
}

#[test]
fn answers_say_where_to_report() {
    let shop = Shop::open();
    for path in ["/shop/page", "/shop/closed"] {
        let answer = shop.ask(&format!("GET {path}"), "", "");
        assert_eq!(answer.all("reporting-endpoints"), ["default=\"/shop/.reports\""], "{path}");
        let policy = answer.field("content-security-policy").unwrap();
        assert!(policy.ends_with("; report-uri /shop/.reports; report-to default"), "{path}: {policy}");
    }
    let own = shop.ask("GET /own/page", "", "");
    assert_eq!(own.field("content-security-policy"), Some("default-src 'self'; report-to elsewhere"));
    assert_eq!(own.field("reporting-endpoints"), Some("default=\"/own/r\""));
    let plain = shop.ask("GET /elsewhere", "", "");
    assert_eq!((plain.status, plain.field("reporting-endpoints")), (200, None));
}

#[test]
fn reports_are_counted_and_recorded_and_go_nowhere() {
    let shop = Shop::open();
    let answer = shop.report(VIOLATION);
    assert_eq!((answer.status, answer.text().as_str()), (204, ""));
    security_headers(&answer, "a report");
    let record = shop.gate.records().of(answer.field("x-request-id").unwrap());
    assert_eq!((&record["outcome"], &record["reported_to"]), (&"answered".into(), &"shop".into()));
    let expected = "csp-violation script-src-elem blocked https://evil.example/x.js on https://api.test/shop/page";
    assert_eq!(record["reports"], expected);
    let list = format!(
        r#"[{{"type":"csp-violation","body":{{"effectiveDirective":"img-src"}}}},{{"type":"{}"}}]"#,
        "x".repeat(99)
    );
    let mut peer = Peer::connect(shop.gate.address());
    let mut request = post("/shop/.reports");
    request.headers_mut().insert("content-type", "application/reports+json; charset=utf-8".parse().unwrap());
    assert_eq!(peer.ask(request, list.as_bytes()).status, 204);
    for (kind, directive) in [("csp-violation", "script-src-elem"), ("csp-violation", "img-src"), ("other", "")] {
        let labels = format!("api=\"shop\",kind=\"{kind}\",directive=\"{directive}\"");
        shop.gate.wait_metric(&format!("portcullis_browser_reports_total{{{labels}}}"), 1.0);
    }
    assert!(!shop.gate.records().text().contains("s3cr3t"));
    assert_eq!(shop.upstream.requests(), 0);
    good_request_works(&shop.gate, "reports");
}

#[test]
fn what_is_no_report_is_refused() {
    let shop = Shop::open();
    let kind = "Content-Type: application/csp-report\r\n";
    let large = "x".repeat(64 * 1024 + 1);
    let chunked = format!(
        "POST /shop/.reports HTTP/1.1\r\nHost: api.test\r\n{kind}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n",
        large.len()
    );
    let mut client = Client::connect(shop.gate.address());
    client.send(chunked);
    problem(&client.answer_to(false), 413, "body_too_large", "a long report in chunks");
    for (line, fields, body, status, code) in [
        ("GET /shop/.reports", "", "", 405, "method_not_allowed"),
        ("POST /shop/.reports", "", VIOLATION, 415, "unsupported_media_type"),
        ("POST /shop/.reports", "Content-Type: application/json\r\n", VIOLATION, 415, "unsupported_media_type"),
        ("POST /shop/.reports", kind, "{", 400, "malformed_json"),
        ("POST /shop/.reports", kind, "", 400, "malformed_json"),
        ("POST /shop/.reports", kind, large.as_str(), 413, "body_too_large"),
    ] {
        problem(&shop.ask(line, fields, body), status, code, line);
        good_request_works(&shop.gate, line);
    }
    assert_eq!(shop.ask("POST /shop/.reports/more", kind, VIOLATION).status, 200, "only the very place takes reports");
}

#[test]
fn a_flood_of_reports_is_turned_away() {
    let shop = Shop::open();
    let answers: Vec<Answer> = (0..150).map(|_| shop.report(VIOLATION)).collect();
    let refused: Vec<&Answer> = answers.iter().filter(|answer| answer.status != 204).collect();
    assert!(refused.len() < 51 && answers.iter().any(|answer| answer.status == 204), "{} refused", refused.len());
    for answer in refused {
        problem(answer, 429, "quota_exceeded", "too many reports");
        assert_eq!(answer.field("retry-after"), Some("1"));
    }
    good_request_works(&shop.gate, "a flood of reports");
}
