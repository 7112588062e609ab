//! Attacks are refused and reach nobody, ordinary text passes, and the record says what was found without repeating it.

use crate::check::{good_request_works, problem};
use portcullis_config::plan::{WafPlan, WafRulesPlan};
use portcullis_config::{Environment, load_text};
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::scratch::Scratch;
use portcullis_testkit::{Client, FakeUpstream};
use serde_json::Value;
use std::net::SocketAddr;

/// The built-in rules on every route, and for what leads to none.
fn guarded(upstream: SocketAddr, enforces: bool) -> Gatehouse {
    let waf = WafPlan { enforces, rules: WafRulesPlan::builtin().unwrap() };
    Gatehouse::with(upstream, |plan| {
        plan.waf = Some(waf.clone());
        gateway::each_route(plan, |route| route.waf = Some(waf.clone()));
    })
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: api.test\r\n\r\n")
}

/// Status and record.
fn ask(gate: &Gatehouse, request: &str) -> (u16, Value) {
    let answer = Client::connect(gate.address()).ask(request);
    (answer.status, gate.records().of(answer.field("x-request-id").unwrap()))
}

#[test]
fn attacks_in_heads_are_refused_and_reach_nobody() {
    let upstream = FakeUpstream::echoing();
    let gate = guarded(upstream.address(), true);
    for (request, id, variable, excerpt) in [
        (get("/a?q=1%27+union+select+pass+from+users--"), 100_302, "ARGS:q", "0' union select aaaa from aaaaa--"),
        (get("/a?q=%3Cscript%3Ealert(1)%3C/script%3E"), 100_401, "ARGS:q", "<script>alert(0)</script>"),
        (get("/a?file=../../../etc/passwd"), 100_201, "ARGS:file", "../../../etc/passwd"),
        (get("/a?host=x;cat+/etc/passwd"), 100_501, "ARGS:host", "a;cat /etc/passwd"),
        (get("/a?user[$ne]=x"), 100_701, "ARGS_NAMES:user[$ne]", "aaaa[$aa]"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nX-Api: ${jndi:ldap://x/a}\r\n\r\n".to_owned(),
            100_601,
            "REQUEST_HEADERS:X-Api",
            "${jndi:aaaa://a/a}",
        ),
    ] {
        let heard = upstream.requests();
        let answer = Client::connect(gate.address()).ask(&request);
        problem(&answer, 403, "attack_refused", &request);
        assert!(!answer.text().contains(&id.to_string()), "nothing of the rules: {}", answer.text());
        assert_eq!(upstream.requests(), heard, "{request}");
        let record = gate.records().of(answer.field("x-request-id").unwrap());
        assert_eq!((&record["stage"], &record["reason"]), (&"inspect".into(), &"attack_refused".into()), "{record}");
        let waf = &record["waf"];
        assert_eq!(waf["verdict"], "refused", "{record}");
        assert!(waf["score"].as_i64().unwrap() >= 5, "{record}");
        let rule =
            waf["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == id && rule["variable"] == variable);
        let rule = rule.unwrap_or_else(|| panic!("{id} in {record}"));
        assert_eq!(rule["excerpt"], excerpt, "{record}");
        assert!(rule["msg"].as_str().is_some_and(|text| !text.is_empty()), "{record}");
        good_request_works(&gate, &request);
    }
    let labels = "api=\"api\",route=\"/{*rest}\",version=\"\",rule=\"100401\",verdict=\"refused\"";
    gate.wait_metric(&format!("portcullis_waf_matches_total{{{labels}}}"), 1.0);
}

/// A POST of this type with this body.
fn post(kind: &str, body: &str) -> String {
    let length = body.len();
    format!("POST /a HTTP/1.1\r\nHost: api.test\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}")
}

#[test]
fn attacks_in_bodies_are_refused_and_reach_nobody() {
    let upstream = FakeUpstream::echoing();
    let gate = guarded(upstream.address(), true);
    let form = "application/x-www-form-urlencoded";
    let part = "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n<script>alert(1)</script>\r\n--b--\r\n";
    let chunked = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
                   11\r\n{\"a\":\"<scri\\u0070\r\ne\r\nt>alert(1)\"}  \r\n0\r\n\r\n";
    for (request, variable) in [
        (post("application/json", "{\"user\":{\"name\":\"1' union select a from b--\"}}"), "ARGS:json.user.name"),
        (post("application/vnd.api+json", "[{\"$where\":\"sleep(1)\"}]"), "ARGS_NAMES:json.0.$where"),
        (post(form, "a=1&b=x%3Bcat+/etc/passwd"), "ARGS:b"),
        (post("multipart/form-data; boundary=b", part), "ARGS:note"),
        (post("application/xml", "<a><b>;cat /etc/passwd</b></a>"), "XML:/*"),
        (chunked.to_owned(), "ARGS:json.a"),
        // What hides: JSON that calls itself text, a string of a GraphQL document and its variables, base64.
        (post("text/plain", "{\"user\":{\"$ne\":1}}"), "DERIVED_NAMES:json.user.$ne"),
        (
            post("application/json", "{\"query\":\"{ a(b: \\\"1' union select a from b--\\\") }\"}"),
            "DERIVED:json.query",
        ),
        (post("application/json", "{\"variables\":{\"b\":\"<script>alert(1)\"}}"), "ARGS:json.variables.b"),
        (post(form, "state=PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg"), "DERIVED:state"),
    ] {
        let heard = upstream.requests();
        let answer = Client::connect(gate.address()).ask(&request);
        problem(&answer, 403, "attack_refused", &request);
        assert_eq!(upstream.requests(), heard, "{request}");
        let record = gate.records().of(answer.field("x-request-id").unwrap());
        let rules = record["waf"]["rules"].as_array().unwrap();
        assert!(rules.iter().any(|rule| rule["variable"] == variable), "{variable} in {record}");
        good_request_works(&gate, &request);
    }
}

#[test]
fn ordinary_bodies_pass_and_go_on_as_they_came() {
    let upstream = FakeUpstream::echoing();
    let gate = guarded(upstream.address(), true);
    for (kind, body) in [
        (
            "application/json",
            "{ \"note\": \"Where's O'Brien's order? Select a gift, or drop us a line; and union rules.\" }",
        ),
        ("application/x-www-form-urlencoded", "name=Ann+O%27Brien&note=50%25+off+%26+more"),
        ("text/plain", "a plain text; nobody reads it"),
        ("text/plain", "{\"note\":\"SGVsbG8sIHRoaXMgaXMgb3JkaW5hcnkgdGV4dC4=\"}"),
        ("application/json", "{\"query\":\"query($id: ID!) { order(id: $id, note: \\\"it's late\\\") { id } }\"}"),
    ] {
        let request = post(kind, body);
        let (status, record) = ask(&gate, &request);
        assert_eq!((status, &record["waf"]), (200, &Value::Null), "{request}: {record}");
        assert!(upstream.text().ends_with(body), "{}", upstream.text());
    }
}

#[test]
fn ordinary_requests_pass_and_leave_nothing_in_their_records() {
    let upstream = FakeUpstream::echoing();
    let gate = guarded(upstream.address(), true);
    for target in [
        "/orders/7?page=2&sort=-created_at&q=select+a+gift+for+my+friend",
        "/a?q=O%27Brien+%26+Sons+(Dublin)&mail=ann%2Borders%40example.com",
        "/a?t=2026-11-27T10%3A00%3A00%2B01%3A00&json=%7B%22a%22%3A%5B1%2C2%5D%7D",
        "/a?q=%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82+%E4%BD%A0%E5%A5%BD&next=https%3A%2F%2Fshop.example%2Fcart",
        "/a?q=drop+me+a+line+or+two%2C+where+the+union+meets",
    ] {
        let (status, record) = ask(&gate, &get(target));
        assert_eq!(status, 200, "{target}: {record}");
        assert_eq!((&record["inspect"], &record["waf"]), (&"inspected".into(), &Value::Null), "{target}");
    }
}

#[test]
fn what_is_only_observed_is_served_and_noted() {
    let upstream = FakeUpstream::echoing();
    let gate = guarded(upstream.address(), false);
    let (status, record) = ask(&gate, &get("/a?q=%3Cscript%3Ealert(1)%3C/script%3E"));
    assert_eq!(status, 200);
    assert_eq!((&record["inspect"], &record["waf"]["verdict"]), (&"observed".into(), &"would_refuse".into()));
    let labels = "api=\"api\",route=\"/{*rest}\",version=\"\",rule=\"100401\",verdict=\"would_refuse\"";
    gate.wait_metric(&format!("portcullis_waf_matches_total{{{labels}}}"), 1.0);
}

#[test]
fn records_of_heads_that_are_refused_name_the_attack() {
    let upstream = FakeUpstream::echoing();
    let gate = guarded(upstream.address(), true);
    for (request, reason, id) in [
        ("GET /?q=1'+union+select+a+from+b-- HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", "malformed_head", 100_302),
        ("GET /..%2f..%2f..%2fetc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", "ambiguous_target", 100_201),
    ] {
        let (status, record) = ask(&gate, request);
        assert_eq!((status, &record["reason"]), (400, &reason.into()), "{record}");
        assert_eq!(record["waf"]["verdict"], "would_refuse", "{record}");
        let rules = record["waf"]["rules"].as_array().unwrap();
        assert!(rules.iter().any(|rule| rule["id"] == id), "{record}");
        good_request_works(&gate, request);
    }
}

#[test]
fn routes_follow_their_own_settings() {
    let (scratch, upstream) = (Scratch::new(), FakeUpstream::echoing());
    let rules = scratch.file("exceptions.conf", "SecRuleUpdateTargetById 100301-100309 \"!ARGS:sql\"\n");
    assert!(rules.starts_with(scratch.path()));
    let text = format!(
        "version: 1\nlisteners: {{ local: {{ bind: '127.0.0.1:0' }} }}\nstatus: {{ bind: '127.0.0.1:0' }}\n\
         apis:\n  a:\n    hosts: ['*']\n    authn: public\n    upstream: {{ targets: ['http://{}'] }}\n    routes:\n\
         \x20     - {{ path: /good, methods: [GET] }}\n\
         \x20     - {{ path: /off, methods: [GET], waf: {{ mode: off }} }}\n\
         \x20     - {{ path: /seen, methods: [GET], waf: {{ mode: observe }} }}\n\
         \x20     - {{ path: /lenient, methods: [GET], waf: {{ threshold: 50 }} }}\n\
         \x20     - {{ path: /report, methods: [GET], waf: {{ exclusions: exceptions.conf }} }}\n",
        upstream.address()
    );
    let loaded = load_text("waf.yaml", &text, scratch.path(), &Environment::fixed::<&str, &str>([]));
    let gate = Gatehouse::start(loaded.unwrap_or_else(|failure| panic!("{}", failure.render(false))).plan);
    let attack = "1%27+union+select+pass+from+users--";
    for (target, expected) in [
        (format!("/good?sql={attack}"), 403),
        (format!("/off?sql={attack}"), 200),
        (format!("/seen?sql={attack}"), 200),
        (format!("/lenient?sql={attack}"), 200),
        (format!("/report?sql={attack}"), 200),
        (format!("/report?other={attack}"), 403),
        ("/good?sql=1".to_owned(), 200),
    ] {
        let (status, record) = ask(&gate, &get(&target));
        assert_eq!(status, expected, "{target}: {record}");
    }
}
