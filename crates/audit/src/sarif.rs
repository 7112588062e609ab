//! Findings in SARIF 2.1.0 (OASIS), which code hosts and editors show beside the lines; the frame is for whoever has findings.

use crate::report::Report;
use crate::rule::Severity;
use serde_json::{Value, json};

/// What is said of a rule.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'e> {
    /// Its number.
    pub id: &'e str,
    /// What is wrong where it is broken.
    pub title: &'e str,
    /// Why that matters.
    pub why: &'e str,
    /// What to do.
    pub help: &'e str,
    /// How bad it is.
    pub severity: Severity,
}

/// Who looked.
#[derive(Clone, Copy, Debug)]
pub struct Driver<'d> {
    /// The version of the program.
    pub version: &'d str,
    /// Whether all was looked at that was meant to be.
    pub whole: bool,
}

/// A report as one run.
#[must_use]
pub fn sarif(report: &Report, version: &str) -> Value {
    let rules = crate::rules().map(|one| {
        let properties = json!({ "tags": one.refs, "severity": one.severity.name(), "practice": one.practice.name() });
        let (id, title, why, help) = (one.id, one.title, one.why, one.fix);
        rule(&Entry { id, title, why, help, severity: one.severity }, properties)
    });
    let results = report.findings.iter().map(|finding| {
        let mut result = self::finding(finding.rule, finding.severity, &finding.place, &finding.text);
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
    log(&Driver { version, whole: true }, rules.collect(), results.collect())
}

/// One rule, with what else is to be said about it.
#[must_use]
pub fn rule(entry: &Entry<'_>, properties: Value) -> Value {
    json!({
        "id": entry.id,
        "shortDescription": { "text": entry.title },
        "fullDescription": { "text": entry.why },
        "help": { "text": entry.help },
        "defaultConfiguration": { "level": level(entry.severity) },
        "properties": properties,
    })
}

/// One finding, which is the same one wherever rule and place are the same.
#[must_use]
pub fn finding(rule: &str, severity: Severity, place: &str, text: &str) -> Value {
    json!({
        "ruleId": rule,
        "level": level(severity),
        "message": { "text": format!("{place}: {text}") },
        "partialFingerprints": { "place/v1": format!("{rule}:{place}") },
    })
}

/// The whole file.
#[must_use]
pub fn log(driver: &Driver<'_>, rules: Vec<Value>, results: Vec<Value>) -> Value {
    let mut run = json!({
        "tool": { "driver": { "name": "Portcullis", "version": driver.version, "rules": rules } },
        "results": results,
    });
    if let (false, Some(members)) = (driver.whole, run.as_object_mut()) {
        members.insert("invocations".to_owned(), json!([{ "executionSuccessful": false }]));
    }
    json!({ "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run] })
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "note",
        Severity::Medium => "warning",
        Severity::High | Severity::Critical => "error",
    }
}
