//! Reports as others read them: pages before a real browser and a judge of whether everybody can use them, SARIF before the standard.

use crate::support::{folder, portcullis};
use portcullis_testkit::{FakeUpstream, sarif};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const CONFIG: &str = "version: 1
listeners: { public: { bind: '127.0.0.1:8080' } }
access_log: { to: { file: access.log } }
apis:
  one:
    hosts: ['*']
    authn: public
    upstream: { targets: ['https://10.0.0.1'] }
    routes: [{ path: /, methods: [POST, GET] }, { path: '/{id}', methods: [GET] }]
";

const CONTRACT: &str = r#"{
    "openapi": "3.1.0", "info": { "title": "One", "version": "1" },
    "paths": { "/things/{id}": { "get": {
        "operationId": "readThing",
        "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
        "responses": { "200": { "description": "one" } } } } }
}"#;

/// What a command prints, whatever it comes to.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = portcullis(folder, arguments).output().expect("it runs");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn upstream() -> FakeUpstream {
    let body = r#"{"id":1,"error":"SELECT * FROM things WHERE id = '1'"}"#;
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    FakeUpstream::answering(head)
}

/// A configuration and a contract in a folder, a file name with what a reference has to encode; an audit before the configuration changed.
fn house(name: &str) -> std::path::PathBuf {
    let folder = folder(name);
    fs::write(folder.join("a configuration.yaml"), CONFIG).expect("a configuration");
    fs::write(folder.join("contract.json"), CONTRACT).expect("a contract");
    let earlier = printed(&folder, &["audit", "-c", "a configuration.yaml", "--format", "json"]);
    fs::write(folder.join("earlier.json"), earlier).expect("a report");
    let changed =
        CONFIG.replace("[POST, GET]", "[GET]").replace("authn: public", "authn: public\n    waf: { mode: off }");
    fs::write(folder.join("a configuration.yaml"), changed).expect("a configuration");
    fs::write(
        folder.join("waivers.json"),
        r#"[{ "rule": "PC1001", "reason": "a <b>lab</b>", "until": "2099-01-01" }]"#,
    )
    .expect("waivers");
    folder
}

const AUDIT: [&str; 7] =
    ["audit", "-c", "a configuration.yaml", "--waivers", "waivers.json", "--compare", "earlier.json"];

fn audit(folder: &Path, format: &str) -> String {
    printed(folder, &[&AUDIT[..], &["--format", format]].concat())
}

fn pentest(folder: &Path, format: &str, upstream: &FakeUpstream) -> String {
    let target = format!("http://{}", upstream.address());
    printed(
        folder,
        &[
            "pentest",
            &target,
            "--contract",
            "contract.json",
            "--light",
            "--rate",
            "1000",
            "--requests",
            "400",
            "--format",
            format,
        ],
    )
}

#[test]
fn sarif_is_what_the_standard_says() {
    let (folder, upstream) = (house("reports-sarif"), upstream());
    let written = audit(&folder, "sarif");
    let value: Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(sarif::faults(&value), Vec::<String>::new());
    let results = value["runs"][0]["results"].as_array().expect("results");
    for state in ["new", "unchanged", "absent"] {
        assert!(results.iter().any(|result| result["baselineState"] == state), "{state}: {results:#?}");
    }
    assert!(results.iter().any(|result| result["suppressions"][0]["kind"] == "external"), "{results:#?}");
    assert!(written.contains("a%20configuration.yaml"), "{written}");
    let written = pentest(&folder, "sarif", &upstream);
    let value: Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(sarif::faults(&value), Vec::<String>::new());
    assert!(!value["runs"][0]["results"].as_array().expect("results").is_empty());
}

#[test]
fn everybody_can_read_the_pages() {
    let (folder, upstream) = (house("reports-pages"), upstream());
    let (audit, pentest) = (audit(&folder, "html"), pentest(&folder, "html", &upstream));
    assert!(audit.contains("PC0407") && audit.contains("<h3>New: ") && audit.contains("&lt;b&gt;lab"), "{audit}");
    assert!(pentest.contains("<article>"), "{pentest}");
    fs::write(folder.join("audit.html"), audit).expect("a page");
    fs::write(folder.join("pentest.html"), pentest).expect("a page");
    let seen = crate::browser::look(&format!("file://{}", folder.display()), &json!(["/audit.html", "/pentest.html"]));
    assert_eq!(seen["seen"][0]["title"], "Audit of a configuration · Portcullis");
}
