//! Every form of every kind of record against its golden line, and against clients who try to forge one.

use super::form::{self, Action, Ended, Told, Turned};
use super::json::Subject;
use super::security::Event;
use super::wall::WallTexts;
use super::{AccessRecord, Decision, Outcome, Protocol, TlsFacts};
use crate::anomalies::FindingFacts;
use crate::inspection::findings::{Finding, Findings};
use crate::limits::Shelf;
use crate::snapshot::Snapshot;
use portcullis_auth::principal::{Principal, Scheme};
use portcullis_config::plan::LogFormat;
use portcullis_testkit::gateway;
use portcullis_types::id::RequestId;
use portcullis_types::{Reason, Stage};
use portcullis_waf::RuleInfo;
use serde_json::Value;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

const FORMATS: [LogFormat; 4] = [LogFormat::Json, LogFormat::Ecs, LogFormat::Ocsf, LogFormat::Common];
/// 2026-11-23T21:50:45.123Z.
const NOW: u64 = 1_795_470_645_123;

fn snapshot() -> Snapshot {
    let plan = gateway::plan(SocketAddr::from(([127, 0, 0, 1], 9)));
    let shelf = Shelf { books: &[], ownerships: &[], knowledge: &[], workers: 1, feed: None, peers: None };
    let mut snapshot = Snapshot::compile(&plan, 1, String::new(), shelf).unwrap();
    snapshot.show_query = vec!["page".to_owned()];
    snapshot
}

fn record(outcome: Outcome, status: u16) -> AccessRecord {
    AccessRecord {
        id: RequestId::foreign(b"req-1").unwrap(),
        wall_ms: NOW,
        listener: Some("public".into()),
        peer: Some(SocketAddr::from(([192, 0, 2, 7], 51_000))),
        tls: Some(TlsFacts { version: "1.3", group: "X25519MLKEM768" }),
        route: Some(1),
        status,
        outcome,
        protocol: Protocol::Http1,
        target: Some(Rc::from("http://127.0.0.1:9000")),
        request_bytes: 12,
        response_bytes: 345,
        started: 1_000_000,
        forwarded: 1_100_000,
        answered: 3_100_000,
        ended: 3_200_000,
        ..AccessRecord::default()
    }
}

fn caller(scheme: Scheme) -> Rc<Principal> {
    Rc::new(Principal {
        scheme,
        id: "shop".to_owned(),
        username: Some("Shop".to_owned()),
        credential: "pk_7".to_owned(),
        issuer: None,
        scopes: Vec::new(),
        roles: Vec::new(),
        claims: serde_json::Map::new(),
        expires_at: None,
    })
}

fn decided(stage: Stage, reason: Reason, private: &str) -> Option<Decision> {
    Some(Decision { stage, reason, private: Some(private.to_owned()) })
}

fn findings() -> Option<Box<Findings>> {
    let rule = |id, msg: &str| {
        let (file, tags, ver, rev) = ("builtin.conf".to_owned(), Vec::new(), None, None);
        Arc::new(RuleInfo { id, msg: msg.to_owned(), file, line: 1, phase: 2, severity: Some(2), tags, ver, rev })
    };
    let one = |id, msg, variable: &str, excerpt: &str| Finding {
        rule: rule(id, msg),
        variable: variable.to_owned(),
        excerpt: excerpt.to_owned(),
    };
    let matches = vec![
        one(100_302, "SQL in a parameter", "ARGS:q", "0' union select aaaa"),
        one(100_601, "A look-up in a header", "REQUEST_HEADERS:X-Api", "${jndi:aaaa://a/a}"),
    ];
    Some(Box::new(Findings { is_attack: true, score: 10, answer_score: 0, matches }))
}

/// Every kind of request, by name.
fn requests() -> Vec<(&'static str, AccessRecord, Option<Event>)> {
    let base = |outcome, status| AccessRecord { caller: Some(caller(Scheme::ApiKey)), ..record(outcome, status) };
    let bare = |outcome, status| record(outcome, status);
    let failed = decided(Stage::Identify, Reason::InvalidApiKey, "no such key");
    let attack = decided(Stage::Inspect, Reason::AttackRefused, "score 10");
    let mask = decided(Stage::Shape, Reason::AnswerUnreadable, "its type cannot be masked");
    let scrubbed = decided(Stage::Shape, Reason::UpstreamError, "stack_trace");
    let original = "at main (app.js:1)".to_owned();
    vec![
        ("served", base(Outcome::Served, 200), None),
        ("nowhere", AccessRecord { route: None, target: None, ..bare(Outcome::Refused, 404) }, None),
        (
            "refused",
            AccessRecord { decision: attack, findings: findings(), ..base(Outcome::Refused, 403) },
            Some(Event::Refused),
        ),
        ("failed", AccessRecord { decision: failed, ..bare(Outcome::Refused, 401) }, Some(Event::CredentialFailed)),
        ("first", base(Outcome::Served, 200), Some(Event::CredentialFirstSeen)),
        ("unmasked", AccessRecord { decision: mask, ..base(Outcome::Refused, 502) }, Some(Event::MaskingFailed)),
        (
            "scrubbed",
            AccessRecord { decision: scrubbed, original, ..base(Outcome::Served, 500) },
            Some(Event::ErrorScrubbed),
        ),
        ("matched", AccessRecord { findings: findings(), ..base(Outcome::Served, 200) }, Some(Event::RuleMatch)),
    ]
}

fn found() -> FindingFacts {
    FindingFacts {
        at_ms: NOW,
        kind: "not_found".to_owned(),
        issuer: String::new(),
        caller: "shop".to_owned(),
        address: "192.0.2.7".to_owned(),
        is_of_address: false,
        operation: "orders v1 /orders/{id} getOrder".to_owned(),
        numbers: [40.0, 0.5, 30.0],
        window_s: 60,
        step: "refuse".to_owned(),
        place: String::new(),
    }
}

/// A line of a request.
fn line(format: LogFormat, record: &AccessRecord, event: Option<Event>, subject: Subject<'_>) -> String {
    let (snapshot, mut wall, mut out) = (snapshot(), WallTexts::default(), Vec::new());
    form::request(format, Ended { record, subject, snapshot: &snapshot }, event, &mut wall, &mut out);
    String::from_utf8(out).unwrap()
}

fn golden() -> String {
    let subject = Subject { method: b"GET", host: b"api.test", target: b"/orders/7?page=2&token=s3cret" };
    let mut text = String::new();
    for format in FORMATS {
        for (name, record, event) in requests() {
            if format == LogFormat::Common && event.is_some() {
                continue;
            }
            text.push_str(&format!("# {format:?} {name}\n{}", line(format, &record, event, subject)));
        }
        if format == LogFormat::Common {
            continue;
        }
        let peer = SocketAddr::from(([192, 0, 2, 7], 51_000));
        let turned = Turned { listener: "public", peer, reason: "tls_handshake", detail: "tls handshake eof" };
        let details = [("cause", "SIGHUP".to_owned()), ("config_hash", "00ff".to_owned())];
        let action = Action { what: "config.reload", actor: "signal", details: &details };
        let found = found();
        for (name, told) in
            [("turned away", Told::Turned(turned)), ("found", Told::Found(&found)), ("done", Told::Done(action))]
        {
            let (mut wall, mut out) = (WallTexts::default(), Vec::new());
            form::other(format, told, NOW, &mut wall, &mut out);
            text.push_str(&format!("# {format:?} {name}\n{}", String::from_utf8(out).unwrap()));
        }
    }
    text.replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

#[test]
fn every_form_is_as_it_was() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/record/golden.txt");
    let text = golden();
    #[expect(clippy::disallowed_methods, reason = "asks whether golden files are to be written")]
    let update = std::env::var_os("UPDATE").is_some();
    if update {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(path).unwrap(), "UPDATE=1 writes it anew");
}

#[test]
fn every_line_is_an_object_without_anything_secret() {
    for line in golden().lines().filter(|line| !line.starts_with('#') && !line.contains(" - ")) {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        if let Some(class) = value["class_uid"].as_u64() {
            let activity = value["activity_id"].as_u64().unwrap();
            assert_eq!(value["type_uid"], class * 100 + activity, "{line}");
            assert_eq!(value["category_uid"], class / 1000, "{line}");
        }
    }
    assert!(!golden().contains("s3cret"));
}

#[test]
fn nothing_that_a_client_sends_forges_a_line_or_a_field() {
    let hostile: [&[u8]; 7] = [
        b"/a\n{\"forged\":1}\n",
        b"/\r\n127.0.0.1 - - [x] \"GET / HTTP/1.1\" 200 1\r\n",
        b"/\" 200 5 \"",
        b"/\xff\xfe\x80\x1b[2J\0\x7f",
        b"/\xe2\x80\xa8",
        b"/\\u000a\\x0a\\",
        b"/] [23/Nov/2026:21:50:45 +0000] ",
    ];
    for text in hostile {
        for format in FORMATS {
            let name = String::from_utf8_lossy(text).into_owned();
            let who = Rc::new(Principal { id: name.clone(), ..(*caller(Scheme::Jwt)).clone() });
            let decision = decided(Stage::Head, Reason::MalformedHead, &name);
            let record = AccessRecord { caller: Some(who), decision, ..record(Outcome::Refused, 400) };
            let subject = Subject { method: text, host: text, target: text };
            let event = (format != LogFormat::Common).then_some(Event::Refused);
            let line = line(format, &record, event, subject);
            let whole = line.strip_suffix('\n').unwrap();
            assert!(whole.bytes().all(|byte| (0x20..=0x7e).contains(&byte)), "{format:?}: {line:?}");
            if format == LogFormat::Common {
                let words: Vec<&str> = whole.split(' ').collect();
                assert_eq!(words.len(), 10, "{line:?}");
                assert_eq!((words[3], words[8], words[9]), ("[23/Nov/2026:21:50:45", "400", "345"), "{line:?}");
                assert_eq!(whole.matches('"').count(), 2, "{line:?}");
            } else {
                let value: Value = serde_json::from_str(whole).unwrap_or_else(|why| panic!("{why}: {line:?}"));
                assert!(value.get("forged").is_none(), "{line:?}");
            }
        }
    }
    let long = vec![b'x'; 100_000];
    let subject = Subject { method: &long, host: &long, target: &long };
    for format in FORMATS {
        let length = line(format, &record(Outcome::Refused, 400), None, subject).len();
        assert!(length < 8 * 1024, "{format:?}: {length}");
    }
}
