//! Decisions in enforcing mode at paranoia 1: ordinary requests pass and attacks are refused, by the built-in rules
//! and by the Core Rule Set with its default thresholds.
#![cfg(feature = "ftw")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test states facts")]

use portcullis_waf::{Disk, Limit, Part, RequestHead, RuleSet, Scratch, Verdict};
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

const FORM: &str = "application/x-www-form-urlencoded";

fn request(method: &'static str, target: &str, content_type: Option<&'static str>, body: String) -> Request {
    Request { method, target: target.to_owned(), content_type, body }
}

/// The value in a query, in a form, in a JSON body, and beside a file that is uploaded.
fn carriers(value: &str) -> [Request; 4] {
    let json = format!("{{\"id\":42,\"item\":{{\"note\":{},\"tags\":[\"a\",\"b\"]}}}}", json_string(value));
    let file = "\u{1}PNG\r\n\u{1a}\n\u{7f}IHDR\u{2}\u{8}' or <b> $( | \u{e9}\u{ff}";
    let upload = format!(
        "--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n{value}\r\n--x\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"photo-1.png\"\r\n\
         Content-Type: image/png\r\n\r\n{file}\r\n--x--\r\n"
    );
    let query = format!("/v1/items?q={}&page=2", encoded(value));
    [
        request("GET", &query, None, String::new()),
        request("POST", "/v1/items", Some(FORM), format!("note={}&page=2", encoded(value))),
        request("PUT", "/v1/items/42", Some("application/json"), json),
        request("POST", "/v1/photos", Some("multipart/form-data; boundary=x"), upload),
    ]
}

/// The value where only the built-in rules look for it: in JSON that calls itself text or nothing, in a string of a
/// GraphQL document and in its variables, and in base64.
fn hidden(value: &str) -> Vec<Request> {
    let json = format!("{{\"note\":{}}}", json_string(value));
    let document = format!("mutation {{ add(note: {}, count: 2) {{ id name }} }}", json_string(value));
    let graphql = format!("{{\"query\":{}}}", json_string(&document));
    let variables = format!(
        "{{\"query\":\"query($n: String!) {{ find(note: $n) {{ id }} }}\",\"variables\":{{\"n\":{}}}}}",
        json_string(value)
    );
    let mut out = vec![
        request("POST", "/v1/items", Some("text/plain"), json.clone()),
        request("POST", "/v1/items", None, json),
        request("POST", "/graphql", Some("application/json"), graphql),
        request("POST", "/graphql", Some("application/json"), variables),
    ];
    // Shorter text in base64 could be any word.
    if value.len() > 8 {
        let coded = percent(&base64(value.as_bytes()));
        out.push(request("GET", &format!("/v1/items?state={coded}"), None, String::new()));
    }
    out
}

fn base64(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let number = group.iter().fold(0usize, |all, b| all << 8 | usize::from(*b)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let digit = alphabet.get(number >> (18 - 6 * at) & 63).copied().unwrap_or(b'=');
            out.push(if at > group.len() { '=' } else { char::from(digit) });
        }
    }
    out
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
        let mut requests: Vec<Request> = carriers(value).into();
        // A value that is written encoded is what it is only where it is decoded.
        if all && !value.contains("%2") && !value.contains("%0") {
            requests.extend(hidden(value));
        }
        for request in requests {
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
    assert!(count >= 300, "{count}");
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
    assert!(count >= 300, "{count}");
    assert_eq!(wrong, Vec::<String>::new(), "of {count}");
}

#[test]
fn the_core_rules_refuse_attacks() {
    let (count, wrong) = decide(&core_rules(), ATTACKS, false, true);
    assert!(count >= 300, "{count}");
    assert_eq!(wrong, Vec::<String>::new(), "of {count}");
}

/// A request of one megabyte: `make` gives its value from a length.
fn large(make: impl Fn(usize) -> String) -> Request {
    let body = format!("{{\"id\":1,\"content\":{}}}", json_string(&make(1 << 20)));
    request("POST", "/v1/documents", Some("application/json"), body)
}

fn inspected(rules: &RuleSet, request: &Request) -> Verdict {
    let mut transaction = rules.transaction().with_body_limit(4 << 20);
    let headers: [(&[u8], &[u8]); 3] =
        [(b"Host", b"api.example.com"), (b"User-Agent", b"okhttp/4"), (b"Content-Type", b"application/json")];
    let head = RequestHead {
        method: b"POST",
        target: b"/v1/documents",
        protocol: b"HTTP/1.1",
        headers: &headers,
        peer: (Ipv4Addr::LOCALHOST.into(), 1),
        unique_id: "large",
    };
    assert!(!transaction.request_head(&head).is_refused());
    transaction.request_body(request.body.as_bytes())
}

fn repeated(pieces: &[&str], length: usize) -> String {
    let mut out = String::new();
    for piece in pieces.iter().cycle() {
        if out.len() + piece.len() > length {
            return out;
        }
        out.push_str(piece);
    }
    out
}

#[test]
fn ordinary_requests_of_a_megabyte_are_looked_at_whole() {
    let image = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ/z8+AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg";
    let text = "The order was shipped on Monday, and our customers like it. ";
    for (name, rules) in [("built-in", RuleSet::builtin().unwrap()), ("core", core_rules())] {
        for piece in [image, text] {
            let verdict = inspected(&rules, &large(|length| repeated(&[piece], length)));
            assert_eq!(verdict, Verdict::Pass, "{name}: {piece}");
        }
    }
}

#[test]
fn what_is_too_much_work_is_refused() {
    let pieces = ["%27", "\\u0041", "&lt;", "/*", "+or+", "select", "%u003c", "--", "$(", "{{", "union", "<a ", "=1 "];
    let rules = core_rules();
    // Many values, none of which says enough for a rule, and each of which is work for many.
    let values: Vec<String> = (0..900).map(|n| format!("\"{} {n}\"", repeated(&pieces, 1100))).collect();
    let body = format!("[{}]", values.join(","));
    let verdict = inspected(&rules, &request("POST", "/", Some("application/json"), body));
    let Verdict::Refuse(refused) = verdict else { panic!("{verdict:?}") };
    assert_eq!((refused.status, refused.limit), (413, Some(Limit::TooMuchWork)));
}
