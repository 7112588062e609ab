//! `audit`: what of a configuration, and of what belongs to it, is weak.

mod look;
mod told;

use crate::arguments::{AuditFormat, AuditQuestion, Least};
use crate::ending::{Ending, Stop};
use crate::output::{bold, say};
use crate::service::{bounded, read};
use portcullis_audit::{
    Comparison, Facts, Report, Rule, Severity, Waiver, audit as judge, compare, html, rules, sarif, waivers,
};
use portcullis_config::Loaded;
use serde_json::{Value, json};
use std::path::Path;

/// LIMIT: bytes of a file of waivers.
const WAIVER_BYTES_MAX: u64 = 1024 * 1024;
/// LIMIT: bytes of an earlier report.
const REPORT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Does what was asked for.
pub(super) fn audit(question: &AuditQuestion) -> Result<Ending, Stop> {
    if question.list {
        return list(question.format);
    }
    let loaded = read(&question.config.path)?;
    let report = report(&loaded, question.waivers.as_deref(), question.db.as_deref())?;
    let comparison = question.compare.as_deref().map(|path| compared(&report, path)).transpose()?;
    let comparison = comparison.as_ref();
    say(&match question.format {
        AuditFormat::Text => told::text(&report, comparison),
        AuditFormat::Json => format!("{:#}", json(&report, comparison)),
        AuditFormat::Sarif => format!("{:#}", sarif(&report, env!("CARGO_PKG_VERSION"), comparison)),
        AuditFormat::Html => html(&report, comparison),
    })?;
    let least = severity(question.fail_on);
    let fails = comparison.map_or_else(|| report.has(least), |comparison| comparison.has(&report, least));
    Ok(if fails { Ending::No } else { Ending::Done })
}

/// What of a configuration is weak, but for what is let be.
pub(super) fn report(loaded: &Loaded, waivers: Option<&Path>, database: Option<&Path>) -> Result<Report, Stop> {
    let waivers = waived(waivers)?;
    let known = database.map(super::supply::known).transpose()?;
    Ok(judge(&loaded.plan, &Facts { known, ..look::facts(loaded)? }, &waivers))
}

/// A report as JSON, and beside it what has changed.
fn json(report: &Report, comparison: Option<&Comparison>) -> Value {
    let mut value = report.to_json();
    if let (Some(comparison), Some(members)) = (comparison, value.as_object_mut()) {
        members.insert("compared".to_owned(), comparison.to_json(report));
    }
    value
}

fn compared(report: &Report, path: &Path) -> Result<Comparison, Stop> {
    let text = bounded_text(path, REPORT_BYTES_MAX)?;
    compare(report, &text).map_err(|error| Stop::environment(format!("{}: {error}", path.display())))
}

fn bounded_text(path: &Path, bytes_max: u64) -> Result<String, Stop> {
    let cannot = |why: &dyn std::fmt::Display| Stop::environment(format!("{}: {why}", path.display()));
    let bytes = bounded(path, bytes_max).map_err(|error| cannot(&error))?;
    String::from_utf8(bytes).map_err(|_| cannot(&"it is not text"))
}

const fn severity(least: Least) -> Severity {
    match least {
        Least::Low => Severity::Low,
        Least::Medium => Severity::Medium,
        Least::High => Severity::High,
        Least::Critical => Severity::Critical,
    }
}

fn waived(path: Option<&Path>) -> Result<Vec<Waiver>, Stop> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let text = bounded_text(path, WAIVER_BYTES_MAX)?;
    waivers(&text).map_err(|error| Stop::environment(format!("{}: {error}", path.display())))
}

fn list(format: AuditFormat) -> Result<Ending, Stop> {
    let text = || {
        let mut text = String::new();
        for Rule { id, practice, severity, title, why, fix, refs, .. } in rules() {
            text.push_str(&format!("{} {title}\n", bold(id)));
            text.push_str(&format!(
                "  {}, {}, {}\n  {why}\n  {fix}\n",
                severity.name(),
                practice.name(),
                refs.join(", ")
            ));
        }
        text
    };
    let json = || {
        let all = rules().map(|rule| {
            json!({
                "id": rule.id, "practice": rule.practice.name(), "severity": rule.severity.name(), "title": rule.title,
                "why": rule.why, "fix": rule.fix, "refs": rule.refs,
                "fails": some(rule.examples.0), "passes": some(rule.examples.1),
            })
        });
        json!({ "rules": all.collect::<Vec<_>>() })
    };
    match format {
        AuditFormat::Text => say(&text())?,
        AuditFormat::Json | AuditFormat::Sarif | AuditFormat::Html => say(&format!("{:#}", json()))?,
    }
    Ok(Ending::Done)
}

fn some(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { Value::from(text) }
}
