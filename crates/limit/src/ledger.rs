//! The accounts of one limit, shared by all workers of the process: a fixed table of atomics, without locks.
//!
//! INVARIANT: an account leaves the table only when it is full, so that forgetting it changes nothing. A key that finds no
//! place shares one of a few overflow accounts, which have the budget of one key each: never open, never unbounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::decision::Permit;
use crate::key::Key;
use crate::moment::Moment;
use crate::peers::Peers;
use crate::policy::Policy;
use crate::rule::{BUSY, Rule};

#[cfg(test)]
mod tests;

/// One limit and everybody's account under it. It outlives a reload that leaves the limit as it is.
#[derive(Debug)]
pub struct Ledger {
    policy: Policy,
    workers: u64,
    lines: Box<[Line]>,
    /// One step at a time may give a key of a neighbourhood its place, so that no key ever has two.
    settling: Box<[AtomicBool]>,
    overflow: Box<[AtomicU64]>,
    rule: Rule,
    /// Steps on accounts that several callers share for want of places.
    crowded: AtomicU64,
    /// Present where the accounts are in a store that several gateways share.
    branch: Option<Box<Branch>>,
}

/// The part of a shared limit's accounts that is here.
#[derive(Debug)]
pub(crate) struct Branch {
    /// What this gateway holds of each account, or owes it. Nothing for permits, which the store does not know.
    pub(crate) leases: Option<Ledger>,
    pub(crate) peers: Arc<Peers>,
}

/// Four accounts to a cache line, so that a decision about a caller that was not seen for a while waits for memory once.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([Slot; SLOTS_PER_LINE]);

#[derive(Debug, Default)]
struct Slot {
    /// Whose account it is; nought where nobody's yet.
    tag: AtomicU64,
    word: AtomicU64,
}

/// What is asked of an account.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// All of `need` or nothing, and up to `ahead` more of what is left.
    Take { need: u64, ahead: u64 },
    /// All of it, room or not: it has been spent already.
    Force(u64),
    /// It was not spent after all.
    Return(u64),
    /// It was not spent, and what is more than `most` then is lost: no more than that may be held.
    Restore { quanta: u64, most: u64 },
    /// A lease came, which counts until that nanosecond.
    Grant { quanta: u64, until_ns: u64 },
    /// What is owed goes to the store.
    Collect,
    /// So much is left, says the store.
    Learn { room: u64 },
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Changed {
    /// How much was taken; nought when refused.
    pub(crate) quanta: u64,
    /// The account's word afterwards.
    pub(crate) word: u64,
    pub(crate) overflow: bool,
}

enum Place<'a> {
    Own(&'a Slot),
    Overflow(&'a AtomicU64),
    /// Another worker is giving out this place at this moment.
    Later,
    /// There is none, and nothing that could stand in for it.
    Nowhere,
}

/// LIMIT: how far from its home a key may live; with tables at most half full practically none needs more.
const PROBES: usize = 16;
const SLOTS_PER_LINE: usize = 4;
/// LIMIT: how often a step is tried against other workers before the answer is no.
const ATTEMPTS_MAX: u32 = 1_024;
/// A worker that is stopped in the middle of giving out a place must not hold up others: they go to overflow.
const ATTEMPTS_FOR_A_PLACE: u32 = 64;
/// LIMIT: a table has at most so many slots (256 MiB).
const SLOTS_MAX: usize = 1 << 24;
const OVERFLOW_SLOTS: usize = 64;
const SETTLING_FLAGS: usize = 64;
/// All gateways together hold at most a quarter of a shared limit.
pub(crate) const SHARES_OF_GATEWAYS: u64 = 4;
/// A worker has at most 1 / (`SHARES_PER_WORKER` · workers) of a limit in advance.
const SHARES_PER_WORKER: u64 = 16;

// === impl Ledger ===

impl Ledger {
    /// A table for about `keys` accounts in use at the same time, shared by `workers`. It takes 32 to 64 bytes per key.
    #[must_use]
    pub fn new(policy: Policy, keys: usize, workers: u32) -> Self {
        let rule = policy.rule;
        Self::with(policy, rule, keys, workers)
    }

    /// The same where `peers` share the accounts through a store. It takes twice the memory: what is held of each account,
    /// and what is known of it for when the store is away.
    #[must_use]
    pub fn shared(policy: Policy, keys: usize, workers: u32, peers: Arc<Peers>) -> Self {
        let leased = policy.rule.leased();
        let leases = (!policy.rule.is_concurrency()).then(|| Self::with(policy.clone(), leased, keys, 1));
        let branch = Some(Box::new(Branch { leases, peers }));
        Self { branch, ..Self::new(policy, keys, workers) }
    }

    fn with(policy: Policy, rule: Rule, keys: usize, workers: u32) -> Self {
        let slots = keys.clamp(PROBES, SLOTS_MAX / 2).saturating_mul(2).next_power_of_two();
        Self {
            policy,
            workers: u64::from(workers.max(1)),
            lines: (0..slots / SLOTS_PER_LINE).map(|_| Line::default()).collect(),
            settling: (0..SETTLING_FLAGS).map(|_| AtomicBool::new(false)).collect(),
            // Leases of several callers cannot be one; whoever finds no place asks the store each time.
            overflow: (0..if rule.is_lease() { 0 } else { OVERFLOW_SLOTS }).map(|_| AtomicU64::new(0)).collect(),
            rule,
            crowded: AtomicU64::new(0),
            branch: None,
        }
    }

    /// The limit that it keeps.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// How many units all workers together may hold in advance, and so admit beyond the limit within one interval when it
    /// is a rate. Windows and quotas spend what they hold within the window or period it was charged to, so that their
    /// bound is nought. Below 16 units per worker it is nought for rates as well.
    #[must_use]
    pub fn excess_max(&self) -> u64 {
        if self.branch.is_some() {
            return if self.rule().is_concurrency() { 0 } else { self.policy.limit() / SHARES_OF_GATEWAYS };
        }
        let each = self.ahead_quanta().saturating_add(1).saturating_mul(self.rule().quantum()).saturating_sub(1);
        if self.rule().is_concurrency() { 0 } else { each.saturating_mul(self.workers) }
    }

    /// How often callers shared an account because the table had no place for them; each attempt counts.
    #[must_use]
    pub fn crowded(&self) -> u64 {
        self.crowded.load(Ordering::Relaxed)
    }

    /// Forgets what a caller has spent; `portcullis limits reset`. Whether it had an account of its own.
    pub fn reset(&self, key: Key) -> bool {
        if let Some(leases) = self.branch().and_then(|branch| branch.leases.as_ref()) {
            leases.reset(key);
        }
        let found = self.find(key.tag(), key.home());
        if let Some(slot) = found {
            // A slot that is changing hands is full anyway.
            let cleared =
                slot.word.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |word| (word != BUSY).then_some(0));
            return cleared.is_ok();
        }
        false
    }

    /// The request that held a permit is over. The permit is one of this ledger.
    pub fn release(&self, permit: &Permit, now: Moment) {
        self.change(permit.key, now, Change::Return(permit.units), permit.overflow);
    }

    pub(crate) const fn rule(&self) -> &Rule {
        &self.rule
    }

    pub(crate) fn branch(&self) -> Option<&Branch> {
        self.branch.as_deref()
    }

    /// The most that one worker may hold in advance.
    pub(crate) fn ahead_quanta(&self) -> u64 {
        if self.workers == 1 || self.rule().is_concurrency() || self.branch.is_some() {
            return 0;
        }
        self.rule().limit_quanta() / SHARES_PER_WORKER.saturating_mul(self.workers)
    }

    /// The word of an account as it stands.
    pub(crate) fn word(&self, key: Key) -> u64 {
        let word = match self.find(key.tag(), key.home()) {
            Some(slot) => slot.word.load(Ordering::SeqCst),
            None => self.overflow_of(key).map_or(0, |cell| cell.load(Ordering::SeqCst)),
        };
        if word == BUSY { 0 } else { word }
    }

    /// Changes an account; `overflow` insists on the shared one, for a permit that was taken there.
    #[inline]
    pub(crate) fn change(&self, key: Key, now: Moment, change: Change, overflow: bool) -> Changed {
        let refused = |word, overflow| Changed { quanta: 0, word, overflow };
        for attempt in 0..ATTEMPTS_MAX {
            let patient = attempt < ATTEMPTS_FOR_A_PLACE && !overflow;
            let (slot, cell) = match self.place(key, now, patient) {
                Place::Own(slot) => (Some(slot), &slot.word),
                Place::Overflow(cell) => {
                    self.crowded.fetch_add(1, Ordering::Relaxed);
                    (None, cell)
                }
                Place::Later => {
                    std::hint::spin_loop();
                    continue;
                }
                Place::Nowhere => return refused(0, true),
            };
            if slot.is_none() && matches!(change, Change::Learn { .. }) {
                // What the store knows of one caller is not what several owe together.
                return refused(0, true);
            }
            let word = cell.load(Ordering::SeqCst);
            if word == BUSY {
                std::hint::spin_loop();
                continue;
            }
            let is_still_theirs = || slot.is_none_or(|slot| slot.tag.load(Ordering::SeqCst) == key.tag());
            let Some((after, quanta)) = self.step(word, now, change) else {
                if is_still_theirs() {
                    return refused(word, slot.is_none());
                }
                continue;
            };
            if cell.compare_exchange(word, after, Ordering::SeqCst, Ordering::SeqCst).is_err() {
                continue;
            }
            if is_still_theirs() {
                return Changed { quanta, word: after, overflow: slot.is_none() };
            }
            self.undo(cell, now, change, quanta);
        }
        // Contended beyond reason. What cannot be decided is refused, as if all had been spent.
        refused(self.rule().charged(0, now, self.rule().limit_quanta()), false)
    }

    /// The word after a change and how much it moved; none when there is no room.
    fn step(&self, word: u64, now: Moment, change: Change) -> Option<(u64, u64)> {
        let rule = self.rule();
        match change {
            Change::Take { need, ahead } => {
                let spare = rule.room(word, now).checked_sub(need)?;
                // When little is left, less is taken in advance, so that no worker sits on what another needs.
                let ahead = ahead.min(spare / self.workers.saturating_mul(2));
                let quanta = need.saturating_add(ahead);
                Some((rule.charged(word, now, quanta), quanta))
            }
            Change::Force(quanta) => Some((rule.charged(word, now, quanta), quanta)),
            Change::Return(quanta) => Some((rule.credited(word, now, quanta), quanta)),
            Change::Restore { quanta, most } => {
                let quanta = quanta.min(most.saturating_sub(rule.room(word, now)));
                Some((rule.credited(word, now, quanta), quanta))
            }
            Change::Grant { quanta, until_ns } => Some((rule.granted(word, now, quanta, until_ns), quanta)),
            Change::Collect => {
                let owed = rule.owed(word, now);
                Some((rule.credited(word, now, owed), owed))
            }
            Change::Learn { room } => {
                let spent = rule.limit_quanta().saturating_sub(room);
                Some((rule.charged(0, now, spent), spent))
            }
        }
    }

    /// The slot changed its owner in the middle of a step, so that the step hit a stranger's account.
    fn undo(&self, cell: &AtomicU64, now: Moment, change: Change, quanta: u64) {
        let rule = self.rule();
        let back = |word| match change {
            _ if word == BUSY => None,
            Change::Take { .. } | Change::Force(_) => Some(rule.credited(word, now, quanta)),
            Change::Return(_) | Change::Restore { .. } | Change::Grant { .. } | Change::Collect => {
                Some(rule.charged(word, now, quanta))
            }
            // What the stranger's account was is lost; spent is the strict guess.
            Change::Learn { .. } => Some(rule.charged(word, now, rule.limit_quanta())),
        };
        // Refused only if the stranger's account is full and leaving already.
        cell.fetch_update(Ordering::SeqCst, Ordering::SeqCst, back).ok();
    }

    #[inline]
    fn place(&self, key: Key, now: Moment, patient: bool) -> Place<'_> {
        if patient {
            if let Some(slot) = self.find(key.tag(), key.home()) {
                return Place::Own(slot);
            }
            if let Some(place) = self.settle(key, now) {
                return place;
            }
        }
        self.overflow_of(key).map_or(Place::Nowhere, Place::Overflow)
    }

    #[inline]
    fn find(&self, tag: u64, home: usize) -> Option<&Slot> {
        self.neighbourhood(home).find(|slot| slot.tag.load(Ordering::SeqCst) == tag)
    }

    #[inline]
    fn neighbourhood(&self, home: usize) -> impl Iterator<Item = &Slot> {
        let mask = self.lines.len().saturating_sub(1);
        // Beginning at a slot of its own within the line, most keys are found at the first look, which a processor foresees.
        let first = home.rotate_right(40);
        (0..PROBES).filter_map(move |step| {
            let line = self.lines.get(home.wrapping_add(step / SLOTS_PER_LINE) & mask)?;
            line.0.get(first.wrapping_add(step) % SLOTS_PER_LINE)
        })
    }

    /// Gives a new key a place: one that is empty, or whose account is full. None if there is none.
    #[cold]
    fn settle(&self, key: Key, now: Moment) -> Option<Place<'_>> {
        let flag = self.settling.get(key.home() % SETTLING_FLAGS)?;
        if flag.compare_exchange(false, true, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return Some(Place::Later);
        }
        // Somebody may have given it a place since we looked.
        let slot = self.find(key.tag(), key.home()).or_else(|| self.claim(key, now));
        flag.store(false, Ordering::SeqCst);
        slot.map(Place::Own)
    }

    fn claim(&self, key: Key, now: Moment) -> Option<&Slot> {
        let leaver = || {
            let leaves = |word| word != BUSY && self.rule().is_full(word, now);
            let full = self.neighbourhood(key.home()).map(|slot| (slot, slot.word.load(Ordering::SeqCst)));
            // Nobody's before anybody's, and then whoever rested longest, which is what small words say: callers who come
            // back soon do not take each other's places in turn.
            full.filter(|&(_, word)| leaves(word))
                .min_by_key(|(slot, word)| (slot.tag.load(Ordering::SeqCst) != 0, *word))
        };
        let slot = (0..PROBES).find_map(|_| {
            let (slot, word) = leaver()?;
            // From the exchange on, nobody can charge the account that leaves.
            slot.word.compare_exchange(word, BUSY, Ordering::SeqCst, Ordering::SeqCst).ok().map(|_| slot)
        })?;
        // What it owes as part of an overflow account it goes on owing, or moving out would be a reset.
        let inherited = match self.overflow_of(key) {
            Some(cell) if !self.rule().is_concurrency() => cell.load(Ordering::SeqCst),
            Some(_) | None => 0,
        };
        slot.tag.store(key.tag(), Ordering::SeqCst);
        slot.word.store(inherited, Ordering::SeqCst);
        Some(slot)
    }

    /// The word of an account of its own, if there is one.
    pub(crate) fn has(&self, key: Key) -> bool {
        self.find(key.tag(), key.home()).is_some()
    }

    fn overflow_of(&self, key: Key) -> Option<&AtomicU64> {
        self.overflow.get(key.home().rotate_right(32) % OVERFLOW_SLOTS)
    }
}
