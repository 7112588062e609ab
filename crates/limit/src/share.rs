//! What one worker holds of one limit: a small table of amounts that were charged to the ledger in advance. No other
//! worker sees it, so that spending from it needs no atomic step.

use std::sync::Arc;

use crate::branch::Supply;
use crate::key::Key;
use crate::ledger::{Change, Ledger};
use crate::moment::Moment;

#[derive(Debug)]
pub(crate) struct Share {
    pub(crate) ledger: Arc<Ledger>,
    /// Empty when nothing may be held in advance.
    held: Box<[Held]>,
    ahead_quanta: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Held {
    /// Whose; nought where nobody's.
    key: u128,
    units: u64,
    /// Good while the rule's era is this one.
    era: u64,
    /// The account's word when it was last seen.
    word: u64,
}

/// What one limit gave for one request, until all limits have agreed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) granted: bool,
    pub(crate) word: u64,
    pub(crate) overflow: bool,
    /// What is left in the worker's hands, once it is kept.
    pub(crate) units_held: u64,
    place: Option<usize>,
    units_from_hand: u64,
    quanta: u64,
    source: Source,
}

/// Where it was taken from, so that it can go back there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// An account of this gateway alone.
    Own,
    /// A lease of the store's; `is_low` when it was this charge that made it so.
    Lease { is_low: bool },
    /// This gateway's share, where everything counts `weight` times, and so many quanta of the lease are owed.
    Share { owed: u64, weight: u64 },
    /// There is too little here; the store may have more.
    Missing,
    /// The store has no more.
    Denied,
}

/// LIMIT: accounts of which one worker holds something in advance. Others are served from the ledger, exactly.
const HELD_MAX: usize = 1_024;
const PROBES: usize = 4;

// === impl Share ===

impl Share {
    pub(crate) fn new(ledger: Arc<Ledger>) -> Self {
        let ahead_quanta = ledger.ahead_quanta();
        let is_own = ledger.branch().is_none() && !ledger.rule().is_concurrency();
        let holds = is_own && (ahead_quanta > 0 || ledger.rule().quantum() > 1);
        let held = vec![Held::default(); if holds { HELD_MAX } else { 0 }].into_boxed_slice();
        Self { ledger, held, ahead_quanta }
    }

    /// One that holds nothing in advance.
    pub(crate) fn exact(ledger: Arc<Ledger>) -> Self {
        Self { ledger, held: Box::default(), ahead_quanta: 0 }
    }

    pub(crate) fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Takes `units` from what is held, and the rest from the ledger. Nothing is final until [`Share::keep`].
    #[inline]
    pub(crate) fn take(&mut self, key: Key, units: u64, supply: Supply, now: Moment) -> Taken {
        if let Some(branch) = self.ledger.branch() {
            return self.take_shared(branch, key, (units, supply), now);
        }
        let era = self.ledger.rule().era_if(!self.held.is_empty(), now);
        let place = self.find(key, era);
        let mut units_from_hand = 0;
        if let Some(held) = place.and_then(|place| self.held.get_mut(place)) {
            if held.key != key.bits() || held.era != era {
                *held = Held { key: key.bits(), units: 0, era, word: 0 };
            } else if held.units >= units && units > 0 {
                held.units = held.units.saturating_sub(units);
                let (word, units_held) = (held.word, held.units);
                return Taken {
                    granted: true,
                    word,
                    overflow: false,
                    units_held,
                    place,
                    units_from_hand: units,
                    quanta: 0,
                    source: Source::Own,
                };
            }
            units_from_hand = std::mem::take(&mut held.units);
        }
        let missing = units.saturating_sub(units_from_hand);
        let quantum = self.ledger.rule().quantum();
        let need = missing.div_ceil(quantum.max(1));
        let ahead = if place.is_some() { self.ahead_quanta } else { 0 };
        let changed = self.ledger.change(key, now, Change::Take { need, ahead }, false);
        let granted = changed.quanta >= need && (changed.quanta > 0 || need == 0);
        let gained = changed.quanta.saturating_mul(quantum);
        let units_held = units_from_hand.saturating_add(gained).saturating_sub(units);
        let units_held = if place.is_none() || !granted { 0 } else { units_held };
        let (word, overflow, quanta) = (changed.word, changed.overflow, changed.quanta);
        let source = Source::Own;
        let taken = Taken { granted, word, overflow, units_held, place, units_from_hand, quanta, source };
        if !granted {
            self.put_back(key, &taken, now);
        }
        taken
    }

    /// All limits agreed.
    #[inline]
    pub(crate) fn keep(&mut self, key: Key, taken: &Taken) {
        if taken.quanta == 0 {
            return;
        }
        if let Some(held) = taken.place.and_then(|place| self.held.get_mut(place)).filter(|held| held.key == key.bits())
        {
            held.units = taken.units_held;
            held.word = taken.word;
        }
    }

    /// Another limit refused: everything as before.
    pub(crate) fn put_back(&mut self, key: Key, taken: &Taken, now: Moment) {
        if let Some(branch) = self.ledger.branch() {
            return self.put_back_shared(branch, key, taken, now);
        }
        if let Some(held) = taken.place.and_then(|place| self.held.get_mut(place)).filter(|held| held.key == key.bits())
        {
            held.units = held.units.saturating_add(taken.units_from_hand);
        }
        if taken.quanta > 0 {
            self.ledger.change(key, now, Change::Return(taken.quanta), taken.overflow);
        }
    }

    /// Charges what has been spent already, first from the hand. Gives back what the store has to be told.
    pub(crate) fn force(&mut self, key: Key, units: u64, now: Moment) -> u64 {
        if let Some(branch) = self.ledger.branch() {
            return self.force_shared(branch, key, units, now);
        }
        let era = self.ledger.rule().era_if(!self.held.is_empty(), now);
        let mut missing = units;
        let mine = |held: &&mut Held| held.key == key.bits() && held.era == era;
        if let Some(held) = self.find(key, era).and_then(|place| self.held.get_mut(place)).filter(mine) {
            let paid = held.units.min(missing);
            held.units = held.units.saturating_sub(paid);
            missing = missing.saturating_sub(paid);
        }
        let quanta = missing.div_ceil(self.ledger.rule().quantum().max(1));
        if quanta > 0 {
            self.ledger.change(key, now, Change::Force(quanta), false);
        }
        0
    }

    /// The place of a key, or one that it may have: empty, spent, or held for an era that is over.
    #[inline]
    fn find(&self, key: Key, era: u64) -> Option<usize> {
        if self.held.is_empty() {
            return None;
        }
        let mask = self.held.len().saturating_sub(1);
        let home = key.home() & mask;
        let places = (0..PROBES).map(|step| home.wrapping_add(step) & mask);
        let mut free = None;
        for place in places {
            let held = self.held.get(place)?;
            if held.key == key.bits() {
                return Some(place);
            }
            if free.is_none() && (held.key == 0 || held.units == 0 || held.era != era) {
                free = Some(place);
            }
        }
        free
    }
}

// === impl Taken ===

impl Taken {
    pub(crate) const fn shared(
        granted: bool,
        (word, overflow): (u64, bool),
        units_held: u64,
        source: Source,
        quanta: u64,
    ) -> Self {
        Self { granted, word, overflow, units_held, place: None, units_from_hand: 0, quanta, source }
    }

    pub(crate) const fn source(&self) -> Source {
        self.source
    }

    pub(crate) const fn quanta(&self) -> u64 {
        self.quanta
    }
}
