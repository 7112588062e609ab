//! Evidence: what is in it, and that no change of it goes unnoticed.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{folder, portcullis};

fn ask(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = portcullis(folder, arguments).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn evidence_is_as_it_was_signed_or_not_evidence() {
    let folder = folder("evidence");
    let (code, signer, complaint) = ask(&folder, &["evidence", "key", "evidence.key"]);
    assert_eq!(code, Some(0), "{complaint}");
    let signer = signer.trim();
    let (code, _, complaint) = ask(&folder, &["evidence", "key", "evidence.key"]);
    assert!(code == Some(2) && complaint.contains("evidence.key: "), "a key is not written over: {complaint}");
    fs::write(folder.join("pentest.json"), r#"{ "target": "http://127.0.0.1", "findings": [] }"#).expect("a report");
    let make = ["evidence", "make", "-c", "access.yaml", "--key", "evidence.key", "--tests", "access-tests.yaml"];
    let make = |more: &[&str]| ask(&folder, &[&make[..], more].concat());
    let (code, text, complaint) = make(&["--pentest", "pentest.json", "-o", "one.evidence"]);
    assert!(code == Some(0) && text.contains("one.evidence is written"), "{text}{complaint}");
    let (code, _, complaint) = make(&["-o", "one.evidence"]);
    assert!(code == Some(2) && complaint.contains("one.evidence: "), "{complaint}");
    let (code, _, complaint) = make(&["--pentest", "access-tests.yaml", "-o", "two.evidence"]);
    assert!(code == Some(2) && complaint.contains("access-tests.yaml: "), "{complaint}");
    let verify =
        |signer: &str| ask(&folder, &["evidence", "verify", "one.evidence", "--signer", signer, "--format", "json"]);
    let (code, text, complaint) = verify(signer);
    assert_eq!(code, Some(0), "{complaint}");
    let summary: Value = serde_json::from_str(&text).expect("JSON");
    let parts: Vec<&str> = summary["parts"].as_array().expect("parts").iter().filter_map(Value::as_str).collect();
    assert_eq!(parts, ["made_at", "by", "configuration", "policies", "audit", "pentest", "access_tests", "sbom"]);
    let sealed = fs::read_to_string(folder.join("one.evidence")).expect("evidence");
    let inside: Value = serde_json::from_str(sealed.split_once("\n\n").expect("a text").1).expect("JSON");
    assert!(inside["policies"][0]["settings"].as_array().is_some_and(|settings| !settings.is_empty()), "{inside:#}");
    assert!(inside["access_tests"]["tests"].as_array().is_some_and(|tests| !tests.is_empty()), "{inside:#}");
    assert_eq!(inside["sbom"]["bomFormat"], "CycloneDX");
    assert_eq!(inside["configuration"]["hash"], summary["config_hash"]);
    // Everywhere, and by whoever else signs it.
    for at in (0..sealed.len()).step_by(sealed.len() / 200) {
        let mut changed = sealed.clone().into_bytes();
        changed[at] = if changed[at] == b'7' { b'8' } else { b'7' };
        fs::write(folder.join("one.evidence"), &changed).expect("it can be written");
        let (code, _, complaint) = verify(signer);
        assert!(code == Some(1) && complaint.contains("is not as it was signed"), "byte {at}: {complaint}");
    }
    fs::remove_file(folder.join("one.evidence")).expect("it was there");
    ask(&folder, &["evidence", "key", "other.key"]);
    let (code, ..) =
        ask(&folder, &["evidence", "make", "-c", "access.yaml", "--key", "other.key", "-o", "one.evidence"]);
    assert_eq!(code, Some(0));
    let (code, _, complaint) = verify(signer);
    assert!(code == Some(1) && complaint.contains("0 of the keys that are trusted"), "{complaint}");
}
