//! A report as one page.

use crate::compare::Comparison;
use crate::page::{page, table, text};
use crate::report::{Finding, Report};
use crate::rule::{Rule, Severity};

/// The report, and what has changed since an earlier one.
#[must_use]
pub fn html(report: &Report, comparison: Option<&Comparison>) -> String {
    let counts = report.findings.iter().filter(|finding| finding.waived.is_none()).count();
    let places = counts + report.unlisted;
    let body = format!(
        "<h1>Audit of a configuration</h1>\n<p>Score: <strong>{score}</strong> of 100; {places} {word} not as {be}.</p>\n{compared}\
         <h2>Practices</h2>\n{practices}<h2>Findings</h2>\n{findings}{idle}",
        score = report.score,
        word = if places == 1 { "place is" } else { "places are" },
        be = if places == 1 { "it should be" } else { "they should be" },
        compared = comparison.map(|comparison| changes(report, comparison)).unwrap_or_default(),
        practices = practices(report),
        findings = findings(report),
        idle = idle(report),
    );
    page("Audit of a configuration", &body)
}

fn practices(report: &Report) -> String {
    let row = |one: &crate::PracticeScore| {
        vec![text(one.practice.name()), one.score.to_string(), format!("{} of {}", one.rules.1, one.rules.0)]
    };
    table(&["Practice", "Score", "Rules that hold"], report.practices.iter().map(row))
}

fn findings(report: &Report) -> String {
    if report.findings.is_empty() {
        return "<p>None.</p>\n".to_owned();
    }
    let mut out = String::new();
    for rule in crate::rules() {
        let of_rule: Vec<&Finding> = report.findings.iter().filter(|finding| finding.rule == rule.id).collect();
        if !of_rule.is_empty() {
            out.push_str(&about(rule, &of_rule));
        }
    }
    if report.unlisted > 0 {
        out.push_str(&format!("<p>And {} more places.</p>\n", report.unlisted));
    }
    out
}

fn about(rule: &Rule, findings: &[&Finding]) -> String {
    let places: String = findings.iter().map(|finding| place(finding)).collect();
    format!(
        "<article>\n<h3>{severity}: {id} {title}</h3>\n<p>{why}</p>\n<p>{fix}</p>\n<p>{refs}</p>\n<ul>\n{places}</ul>\n</article>\n",
        severity = severity(rule.severity),
        id = text(rule.id),
        title = text(rule.title),
        why = text(rule.why),
        fix = text(rule.fix),
        refs = text(&rule.refs.join(", ")),
    )
}

fn severity(severity: Severity) -> String {
    let name = severity.name();
    format!("<span class=\"severity {name}\">{name}</span>")
}

fn place(finding: &Finding) -> String {
    let at = finding.origin.as_ref().map(|origin| format!(" ({})", text(&origin.to_string()))).unwrap_or_default();
    let waived = finding.waived.as_ref().map(|why| format!(" <em>waived: {}</em>", text(why))).unwrap_or_default();
    format!("<li><code>{}</code>{at}: {}{waived}</li>\n", text(&finding.place), text(&finding.text))
}

fn changes(report: &Report, comparison: &Comparison) -> String {
    let list = |title: &str, all: Vec<String>| {
        let rows: String = all.iter().map(|one| format!("<li>{one}</li>\n")).collect();
        let list = if rows.is_empty() { String::new() } else { format!("<ul>\n{rows}</ul>\n") };
        format!("<h3>{title}: {}</h3>\n{list}", all.len())
    };
    let line = |rule: &str, place: &str| format!("{} <code>{}</code>", text(rule), text(place));
    let of = |positions: &[usize]| Comparison::of(report, positions).map(|one| line(one.rule, &one.place)).collect();
    let gone = comparison.gone.iter().map(|(rule, _, place)| line(rule, place)).collect();
    format!(
        "<h2>Since the earlier report</h2>\n<p>The score was {}.</p>\n{}{}{}",
        comparison.score,
        list("New", of(&comparison.new)),
        list("Gone", gone),
        list("As before", of(&comparison.same)),
    )
}

fn idle(report: &Report) -> String {
    if report.idle_waivers.is_empty() {
        return String::new();
    }
    let rows: String = report.idle_waivers.iter().map(|idle| format!("<li>{}</li>\n", text(idle))).collect();
    format!("<h2>Waivers without effect</h2>\n<ul>\n{rows}</ul>\n")
}
