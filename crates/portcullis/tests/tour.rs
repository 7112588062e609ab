//! The tour is what the README promises: it has to hold on any machine.

use crate::support::{folder, portcullis};
use std::collections::BTreeMap;

/// Rows that each practice has at least.
const ROWS: [(&str, usize); 13] = [
    ("access control", 18),
    ("authentication", 7),
    ("JWT validation", 12),
    ("HTTPS", 2),
    ("input validation", 11),
    ("rate limiting", 8),
    ("gateway", 4),
    ("versioning", 2),
    ("error handling", 4),
    ("security headers", 4),
    ("logging", 3),
    ("updates", 3),
    ("audits", 3),
];

#[test]
fn every_row_is_as_expected() {
    let folder = folder("tour");
    let output = portcullis(&folder, &["demo", "--tour", "--format", "json"]).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let errors = String::from_utf8(output.stderr).expect("text");
    let report: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}{errors}"));
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in report["rows"].as_array().expect("rows") {
        assert_eq!(row["ok"], true, "{row:#}");
        assert_eq!(row["got"], row["expected"], "{row:#}");
        *counts.entry(row["practice"].as_str().expect("a practice")).or_default() += 1;
    }
    for (practice, least) in ROWS {
        assert!(counts.get(practice).is_some_and(|count| *count >= least), "{practice}: {counts:?}");
    }
    assert_eq!(output.status.code(), Some(0));
    // A task that panicked is told there and nowhere else.
    assert_eq!(errors, "");
}

#[test]
fn it_leaves_what_it_says_and_nothing_else() {
    let folder = folder("tour-folder");
    let output = portcullis(&folder, &["demo", "--tour", "--data-dir", "here"]).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("rows as expected") && text.contains("here/tour"), "{text}");
    for name in ["portcullis.yaml", "access.log", "tls/ca.pem"] {
        assert!(folder.join("here/tour").join(name).exists(), "{name}");
    }
    assert!(!folder.join("portcullis-demo").exists());
    let log = std::fs::read_to_string(folder.join("here/tour/access.log")).expect("the access log");
    assert!(!log.contains("s3cret"), "a query value is in the log");
    // What the demo shows is what its readers copy.
    let arguments = ["audit", "-c", "here/tour/portcullis.yaml", "--format", "json"];
    let output = portcullis(&folder, &arguments).output().expect("it runs");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((output.status.code(), &report["score"]), (Some(0), &100.into()), "{report:#}");
    assert_eq!(report["findings"], serde_json::json!([]), "{report:#}");
    assert!(report["practices"].as_array().is_some_and(|all| all.len() >= 10), "{report:#}");
}
