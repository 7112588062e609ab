//! The console over a real gateway, question by question, without sockets of its own.

use crate::{Answer, Body, By, Console, Order, Reloaded, Via};
use http::Request;
use portcullis_auth::password::PasswordHash;
use portcullis_config::plan::{ConsolePlan, Role, UserPlan};
use portcullis_config::{Environment, load_text};
use portcullis_proxy::Gateway;
use portcullis_testkit::scratch::Scratch;
use portcullis_types::Clock;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

#[path = "../../portal/tests/markup.rs"]
#[allow(dead_code, reason = "the portal's own tests need more of it")]
mod markup;
mod matrix;
mod own;
mod sessions;
#[path = "../../portal/tests/texts.rs"]
mod texts;

pub(crate) const PASSWORD: &str = "correct horse battery";
const HOME: Via = Via::Listener(IpAddr::V4(Ipv4Addr::LOCALHOST), false);

const CONFIG: &str = r#"
version: 1
listeners: { local: { bind: "127.0.0.1:0" } }
access_log: { to: off }
store: { path: ./data }
admin: { bind: "127.0.0.1:9903", users: { ada: { role: admin, password: "HASH" }, oli: { role: operator, password: "HASH" }, vic: { role: viewer, password: "HASH" } } }
anomalies: { mode: observe }
alerts:
  webhook: { url: "http://127.0.0.1:9/x", secret: "s3cret-of-the-webhook-01" }
  email: { server: "smtp://127.0.0.1:9", from: a@b.test, to: [c@b.test], user: gate, password: "s3cret-of-the-mail" }
tracing: { endpoint: "http://127.0.0.1:9", headers: { x-tenant: "s3cret-of-the-collector" } }
signers: { partner: { hmac: { id: partner-1, secret: "s3cret-of-the-partner-0123456789" } } }
issuers:
  corp:
    issuer: "http://127.0.0.1:9"
    audiences: [orders]
    introspection: { uri: "http://127.0.0.1:9/x", client: { basic: { id: gate, secret: "s3cret-of-the-client" } } }
  shared:
    issuer: "https://shared.test"
    audiences: [orders]
    jwks: { secret: { algorithm: HS256, secret: "s3cret-that-signs-tokens-0123456789" } }
apis:
  orders:
    hosts: ["*"]
    upstream: { targets: ["http://127.0.0.1:9"] }
    authn: { any_of: [{ api_key: {} }, { jwt: { issuers: [shared] } }, { signature: { signers: [partner] } }] }
    limits: { few: { key: [consumer], rate: 5/s } }
    routes: [{ id: listOrders, path: /orders, methods: [GET] }]
  stock:
    hosts: [stock.test]
    upstream: { targets: ["http://127.0.0.1:9"] }
    authn: { any_of: [{ introspection: { issuer: corp } }] }
    routes: [{ id: listStock, path: /stock, methods: [GET] }]
"#;

/// What of it nobody is told.
const SECRETS: [&str; 6] = [
    "s3cret-of-the-webhook-01",
    "s3cret-of-the-mail",
    "s3cret-of-the-collector",
    "s3cret-of-the-partner-0123456789",
    "s3cret-of-the-client",
    "s3cret-that-signs-tokens-0123456789",
];

static HASH: LazyLock<String> = LazyLock::new(|| PasswordHash::make(PASSWORD, &[3; 16]).unwrap());

/// Ada may everything. Sessions are idle for two minutes and last for ten.
pub(crate) fn plan() -> ConsolePlan {
    let password = PasswordHash::read(&HASH).unwrap();
    let user = |name: &str, role| UserPlan { name: Arc::from(name), password: password.clone(), role };
    ConsolePlan {
        bind: "127.0.0.1:0".parse().unwrap(),
        tls: None,
        address: None,
        users: vec![user("ada", Role::Admin), user("oli", Role::Operator), user("vic", Role::Viewer)],
        idle: Duration::from_secs(120),
        lifetime: Duration::from_secs(600),
    }
}

/// A gateway with its console.
struct House {
    gateway: Option<Gateway>,
    console: Console,
    noted: Arc<Mutex<Vec<String>>>,
    _scratch: Scratch,
}

impl House {
    fn new() -> Self {
        let scratch = Scratch::new();
        let text = CONFIG.replace("HASH", &HASH);
        let folder = scratch.path().to_owned();
        let load = move |text: &str| load_text("test.yaml", text, &folder, &Environment::process());
        let loaded = load(&text).unwrap_or_else(|failure| panic!("{}", failure.render(false)));
        let gateway =
            Gateway::start(loaded.plan.clone(), Clock::system(), "http://127.0.0.1/problems/".to_owned()).unwrap();
        let noted: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&noted);
        let orders = move |order: Order| {
            match order {
                Order::Reload { by, answer } => {
                    heard.lock().unwrap().push(format!("{by} reload"));
                    drop(answer.send(Reloaded {
                        done: true,
                        text: String::new(),
                        details: json!({ "config_hash": "x" }),
                    }));
                }
                Order::Drain { .. } | Order::Upgrade { .. } => {}
                Order::Note { by, what, details, written } => {
                    heard.lock().unwrap().push(format!("{by} {what} {details}"));
                    if let Some(told) = written {
                        let _heard = told.send(true);
                    }
                }
                Order::Look { answer } => {
                    let fresh = load(&text.replace("5/s", "7/s").replace("s3cret", "0thers")).unwrap();
                    drop(answer.send(Ok(Box::new(fresh))));
                }
                Order::Recall { answer, .. } => drop(answer.send(Some(vec![json!({ "kind": "gateway.start" })]))),
            }
            true
        };
        let console =
            Console::new(gateway.handle(), Arc::new(orders), &plan(), Arc::new(loaded), Clock::system()).unwrap();
        Self { gateway: Some(gateway), console, noted, _scratch: scratch }
    }

    /// What is answered: status, fields and body.
    fn send(&self, from: Via, request: &str, body: &str) -> (u16, http::HeaderMap, String) {
        taken(self.console.answer(from, &question(request, body)))
    }

    /// A program's question with the token of a session.
    fn ask(&self, token: &str, line: &str, body: &str) -> (u16, Value) {
        let (status, _, text) = self.send(HOME, &format!("{line}\r\nauthorization: Bearer {token}"), body);
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    fn token(&self, name: &str) -> String {
        let body = json!({ "name": name, "password": PASSWORD }).to_string();
        let (status, _, text) = self.send(HOME, "POST /api/v1/session", &body);
        assert_eq!(status, 201, "{text}");
        serde_json::from_str::<Value>(&text).unwrap()["token"].as_str().unwrap().to_owned()
    }

    fn noted(&self) -> Vec<String> {
        self.noted.lock().unwrap().clone()
    }
}

/// A question to `console.test`: its line and its fields.
fn question(request: &str, body: &str) -> Request<Vec<u8>> {
    let mut lines = request.split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let mut built =
        Request::builder().method(first.next().unwrap()).uri(first.next().unwrap()).header("host", "console.test");
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        built = built.header(name, value);
    }
    built.body(body.as_bytes().to_vec()).unwrap()
}

/// Status, fields and body of an answer.
fn taken(answer: Answer) -> (u16, http::HeaderMap, String) {
    let (head, body) = answer.into_parts();
    let text = match body {
        Body::Whole(bytes) => String::from_utf8(bytes).unwrap(),
        Body::Stream(mut stream) => stream.next_piece().unwrap_or_default(),
    };
    (head.status.as_u16(), head.headers, text)
}

impl Drop for House {
    fn drop(&mut self) {
        self.gateway.take().unwrap().drain(Duration::ZERO);
    }
}

#[test]
fn actors_are_named() {
    assert_eq!(By::Uid(7).to_string(), "uid:7");
    assert_eq!(By::User(Arc::from("ada")).to_string(), "user:ada");
    assert_eq!(By::Account(Arc::from("acme")).to_string(), "account:acme");
}
