//! `audit`: what of a configuration, and of what belongs to it, is weak.

mod look;

use crate::arguments::{AuditFormat, AuditQuestion, Least};
use crate::ending::{Ending, Stop};
use crate::output::{bad, bold, faint, good, say};
use crate::service::read;
use portcullis_audit::{Finding, Report, Rule, Severity, Waiver, audit as judge, rules, sarif, waivers};
use serde_json::{Value, json};
use std::path::Path;

/// LIMIT: bytes of a file of waivers.
const WAIVER_BYTES_MAX: u64 = 1024 * 1024;

/// Does what was asked for.
pub(super) fn audit(question: &AuditQuestion) -> Result<Ending, Stop> {
    if question.list {
        return list(question.format);
    }
    let plan = read(&question.config.path)?.plan;
    let waivers = waived(question)?;
    let report = judge(&plan, &look::facts(&plan)?, &waivers);
    match question.format {
        AuditFormat::Text => say(&text(&report))?,
        AuditFormat::Json => say(&format!("{:#}", report.to_json()))?,
        AuditFormat::Sarif => say(&format!("{:#}", sarif(&report, env!("CARGO_PKG_VERSION"))))?,
    }
    Ok(if report.has(severity(question.fail_on)) { Ending::No } else { Ending::Done })
}

/// Rule and place of everything that is found in a configuration.
pub(super) fn weaknesses(path: &Path) -> Result<Vec<(&'static str, String)>, Stop> {
    let plan = read(path)?.plan;
    let report = judge(&plan, &look::facts(&plan)?, &[]);
    Ok(report.findings.into_iter().map(|finding| (finding.rule, finding.place)).collect())
}

const fn severity(least: Least) -> Severity {
    match least {
        Least::Low => Severity::Low,
        Least::Medium => Severity::Medium,
        Least::High => Severity::High,
        Least::Critical => Severity::Critical,
    }
}

fn waived(question: &AuditQuestion) -> Result<Vec<Waiver>, Stop> {
    let Some(path) = &question.waivers else { return Ok(Vec::new()) };
    let cannot = |why: String| Stop::environment(format!("{}: {why}", path.display()));
    let length = std::fs::metadata(path).map_err(|error| cannot(error.to_string()))?.len();
    if length > WAIVER_BYTES_MAX {
        return Err(cannot("it is too long for a file of waivers".to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| cannot(error.to_string()))?;
    waivers(&text).map_err(|error| cannot(error.to_string()))
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
        AuditFormat::Json | AuditFormat::Sarif => say(&format!("{:#}", json()))?,
    }
    Ok(Ending::Done)
}

fn some(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { Value::from(text) }
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    let mut last = "";
    for finding in &report.findings {
        let rule = rules().find(|rule| rule.id == finding.rule);
        if let Some(rule) = rule.filter(|rule| rule.id != last) {
            let severity = rule.severity.name();
            let severity = if rule.severity >= Severity::High { bad(severity) } else { bold(severity) };
            text.push_str(&format!("{severity} {} {}\n  {}\n  {}\n", rule.id, rule.title, rule.why, good(rule.fix)));
        }
        last = finding.rule;
        text.push_str(&place(finding));
    }
    if report.unlisted > 0 {
        text.push_str(&format!("and {} more places\n", report.unlisted));
    }
    for idle in &report.idle_waivers {
        text.push_str(&format!("waiver without effect: {idle}\n"));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    for one in &report.practices {
        let (rules, hold) = one.rules;
        text.push_str(&format!(
            "{:>4}  {:<24} {}\n",
            one.score,
            one.practice.name(),
            faint(&format!("{hold} of {rules} rules hold"))
        ));
    }
    text.push_str(&format!("{:>4}  {}\n", report.score, bold("in all")));
    text
}

fn place(finding: &Finding) -> String {
    let at = finding.origin.as_ref().map(|origin| format!(" ({origin})")).unwrap_or_default();
    let waived = finding.waived.as_ref().map(|reason| faint(&format!(" waived: {reason}"))).unwrap_or_default();
    format!("    {}{at}: {}{waived}\n", finding.place, finding.text)
}
