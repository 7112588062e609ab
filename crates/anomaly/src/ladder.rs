//! What follows from findings, step by step, each of them visible and reversible: observe, slow down, refuse, block for a time.

use crate::finding::Finding;

/// What is done about somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Nothing but to tell.
    #[default]
    Observe,
    /// Each request waits a little.
    Slow,
    /// Requests are refused while it goes on.
    Refuse,
    /// Requests are refused until a moment.
    Block,
}

/// How many points it takes for each step, and how long they count.
#[derive(Clone, Copy, Debug)]
pub struct Rungs {
    /// The last step that is taken at all; findings are told in any case.
    pub highest: Step,
    /// Points from which on somebody is slowed down, refused, blocked.
    pub points: [u32; 3],
    /// In which time half of the points are forgotten, in milliseconds.
    pub half_life_ms: u64,
    /// How long somebody is blocked, in milliseconds.
    pub block_ms: u64,
}

/// Where somebody stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ladder {
    points: f64,
    at_ms: u64,
    blocked_until_ms: u64,
}

// === impl Rungs ===

impl Default for Rungs {
    fn default() -> Self {
        Self { highest: Step::Observe, points: [3, 6, 10], half_life_ms: 10 * 60_000, block_ms: 30 * 60_000 }
    }
}

// === impl Ladder ===

impl Ladder {
    /// Takes in a finding; the step that follows, and whether it is higher than before.
    pub fn note(&mut self, finding: &Finding, rungs: &Rungs) -> (Step, bool) {
        let before = self.step(finding.at_ms, rungs);
        self.points = self.points(finding.at_ms, rungs) + f64::from(finding.kind.weight());
        self.at_ms = self.at_ms.max(finding.at_ms);
        let [_, _, block] = rungs.points;
        if rungs.highest == Step::Block && self.points >= f64::from(block) {
            self.blocked_until_ms = finding.at_ms.saturating_add(rungs.block_ms);
        }
        let after = self.step(finding.at_ms, rungs);
        (after, after > before)
    }

    /// What is done about somebody now.
    #[must_use]
    pub fn step(&self, now_ms: u64, rungs: &Rungs) -> Step {
        if now_ms < self.blocked_until_ms {
            return Step::Block.min(rungs.highest);
        }
        let points = self.points(now_ms, rungs);
        let [slow, refuse, _] = rungs.points;
        let step = if points >= f64::from(refuse) {
            Step::Refuse
        } else if points >= f64::from(slow) {
            Step::Slow
        } else {
            Step::Observe
        };
        step.min(rungs.highest)
    }

    /// Forgets everything, because somebody looked and found nothing wrong.
    pub fn pardon(&mut self) {
        *self = Self::default();
    }

    fn points(&self, now_ms: u64, rungs: &Rungs) -> f64 {
        let lives = now_ms.saturating_sub(self.at_ms) as f64 / rungs.half_life_ms.max(1) as f64;
        self.points * (-lives * std::f64::consts::LN_2).exp()
    }
}
