//! The feed from its keys to its way back, with the program itself.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;

use portcullis_testkit::FakeUpstream;
use portcullis_types::Clock;
use serde_json::Value;

use crate::support::{DEADLINE, Running, answer, folder, get, portcullis};

fn ask(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = portcullis(folder, arguments).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn json(folder: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let (code, text, complaint) = ask(folder, &[arguments, &["-c", "feed.yaml", "--format", "json"]].concat());
    let value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{arguments:?}: {why}: {text}{complaint}"));
    (code, value)
}

/// Two keys that sign, and their public halves.
fn keys(folder: &Path) -> [String; 2] {
    ["one.key", "two.key"].map(|name| {
        let (code, key, complaint) = ask(folder, &["feed", "key", name]);
        assert_eq!(code, Some(0), "{complaint}");
        key.trim().to_owned()
    })
}

fn bundle(version: u64, when: &str) -> String {
    format!(
        r#"{{ "name": "acme", "version": {version}, "expires": "2099-12-31", "patches": [
            {{ "id": "VP-1", "reason": "CVE-2026-4711", "action": "refuse", "api": "files", "operation": "getFile", "when": [{when}] }},
            {{ "id": "VP-2", "reason": "not here", "action": "refuse", "api": "elsewhere", "when": [] }} ] }}"#
    )
}

const CLIMBS: &str = r#"{ "target": "query", "name": "file", "contains": "../" }"#;
const ROLE: &str = r#"{ "target": "body_field", "name": "/role", "equals": "admin" }"#;

/// Signs by both keys.
fn sign(folder: &Path, text: &str, output: &str) {
    drop(fs::remove_file(folder.join(output)));
    drop(fs::remove_file(folder.join("half.bundle")));
    fs::write(folder.join("bundle.json"), text).expect("a file");
    for (key, from, to) in [("one.key", "bundle.json", "half.bundle"), ("two.key", "half.bundle", output)] {
        let (code, _, complaint) = ask(folder, &["feed", "sign", from, "--key", key, "-o", to]);
        assert_eq!(code, Some(0), "{complaint}");
    }
}

fn config(keys: &[String; 2], upstream: SocketAddr, more: &str) -> String {
    format!(
        "version: 1
workers: 2
listeners: {{ plain: {{ bind: '127.0.0.1:0' }} }}
status: {{ bind: '127.0.0.1:0' }}
store: {{ path: data }}
access_log: {{ to: {{ file: access.log }}, show_query: [file] }}
security_log: {{ to: {{ file: security.log }} }}
feed: {{ keys: ['{}', '{}']{more} }}
apis:
  files:
    hosts: ['*']
    authn: public
    limits: {{ per_address: {{ mode: off }} }}
    waf: {{ mode: enforce }}
    upstream: {{ targets: ['http://{upstream}'] }}
    routes: [{{ id: getFile, path: '/files', methods: [GET, POST] }}, {{ id: other, path: '/other', methods: [any], waf: {{ mode: off }} }}]
",
        keys[0], keys[1]
    )
}

fn upstream() -> FakeUpstream {
    FakeUpstream::answering("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nsecret")
}

fn post(address: SocketAddr, path: &str, media: &str, body: &str) -> String {
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE).expect("it listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Type: {media}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .expect("it reads");
    answer(stream)
}

/// Waits until every answer begins so; how long that took.
fn until(address: SocketAddr, path: &str, status: &str) -> u64 {
    let clock = Clock::system();
    let begun = clock.millis();
    loop {
        let last = get(address, path);
        if last.starts_with(&format!("HTTP/1.1 {status}")) {
            return clock.millis() - begun;
        }
        assert!(clock.millis() - begun < 30_000, "still {last}");
    }
}

/// How many requests so far the first patch would have refused, once their records are written.
fn tried(folder: &Path) -> u64 {
    let (clock, path) = (Clock::system(), folder.join("access.log"));
    let due = clock.millis() + 30_000;
    while fs::read_to_string(&path).is_ok_and(|text| text.is_empty()) {
        assert!(clock.millis() < due, "nothing is recorded");
        // SLEEP: between two looks; the deadline is above.
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let (code, said) = json(folder, &["feed", "try", "1.bundle", "--records", "access.log"]);
    assert_eq!(code, Some(0), "{said}");
    said.pointer("/patches/0/would_match").and_then(Value::as_u64).expect("a number")
}

#[test]
fn a_hole_is_closed_while_the_gateway_runs_and_every_step_is_told() {
    let (folder, upstream) = (folder("feed"), upstream());
    fs::write(folder.join("feed.yaml"), config(&keys(&folder), upstream.address(), "")).expect("a file");
    let mut running = Running::start(portcullis(&folder, &["run", "-c", "feed.yaml"]));
    let (address, status) = (running.address("listening"), running.address("status"));
    running.line("ready");
    let hole = "/files?file=a../b";
    assert!(get(address, hole).ends_with("secret"), "the hole is there");
    sign(&folder, &bundle(1, CLIMBS), "1.bundle");
    let (code, said) = json(&folder, &["feed", "check", "1.bundle"]);
    assert_eq!(
        (code, &said["patches"][0]["routes"], &said["patches"][1]["routes"]),
        (Some(0), &1.into(), &0.into()),
        "{said}"
    );
    assert_eq!(tried(&folder), 1);
    // Observed first.
    let (code, said) = json(&folder, &["feed", "take", "1.bundle", "--observe"]);
    assert_eq!((code, &said["taken"]), (Some(0), &true.into()), "{said}");
    running.line("feed_in_force bundle=acme version=1 stage=observe");
    assert!(get(address, hole).ends_with("secret"));
    let (code, _) = json(&folder, &["feed", "enforce"]);
    assert_eq!(code, Some(0));
    until(address, hole, "403");
    let refused = get(address, hole);
    assert!(
        refused.contains("application/problem+json") && refused.contains("\"code\":\"patch_refused\""),
        "{refused}"
    );
    assert!(!refused.contains("CVE") && !refused.contains("VP-1"), "callers are not told: {refused}");
    assert!(get(address, "/files?file=a").ends_with("secret"), "what is good goes through");
    let metrics = get(status, "/metrics");
    for line in [
        "portcullis_feed_version{bundle=\"acme\",stage=\"enforce\"} 1\n",
        "portcullis_patch_requests_total{patch=\"VP-2\",verdict=\"refused\"} 0\n",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    assert!(!metrics.contains("{patch=\"VP-1\",verdict=\"refused\"} 0\n"), "{metrics}");
    // It is in force from the first request on.
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
    let mut running = Running::start(portcullis(&folder, &["run", "-c", "feed.yaml"]));
    let address = running.address("listening");
    assert!(get(address, hole).contains("patch_refused"));
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
    let records = fs::read_to_string(folder.join("security.log")).expect("records");
    for part in [
        r#""event":"rule_match""#,
        r#""patch":{"verdict":"would_refuse","id":"VP-1","reason":"CVE-2026-4711"}"#,
        r#""event":"refused""#,
        r#""patch":{"verdict":"refused","id":"VP-1","reason":"CVE-2026-4711"}"#,
        r#""reason":"patch_refused""#,
    ] {
        assert!(records.contains(part), "{part}: {records}");
    }
    let (code, log, complaint) = ask(&folder, &["audit-log", "show", "-c", "feed.yaml"]);
    assert_eq!(code, Some(0), "{complaint}");
    for kind in ["feed.take", "feed.stage"] {
        assert!(log.contains(kind), "{kind}: {log}");
    }
}

#[test]
fn rules_and_bodies_and_the_way_back() {
    let (folder, upstream) = (folder("feed-rules"), upstream());
    fs::write(folder.join("feed.yaml"), config(&keys(&folder), upstream.address(), "")).expect("a file");
    let mut running = Running::start(portcullis(&folder, &["run", "-c", "feed.yaml"]));
    let address = running.address("listening");
    running.line("ready");
    let hole = "/files?file=a../b";
    sign(&folder, &bundle(1, CLIMBS), "1.bundle");
    let (code, said) = json(&folder, &["feed", "take", "1.bundle"]);
    assert_eq!(code, Some(0), "{said}");
    running.line("feed_in_force bundle=acme version=1 stage=enforce");
    let rules = r#""rules": "SecRule ARGS:word \"@streq xyzzy\" \"id:9100,phase:2,deny,msg:'a word'\"", "patches""#;
    sign(&folder, &bundle(2, ROLE).replacen("\"patches\"", rules, 1), "2.bundle");
    let (code, said) = json(&folder, &["feed", "take", "2.bundle"]);
    assert_eq!(code, Some(0), "{said}");
    running.line("feed_in_force bundle=acme version=2 stage=enforce");
    assert!(get(address, hole).ends_with("secret"), "the patch is not in it any more");
    for (media, body, expect) in [
        ("application/json", r#"{"role":"admin"}"#, "patch_refused"),
        ("application/json", r#"{"role":"reader"}"#, "secret"),
        ("text/plain", r#" {"role":"admin"}"#, "patch_refused"),
        ("application/x-www-form-urlencoded", "word=xyzzy", "attack_refused"),
        ("application/x-www-form-urlencoded", "word=other", "secret"),
    ] {
        let answer = post(address, "/files", media, body);
        assert!(answer.contains(expect), "{media} {body}: {answer}");
    }
    let (code, said) = json(&folder, &["feed", "rollback"]);
    assert_eq!((code, &said["from"], &said["to"]), (Some(0), &2.into(), &1.into()), "{said}");
    until(address, hole, "403");
    let (code, said) = json(&folder, &["feed", "take", "1.bundle"]);
    assert_eq!((code, &said["code"]), (Some(1), &"rolled_back".into()), "{said}");
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
    let (code, log, complaint) = ask(&folder, &["audit-log", "show", "-c", "feed.yaml"]);
    assert!(code == Some(0) && log.contains("feed.rollback"), "{log}{complaint}");
}

#[test]
fn a_file_is_followed_and_what_is_wrong_with_it_is_told() {
    let (folder, upstream) = (folder("feed-file"), upstream());
    fs::write(folder.join("feed.yaml"), config(&keys(&folder), upstream.address(), ", file: now.bundle"))
        .expect("a file");
    let mut running = Running::start(portcullis(&folder, &["run", "-c", "feed.yaml"]));
    let (address, status) = (running.address("listening"), running.address("status"));
    running.line("feed_refused code=unreadable");
    let put = |name: &str| fs::rename(folder.join(name), folder.join("now.bundle")).expect("a file");
    let hole = "/files?file=a../b";
    assert!(get(address, hole).ends_with("secret"), "the hole is there");
    sign(&folder, &bundle(5, CLIMBS), "good.bundle");
    let sealed = fs::read_to_string(folder.join("good.bundle")).expect("a bundle");
    put("good.bundle");
    until(address, hole, "403");
    fs::write(folder.join("bad.bundle"), sealed.replace("getFile", "getfile")).expect("a file");
    put("bad.bundle");
    running.line("feed_refused code=signature");
    assert!(get(address, hole).contains("patch_refused"), "what is in force stays");
    sign(&folder, &bundle(4, CLIMBS), "old.bundle");
    put("old.bundle");
    running.line("feed_refused code=rolled_back");
    sign(&folder, &bundle(6, ROLE), "next.bundle");
    put("next.bundle");
    running.line("feed_in_force bundle=acme version=6 stage=enforce patches=2");
    until(address, hole, "200");
    let metrics = get(status, "/metrics");
    assert!(metrics.contains("portcullis_feed_bundles_refused_total 3\n"), "{metrics}");
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
}

#[test]
fn a_bundle_that_cannot_be_kept_now_is_taken_over_once_it_can() {
    let (folder, upstream) = (folder("feed-later"), upstream());
    fs::write(folder.join("feed.yaml"), config(&keys(&folder), upstream.address(), ", file: live.bundle"))
        .expect("a file");
    let mut running = Running::start(portcullis(&folder, &["run", "-c", "feed.yaml"]));
    let address = running.address("listening");
    running.line("ready");
    // Something stands where the feed is remembered.
    let place = folder.join("data/feed");
    fs::write(&place, "").expect("a file");
    sign(&folder, &bundle(1, CLIMBS), "new.bundle");
    fs::rename(folder.join("new.bundle"), folder.join("live.bundle")).expect("it moves");
    running.line("feed_failed");
    let hole = "/files?file=a../b";
    assert!(get(address, hole).ends_with("secret"), "the hole is there");
    fs::remove_file(place).expect("it goes");
    // Nobody touches the bundle again.
    running.line("feed_in_force bundle=acme version=1 stage=enforce");
    until(address, hole, "403");
    assert!(get(address, "/files?file=a").ends_with("secret"), "what is good goes through");
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
}

/// Answers every question with what it holds.
fn server(folder: &Path) -> SocketAddr {
    let (listener, path) = (TcpListener::bind("127.0.0.1:0").expect("a port"), folder.join("served.bundle"));
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut room = [0; 4096];
            drop(std::io::Read::read(&mut stream, &mut room));
            let answer = match fs::read(&path) {
                Ok(body) => [
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())
                        .into_bytes(),
                    body,
                ]
                .concat(),
                Err(_) => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
            };
            drop(stream.write_all(&answer));
        }
    });
    address
}

#[test]
fn an_address_is_asked_again_and_again() {
    let (folder, upstream) = (folder("feed-url"), upstream());
    let source = format!(", url: 'http://{}/patches', interval: 100ms, stage: observe", server(&folder));
    fs::write(folder.join("feed.yaml"), config(&keys(&folder), upstream.address(), &source)).expect("a file");
    let mut running = Running::start(portcullis(&folder, &["run", "-c", "feed.yaml"]));
    let address = running.address("listening");
    running.line("feed_refused code=unfetched");
    fs::write(folder.join("long.bundle"), vec![b'x'; 2 << 20]).expect("a file");
    let put = |name: &str| fs::rename(folder.join(name), folder.join("served.bundle")).expect("a file");
    put("long.bundle");
    running.line("feed_refused code=oversized");
    sign(&folder, &bundle(1, CLIMBS), "good.bundle");
    put("good.bundle");
    running.line("feed_in_force bundle=acme version=1 stage=observe");
    let hole = "/files?file=a../b";
    assert!(get(address, hole).ends_with("secret"), "it only observes");
    let (code, _) = json(&folder, &["feed", "enforce"]);
    assert_eq!(code, Some(0));
    until(address, hole, "403");
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
}

#[test]
fn a_damaged_bundle_keeps_a_gateway_from_starting_open() {
    let (folder, upstream) = (folder("feed-damaged"), upstream());
    fs::write(folder.join("feed.yaml"), config(&keys(&folder), upstream.address(), "")).expect("a file");
    sign(&folder, &bundle(1, CLIMBS), "1.bundle");
    let (code, _) = json(&folder, &["feed", "take", "1.bundle"]);
    assert_eq!(code, Some(0));
    let path = folder.join("data/feed/1.bundle");
    let sealed = fs::read_to_string(&path).expect("a bundle");
    fs::write(&path, sealed.replace("refuse", "observe")).expect("a file");
    let (code, _, complaint) = ask(&folder, &["run", "-c", "feed.yaml"]);
    assert!(code == Some(2) && complaint.contains("is not what was taken over"), "{complaint}");
    fs::write(&path, sealed).expect("a file");
    let mut running = Running::start(portcullis(&folder, &["run", "-c", "feed.yaml"]));
    let address = running.address("listening");
    assert!(get(address, "/files?file=a../b").contains("patch_refused"));
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
}
