//! Findings in SARIF 2.1.0 (OASIS), which code hosts and editors show beside the lines; the frame is for whoever has findings.

use crate::compare::Comparison;
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

/// A report as one run; what of it is new, if it was held against an earlier one.
#[must_use]
pub fn sarif(report: &Report, version: &str, comparison: Option<&Comparison>) -> Value {
    let rules = crate::rules().map(|one| {
        let properties = json!({ "tags": one.refs, "severity": one.severity.name(), "practice": one.practice.name() });
        let (id, title, why, help) = (one.id, one.title, one.why, one.fix);
        rule(&Entry { id, title, why, help, severity: one.severity }, properties)
    });
    let results = report.findings.iter().enumerate().map(|(at, finding)| {
        let mut result = self::finding(finding.rule, finding.severity, &finding.place, &finding.text);
        if let (Some(origin), Some(members)) = (&finding.origin, result.as_object_mut()) {
            let location =
                json!({ "artifactLocation": { "uri": reference(&origin.file) }, "region": { "startLine": origin.line } });
            members.insert("locations".to_owned(), json!([{ "physicalLocation": location }]));
        }
        if let (Some(reason), Some(members)) = (&finding.waived, result.as_object_mut()) {
            members.insert("suppressions".to_owned(), json!([{ "kind": "external", "justification": reason }]));
        }
        if let Some(comparison) = comparison {
            let state = if comparison.new.contains(&at) { "new" } else { "unchanged" };
            in_state(&mut result, state);
        }
        result
    });
    let gone = comparison.into_iter().flat_map(|comparison| &comparison.gone).filter(|(rule, ..)| is_known(rule));
    let gone = gone.map(|(rule, severity, place)| {
        let mut result = self::finding(rule, *severity, place, "it was here in the earlier report");
        in_state(&mut result, "absent");
        result
    });
    log(&Driver { version, whole: true }, rules.collect(), results.chain(gone).collect())
}

/// A result about a rule that nobody described would be no SARIF.
fn is_known(id: &str) -> bool {
    crate::rules().any(|rule| rule.id == id)
}

fn in_state(result: &mut Value, state: &str) {
    if let Some(members) = result.as_object_mut() {
        members.insert("baselineState".to_owned(), Value::from(state));
    }
}

/// The name of a file as a reference (RFC 3986 section 4.1).
fn reference(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let encoded = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    name.bytes().map(encoded).collect()
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
