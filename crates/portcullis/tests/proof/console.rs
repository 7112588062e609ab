//! The console of the real program in a real browser: somebody comes in, sees what happens, and acts.

use crate::browser::packages;
use crate::support::{Running, folder, portcullis};
use portcullis_testkit::FakeUpstream;
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::{Answer, Client};
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PASSWORD: &str = "correct horse battery staple";

const CONFIG: &str = r#"version: 1
listeners: { plain: { bind: "127.0.0.1:0" } }
status: { bind: "127.0.0.1:0" }
access_log: { to: off }
store: { path: ./data }
anomalies: { mode: observe }
admin:
  socket: admin.sock
  bind: "127.0.0.1:0"
  users: { ada: { role: admin, password: { file: ada.hash } } }
apis:
  shop:
    hosts: ["*"]
    upstream: { targets: ["http://UPSTREAM"] }
    limits: { many: { key: [address], rate: 1000/s } }
    routes:
      - { id: open, path: /open, methods: [GET], authn: public }
      - { id: closed, path: /closed, methods: [GET], authn: refuse }
      - { id: orders, path: /orders, methods: [GET], authn: { any_of: [{ api_key: {} }] } }
"#;

/// What the command makes of a password.
fn hash(folder: &Path, password: &str) -> (Option<i32>, String) {
    let mut command = portcullis(folder, &["admin", "password"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
    child.stdin.take().expect("a pipe").write_all(format!("{password}\n").as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
}

fn ask(gateway: SocketAddr, path: &str) -> Answer {
    Client::connect(gateway).ask(format!("GET {path} HTTP/1.1\r\nHost: shop.test\r\n\r\n"))
}

/// One question over the admin socket.
fn over_socket(folder: &Path, path: &str) -> Value {
    let socket = folder.join("admin.sock");
    let mut stream = std::os::unix::net::UnixStream::connect(socket).expect("it answers");
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes())
        .expect("it reads");
    let mut text = String::new();
    std::io::Read::read_to_string(&mut stream, &mut text).expect("an answer");
    serde_json::from_str(text.split_once("\r\n\r\n").expect("a body").1).expect("JSON")
}

/// A gateway with a console, and somebody who has stood out already.
struct Stage {
    folder: PathBuf,
    running: Running,
    gateway: SocketAddr,
    console: SocketAddr,
    _upstream: FakeUpstream,
}

impl Stage {
    fn set(name: &str) -> Self {
        let folder = folder(name);
        let upstream = FakeUpstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        let (code, text) = hash(&folder, PASSWORD);
        assert!(code == Some(0) && text.starts_with("$argon2id$v=19$") && text.ends_with('\n'), "{text}");
        fs::write(folder.join("ada.hash"), text).expect("a file");
        let config = CONFIG.replace("UPSTREAM", &upstream.address().to_string());
        fs::write(folder.join("console.yaml"), config).expect("a file");
        let mut running = Running::start(portcullis(&folder, &["run", "-c", "console.yaml"]));
        let gateway = running.address("listening");
        let console = running.address("console");
        running.line("ready");
        // Somebody who asks for what is not there stands out.
        (0..40).for_each(|number| assert_eq!(ask(gateway, &format!("/not/{number}")).status, 404));
        eventually("a finding", || {
            let found = over_socket(&folder, "/api/v1/findings");
            found["findings"].as_array().filter(|list| !list.is_empty()).map(|_| ())
        });
        Self { folder, running, gateway, console, _upstream: upstream }
    }

    /// What the browser does, and what it saw.
    fn browse(&self, part: &str) -> Value {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/browser/console.mjs");
        let output = Command::new("node")
            .arg(script)
            .arg(part)
            .args([packages("playwright-core"), packages("axe-core")])
            .args([
                "/usr/bin/chromium",
                &format!("http://{}", self.console),
                &format!("http://{}", self.gateway),
                PASSWORD,
            ])
            .args(std::env::var_os("PORTCULLIS_PICTURES"))
            .output()
            .expect("node runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("it prints JSON")
    }

    fn ends_well(mut self) {
        self.running.signal("TERM");
        assert_eq!(self.running.ended(), 0);
    }
}

#[test]
fn a_short_password_is_none() {
    assert_eq!(hash(&folder("console-password"), "short").0, Some(2));
}

#[test]
fn people_see_what_happens_and_act() {
    let stage = Stage::set("console");
    let seen = stage.browse("work");
    done(&seen["done"]);
    assert!(seen["plain"]["rows"].as_u64().expect("a number") >= 2, "{}", seen["plain"]);
    assert!(seen["plain"]["chart"].as_str().expect("a text").contains("requests served"), "{}", seen["plain"]);
    stage.ends_well();
}

#[test]
fn every_light_page_is_for_everybody() {
    for_everybody("light");
}

#[test]
fn every_dark_page_is_for_everybody() {
    for_everybody("dark");
}

/// Wide and narrow.
fn for_everybody(colours: &str) {
    let stage = Stage::set(&format!("console-{colours}"));
    let judged = stage.browse(colours);
    let judged = judged.as_array().expect("a list");
    assert_eq!(judged.len(), 2 * 16);
    for page in judged {
        let place = format!("{} ({}, {})", page["path"], page["colorScheme"], page["width"]);
        assert_eq!(page["violations"], json!([]), "{place}");
        assert_eq!(page["wider"], json!(false), "{place}");
    }
    stage.ends_well();
}

/// What somebody has done, and seen of it.
fn done(done: &Value) {
    let text = |name: &str| done[name].as_str().unwrap_or_else(|| panic!("`{name}` in {done}"));
    assert_eq!((text("asked"), text("wrong")), ("/login", "name and password do not belong together"));
    assert_eq!(done["cookie"], json!([{ "name": "portcullis", "httpOnly": true, "sameSite": "Strict" }]));
    for part in ["GET /closed", "refused", "403", "route_closed", "shop"] {
        assert!(text("live").contains(part), "`{part}` in {}", text("live"));
    }
    for part in ["GET /closed", "Stage identify", "Decided by console.yaml:", "You can"] {
        assert!(text("found").contains(part), "`{part}` in {}", text("found"));
    }
    assert_eq!((&done["opens"], &done["revoked"], &done["shownAgain"]), (&json!(200), &json!(401), &json!(false)));
    for part in ["acme", "good", "orders:read, orders:write"] {
        assert!(text("listed").contains(part), "`{part}` in {}", text("listed"));
    }
    assert!(text("finding").contains("not_found") && text("finding").contains("user:ada"), "{}", text("finding"));
    assert_eq!(done["log"], json!(["findings.acknowledge", "keys.revoke", "keys.create", "console.login"]));
    assert_eq!((text("skip"), text("out")), ("Skip to the content", "/login"));
    assert_eq!(done["said"], json!([]), "the pages' policy forbids nothing that they do");
}

#[test]
fn another_binary_takes_the_console_over() {
    let mut stage = Stage::set("console-upgrade");
    let page = || ask(stage.console, "/login");
    assert_eq!(page().status, 200);
    let binary = env!("CARGO_BIN_EXE_portcullis");
    let output = portcullis(&stage.folder, &["upgrade", binary, "--socket", "admin.sock"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(stage.running.ended(), 0, "the old one has gone");
    assert_eq!(page().status, 200, "and its place is taken");
    let overview = over_socket(&stage.folder, "/api/v1/overview");
    assert!(overview["connections"].is_u64(), "{overview}");
    let mut drain = portcullis(&stage.folder, &["drain", "--socket", "admin.sock"]);
    assert_eq!(drain.status().expect("it runs").code(), Some(0));
}
