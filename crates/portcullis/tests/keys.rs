//! Keys from the command line: made, replaced, found in a leak; tokens explained and revoked.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use portcullis_testkit::deadline::eventually;
use portcullis_types::Clock;
use serde_json::Value;

use crate::support::{DEADLINE, Running, folder, portcullis};

const CONFIG: &str = "version: 1
listeners: { local: { bind: '127.0.0.1:0' } }
status: { bind: '127.0.0.1:0' }
access_log: { to: off }
store: { path: ./data }
issuers: { corp: { issuer: 'https://idp.test', audiences: [orders], jwks: { file: corp.json } } }
apis:
  one:
    hosts: ['*']
    authn: { any_of: [{ api_key: {} }, { jwt: { issuers: [corp] } }] }
    upstream: { targets: ['http://127.0.0.1:9'] }
    routes: [{ path: /, methods: [GET] }]
";
const JWKS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

pub(crate) fn ask(folder: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["-c", "keys.yaml", "--format", "json"]).collect();
    let output = portcullis(folder, &arguments).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let value = serde_json::from_str(&text).unwrap_or_else(|why| {
        panic!("{arguments:?}: {why}: {text}{}", String::from_utf8_lossy(&output.stderr));
    });
    (output.status.code(), value)
}

pub(crate) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

fn prepare(name: &str) -> std::path::PathBuf {
    let folder = folder(name);
    fs::write(folder.join("keys.yaml"), CONFIG).expect("a configuration");
    fs::write(folder.join("corp.json"), JWKS).expect("a key set");
    folder
}

#[test]
fn a_key_lives_and_ends() {
    let folder = prepare("keys");
    let (code, made) =
        ask(&folder, &["keys", "create", "--consumer", "shop", "--scope", "read", "--expires-days", "9"]);
    assert_eq!(code, Some(0));
    let (key, id) = (text(&made, "key"), text(&made, "id"));
    assert!(key.starts_with("pk_") && key.contains(id), "{made}");
    let (_, replaced) = ask(&folder, &["keys", "rotate", id, "--overlap-hours", "0"]);
    let (_, listed) = ask(&folder, &["keys", "list"]);
    let states: Vec<(&str, &str)> =
        listed["keys"].as_array().expect("keys").iter().map(|key| (text(key, "id"), text(key, "state"))).collect();
    assert!(states.contains(&(id, "expired")) && states.contains(&(text(&replaced, "id"), "good")), "{states:?}");
    assert!(!listed.to_string().contains(key), "a key is shown once");
    fs::write(folder.join("leak.txt"), format!("x {} y {key}z", text(&replaced, "key"))).expect("a leak");
    let (_, leaked) = ask(&folder, &["keys", "leaked", "leak.txt"]);
    let revoked: Vec<&str> = leaked["revoked"].as_array().expect("keys").iter().map(|key| text(key, "id")).collect();
    assert!(revoked.contains(&text(&replaced, "id")), "{leaked}");
    let (_, again) = ask(&folder, &["keys", "leaked", "leak.txt"]);
    assert_eq!(again["revoked"].as_array().map(Vec::len), Some(0), "{again}");
    let stored = fs::read(folder.join("data/keys.redb")).expect("the store");
    assert!(!stored.windows(key.len()).any(|window| window == key.as_bytes()), "no key is stored as it is");
}

/// The answer to a key of a gateway whose server is not there: 502 for whoever was let in. From another address each time,
/// because whoever asks again and again with a bad key has to wait, and how often that is depends on the machine.
pub(crate) fn status_of(gateway: SocketAddr, path: &str, key: &str) -> String {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let from = Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 0).to_bits() | CALLS.fetch_add(1, Ordering::Relaxed));
    let mut stream = TcpStream::connect(gateway).expect("it listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {from}\r\nX-API-Key: {key}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer.get(9..12).expect("a status").to_owned()
}

/// Asks with a key until it gets `then`, and nothing but `now` before. The store is looked at ten times a second; a busy machine
/// has time to do so.
fn turns(gateway: SocketAddr, key: &str, (now, then): (&str, &str)) {
    let clock = Clock::system();
    eventually(&format!("{then} instead of {now}"), || match status_of(gateway, "/", key) {
        got if got == then => Some(()),
        got => {
            assert_eq!(got, now, "before {then}");
            None
        }
    });
    assert!(clock.millis() < 3_000, "{then} after {} ms", clock.millis());
}

#[test]
fn a_running_gateway_takes_over_what_commands_change() {
    let folder = prepare("keys-live");
    // Asked again and again; limits are not what this is about.
    let unlimited = CONFIG
        .replace("apis:", "defaults: { limits: { per_address: { mode: off } } }\napis:")
        .replace("127.0.0.1:0' } }\nstatus", "127.0.0.1:0', trusted_proxies: [127.0.0.1] } }\nstatus");
    fs::write(folder.join("keys.yaml"), unlimited).expect("a configuration");
    let mut running = Running::start(portcullis(&folder, &["run", "-c", "keys.yaml"]));
    let gateway = running.address("listening");
    running.line("ready");
    let made_up = "pk_0000000000000000_0000000000000000000000000000000000000000000_000000";
    assert_eq!(status_of(gateway, "/", made_up), "401");
    let (_, made) = ask(&folder, &["keys", "create", "--consumer", "shop"]);
    let (id, key) = (text(&made, "id").to_owned(), text(&made, "key").to_owned());
    turns(gateway, &key, ("401", "502"));
    let (code, _) = ask(&folder, &["keys", "revoke", &id]);
    assert_eq!(code, Some(0));
    turns(gateway, &key, ("502", "401"));
    (0..8).for_each(|_| assert_eq!(status_of(gateway, "/", &key), "401", "a revoked key opens nothing, and stays so"));
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
}

#[test]
fn a_token_is_explained() {
    let folder = prepare("keys-token");
    let (code, explained) = ask(&folder, &["jwt", "explain", "eyJhbGciOiJub25lIn0.e30.AA"]);
    assert_eq!((code, &explained["accepted"]), (Some(1), &Value::Bool(false)));
    let checks = explained["checks"].as_array().expect("checks");
    assert!(checks.iter().any(|check| check["outcome"] == "failed"), "{explained}");
    let output =
        portcullis(&folder, &["tokens", "revoke", "-c", "keys.yaml", "--issuer", "corp", "--jti", "t"]).output();
    assert_eq!(output.expect("it runs").status.code(), Some(0));
}
