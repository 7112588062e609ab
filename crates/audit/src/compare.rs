//! What has changed since an earlier report: what is new, what is gone, what is as it was.
//!
//! A finding is the same one wherever rule and place are the same. What is waived does not count on either side, so that a waiver
//! that is over makes a finding new, and one that is granted makes it go.

use crate::report::{Finding, Report};
use crate::rule::Severity;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt;

/// LIMIT: findings of an earlier report.
const FINDINGS_MAX: usize = 100_000;

/// A report beside an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Findings that were not there, as positions in the report.
    pub new: Vec<usize>,
    /// Findings that were there already, as positions in the report.
    pub same: Vec<usize>,
    /// Rule, severity and place of findings that are not there any more, or are waived now.
    pub gone: Vec<(String, Severity, String)>,
    /// The earlier score.
    pub score: u64,
    /// Places that are not listed, then and now: nobody can say of these whether they are the same.
    pub unlisted: (u64, u64),
}

/// Why an earlier report cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierError(String);

/// Holds a report against an earlier one, as [`Report::to_json`] writes it.
///
/// # Errors
/// The text is not such a report.
pub fn compare(report: &Report, earlier: &str) -> Result<Comparison, EarlierError> {
    let wrong = |text: &str| EarlierError(text.to_owned());
    let value: Value =
        serde_json::from_str(earlier).map_err(|error| EarlierError(format!("it is not JSON: {error}")))?;
    let number = |name: &str| value.get(name).and_then(Value::as_u64).ok_or_else(|| wrong(NOT_ONE));
    let (score, unlisted) = (number("score")?, number("unlisted")?);
    let findings = value.get("findings").and_then(Value::as_array).ok_or_else(|| wrong(NOT_ONE))?;
    if findings.len() > FINDINGS_MAX {
        return Err(EarlierError(format!("it has more than {FINDINGS_MAX} findings")));
    }
    let mut before = BTreeSet::new();
    for finding in findings {
        let text = |name: &str| finding.get(name).and_then(Value::as_str).ok_or_else(|| wrong(NOT_ONE));
        let severity = Severity::from_name(text("severity")?).ok_or_else(|| wrong(NOT_ONE))?;
        if finding.get("waived").is_none_or(Value::is_null) {
            before.insert((text("rule")?.to_owned(), text("place")?.to_owned(), severity));
        }
    }
    let counts = || report.findings.iter().enumerate().filter(|(_, finding)| finding.waived.is_none());
    let was = |finding: &Finding| before.iter().any(|(rule, place, _)| is(finding, rule, place));
    let is_there = |rule: &str, place: &str| counts().any(|(_, finding)| is(finding, rule, place));
    let (same, new): (Vec<_>, Vec<_>) = counts().partition(|(_, finding)| was(finding));
    let positions = |found: Vec<(usize, &Finding)>| found.into_iter().map(|(at, _)| at).collect();
    let gone = before.iter().filter(|(rule, place, _)| !is_there(rule, place));
    Ok(Comparison {
        new: positions(new),
        same: positions(same),
        gone: gone.map(|(rule, place, severity)| (rule.clone(), *severity, place.clone())).collect(),
        score,
        unlisted: (unlisted, u64::try_from(report.unlisted).unwrap_or(u64::MAX)),
    })
}

const NOT_ONE: &str = "it is not what `portcullis audit --format json` writes";

fn is(finding: &Finding, rule: &str, place: &str) -> bool {
    finding.rule == rule && finding.place == place
}

// === impl Comparison ===

impl Comparison {
    /// The findings at these positions.
    pub fn of<'r>(report: &'r Report, positions: &'r [usize]) -> impl Iterator<Item = &'r Finding> {
        positions.iter().filter_map(|at| report.findings.get(*at))
    }

    /// Whether something at least so bad is new. More places that are not listed count, since what they hold is not known.
    #[must_use]
    pub fn has(&self, report: &Report, least: Severity) -> bool {
        Self::of(report, &self.new).any(|finding| finding.severity >= least) || self.unlisted.1 > self.unlisted.0
    }

    /// The same for programs.
    #[must_use]
    pub fn to_json(&self, report: &Report) -> Value {
        let named = |positions: &[usize]| {
            let of = Self::of(report, positions);
            of.map(|one| named(one.rule, one.severity, &one.place)).collect::<Vec<_>>()
        };
        let gone = self.gone.iter().map(|(rule, severity, place)| self::named(rule, *severity, place));
        json!({
            "score": self.score, "new": named(&self.new), "same": named(&self.same),
            "gone": gone.collect::<Vec<_>>(), "unlisted": self.unlisted.0,
        })
    }
}

fn named(rule: &str, severity: Severity, place: &str) -> Value {
    json!({ "rule": rule, "severity": severity.name(), "place": place })
}

impl fmt::Display for EarlierError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for EarlierError {}
