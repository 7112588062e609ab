//! Findings in SARIF 2.1.0 (OASIS), which code hosts and editors show beside the lines.

use crate::report::Report;
use crate::rule::Severity;
use serde_json::{Value, json};

/// A report as one run.
#[must_use]
pub fn sarif(report: &Report, version: &str) -> Value {
    let rules = crate::rules().map(|rule| {
        json!({
            "id": rule.id,
            "shortDescription": { "text": rule.title },
            "fullDescription": { "text": rule.why },
            "help": { "text": rule.fix },
            "defaultConfiguration": { "level": level(rule.severity) },
            "properties": { "tags": rule.refs, "severity": rule.severity.name(), "practice": rule.practice.name() },
        })
    });
    let results = report.findings.iter().map(|finding| {
        let mut result = json!({
            "ruleId": finding.rule,
            "level": level(finding.severity),
            "message": { "text": format!("{}: {}", finding.place, finding.text) },
            "partialFingerprints": { "place/v1": format!("{}:{}", finding.rule, finding.place) },
        });
        if let (Some(origin), Some(members)) = (&finding.origin, result.as_object_mut()) {
            let location =
                json!({ "artifactLocation": { "uri": &*origin.file }, "region": { "startLine": origin.line } });
            members.insert("locations".to_owned(), json!([{ "physicalLocation": location }]));
        }
        if let (Some(reason), Some(members)) = (&finding.waived, result.as_object_mut()) {
            members.insert("suppressions".to_owned(), json!([{ "kind": "external", "justification": reason }]));
        }
        result
    });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "Portcullis", "version": version, "rules": rules.collect::<Vec<_>>() } },
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "note",
        Severity::Medium => "warning",
        Severity::High | Severity::Critical => "error",
    }
}
