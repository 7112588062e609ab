//! One worker's view of all limits: several are charged together, all of them or none.

use std::sync::Arc;

use crate::branch::Supply;
use crate::decision::{Decision, Permit, Verdict};
use crate::key::Key;
use crate::ledger::{Change, Ledger};
use crate::moment::{Moment, seconds_up};
use crate::policy::Policy;
use crate::share::{Share, Source, Taken};

#[cfg(test)]
mod fleet;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

/// LIMIT: how many limits one request can meet.
pub const ASKS_MAX: usize = 8;

/// One limit that a request meets.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// The place of the limit's ledger in the limiter.
    pub policy: usize,
    /// Whose account.
    pub key: Key,
    /// How much: one request, so many bytes, so much cost. Nought asks how things stand.
    pub units: u64,
    /// Where it comes from when the limit is shared.
    pub supply: Supply,
}

/// A worker's own limiter. It is not shared; what is shared are the ledgers.
#[derive(Debug, Default)]
pub struct Limiter {
    shares: Vec<Share>,
}

// === impl Limiter ===

impl Limiter {
    /// A limiter over these ledgers; an [`Ask`] names them by their place.
    #[must_use]
    pub fn new(ledgers: Vec<Arc<Ledger>>) -> Self {
        Self { shares: ledgers.into_iter().map(Share::new).collect() }
    }

    /// The limiter of the next configuration. What is held in advance of a ledger that stays goes along; whoever still
    /// charges here goes on exactly, so that nothing is held twice.
    #[must_use]
    pub fn succeeded_by(&mut self, ledgers: Vec<Arc<Ledger>>) -> Self {
        let next = ledgers.into_iter().map(|ledger| {
            match self.shares.iter_mut().find(|share| share.holds() && Arc::ptr_eq(&share.ledger, &ledger)) {
                Some(share) => std::mem::replace(share, Share::exact(ledger)),
                None => Share::new(ledger),
            }
        });
        Self { shares: next.collect() }
    }

    /// The limit at a place.
    #[must_use]
    pub fn policy(&self, place: usize) -> Option<&Policy> {
        self.shares.get(place).map(|share| share.ledger.policy())
    }

    /// Charges all of `asks` or none, and says what each limit has to say.
    ///
    /// A limit in shadow is charged if it has room, and never stops the request. More than [`ASKS_MAX`] asks, one for a
    /// limit that does not exist, or two for the same limit cannot be decided and are refused.
    pub fn charge(&mut self, asks: &[Ask], now: Moment, verdict: &mut Verdict) {
        verdict.decisions.clear();
        verdict.missing.clear();
        verdict.low.clear();
        verdict.admitted = asks.len() <= ASKS_MAX && self.are_distinct(asks);
        if !verdict.admitted {
            return;
        }
        let mut taken: [Option<Taken>; ASKS_MAX] = [None; ASKS_MAX];
        for (ask, taken) in asks.iter().zip(&mut taken) {
            let Some(share) = self.shares.get_mut(ask.policy) else { continue };
            let took = share.take(ask.key, ask.units, ask.supply, now);
            let decision = decide(share, ask, &took, now);
            match took.source() {
                Source::Missing => verdict.missing.push(*ask),
                Source::Lease { is_low: true } => verdict.low.push(*ask),
                Source::Own | Source::Lease { is_low: false } | Source::Share { .. } | Source::Denied => {}
            }
            // What only the store can tell refuses nobody yet.
            verdict.admitted &= !decision.refuses() || took.source() == Source::Missing;
            verdict.decisions.push(decision);
            *taken = Some(took);
        }
        if !verdict.admitted {
            verdict.missing.clear();
        }
        verdict.admitted &= verdict.missing.is_empty();
        for ((ask, taken), decision) in asks.iter().zip(&taken).zip(&mut verdict.decisions) {
            let (Some(taken), Some(share)) = (taken, self.shares.get_mut(ask.policy)) else { continue };
            if !taken.granted {
                continue;
            }
            if verdict.admitted {
                share.keep(ask.key, taken);
                if share.ledger.rule().is_concurrency() && ask.units > 0 {
                    let (policy, key, units, overflow) = (ask.policy, ask.key, taken.quanta(), taken.overflow);
                    verdict.permits.push(Permit { policy, key, units, overflow });
                }
            } else {
                share.put_back(ask.key, taken, now);
                decision.remaining = decision.remaining.saturating_add(ask.units).min(decision.limit);
            }
        }
    }

    /// Charges what only the answer could tell: its bytes, its cost. Room or not, since it has been spent; the debt keeps
    /// later requests out until it is paid, and ends at one whole limit. Permits are never forced. Gives back how many units
    /// of a shared limit found no place here, which the store has to be told at once.
    #[must_use = "what found no place would not be counted"]
    pub fn charge_after(&mut self, ask: &Ask, now: Moment) -> u64 {
        let is_counted = |share: &&mut Share| !share.ledger.rule().is_concurrency();
        let share = self.shares.get_mut(ask.policy).filter(is_counted);
        share.map_or(0, |share| share.force(ask.key, ask.units, now))
    }

    /// Gives back what was charged in advance and not spent, as when an answer costs less than its operation was taken for.
    /// The caller sees to it that it is no more than was charged. Whole quanta only, so rather less than more.
    pub fn refund(&mut self, ask: &Ask, now: Moment) {
        if let Some(share) = self.shares.get_mut(ask.policy) {
            let quanta = ask.units / share.ledger.rule().quantum().max(1);
            if quanta > 0 && !share.ledger.rule().is_concurrency() {
                share.ledger.change(ask.key, now, Change::Return(quanta), false);
            }
        }
    }

    /// The request that held a permit is over.
    pub fn release(&mut self, permit: &Permit, now: Moment) {
        if let Some(share) = self.shares.get(permit.policy) {
            share.ledger.release(permit, now);
        }
    }

    /// How things stand, without charging: for `explain` and `limits show`.
    #[must_use]
    pub fn peek(&self, ask: &Ask, now: Moment) -> Option<Decision> {
        let share = self.shares.get(ask.policy)?;
        let word = share.ledger.word(ask.key);
        let room = share.ledger.rule().room(word, now).saturating_mul(share.ledger.rule().quantum());
        Some(told(&share.ledger, ask, room >= ask.units, word, 0, now))
    }

    fn are_distinct(&self, asks: &[Ask]) -> bool {
        let known = asks.iter().all(|ask| ask.policy < self.shares.len());
        let mut rest = asks;
        while let Some((first, others)) = rest.split_first() {
            if others.iter().any(|other| other.policy == first.policy) {
                return false;
            }
            rest = others;
        }
        known
    }
}

// === impl Ledger ===

impl Ledger {
    /// How an account stands, without a worker: for people. What workers hold in advance counts as spent. Of a shared limit it
    /// is what this gateway knows.
    #[must_use]
    pub fn look(&self, key: Key, now: Moment) -> Decision {
        let ask = Ask { policy: 0, key, units: 0, supply: Supply::Here };
        told(self, &ask, true, self.word(key), self.held(key, now), now)
    }
}

fn decide(share: &Share, ask: &Ask, taken: &Taken, now: Moment) -> Decision {
    let ledger = &share.ledger;
    match taken.source() {
        Source::Share { weight, .. } => {
            let weighted = Ask { units: ask.units.saturating_mul(weight), ..*ask };
            let decision = told(ledger, &weighted, taken.granted, taken.word, 0, now);
            Decision { remaining: decision.remaining / weight.max(1), ..decision }
        }
        Source::Own | Source::Lease { .. } | Source::Missing | Source::Denied => {
            told(ledger, ask, taken.granted, taken.word, taken.units_held, now)
        }
    }
}

fn told(ledger: &Ledger, ask: &Ask, has_room: bool, word: u64, units_held: u64, now: Moment) -> Decision {
    let policy = ledger.policy();
    let rule = ledger.rule();
    let limit = policy.limit();
    let room = rule.room(word, now).saturating_mul(rule.quantum());
    let reset_s = rule.reset_ns(word, now).map(seconds_up);
    let retry_after_s = if has_room {
        0
    } else {
        let quanta = ask.units.div_ceil(rule.quantum().max(1));
        // Never less than the effective window (section 6 of the draft), nor nought.
        rule.wait_ns(word, now, quanta).map_or(1, seconds_up).max(reset_s.unwrap_or(1)).max(1)
    };
    let remaining = room.saturating_add(units_held).min(limit);
    Decision { policy: ask.policy, has_room, shadow: policy.is_shadow(), limit, remaining, reset_s, retry_after_s }
}
