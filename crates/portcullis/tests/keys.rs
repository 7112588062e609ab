//! Keys from the command line: made, replaced, found in a leak; tokens explained and revoked.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{folder, portcullis};

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

fn ask(folder: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["-c", "keys.yaml", "--format", "json"]).collect();
    let output = portcullis(folder, &arguments).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let value = serde_json::from_str(&text).unwrap_or_else(|why| {
        panic!("{arguments:?}: {why}: {text}{}", String::from_utf8_lossy(&output.stderr));
    });
    (output.status.code(), value)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
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
