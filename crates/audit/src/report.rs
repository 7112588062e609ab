//! What came of it: findings, and a score for each practice.

use crate::rule::{Looks, Practice, Rule, Severity};
use crate::waiver::Waiver;
use portcullis_config::plan::Origin;
use serde_json::{Value, json};

/// LIMIT: places that are listed of one rule; all are counted.
const PLACES_MAX: usize = 50;

/// Something that is not as it should be.
#[derive(Clone, Debug)]
pub struct Finding {
    /// By which rule.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Where: an operation, a listener, a key, a file.
    pub place: String,
    /// File and line, where it is one.
    pub origin: Option<Origin>,
    /// What is there.
    pub text: String,
    /// Why it is let be, if it is.
    pub waived: Option<String>,
}

/// How a practice does.
#[derive(Clone, Debug)]
pub struct PracticeScore {
    /// Which.
    pub practice: Practice,
    /// From 0 to 100: the weight of rules that hold, of those that matter here.
    pub score: u32,
    /// Rules that matter here, and those that hold.
    pub rules: (usize, usize),
}

/// What of a configuration is weak.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The worst first, then by number.
    pub findings: Vec<Finding>,
    /// More of them, which are not listed.
    pub unlisted: usize,
    /// Of each practice about which a rule had something to look at.
    pub practices: Vec<PracticeScore>,
    /// From 0 to 100, of all rules together.
    pub score: u32,
    /// Waivers that are over, or about nothing.
    pub idle_waivers: Vec<String>,
    outcomes: Vec<(&'static Rule, bool)>,
    used: Vec<usize>,
}

// === impl Report ===

impl Report {
    pub(crate) fn take(&mut self, rule: &'static Rule, looks: Looks, waivers: &[Waiver], now: u64) {
        if looks.places == 0 {
            return;
        }
        let mut holds = true;
        let listed = looks.broken.len().min(PLACES_MAX);
        for (place, origin, text) in looks.broken {
            let waiver = waivers.iter().position(|waiver| waiver.is_about(rule.id, &place) && waiver.until > now);
            holds &= waiver.is_some();
            self.used.extend(waiver);
            let waived = waiver.and_then(|at| waivers.get(at)).map(|waiver| waiver.reason.clone());
            let of_rule = self.findings.iter().filter(|finding| finding.rule == rule.id).count();
            if of_rule < listed {
                self.findings.push(Finding { rule: rule.id, severity: rule.severity, place, origin, text, waived });
            } else {
                self.unlisted += 1;
            }
        }
        self.outcomes.push((rule, holds));
    }

    pub(crate) fn finish(mut self, waivers: &[Waiver], now: u64) -> Self {
        self.findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.rule));
        for practice in Practice::ALL {
            let of_it = self.outcomes.iter().filter(|(rule, _)| rule.practice == practice);
            let rules = (of_it.clone().count(), of_it.clone().filter(|(_, holds)| *holds).count());
            if rules.0 > 0 {
                self.practices.push(PracticeScore { practice, score: score(of_it), rules });
            }
        }
        self.score = score(self.outcomes.iter());
        for (at, waiver) in waivers.iter().enumerate() {
            let place = waiver.place.as_deref().unwrap_or("everywhere");
            if waiver.until <= now {
                self.idle_waivers.push(format!("{} at {place}: it is over", waiver.rule));
            } else if !self.used.contains(&at) {
                self.idle_waivers.push(format!("{} at {place}: nothing is wrong there", waiver.rule));
            }
        }
        self
    }

    /// Whether there was something for a rule to look at.
    #[must_use]
    pub fn looked_at(&self, rule: &str) -> bool {
        self.outcomes.iter().any(|(known, _)| known.id == rule)
    }

    /// Whether something at least so bad was found and not waived.
    #[must_use]
    pub fn has(&self, least: Severity) -> bool {
        self.findings.iter().any(|finding| finding.severity >= least && finding.waived.is_none())
    }

    /// The same for programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let findings = self.findings.iter().map(|finding| {
            json!({
                "rule": finding.rule, "severity": finding.severity.name(), "place": finding.place,
                "at": finding.origin.as_ref().map(ToString::to_string), "text": finding.text, "waived": finding.waived,
            })
        });
        let practices = self.practices.iter().map(|one| {
            json!({ "practice": one.practice.name(), "score": one.score, "rules": one.rules.0, "hold": one.rules.1 })
        });
        json!({
            "score": self.score,
            "practices": practices.collect::<Vec<_>>(),
            "findings": findings.collect::<Vec<_>>(),
            "unlisted": self.unlisted,
            "idle_waivers": self.idle_waivers,
        })
    }
}

fn score<'r>(outcomes: impl Iterator<Item = &'r (&'static Rule, bool)> + Clone) -> u32 {
    let all: u32 = outcomes.clone().map(|(rule, _)| rule.severity.weight()).sum();
    let held: u32 = outcomes.filter(|(_, holds)| *holds).map(|(rule, _)| rule.severity.weight()).sum();
    (held * 100).checked_div(all).unwrap_or(100)
}
