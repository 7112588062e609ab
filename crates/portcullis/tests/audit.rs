//! An audit from the command line: findings, exit codes, waivers, certificates and keys that are looked at.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{folder, portcullis};

const CONFIG: &str = "version: 1
listeners: { public: { bind: '127.0.0.1:8443', tls: { certificates: [{ cert_file: tls.crt, key_file: tls.key }] } } }
access_log: { to: stdout }
store: { path: ./data }
apis:
  one:
    hosts: [api.test]
    authn: { any_of: [{ api_key: {} }] }
    upstream: { targets: ['https://10.0.0.1'] }
    routes: [{ path: /, methods: [POST], authn: public }, { path: /mine, methods: [GET] }]
";

fn ask(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = portcullis(folder, arguments).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    (output.status.code(), text + &String::from_utf8_lossy(&output.stderr))
}

#[test]
fn what_is_weak_is_told_with_its_line() {
    let folder = folder("audit");
    // The certificate is made by the demo's own means: a first start of a gateway with one of its own.
    let made = CONFIG.replace(
        "certificates: [{ cert_file: tls.crt, key_file: tls.key }]",
        "self_signed: { names: [other.test], directory: . }",
    );
    fs::write(folder.join("portcullis.yaml"), made.replace("8443", "0")).expect("a configuration");
    let mut running = crate::support::Running::start(portcullis(&folder, &["run"]));
    running.line("ready");
    running.signal("TERM");
    assert_eq!(running.ended(), 0);
    for (made, name) in [("server-key.pem", "tls.key"), ("server.pem", "tls.crt")] {
        fs::copy(folder.join(made), folder.join(name)).expect("a copy");
    }
    fs::write(folder.join("portcullis.yaml"), CONFIG).expect("a configuration");
    assert_eq!(ask(&folder, &["keys", "create", "--consumer", "shop"]).0, Some(0));
    let (code, text) = ask(&folder, &["audit", "--format", "json"]);
    assert_eq!(code, Some(1), "{text}");
    let value: Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
    let findings = value["findings"].as_array().expect("findings").iter();
    let found: Vec<&str> = findings.map(|finding| finding["rule"].as_str().expect("a rule")).collect();
    // The public POST, the certificate of another name, the key without an end.
    for rule in ["PC0101", "PC0356", "PC0151", "PC0601"] {
        assert!(found.contains(&rule), "{rule} in {found:?}");
    }
    let (_, text) = ask(&folder, &["audit"]);
    assert!(
        text.contains("high PC0101") && text.contains("one/POST /") && text.contains("portcullis.yaml:10"),
        "{text}"
    );
    assert_eq!(ask(&folder, &["audit", "--fail-on", "critical"]).0, Some(0));
    let (_, text) = ask(&folder, &["audit", "--format", "sarif"]);
    let sarif: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(sarif["version"], "2.1.0");
    fs::write(
        folder.join("w.json"),
        r#"[{ "rule": "PC0101", "reason": "it is a guest book", "until": "2099-01-01" }]"#,
    )
    .expect("it");
    let (code, text) = ask(&folder, &["audit", "--waivers", "w.json"]);
    assert!(text.contains("waived: it is a guest book"), "{text}");
    assert_eq!(code, Some(0), "{text}");
    fs::write(folder.join("w.json"), r#"[{ "rule": "PC0101", "until": "2099-01-01" }]"#).expect("it");
    let (code, text) = ask(&folder, &["audit", "--waivers", "w.json"]);
    assert!(code == Some(2) && text.contains("w.json: entry 1: `reason` is missing"), "{text}");
}

#[test]
fn only_what_is_new_fails_a_comparison() {
    let folder = folder("audit-compare");
    let plain = "version: 1\nlisteners: { public: { bind: '127.0.0.1:8080' } }\naccess_log: { to: stdout }\napis:\n  one:\n    hosts: [api.test]\n    \
                 authn: public\n    upstream: { targets: ['https://10.0.0.1'] }\n    routes: [{ path: /, methods: [POST] }]\n";
    fs::write(folder.join("portcullis.yaml"), plain).expect("a configuration");
    let (code, earlier) = ask(&folder, &["audit", "--format", "json"]);
    assert_eq!(code, Some(1), "{earlier}");
    fs::write(folder.join("earlier.json"), &earlier).expect("a report");
    let (code, text) = ask(&folder, &["audit", "--compare", "earlier.json"]);
    assert!(code == Some(0) && text.contains("0 new, 0 gone"), "{text}");
    fs::write(folder.join("portcullis.yaml"), plain.replace("to: stdout", "to: off")).expect("a configuration");
    let (code, text) = ask(&folder, &["audit", "--compare", "earlier.json"]);
    assert!(code == Some(1) && text.contains("new   PC0901 access_log") && text.contains("1 new, 0 gone"), "{text}");
    let (_, text) = ask(&folder, &["audit", "--compare", "earlier.json", "--format", "json"]);
    let value: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value["compared"]["new"][0]["rule"], "PC0901");
    fs::write(folder.join("portcullis.yaml"), plain.replace("[POST]", "[GET]")).expect("a configuration");
    let (code, text) = ask(&folder, &["audit", "--compare", "earlier.json"]);
    assert!(code == Some(0) && text.contains("gone  PC0101 one/POST /"), "{text}");
    fs::write(folder.join("earlier.json"), "{}").expect("a report");
    let (code, text) = ask(&folder, &["audit", "--compare", "earlier.json"]);
    assert!(code == Some(2) && text.contains("earlier.json: it is not what"), "{text}");
}

#[test]
fn files_that_others_may_read_or_change_are_found() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder("audit-files");
    let text = "version: 1\nlisteners: { public: { bind: '127.0.0.1:8080' } }\nmask_key: { file: mask.key }\napis:\n  one:\n    hosts: [api.test]\n    \
                authn: public\n    upstream: { targets: ['https://10.0.0.1'] }\n    routes: [{ path: /, methods: [GET], mask: [{ fields: ['$.a'], show: tokenise }] }]\n";
    fs::write(folder.join("portcullis.yaml"), text).expect("a configuration");
    fs::write(folder.join("mask.key"), "0123456789abcdef0123456789abcdef").expect("a key");
    let found = |modes: [u32; 2]| {
        for (name, mode) in [("mask.key", modes[0]), ("portcullis.yaml", modes[1])] {
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).expect("a mode");
        }
        let (_, text) = ask(&folder, &["audit", "--format", "json"]);
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
        let findings = value["findings"].as_array().expect("findings").clone();
        ["PC0357", "PC0952"].map(|rule| findings.iter().any(|one| one["rule"] == rule))
    };
    assert_eq!(found([0o644, 0o644]), [true, false]);
    assert_eq!(found([0o600, 0o664]), [false, true]);
    assert_eq!(found([0o600, 0o644]), [false, false]);
}

#[test]
fn rules_are_listed() {
    let folder = folder("audit-list");
    let (code, text) = ask(&folder, &["audit", "--list"]);
    assert!(code == Some(0) && text.contains("PC0301 a listener speaks plain HTTP to other machines"), "{text}");
    let (_, text) = ask(&folder, &["audit", "--list", "--format", "json"]);
    let listed: Value = serde_json::from_str(&text).expect("JSON");
    assert!(listed["rules"].as_array().expect("rules").len() >= 80);
}

#[test]
fn a_first_configuration_has_no_weakness() {
    let folder = folder("audit-init");
    let init = ["init", "--openapi", "contract.yaml", "--upstream", "http://127.0.0.1:9000", "-o", "first.yaml"];
    let output = portcullis(&folder, &init).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let output = portcullis(&folder, &["audit", "-c", "first.yaml", "--format", "json"]).output().expect("it runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((output.status.code(), &report["score"]), (Some(0), &100.into()), "{report:#}");
    assert_eq!(report["findings"], Value::from(Vec::<Value>::new()), "{report:#}");
}
