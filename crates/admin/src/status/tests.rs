//! The status listener over real connections.

use super::Status;
use crate::server::{CONNECTIONS_MAX, FIELDS_MAX, HEAD_BYTES_MAX};
use portcullis_config::{Environment, load_text};
use portcullis_proxy::Gateway;
use portcullis_types::{Clock, Reason};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

const CONFIG: &str = "
version: 1
listeners: { local: { bind: '127.0.0.1:0' } }
status: { bind: '127.0.0.1:0' }
access_log: { to: off }
apis:
  one: { hosts: ['*'], upstream: { targets: ['http://127.0.0.1:9'] }, routes: [{ path: /, methods: [GET], authn: refuse }] }
";

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn listen() -> Status {
    Status::listen(anywhere()).unwrap()
}

fn gateway() -> Gateway {
    let loaded = load_text("test.yaml", CONFIG, Path::new(""), &Environment::sealed()).unwrap();
    Gateway::start(loaded.plan, Clock::system(), "http://127.0.0.1/problems/".to_owned()).unwrap()
}

fn exchange(status: &Status, request: &str) -> String {
    let mut stream = TcpStream::connect(status.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    // A listener that refuses may close before it has read everything, which some systems report as an error.
    while let Ok(count) = stream.read(&mut chunk) {
        if count == 0 {
            break;
        }
        answer.extend_from_slice(&chunk[..count]);
    }
    String::from_utf8(answer).unwrap()
}

fn ask(status: &Status, method: &str, path: &str, more: &str) -> String {
    exchange(status, &format!("{method} {path} HTTP/1.1\r\nHost: status\r\n{more}Connection: close\r\n\r\n"))
}

#[test]
fn readiness_follows_the_gateway() {
    let status = listen();
    assert!(ask(&status, "GET", "/livez", "").starts_with("HTTP/1.1 200"));
    assert!(ask(&status, "GET", "/readyz", "").starts_with("HTTP/1.1 503"));
    assert!(ask(&status, "GET", "/metrics", "").starts_with("HTTP/1.1 503"));
    assert!(ask(&status, "GET", "/", "").contains("<strong>not ready</strong>"));
    let gateway = gateway();
    status.attach(gateway.handle());
    assert!(ask(&status, "GET", "/readyz", "").starts_with("HTTP/1.1 200"));
    assert!(ask(&status, "GET", "/", "").contains("<strong>ready</strong>"));
    let metrics = ask(&status, "GET", "/metrics", "");
    assert!(metrics.contains("text/plain; version=0.0.4") && metrics.contains("\nportcullis_ready 1\n"), "{metrics}");
    let open = ask(&status, "GET", "/metrics", "Accept: application/openmetrics-text;version=1.0.0\r\n");
    assert!(open.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"), "{open}");
    assert!(open.contains("\n# TYPE portcullis_requests counter\n") && open.ends_with("\n# EOF\n"), "{open}");
    gateway.handle().begin_drain(Duration::ZERO, Duration::ZERO);
    assert!(ask(&status, "GET", "/readyz", "").starts_with("HTTP/1.1 503"));
    assert!(ask(&status, "GET", "/livez", "").starts_with("HTTP/1.1 200"));
    gateway.drain(Duration::ZERO);
    status.stop();
}

#[test]
fn every_reason_has_a_page_in_both_forms() {
    let status = listen();
    let index = ask(&status, "GET", "/problems", "Accept: text/html\r\n");
    let all = ask(&status, "GET", "/problems", "Accept: application/json\r\n");
    for reason in Reason::ALL {
        let (code, path) = (reason.code(), format!("/problems/{}", reason.code()));
        assert!(index.contains(&format!("href=\"{path}\"")), "{code}");
        assert!(all.contains(&format!("\"code\": \"{code}\"")), "{code}");
        let page = ask(&status, "GET", &path, "Accept: text/html,application/json\r\n");
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("text/html; charset=utf-8"), "{page}");
        assert_eq!(page.matches("<h2>").count(), 3, "{page}");
        assert!(!page.contains('`') && !page.contains("<script"), "{page}");
        let json = ask(&status, "GET", &path, "Accept: application/json\r\n");
        assert!(json.contains("content-type: application/json") && json.contains("vary: accept"), "{json}");
        let body: serde_json::Value = serde_json::from_str(json.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!((body["code"].as_str(), body["status"].as_u64()), (Some(code), Some(u64::from(reason.status()))));
    }
    status.stop();
}

#[test]
fn every_answer_is_guarded() {
    let status = listen();
    for (method, path, expected) in [
        ("GET", "/", "200"),
        ("GET", "/livez", "200"),
        ("HEAD", "/problems", "200"),
        ("GET", "/assets/style.css", "200"),
        ("GET", "/jwks.json", "503"),
        ("GET", "/nowhere", "404"),
        ("GET", "/problems/nothing", "404"),
        ("GET", "/problems/%3Cscript%3E", "404"),
        ("POST", "/livez", "405"),
        ("DELETE", "/problems/route_closed", "405"),
        ("POST", "/nowhere", "404"),
    ] {
        let answer = ask(&status, method, path, "");
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{method} {path}: {answer}");
        for line in
            ["content-security-policy: default-src 'none'", "x-content-type-options: nosniff", "cache-control: "]
        {
            assert!(answer.contains(line), "{method} {path} lacks {line}: {answer}");
        }
        assert!(!answer.contains("<script>"), "{method} {path}: {answer}");
        if !expected.starts_with('2') {
            assert!(answer.contains("application/problem+json"), "{method} {path}: {answer}");
        }
        if method == "HEAD" {
            assert!(answer.ends_with("\r\n\r\n"), "{answer}");
        }
    }
    status.stop();
}

#[test]
fn what_is_too_much_is_refused_and_a_good_request_still_works() {
    let status = listen();
    let long = format!("X-Filler: {}\r\n", "a".repeat(HEAD_BYTES_MAX));
    let many: String = (0..=FIELDS_MAX).map(|index| format!("X-{index}: a\r\n")).collect();
    for more in [long, many] {
        let answer = ask(&status, "GET", "/livez", &more);
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    assert!(exchange(&status, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
    assert!(ask(&status, "GET", "/livez", "").starts_with("HTTP/1.1 200"));
    status.stop();
}

#[test]
fn clients_that_say_nothing_do_not_keep_others_out_for_long() {
    let status = listen();
    let silent: Vec<TcpStream> = (0..CONNECTIONS_MAX).map(|_| TcpStream::connect(status.address()).unwrap()).collect();
    assert!(ask(&status, "GET", "/livez", "").starts_with("HTTP/1.1 200"));
    drop(silent);
    status.stop();
}

#[test]
fn a_taken_address_says_what_to_do() {
    let first = listen();
    let error = Status::listen(first.address()).unwrap_err().to_string();
    let advice = "the port is taken by another process; stop it or choose another port";
    assert_eq!(error, format!("status: cannot listen on {}: {advice}", first.address()));
    first.stop();
}

#[test]
fn pages_are_named_by_an_address_that_can_be_opened() {
    let everywhere = Status::listen(SocketAddr::from(([0, 0, 0, 0], 0))).unwrap();
    assert_eq!(everywhere.problem_base(), format!("http://127.0.0.1:{}/problems/", everywhere.address().port()));
    everywhere.stop();
}
