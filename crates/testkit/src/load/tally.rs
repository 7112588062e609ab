//! What became of a load's requests.

use super::{Outcome, Question};
use crate::histogram::Histogram;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The count.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Answered with 200 and what was asked for.
    pub good: u64,
    /// Answers that belong to another request, or to none: never acceptable.
    pub mismatched: u64,
    /// Everything else, by what was seen.
    pub failed: BTreeMap<String, u64>,
    /// Failed ones that could have been repeated.
    pub failed_repeatable: u64,
    /// Requests that could have been repeated.
    pub repeatable: u64,
    /// Asked again because nobody had acted.
    pub again: u64,
    /// Connections opened.
    pub connections: u64,
    /// Connections that could not be opened.
    pub unreachable: u64,
    /// Times of good answers.
    pub times: Histogram,
    /// The first answers that did not belong, for the message.
    pub examples: Vec<String>,
    /// From begin to end.
    pub took: Duration,
}

/// LIMIT: examples that are kept.
const EXAMPLES_MAX: usize = 5;

// === impl Tally ===

impl Tally {
    pub(crate) fn count(&mut self, question: &Question, outcome: &Outcome, took: Duration) {
        let expected = question.expected.as_bytes();
        self.repeatable += u64::from(question.is_repeatable());
        let why = match outcome {
            Outcome::Answered(200, body) if body == expected => {
                self.good += 1;
                self.times.add(took);
                return;
            }
            Outcome::Answered(200, body) => return self.mismatch(question, body),
            Outcome::Cut(200, body) if !expected.starts_with(body) => return self.mismatch(question, body),
            Outcome::Cut(status, _) => format!("{status} cut off"),
            Outcome::Answered(status, _) => status.to_string(),
            Outcome::Lost(why) => (*why).to_owned(),
            Outcome::Again => return,
        };
        *self.failed.entry(why).or_default() += 1;
        self.failed_repeatable += u64::from(question.is_repeatable());
    }

    fn mismatch(&mut self, question: &Question, body: &[u8]) {
        self.mismatched += 1;
        if self.examples.len() < EXAMPLES_MAX {
            let (path, body) = (&question.path, String::from_utf8_lossy(body));
            self.examples.push(format!("{path} was answered with {body:?}"));
        }
    }

    /// Adds another load's count.
    pub fn merge(&mut self, other: &Self) {
        self.good += other.good;
        self.mismatched += other.mismatched;
        self.failed_repeatable += other.failed_repeatable;
        self.repeatable += other.repeatable;
        self.again += other.again;
        self.connections += other.connections;
        self.unreachable += other.unreachable;
        other.failed.iter().for_each(|(why, count)| *self.failed.entry(why.clone()).or_default() += count);
        self.times.merge(&other.times);
        self.examples.extend(other.examples.iter().cloned());
        self.examples.truncate(EXAMPLES_MAX);
        self.took = self.took.max(other.took);
    }

    /// All that did not end well, wrong pairings apart.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    /// All that ended.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.good + self.mismatched + self.failures()
    }

    /// Good answers a second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
        let good = self.good as f64;
        good / self.took.as_secs_f64().max(1e-9)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} good, {} mismatched, {} failed {:?} ({} of {} repeatable), {} asked again, {} connections, \
             {} unreachable, {:.0}/s, p50 {:?} p99 {:?} max {:?} {:?}",
            self.good,
            self.mismatched,
            self.failures(),
            self.failed,
            self.failed_repeatable,
            self.repeatable,
            self.again,
            self.connections,
            self.unreachable,
            self.per_second(),
            self.times.percentile(50),
            self.times.percentile(99),
            self.times.max(),
            self.examples
        )
    }
}
