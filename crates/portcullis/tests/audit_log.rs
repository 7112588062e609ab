//! What commands and a running gateway do is written down, and a log that was touched says where.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Running, folder, portcullis};

const CONFIG: &str = "version: 1
listeners: { local: { bind: '127.0.0.1:0' } }
status: { bind: '127.0.0.1:0' }
access_log: { to: off }
admin: { socket: ./admin.sock }
store: { path: ./data }
apis:
  one:
    hosts: ['*']
    authn: { any_of: [{ api_key: {} }] }
    upstream: { targets: ['http://127.0.0.1:9'] }
    routes: [{ path: /, methods: [GET] }]
";

fn prepare(name: &str) -> PathBuf {
    let folder = folder(name);
    fs::write(folder.join("portcullis.yaml"), CONFIG).expect("a configuration");
    folder
}

/// Exit code and standard output.
fn ask(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = portcullis(folder, arguments).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    (output.status.code(), text)
}

fn json(folder: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--format", "json"]).collect();
    let (code, text) = ask(folder, &arguments);
    (code, serde_json::from_str(&text).unwrap_or_else(|why| panic!("{arguments:?}: {why}: {text}")))
}

#[test]
fn what_is_done_is_written_down_and_nothing_secret_of_it() {
    let folder = prepare("audit-log");
    let mut running = Running::start(portcullis(&folder, &["run"]));
    running.line("ready");
    let (_, made) = json(&folder, &["keys", "create", "--consumer", "shop"]);
    let (id, key) = (made["id"].as_str().expect("an id"), made["key"].as_str().expect("a key"));
    assert_eq!(ask(&folder, &["reload"]).0, Some(0));
    fs::write(folder.join("broken.yaml"), CONFIG.replace("hosts", "hots")).expect("a configuration");
    fs::rename(folder.join("broken.yaml"), folder.join("portcullis.yaml")).expect("the file can be replaced");
    assert_eq!(ask(&folder, &["reload", "--socket", "admin.sock"]).0, Some(1));
    fs::write(folder.join("portcullis.yaml"), CONFIG).expect("a configuration");
    ask(&folder, &["keys", "revoke", id]);
    ask(&folder, &["limits", "reset", "defaults.limits.per_address", "192.0.2.7"]);
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
    let (_, shown) = json(&folder, &["audit-log", "show"]);
    let entries = shown["entries"].as_array().expect("entries").iter();
    let found: Vec<String> = entries.map(|entry| entry["kind"].as_str().expect("a kind").to_owned()).collect();
    // The file is looked at as well, so that there may be more reloads than were asked for.
    for kind in ["gateway.start", "keys.create", "config.reload", "config.refused", "keys.revoke", "limits.reset"] {
        assert!(found.iter().any(|other| other == kind), "{kind} in {found:?}");
    }
    assert!(found.ends_with(&["gateway.drain".to_owned(), "gateway.stop".to_owned()]), "{found:?}");
    let (code, exported) = ask(&folder, &["audit-log", "export", "--data-dir", "data"]);
    assert_eq!(code, Some(0));
    assert!(exported.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{exported}");
    assert!(exported.contains(id) && !exported.contains(key), "{exported}");
    let secret = key.split('_').nth(2).expect("a secret");
    for entry in fs::read_dir(folder.join("data/audit-log")).expect("a log") {
        let bytes = fs::read(entry.expect("a file").path()).expect("bytes");
        assert!(!String::from_utf8_lossy(&bytes).contains(secret));
    }
}

#[test]
fn a_log_that_was_touched_says_where() {
    let folder = prepare("audit-log-touched");
    for consumer in ["shop", "bank", "mill"] {
        ask(&folder, &["keys", "create", "--consumer", consumer]);
    }
    let (code, found) = json(&folder, &["audit-log", "verify"]);
    assert_eq!((code, &found["clean"], &found["seals"]), (Some(0), &Value::Bool(true), &Value::from(3)));
    let anchor = found["anchor"].as_str().expect("an anchor").to_owned();
    let path = folder.join("data/audit-log/00000000000000000001.log");
    let whole = fs::read_to_string(&path).expect("a segment");
    fs::write(&path, whole.replace("\"consumer\":\"bank\"", "\"consumer\":\"bunk\"")).expect("it can be written");
    let (code, found) = json(&folder, &["audit-log", "verify", "--data-dir", "data"]);
    assert_eq!((code, &found["clean"]), (Some(1), &Value::Bool(false)));
    let damage = &found["damages"][0];
    let offset = whole.lines().take(3).map(|line| line.len() + 1).sum::<usize>();
    assert_eq!((&damage["after"], &damage["kind"]), (&Value::from(3), &Value::from("changed")), "{found}");
    assert_eq!(damage["offset"], Value::from(offset), "{found}");
    assert_eq!(ask(&folder, &["audit-log", "show"]).0, Some(1), "what is shown is not all there was");
    fs::write(&path, &whole).expect("it can be written");
    assert_eq!(ask(&folder, &["audit-log", "verify", "--anchor", &anchor]).0, Some(0));
    let other = format!("{}1", &anchor[..anchor.len() - 1]);
    let other = if other == anchor { format!("{}2", &anchor[..anchor.len() - 1]) } else { other };
    assert_eq!(ask(&folder, &["audit-log", "verify", "--anchor", &other]).0, Some(1));
    assert_eq!(ask(&folder, &["audit-log", "verify", "--key", &"0".repeat(64)]).0, Some(1), "sealed by another key");
    assert_eq!(ask(&folder, &["audit-log", "verify", "--data-dir", "elsewhere"]).0, Some(2));
}
