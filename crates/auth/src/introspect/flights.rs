//! Which tokens are known, which are being asked about, and what happens while nobody answers.
//!
//! One question at a time about a token; good answers are kept no longer than the token lives, bad ones shortly and in a
//! table of their own, so that a flood of made-up tokens cannot push good ones out.

use crate::bounded::{Digest, Table, digest};
use crate::introspect::Answer;
use crate::jwt::Token;
use portcullis_types::Millis;
use std::collections::HashMap;
use std::sync::Arc;

/// How answers are kept, and how many questions are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntrospectionPolicy {
    /// Longest life of a good answer, in seconds: for so long a token that its issuer has withdrawn may still pass.
    pub active_seconds_max: u64,
    /// Life of a bad answer.
    pub inactive_seconds: u64,
    /// Good answers that are kept.
    pub active_max: usize,
    /// Bad answers that are kept.
    pub inactive_max: usize,
    /// Questions on their way at once; one more is a 503.
    pub flights_max: usize,
    /// After this a question has failed.
    pub deadline_ms: u64,
    /// So many failures in a row, and the issuer is left alone for a while.
    pub failures_max: u32,
    /// For how long.
    pub pause_ms: u64,
}

/// Now, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970.
    pub wall: u64,
    /// On the clock that never goes back.
    pub millis: Millis,
}

/// A question on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flight(Digest, u64);

/// What an issuer has said about a token, and how long that counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Dated {
    /// The token; `None` where it is not good.
    pub token: Option<Arc<Token>>,
    /// The first second since 1970 in which it does not count any more.
    pub until: u64,
}

/// What is known about a token.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Whether it is good.
    Known(Dated),
    /// Ask, and tell what came of it.
    Send(Flight),
    /// Somebody asks already; look again when he is told.
    Await(Flight),
    /// Nobody can tell: 503.
    Unavailable,
}

/// The answers of one issuer: those that one core keeps, or those that are kept for all of them.
#[derive(Debug)]
pub struct Introspections {
    policy: IntrospectionPolicy,
    key: [u8; 32],
    active: Table<Dated>,
    inactive: Table<Dated>,
    flights: HashMap<Digest, (u64, Millis)>,
    number: u64,
    failures_in_row: u32,
    paused_until: Millis,
    generation: u64,
}

// === impl IntrospectionPolicy ===

impl Default for IntrospectionPolicy {
    fn default() -> Self {
        Self {
            active_seconds_max: 60,
            inactive_seconds: 10,
            active_max: 10_000,
            inactive_max: 10_000,
            flights_max: 256,
            deadline_ms: 3_000,
            failures_max: 5,
            pause_ms: 1_000,
        }
    }
}

impl IntrospectionPolicy {
    /// How long an answer of this second counts: a good one no longer than its token lives.
    #[must_use]
    pub fn dated(&self, answer: Answer, now: u64) -> Dated {
        match answer {
            Answer::Active(token, exp) => {
                let longest = now.saturating_add(self.active_seconds_max);
                Dated { token: Some(Arc::new(token)), until: exp.unwrap_or(longest).min(longest) }
            }
            Answer::Inactive(_) => Dated { token: None, until: now.saturating_add(self.inactive_seconds) },
        }
    }
}

// === impl Introspections ===

impl Introspections {
    /// An empty cache under a random key.
    #[must_use]
    pub fn new(policy: IntrospectionPolicy, key: [u8; 32]) -> Self {
        Self {
            policy,
            key,
            active: Table::new(policy.active_max),
            inactive: Table::new(policy.inactive_max),
            flights: HashMap::new(),
            number: 0,
            failures_in_row: 0,
            paused_until: 0,
            generation: 0,
        }
    }

    /// Under what a token is kept: the same for all who keep answers under the same key.
    #[must_use]
    pub fn digest(&self, token: &str) -> Digest {
        digest(&self.key, &[token.as_bytes()])
    }

    /// What is known about a token without asking anybody; `None` where nothing is. A greater `generation` than the last time
    /// means that something was revoked: then nothing is known any more, and answers that are on their way do not count.
    pub fn known(&mut self, digest: &Digest, generation: u64, now: Moment) -> Option<Ask> {
        self.turn(generation);
        let found = self.active.find(digest, now.wall).or_else(|| self.inactive.find(digest, now.wall));
        found.cloned().map(Ask::Known)
    }

    /// The same, and what to do where nothing is known.
    pub fn ask(&mut self, digest: Digest, generation: u64, now: Moment) -> Ask {
        if let Some(known) = self.known(&digest, generation, now) {
            return known;
        }
        if let Some((number, deadline)) = self.flights.get(&digest).copied() {
            if now.millis < deadline {
                return Ask::Await(Flight(digest, number));
            }
            self.flights.remove(&digest);
            self.fail(now);
        }
        if now.millis < self.paused_until {
            return Ask::Unavailable;
        }
        if self.flights.len() >= self.policy.flights_max {
            self.flights.retain(|_, (_, deadline)| now.millis < *deadline);
            if self.flights.len() >= self.policy.flights_max {
                return Ask::Unavailable;
            }
        }
        self.number += 1;
        self.flights.insert(digest, (self.number, now.millis.saturating_add(self.policy.deadline_ms)));
        Ask::Send(Flight(digest, self.number))
    }

    /// Takes what came of a question; `None` means that no usable answer came. Gives what whoever waits is told.
    pub fn landed(&mut self, flight: Flight, answer: Option<Dated>, now: Moment) -> Ask {
        let Flight(digest, number) = flight;
        if self.flights.get(&digest).is_none_or(|(current, _)| *current != number) {
            return Ask::Unavailable;
        }
        self.flights.remove(&digest);
        let Some(answer) = answer else {
            self.fail(now);
            return Ask::Unavailable;
        };
        self.failures_in_row = 0;
        let table = if answer.token.is_some() { &mut self.active } else { &mut self.inactive };
        table.keep(digest, answer.until, answer.clone(), now.wall);
        Ask::Known(answer)
    }

    /// Answers that are kept, good and bad, and questions on their way.
    #[must_use]
    pub fn len(&self) -> (usize, usize, usize) {
        (self.active.len(), self.inactive.len(), self.flights.len())
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == (0, 0, 0)
    }

    fn turn(&mut self, generation: u64) {
        if generation > self.generation {
            self.active.clear();
            self.inactive.clear();
            self.flights.clear();
            self.generation = generation;
        }
    }

    fn fail(&mut self, now: Moment) {
        self.failures_in_row = self.failures_in_row.saturating_add(1);
        if self.failures_in_row >= self.policy.failures_max {
            self.paused_until = now.millis.saturating_add(self.policy.pause_ms);
        }
    }
}
