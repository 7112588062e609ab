//! What follows from findings, step by step, each of them visible and reversible: observe, slow down, refuse, block for a time.

use crate::finding::{Finding, Kind};
use std::time::Duration;

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
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rungs {
    /// The last step that each kind of finding leads to, in the order of [`Kind::ALL`]; findings are told in any case.
    pub highest: [Step; Kind::ALL.len()],
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
    /// Points towards each step, of those kinds of finding that lead to it.
    points: [f64; 3],
    at_ms: u64,
    /// The step that the last finding led to. It holds until half of the points that it takes are left.
    reached: Step,
    blocked_until_ms: u64,
}

/// The steps that it takes points for.
const STEPS: [Step; 3] = [Step::Slow, Step::Refuse, Step::Block];

// === impl Step ===

impl Step {
    /// All steps, the mildest first.
    pub const ALL: [Self; 4] = [Self::Observe, Self::Slow, Self::Refuse, Self::Block];

    /// A name that does not change.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Slow => "slow",
            Self::Refuse => "refuse",
            Self::Block => "block",
        }
    }
}

// === impl Rungs ===

impl Rungs {
    /// The usual numbers, and every kind of finding leads up to the same step.
    #[must_use]
    pub const fn up_to(highest: Step) -> Self {
        Self {
            highest: [highest; Kind::ALL.len()],
            points: [3, 6, 10],
            half_life_ms: 10 * 60_000,
            block_ms: 30 * 60_000,
        }
    }

    /// How far a kind of finding leads.
    #[must_use]
    pub fn highest_of(&self, kind: Kind) -> Step {
        self.highest.get(kind as usize).copied().unwrap_or_default()
    }
}

// === impl Ladder ===

impl Ladder {
    /// Takes in a finding; the step that follows, and whether it is higher than before.
    pub fn note(&mut self, finding: &Finding, rungs: &Rungs) -> (Step, bool) {
        let before = self.step(finding.at_ms, rungs);
        self.points = self.points(finding.at_ms, rungs);
        self.at_ms = self.at_ms.max(finding.at_ms);
        let (highest, weight) = (rungs.highest_of(finding.kind), f64::from(finding.kind.weight()));
        for (points, step) in self.points.iter_mut().zip(STEPS) {
            *points += if step <= highest { weight } else { 0.0 };
        }
        let ([_, _, points], [_, _, block]) = (self.points, rungs.points);
        if points >= f64::from(block) {
            self.blocked_until_ms = finding.at_ms.saturating_add(rungs.block_ms);
        }
        let after = self.step(finding.at_ms, rungs);
        self.reached = after;
        (after, after > before)
    }

    /// What is done about somebody now.
    #[must_use]
    pub fn step(&self, now_ms: u64, rungs: &Rungs) -> Step {
        if now_ms < self.blocked_until_ms {
            return Step::Block;
        }
        let ([slow, refuse, _], [slow_at, refuse_at, _]) = (self.points(now_ms, rungs), rungs.points);
        let holds = |step, points: f64, enough: u32| {
            let least = if self.reached >= step { 0.5 } else { 1.0 };
            points >= least * f64::from(enough)
        };
        if holds(Step::Refuse, refuse, refuse_at) {
            Step::Refuse
        } else if holds(Step::Slow, slow, slow_at) {
            Step::Slow
        } else {
            Step::Observe
        }
    }

    /// When the present step ends if nothing more is found, in milliseconds since 1970.
    #[must_use]
    pub fn until_ms(&self, now_ms: u64, rungs: &Rungs) -> u64 {
        let ([slow, refuse, _], [slow_at, refuse_at, _]) = (self.points, rungs.points);
        // Half of what it takes is enough to stay.
        let (points, enough) = match self.step(now_ms, rungs) {
            Step::Block => return self.blocked_until_ms,
            Step::Refuse => (refuse, refuse_at),
            Step::Slow => (slow, slow_at),
            Step::Observe => return now_ms,
        };
        let lives = (2.0 * points / f64::from(enough.max(1))).log2().max(0.0);
        let millis =
            Duration::try_from_secs_f64(lives * rungs.half_life_ms as f64 / 1000.0).unwrap_or_default().as_millis();
        self.at_ms.saturating_add(u64::try_from(millis).unwrap_or(0)).max(now_ms.saturating_add(1))
    }

    /// Whether there is nothing left that counts, so that it may be forgotten.
    #[must_use]
    pub fn is_forgotten(&self, now_ms: u64, rungs: &Rungs) -> bool {
        now_ms >= self.blocked_until_ms && self.points(now_ms, rungs).iter().all(|points| *points < 0.5)
    }

    /// Forgets everything, because somebody looked and found nothing wrong.
    pub fn pardon(&mut self) {
        *self = Self::default();
    }

    fn points(&self, now_ms: u64, rungs: &Rungs) -> [f64; 3] {
        let lives = now_ms.saturating_sub(self.at_ms) as f64 / rungs.half_life_ms.max(1) as f64;
        let left = (-lives * std::f64::consts::LN_2).exp();
        self.points.map(|points| points * left)
    }
}
