//! Moods, and a seeded plan of them.

use crate::dice::Dice;
use std::time::Duration;

/// How an upstream behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Answers everything at once.
    Well,
    /// Listens no longer; every connection is closed.
    Killed,
    /// Takes requests and never answers while it lasts.
    Hung,
    /// Answers after so many milliseconds.
    Slow(u64),
    /// Breaks an answer off in the middle and ends its side of the connection.
    HalfClosing,
    /// Answers with bytes that are no answer.
    Garbage,
    /// Resets: streams of HTTP/2, connections of HTTP/1.
    Resetting,
    /// The end.
    Gone,
}

/// One change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// How long after the last one.
    pub after: Duration,
    /// Which upstream.
    pub upstream: usize,
    /// What it becomes; a healthy time comes before each bad one.
    pub mood: Mood,
}

/// A plan for so many upstreams. At most one of them is unwell at a time, so that there is somebody to serve.
#[must_use]
pub fn plan(seed: u64, upstreams: usize, steps: usize) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    let mut plan = Vec::new();
    while plan.len() < steps {
        let upstream = dice.roll(upstreams);
        let mood = match dice.roll(6) {
            0 => Mood::Killed,
            1 => Mood::Hung,
            2 => Mood::Slow(20 + u64::try_from(dice.roll(80)).unwrap()),
            3 => Mood::HalfClosing,
            4 => Mood::Garbage,
            _ => Mood::Resetting,
        };
        let after = |dice: &mut Dice| Duration::from_millis(100 + u64::try_from(dice.roll(300)).unwrap());
        plan.push(Step { after: after(&mut dice), upstream, mood });
        plan.push(Step { after: after(&mut dice), upstream, mood: Mood::Well });
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::{Mood, plan};

    #[test]
    fn a_seed_gives_a_plan_in_which_everything_happens_and_heals() {
        let (one, two) = (plan(7, 3, 200), plan(7, 3, 200));
        assert_eq!(one, two);
        assert_ne!(one, plan(8, 3, 200));
        for mood in [Mood::Killed, Mood::Hung, Mood::HalfClosing, Mood::Garbage, Mood::Resetting] {
            assert!(one.iter().any(|step| step.mood == mood), "{mood:?}");
        }
        assert!(one.iter().any(|step| matches!(step.mood, Mood::Slow(_))));
        for pair in one.chunks(2) {
            assert!(pair[0].mood != Mood::Well && pair[1].mood == Mood::Well && pair[0].upstream == pair[1].upstream);
        }
    }
}
