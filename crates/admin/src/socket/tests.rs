//! The admin socket over real connections: who makes it, who may ask, what is answered.

use super::{Admin, AdminError, AdminSocket, Order};
use portcullis_config::{Environment, load_text};
use portcullis_console::Reloaded;
use portcullis_proxy::Gateway;
use portcullis_types::Clock;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const CONFIG: &str = "
version: 1
listeners: { local: { bind: '127.0.0.1:0' } }
access_log: { to: off }
apis:
  one: { hosts: ['*'], upstream: { targets: ['http://127.0.0.1:9'] }, routes: [{ path: /, methods: [GET], authn: refuse }] }
";

fn gateway() -> Gateway {
    let loaded = load_text("test.yaml", CONFIG, Path::new(""), &Environment::sealed()).unwrap();
    Gateway::start(loaded.plan, Clock::system(), "http://127.0.0.1/problems/".to_owned()).unwrap()
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("portcullis-admin-{}-{name}", std::process::id()));
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn ask(path: &Path, request: &str) -> (u16, Value) {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(format!("{request} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut text = String::new();
    stream.take(1_000_000).read_to_string(&mut text).unwrap();
    let status = text.get(9..12).unwrap_or_else(|| panic!("{text:?}")).parse().unwrap();
    let body = text.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// Refuses every other reload, and remembers what it was asked.
fn serve(path: &Path, gateway: &Gateway) -> (Admin, Arc<Mutex<Vec<&'static str>>>) {
    let asked: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    let heard = Arc::clone(&asked);
    let orders = move |order: Order| {
        let mut heard = heard.lock().unwrap();
        match order {
            Order::Reload { answer, .. } => {
                heard.push("reload");
                let done = heard.len() % 2 == 1;
                drop(answer.send(Reloaded { done, text: "a mistake".to_owned(), details: json!({ "line": 7 }) }));
            }
            Order::Upgrade { binary, answer, .. } => {
                let text = binary.display().to_string();
                drop(answer.send(Reloaded { done: false, text, details: Value::Null }));
                heard.push("upgrade");
            }
            Order::Drain { .. } => heard.push("drain"),
            Order::Note { what, .. } => heard.push(what),
            Order::Look { .. } | Order::Recall { .. } => return false,
        }
        true
    };
    (AdminSocket::bind(path).unwrap().serve(gateway.handle(), Arc::new(orders), None).unwrap(), asked)
}

#[test]
fn questions_are_answered_and_orders_handed_on() {
    let folder = folder("questions");
    let path = folder.join("admin.sock");
    let gateway = gateway();
    let (admin, asked) = serve(&path, &gateway);
    let metadata = fs::symlink_metadata(&path).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left in the folder");
    let (status, body) = ask(&path, "GET /status");
    assert_eq!((status, &body["phase"], &body["ready"]), (200, &json!("serving"), &json!(true)), "{body}");
    assert_eq!(body["listeners"][0]["name"], "local");
    assert_eq!(body["upstreams"][0]["targets"][0]["address"], "http://127.0.0.1:9");
    assert_eq!(body["reloads"]["last_error"], Value::Null);
    assert_eq!(
        ask(&path, "POST /reload"),
        (200, json!({ "reloaded": true, "text": "a mistake", "details": { "line": 7 } }))
    );
    let (status, body) = ask(&path, "POST /reload");
    assert_eq!((status, &body["reloaded"], &body["details"]["line"]), (409, &json!(false), &json!(7)));
    assert_eq!(ask(&path, "POST /drain").0, 202);
    for (request, status) in [("GET /reload", 405), ("GET /", 404), ("POST /status", 405)] {
        assert_eq!(ask(&path, request).0, status, "{request}");
    }
    assert_eq!(*asked.lock().unwrap(), ["reload", "reload", "drain"]);
    gateway.handle().begin_drain(Duration::from_secs(1), Duration::ZERO);
    assert_eq!(ask(&path, "GET /status").1["phase"], "leaving");
    admin.stop();
    assert!(!path.exists(), "the file goes with the process");
    gateway.drain(Duration::ZERO);
}

#[test]
fn only_what_a_dead_process_left_is_replaced() {
    let folder = folder("left");
    let path = folder.join("admin.sock");
    let first = AdminSocket::bind(&path).unwrap();
    assert!(matches!(AdminSocket::bind(&path), Err(AdminError::Taken(_))));
    drop(first);
    // A socket that nobody listens on any more.
    drop(UnixListener::bind(&path).unwrap());
    let second = AdminSocket::bind(&path).unwrap();
    assert!(UnixStream::connect(&path).is_ok());
    // A later process has taken the place: its file stays.
    fs::remove_file(&path).unwrap();
    fs::write(&path, "something else").unwrap();
    drop(second);
    assert!(matches!(AdminSocket::bind(&path), Err(AdminError::NoSocket(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), "something else");
    let nowhere = AdminSocket::bind(&folder.join("no/such/admin.sock")).unwrap_err();
    assert!(nowhere.to_string().starts_with("admin: no socket at "), "{nowhere}");
}

#[test]
fn a_flood_and_a_dawdler_keep_nobody_out() {
    let folder = folder("flood");
    let path = folder.join("admin.sock");
    let gateway = gateway();
    let (admin, _) = serve(&path, &gateway);
    let mut silent: Vec<UnixStream> =
        (0..super::CONNECTIONS_MAX - 1).map(|_| UnixStream::connect(&path).unwrap()).collect();
    let mut big = UnixStream::connect(&path).unwrap();
    big.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    drop(big.write_all(format!("GET /status HTTP/1.1\r\nx: {}", "x".repeat(super::HEAD_BYTES_MAX)).as_bytes()));
    let mut answer = [0; 12];
    assert!(big.read_exact(&mut answer).is_err() || answer.starts_with(b"HTTP/1.1 4"), "{answer:?}");
    drop(big);
    silent.pop();
    assert_eq!(ask(&path, "GET /status").0, 200);
    admin.stop();
    gateway.drain(Duration::ZERO);
}
