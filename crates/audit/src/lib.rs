//! What of a configuration is weak, rule by rule, and what to do about it.
//!
//! A configuration that loads is sound; it need not be wise. Each rule here looks at one thing in all places where it matters
//! and says where it is not as it should be. Rules are numbered, and a number means the same for ever. Nothing is read
//! here: what files and keys are like comes in as [`Facts`].

mod compare;
#[cfg(test)]
mod example;
mod facts;
mod html;
pub mod page;
mod report;
mod rule;
mod rules;
pub mod sarif;
pub mod supply;
mod waiver;

#[cfg(test)]
mod tests;

pub use compare::{Comparison, EarlierError, compare};
pub use facts::{CertificateFact, Facts, FileFact, FileUse, KeyFact, KeyKind};
pub use html::html;
pub use report::{Finding, PracticeScore, Report};
pub use rule::{Practice, Rule, Severity};
pub use sarif::sarif;
pub use waiver::{Waiver, WaiverError, waivers};

use rule::{Looks, Subject};

/// All rules, in the order of their numbers.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    rules::ALL.iter().flat_map(|group| group.iter())
}

/// Looks at a configuration and what belongs to it. Waivers that are over do not count, and are findings themselves.
#[must_use]
pub fn audit(plan: &portcullis_config::Plan, facts: &Facts, waivers: &[Waiver]) -> Report {
    let subject = Subject { plan, facts };
    let mut report = Report::default();
    for rule in rules() {
        let mut looks = Looks::default();
        (rule.look)(&subject, &mut looks);
        report.take(rule, looks, waivers, facts.now);
    }
    report.finish(waivers, facts.now)
}
