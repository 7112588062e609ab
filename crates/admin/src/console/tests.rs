//! The listener over real connections: what is too long, what is slow, and what happens from now on.

use super::ConsoleListener;
use portcullis_auth::password::PasswordHash;
use portcullis_config::{Environment, load_text};
use portcullis_console::{Console, Order};
use portcullis_proxy::Gateway;
use portcullis_types::Clock;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const PASSWORD: &str = "correct horse battery";

const CONFIG: &str = "
version: 1
listeners: { local: { bind: '127.0.0.1:0' } }
access_log: { to: off }
admin: { bind: '127.0.0.1:9903', users: { ada: { role: admin, password: 'HASH' } } }
apis:
  one: { hosts: ['*'], upstream: { targets: ['http://127.0.0.1:9'] }, routes: [{ path: /, methods: [GET], authn: refuse }] }
";

fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.take(1_000_000).read_to_string(&mut text).unwrap();
    text
}

/// One request with a body.
fn send(address: SocketAddr, line: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    ask(
        address,
        &format!("{line} HTTP/1.1\r\nHost: c\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n{body}"),
    )
}

#[test]
fn questions_come_in_and_answers_go_out() {
    let text = CONFIG.replace("HASH", &PasswordHash::make(PASSWORD, &[1; 16]).unwrap());
    let loaded = load_text("test.yaml", &text, Path::new(""), &Environment::sealed()).unwrap();
    let gateway =
        Gateway::start(loaded.plan.clone(), Clock::system(), "http://127.0.0.1/problems/".to_owned()).unwrap();
    let orders = |order: Order| {
        if let Order::Note { written: Some(told), .. } = order {
            let _heard = told.send(true);
        }
        true
    };
    let plan = loaded.plan.admin.console.clone().unwrap();
    let console = Console::new(gateway.handle(), Arc::new(orders), &plan, Arc::new(loaded), Clock::system()).unwrap();
    let listener = ConsoleListener::listen(SocketAddr::from(([127, 0, 0, 1], 0)), None, console).unwrap();
    let address = listener.address();
    assert!(send(address, "GET /", "", "").starts_with("HTTP/1.1 303 "));
    let long = "POST /login HTTP/1.1\r\nHost: c\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n";
    assert!(ask(address, long).starts_with("HTTP/1.1 413 "));
    let answer =
        send(address, "POST /api/v1/session", "", &format!("{{\"name\":\"ada\",\"password\":\"{PASSWORD}\"}}"));
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let token = answer.split("\"token\": \"").nth(1).unwrap().split('"').next().unwrap();
    let bearer = format!("Authorization: Bearer {token}\r\n");
    assert!(send(address, "GET /api/v1/overview", &bearer, "").starts_with("HTTP/1.1 200 "));

    // A refusal appears on a stream that was there before it, and the stream ends with its session.
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(format!("GET /api/v1/records/stream HTTP/1.1\r\nHost: c\r\n{bearer}\r\n").as_bytes()).unwrap();
    let mut seen = String::new();
    let mut read_until = |end: &str| {
        let mut piece = [0; 4096];
        while !seen.contains(end) {
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0, "it ended without `{end}`: {seen}");
            seen.push_str(&String::from_utf8_lossy(&piece[..count]));
        }
    };
    read_until("retry: 2000");
    let front = gateway.handle().addresses()[0].1;
    assert!(ask(front, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 403 "));
    read_until("\"outcome\":\"refused\"");
    assert!(send(address, "DELETE /api/v1/session", &bearer, "").starts_with("HTTP/1.1 200 "));
    read_until("\r\n0\r\n\r\n");
    assert!(send(address, "GET /api/v1/overview", &bearer, "").starts_with("HTTP/1.1 401 "));
    listener.stop();
    gateway.drain(Duration::ZERO);
}
