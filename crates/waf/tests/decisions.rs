//! Decisions in enforcing mode at paranoia 1: ordinary requests pass and attacks are refused, by the built-in rules
//! and by the Core Rule Set with its default thresholds.
#![cfg(feature = "ftw")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test states facts")]

use portcullis_waf::{Disk, Part, RequestHead, RuleSet, Scratch};
use std::net::Ipv4Addr;
use std::path::PathBuf;

const ORDINARY: &str = include_str!("corpus/ordinary.txt");
const ATTACKS: &str = include_str!("corpus/attacks.txt");

/// The values of a corpus; with `all`, also those that only the built-in rules are asked about.
fn values(text: &str, all: bool) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    lines.filter_map(move |line| match line.strip_prefix('~') {
        Some(marked) => all.then_some(marked),
        None => Some(line),
    })
}

#[allow(clippy::disallowed_methods, reason = "a test finds its data by the environment")]
fn core_rules() -> RuleSet {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let places = match std::env::var("PORTCULLIS_SUITES") {
        Ok(named) => vec![root.join(&named), PathBuf::from(named)],
        Err(_) => vec![root.join("../shared/suites"), root.join("../../shared/suites")],
    };
    let found = places.iter().map(|p| p.join("crs")).find(|p| p.is_dir());
    let folder = found.unwrap_or_else(|| panic!("the suites are missing: looked for `crs` in {places:?}"));
    let part = |name: &str| Part::File(folder.join(name).display().to_string());
    let methods =
        "SecAction \"id:900200,phase:1,pass,nolog,setvar:'tx.allowed_methods=GET HEAD POST PUT PATCH DELETE OPTIONS'\"";
    let parts = [
        part("crs-setup.conf.example"),
        Part::Text { name: "methods".into(), text: methods.into() },
        part("rules/*.conf"),
    ];
    RuleSet::load(&parts, &Disk).unwrap_or_else(|e| panic!("{e:#?}"))
}

struct Request {
    method: &'static str,
    target: String,
    content_type: Option<&'static str>,
    body: String,
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

/// A value that is written encoded is sent as it is written.
fn encoded(value: &str) -> String {
    if value.contains("%2") || value.contains("%0") { value.replace(' ', "+") } else { percent(value) }
}

fn json_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The value in a query, in a form, and in a JSON body.
fn carriers(value: &str) -> [Request; 3] {
    let form = "application/x-www-form-urlencoded";
    let json = format!("{{\"id\":42,\"item\":{{\"note\":{},\"tags\":[\"a\",\"b\"]}}}}", json_string(value));
    [
        Request {
            method: "GET",
            target: format!("/v1/items?q={}&page=2", encoded(value)),
            content_type: None,
            body: String::new(),
        },
        Request {
            method: "POST",
            target: "/v1/items".into(),
            content_type: Some(form),
            body: format!("note={}&page=2", encoded(value)),
        },
        Request { method: "PUT", target: "/v1/items/42".into(), content_type: Some("application/json"), body: json },
    ]
}

/// The rules that matched if the request was refused.
fn refused(rules: &RuleSet, request: &Request, ungated: bool) -> Option<Vec<String>> {
    let mut transaction = rules.transaction_with(Scratch::default());
    if ungated {
        transaction = transaction.ungated();
    }
    let length = request.body.len().to_string();
    let mut headers: Vec<(&[u8], &[u8])> = vec![
        (b"Host", b"api.example.com"),
        (b"User-Agent", b"okhttp/4.12.0"),
        (b"Accept", b"application/json"),
        (b"Accept-Encoding", b"gzip"),
    ];
    if let Some(content_type) = request.content_type {
        headers.push((b"Content-Type", content_type.as_bytes()));
        headers.push((b"Content-Length", length.as_bytes()));
    }
    let mut verdict = transaction.request_head(&RequestHead {
        method: request.method.as_bytes(),
        target: request.target.as_bytes(),
        protocol: b"HTTP/1.1",
        headers: &headers,
        peer: (Ipv4Addr::new(192, 0, 2, 7).into(), 50_000),
        unique_id: "decision",
    });
    if !verdict.is_refused() {
        verdict = transaction.request_body(request.body.as_bytes());
    }
    let why = || transaction.matches().iter().map(|m| format!("{} {} {}", m.rule.id, m.variable, m.data)).collect();
    verdict.is_refused().then(why)
}

fn decide(rules: &RuleSet, corpus: &str, all: bool, refuse: bool) -> (usize, Vec<String>) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for value in values(corpus, all) {
        for request in carriers(value) {
            count += 1;
            let outcome = refused(rules, &request, false);
            assert_eq!(outcome, refused(rules, &request, true), "gates change nothing: {value}");
            if outcome.is_some() != refuse {
                wrong.push(format!(
                    "{} {} {value}: {outcome:?}",
                    request.method,
                    request.content_type.unwrap_or("query")
                ));
            }
        }
    }
    (count, wrong)
}

#[test]
fn the_built_in_rules_let_ordinary_requests_pass() {
    let (count, wrong) = decide(&RuleSet::builtin().unwrap(), ORDINARY, true, false);
    assert!(count >= 200, "{count}");
    assert_eq!(wrong, Vec::<String>::new(), "of {count}");
}

#[test]
fn the_built_in_rules_refuse_attacks() {
    let (count, wrong) = decide(&RuleSet::builtin().unwrap(), ATTACKS, true, true);
    assert!(count >= 300, "{count}");
    assert_eq!(wrong, Vec::<String>::new(), "of {count}");
}

#[test]
fn the_core_rules_let_ordinary_requests_pass() {
    let (count, wrong) = decide(&core_rules(), ORDINARY, false, false);
    assert!(count >= 200, "{count}");
    assert_eq!(wrong, Vec::<String>::new(), "of {count}");
}

#[test]
fn the_core_rules_refuse_attacks() {
    let (count, wrong) = decide(&core_rules(), ATTACKS, false, true);
    assert!(count >= 300, "{count}");
    assert_eq!(wrong, Vec::<String>::new(), "of {count}");
}
