//! Answers that give too much away do not leave: what rules see of them, what they cannot see, and what passes untouched.

use crate::bytes::{gzip, says};
use crate::check::{good_request_works, problem};
use portcullis_config::{Environment, load_text};
use portcullis_testkit::gateway::Gatehouse;
use portcullis_testkit::scratch::Scratch;
use portcullis_testkit::{Answer, Client, FakeUpstream};
use serde_json::Value;
use std::time::Duration;

pub(crate) const RULES: &str = r#"
SecRule RESPONSE_HEADERS:X-Debug "@rx ." "id:10,phase:3,deny,log,msg:'A field for developers'"
SecRule RESPONSE_BODY "@rx (?i)you have an error in your sql syntax" "id:11,phase:4,deny,log,msg:'An error of a database'"
SecRule RESPONSE_BODY "@rx <\?php\b" "id:12,phase:4,deny,log,msg:'Source text'"
SecRule ARGS:name "@rx ." "id:13,phase:2,pass,nolog,setvar:'tx.name=%{MATCHED_VAR}'"
SecRule RESPONSE_BODY "@contains secret of %{tx.name}" "id:14,phase:4,deny,log,msg:'What was asked about'"
SecRule RESPONSE_HEADERS:Content-Encoding "@rx ." "id:15,phase:4,pass,log,msg:'A coding is seen'"
"#;
pub(crate) const LEAK: &str = "{\"error\":\"You have an error in your SQL syntax near 'x'\"}";
pub(crate) const HARMLESS: &str = "{ \"orders\" : [ 1,2 ,3 ],\r\n\"note\":\"\u{e9}\\u0041 <?xml\" }";
const JSON: &str = "Content-Type: application/json\r\n";

/// A gateway with these rules before a server that says whatever stands in `says` for the path.
struct Place {
    gate: Gatehouse,
    _upstream: FakeUpstream,
    _scratch: Scratch,
}

impl Place {
    fn new(settings: &str, mode: &str, said: Vec<(&'static str, Vec<u8>)>) -> Self {
        Self::with("exclusions: rules.conf", &format!("{settings}\n{RULES}"), mode, said)
    }

    fn with(waf: &str, rules: &str, mode: &str, said: Vec<(&'static str, Vec<u8>)>) -> Self {
        let scratch = Scratch::new();
        assert!(scratch.file("rules.conf", rules).starts_with(scratch.path()));
        let upstream = FakeUpstream::with(move |talk| {
            while let Some(heard) = talk.request() {
                let path = heard.target().split('?').next().unwrap().to_owned();
                let said = said.iter().find(|(of, _)| *of == path).map(|(_, bytes)| bytes.clone());
                // Only their end tells where these end.
                let ends = ["/close", "/events", "/cut"].contains(&&*path);
                if !talk.send(said.unwrap_or_else(|| says(JSON, b"{}"))) || ends {
                    return;
                }
            }
        });
        let target = format!("targets: ['http://{}']", upstream.address());
        let gate = guarded(&scratch, &format!("mode: {mode}, {waf}"), &target, "");
        Self { gate, _upstream: upstream, _scratch: scratch }
    }

    fn ask(&self, method: &str, target: &str) -> (Answer, Value) {
        let mut client = Client::connect(self.gate.address());
        client.send(format!("{method} {target} HTTP/1.1\r\nHost: api.test\r\n\r\n"));
        let answer = client.answer_to(method == "HEAD");
        let record = self.gate.records().of(answer.field("x-request-id").unwrap());
        (answer, record)
    }

    fn refused(&self, target: &str, code: &str) -> Value {
        let (answer, record) = self.ask("GET", target);
        problem(&answer, 502, code, target);
        let text = answer.text();
        assert!(!text.contains("SQL") && !text.contains("php") && !text.contains("secret"), "{target}: {text}");
        assert_eq!((&record["stage"], &record["reason"]), (&"inspect".into(), &code.into()), "{record}");
        good_request_works(&self.gate, target);
        record
    }
}

/// A gateway with these rules before this server, on a route with these settings more.
pub(crate) fn guarded(scratch: &Scratch, waf: &str, upstream: &str, route: &str) -> Gatehouse {
    let text = format!(
        "version: 1\nlisteners: {{ local: {{ bind: '127.0.0.1:0' }} }}\nstatus: {{ bind: '127.0.0.1:0' }}\n\
         apis:\n  a:\n    hosts: ['*']\n    authn: public\n    errors: pass\n    waf: {{ {waf} }}\n\
         \x20   upstream: {{ {upstream} }}\n    routes: [{{ path: '/{{*rest}}', methods: [any]{route} }}]\n"
    );
    let loaded = load_text("leaks.yaml", &text, scratch.path(), &Environment::fixed::<&str, &str>([]));
    Gatehouse::start(loaded.unwrap_or_else(|failure| panic!("{}", failure.render(false))).plan)
}

/// The number and the variable of the first rule in a record.
pub(crate) fn first_rule(record: &Value) -> (u64, &str) {
    let rule = &record["waf"]["rules"][0];
    (rule["id"].as_u64().unwrap_or(0), rule["variable"].as_str().unwrap_or_default())
}

#[test]
fn what_gives_too_much_away_does_not_leave() {
    let chunks = format!("{:x}\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", 20, &LEAK[..20], LEAK.len() - 20, &LEAK[20..]);
    let place = Place::new(
        "",
        "enforce",
        vec![
            ("/sql", says(JSON, LEAK.as_bytes())),
            ("/chunked", format!("HTTP/1.1 200 OK\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n{chunks}").into_bytes()),
            ("/close", format!("HTTP/1.1 200 OK\r\n{JSON}Connection: close\r\n\r\n{LEAK}").into_bytes()),
            ("/php", says("Content-Type: text/html; charset=utf-8\r\n", b"<p>\n<?php echo $x; ?>")),
            ("/gzip", says(&format!("{JSON}Content-Encoding: gzip\r\n"), &gzip(LEAK.as_bytes()))),
            ("/debug", says(&format!("{JSON}X-Debug: line 7\r\n"), b"{}")),
            ("/failed", LEAK_500.replace("BODY", LEAK).into_bytes()),
            ("/asked", says("Content-Type: text/plain\r\n", b"the secret of ada")),
        ],
    );
    for (target, id, variable) in [
        ("/sql", 11, "RESPONSE_BODY"),
        ("/chunked", 11, "RESPONSE_BODY"),
        ("/close", 11, "RESPONSE_BODY"),
        ("/php", 12, "RESPONSE_BODY"),
        ("/gzip", 11, "RESPONSE_BODY"),
        ("/debug", 10, "RESPONSE_HEADERS:X-Debug"),
        ("/failed", 11, "RESPONSE_BODY"),
        ("/asked?name=ada", 14, "RESPONSE_BODY"),
    ] {
        let record = place.refused(target, "answer_refused");
        assert_eq!(record["waf"]["verdict"], "refused", "{record}");
        assert_eq!(first_rule(&record), (id, variable), "{record}");
    }
    let (answer, _) = place.ask("GET", "/asked?name=bob");
    assert_eq!((answer.status, answer.text().as_str()), (200, "the secret of ada"));
    let labels = "api=\"a\",route=\"/{*rest}\",version=\"\",rule=\"12\",verdict=\"refused\"";
    place.gate.wait_metric(&format!("portcullis_waf_matches_total{{{labels}}}"), 1.0);
}

const LEAK_500: &str =
    "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: 57\r\n\r\nBODY";

#[test]
fn what_gives_nothing_away_leaves_byte_for_byte() {
    let packed = gzip(HARMLESS.as_bytes());
    let long = "a".repeat(700_000);
    let place = Place::new(
        "",
        "enforce",
        vec![
            ("/plain", says(&format!("{JSON}ETag: \"1\"\r\nAccept-Ranges: bytes\r\n"), HARMLESS.as_bytes())),
            ("/gzip", says(&format!("{JSON}Content-Encoding: gzip\r\n"), &packed)),
            ("/long", says("Content-Type: text/plain\r\n", long.as_bytes())),
            ("/image", says("Content-Type: image/png\r\n", LEAK.as_bytes())),
            ("/untyped", says("", LEAK.as_bytes())),
            ("/none", b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()),
            ("/unchanged", b"HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n".to_vec()),
            ("/head", format!("HTTP/1.1 200 OK\r\n{JSON}Content-Length: 57\r\n\r\n").into_bytes()),
        ],
    );
    for (method, target, status, body) in [
        ("GET", "/plain", 200, HARMLESS.as_bytes()),
        ("GET", "/gzip", 200, packed.as_slice()),
        ("GET", "/long", 200, long.as_bytes()),
        // Rules look at no bodies of these types.
        ("GET", "/image", 200, LEAK.as_bytes()),
        ("GET", "/untyped", 200, LEAK.as_bytes()),
        ("GET", "/none", 204, b""),
        ("GET", "/unchanged", 304, b""),
        ("HEAD", "/head", 200, b""),
    ] {
        let (answer, record) = place.ask(method, target);
        assert_eq!(answer.status, status, "{target}: {record}");
        assert!(answer.body == body, "{target}: {}", answer.text());
        assert_eq!((&record["inspect"], &record["waf"]), (&"inspected".into(), &Value::Null), "{target}: {record}");
        let note = if target == "/long" { BEGINNING.into() } else { Value::Null };
        assert_eq!(record["detail"], note, "{target}");
    }
    let (answer, _) = place.ask("GET", "/plain");
    assert_eq!((answer.field("etag"), answer.field("accept-ranges")), (Some("\"1\""), Some("bytes")));
    assert_eq!(place.ask("GET", "/gzip").0.field("content-encoding"), Some("gzip"));
}

pub(crate) const BEGINNING: &str = "rules have looked at the beginning of the answer's body only";
pub(crate) const UNSEEN: &str = "rules have not looked at the body of the answer";

#[test]
fn how_far_rules_look_is_theirs_to_say() {
    let padded = |before: usize| format!("{}{LEAK}", " ".repeat(before));
    let behind = padded(1000);
    let said = || {
        let packed = gzip(&[padded(1000).as_bytes(), &noise(5000)].concat());
        vec![
            ("/before", says(JSON, format!("{LEAK}{}", " ".repeat(1000)).as_bytes())),
            ("/behind", says(JSON, padded(1000).as_bytes())),
            ("/gzip", says(&format!("{JSON}Content-Encoding: gzip\r\n"), &packed)),
        ]
    };
    let place = Place::new("SecResponseBodyLimit 1000\nSecResponseBodyLimitAction ProcessPartial", "enforce", said());
    place.refused("/before", "answer_refused");
    for target in ["/behind", "/gzip"] {
        let (answer, record) = place.ask("GET", target);
        assert_eq!((answer.status, &record["detail"]), (200, &BEGINNING.into()), "{record}");
        assert!(target == "/gzip" || answer.body == behind.as_bytes());
    }
    let place = Place::new("SecResponseBodyLimit 1000\nSecResponseBodyLimitAction Reject", "enforce", said());
    for target in ["/before", "/behind", "/gzip"] {
        place.refused(target, "answer_uninspected");
    }
    let place = Place::new("SecResponseBodyLimit 1100\nSecResponseBodyLimitAction Reject", "enforce", said());
    for target in ["/before", "/behind"] {
        place.refused(target, "answer_refused");
    }
    let place = Place::new("SecResponseBodyAccess Off", "enforce", said());
    assert_eq!(place.ask("GET", "/before").0.status, 200);
}

/// Bytes that do not get shorter.
fn noise(count: usize) -> Vec<u8> {
    portcullis_testkit::dice::Dice::new(7).bytes(count)
}

#[test]
fn what_cannot_be_looked_into_does_not_leave() {
    let said = || {
        let broken = gzip(LEAK.as_bytes())[..30].to_vec();
        let events = "Content-Type: text/event-stream\r\nConnection: close\r\n";
        vec![
            ("/unknown", says(&format!("{JSON}Content-Encoding: snappy\r\n"), LEAK.as_bytes())),
            ("/broken", says(&format!("{JSON}Content-Encoding: gzip\r\n"), &broken)),
            ("/bomb", says(&format!("{JSON}Content-Encoding: gzip\r\n"), &gzip(&vec![b' '; 400_000]))),
            ("/events", format!("HTTP/1.1 200 OK\r\n{events}\r\ndata: 1\n\n").into_bytes()),
        ]
    };
    let all = "SecResponseBodyMimeType application/json text/event-stream";
    let place = Place::new(all, "enforce", said());
    for target in ["/unknown", "/broken", "/bomb", "/events"] {
        place.refused(target, "answer_uninspected");
    }
    let place = Place::new(all, "observe", said());
    for target in ["/unknown", "/broken", "/bomb", "/events"] {
        let (answer, record) = place.ask("GET", target);
        assert_eq!((answer.status, &record["detail"]), (200, &UNSEEN.into()), "{target}: {record}");
    }
    // A stream that no rule names passes as it comes.
    let place = Place::new("", "enforce", said());
    let (answer, record) = place.ask("GET", "/events");
    assert_eq!((answer.text().as_str(), &record["detail"]), ("data: 1\n\n", &Value::Null), "{record}");
}

#[test]
fn what_is_only_observed_leaves_and_is_noted() {
    let place = Place::new("", "observe", vec![("/sql", says(JSON, LEAK.as_bytes()))]);
    let (answer, record) = place.ask("GET", "/sql");
    assert_eq!((answer.status, answer.text().as_str()), (200, LEAK));
    assert_eq!((&record["inspect"], &record["waf"]["verdict"]), (&"observed".into(), &"would_refuse".into()));
    assert_eq!(first_rule(&record), (11, "RESPONSE_BODY"));
    assert!(!record.to_string().contains("near 'x'"), "what the server said is not in the record: {record}");
}

#[test]
fn a_request_whose_answer_never_comes_has_its_record() {
    let rules = "SecRule ARGS:q \"@streq x\" \"id:20,phase:1,pass,log,msg:'Seen'\"\n\
                 SecRule ARGS:q \"@streq x\" \"id:21,phase:5,pass,log,msg:'At the end'\"\n\
                 SecRule RESPONSE_STATUS \"@streq 1\" \"id:22,phase:3,deny\"\n";
    let place = Place::with("exclusions: rules.conf", rules, "enforce", vec![("/cut", b"HTTP/1.1 200".to_vec())]);
    let ids = |record: &Value| -> Vec<u64> {
        record["waf"]["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_u64().unwrap()).collect()
    };
    let (answer, record) = place.ask("GET", "/good?q=x");
    assert_eq!((answer.status, ids(&record)), (200, vec![20, 21]));
    let mut client = Client::connect(place.gate.address());
    client.socket().set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let answer = client.ask("GET /cut?q=x HTTP/1.1\r\nHost: api.test\r\n\r\n");
    let record = place.gate.records().of(answer.field("x-request-id").unwrap());
    assert!(answer.status >= 500, "{record}");
    assert_eq!((ids(&record), &record["waf"]["verdict"]), (vec![20, 21], &"noted".into()));
}

const MYSQL: &[u8] =
    b"{\"error\":\"You have an error in your SQL syntax; check the manual that corresponds to your MySQL server \
                      version for the right syntax to use near 'x' at line 1\"}";

/// The Core Rule Set by itself, as it comes.
fn core_rules(mode: &str, said: Vec<(&'static str, Vec<u8>)>) -> Place {
    let folder = portcullis_testkit::suite::folder("crs");
    Place::with(&format!("rules: [{{ crs: '{}' }}]", folder.display()), "", mode, said)
}

#[test]
fn the_core_rules_see_answers_as_they_come() {
    let place = core_rules(
        "enforce",
        vec![
            ("/sql", says(JSON, MYSQL)),
            ("/php", says("Content-Type: text/html\r\n", b"<p>\n<?php $x = $_GET['y']; echo $x; ?>")),
            ("/plain", says(JSON, HARMLESS.as_bytes())),
        ],
    );
    for (target, id) in [("/sql", 951_230), ("/php", 953_120)] {
        let record = place.refused(target, "answer_refused");
        let rules = record["waf"]["rules"].as_array().unwrap();
        assert!(rules.iter().any(|rule| rule["id"] == id), "{record}");
        assert!(record["waf"]["answer_score"].as_i64().unwrap() >= 4, "{record}");
    }
    let (answer, record) = place.ask("GET", "/plain");
    assert_eq!((answer.text().as_str(), &record["waf"]["verdict"]), (HARMLESS, &Value::Null), "{record}");
}

#[test]
fn a_body_that_cannot_be_read_does_not_pass_the_core_rules() {
    let broken = "POST /a HTTP/1.1\r\nHost: api.test\r\nUser-Agent: x\r\nAccept: */*\r\n\
                  Content-Type: application/json\r\nContent-Length: 5\r\n\r\n{\"a\":";
    let place = core_rules("enforce", Vec::new());
    let answer = Client::connect(place.gate.address()).ask(broken);
    problem(&answer, 400, "unreadable_body", broken);
    good_request_works(&place.gate, broken);
    let place = core_rules("observe", Vec::new());
    let answer = Client::connect(place.gate.address()).ask(broken);
    let record = place.gate.records().of(answer.field("x-request-id").unwrap());
    assert_eq!((answer.status, &record["waf"]["verdict"]), (200, &"would_refuse".into()), "{record}");
}
