//! How an audit is told to people.

use crate::output::{bad, bold, faint, good};
use portcullis_audit::{Comparison, Finding, Report, Severity, rules};

/// A report, and what has changed since an earlier one.
pub(super) fn text(report: &Report, comparison: Option<&Comparison>) -> String {
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
    if let Some(comparison) = comparison {
        text.push_str(&changes(report, comparison));
    }
    text
}

fn changes(report: &Report, comparison: &Comparison) -> String {
    let mut text = format!("\nsince the earlier report, whose score was {}:\n", comparison.score);
    for finding in Comparison::of(report, &comparison.new) {
        text.push_str(&format!("  {}   {} {}: {}\n", bad("new"), finding.rule, finding.place, finding.text));
    }
    for (rule, _, place) in &comparison.gone {
        text.push_str(&format!("  {}  {rule} {place}\n", good("gone")));
    }
    text.push_str(&format!(
        "  {} new, {} gone, {} as before\n",
        comparison.new.len(),
        comparison.gone.len(),
        comparison.same.len()
    ));
    let (then, now) = comparison.unlisted;
    if then > 0 || now > 0 {
        text.push_str(&format!("  places that are not listed: {then} then, {now} now\n"));
    }
    text
}

fn place(finding: &Finding) -> String {
    let at = finding.origin.as_ref().map(|origin| format!(" ({origin})")).unwrap_or_default();
    let waived = finding.waived.as_ref().map(|reason| faint(&format!(" waived: {reason}"))).unwrap_or_default();
    format!("    {}{at}: {}{waived}\n", finding.place, finding.text)
}
