//! What is asked of a store that several gateways share, and what becomes of its answer here.
//!
//! # What holds over all gateways
//! With M gateways that know of each other, each holds at most 1 / (4 · M) of a limit ([`Ledger::excess_max`]):
//!
//! - while the store answers, a rate admits over any interval at most its burst, what came back in it, and a quarter of the
//!   burst; windows and quotas admit their limit, since what is held ends with the window or period it was charged to;
//! - while it is away, each gateway admits at most its share, 1 / M of the limit, less what it knows to be spent;
//! - over an interval in which it went away or came back, both together: at most twice the limit and that quarter. What was
//!   admitted meanwhile is charged to the store when it is back.
//!
//! `limiter/fleet.rs` checks this with ten thousand seeds.

use crate::key::Key;
use crate::ledger::{Change, Ledger, SHARES_OF_GATEWAYS};
use crate::moment::Moment;
use crate::policy::Kind;

/// One question about one account, in units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreAsk {
    /// The limit.
    pub kind: Kind,
    /// What those who wait want together.
    pub need: u64,
    /// What the most modest of them wants: where there is not enough for all, what is left is given if it is that much.
    pub least: u64,
    /// What is wanted in advance, if much is left.
    pub ahead: u64,
    /// What was spent here and not charged yet.
    pub owed: u64,
    /// What was left when this gateway last heard of the account, for a store that has lost its memory.
    pub known: u64,
    /// Gateways that share the limit.
    pub gateways: u64,
}

/// What the store says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreAnswer {
    /// So much was charged to the account and belongs to this gateway now.
    pub granted: u64,
    /// What is left.
    pub room: u64,
    /// For how long what was granted may be spent, from when it was asked for.
    pub valid_ns: u64,
}

// === impl Ledger ===

impl Ledger {
    /// Whether several gateways share it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.branch().is_some()
    }

    /// The question for those who wait. What is owed goes along; if no answer comes, [`Ledger::unanswered`] takes it back.
    #[must_use]
    pub fn question(&self, key: Key, need: u64, least: u64, now: Moment) -> Option<StoreAsk> {
        let branch = self.branch()?;
        let leases = branch.leases.as_ref()?;
        let gateways = branch.peers.live();
        let quantum = leases.rule().quantum();
        // The place may go to somebody else, which would lose what was granted in advance.
        let (owed, held) = if leases.has(key) {
            let owed = leases.change(key, now, Change::Collect, false).quanta;
            (owed.saturating_mul(quantum), leases.rule().room(leases.word(key), now))
        } else {
            (0, u64::MAX)
        };
        let ahead = leases.lease_quanta(gateways).saturating_sub(held).saturating_mul(quantum);
        let rule = self.rule();
        let known = rule.room(self.word(key), now).saturating_mul(rule.quantum());
        let kind = self.policy().kind();
        // A limit that counts in quanta is never known to be quite full.
        let known =
            if known.saturating_add(rule.quantum()) > self.policy().limit() { self.policy().limit() } else { known };
        Some(StoreAsk { kind, need, least, ahead, owed, known, gateways })
    }

    /// No answer came: what was owed still is. The store may have charged it, which is strict.
    pub fn unanswered(&self, key: Key, ask: &StoreAsk, now: Moment) {
        let Some(leases) = self.branch().and_then(|branch| branch.leases.as_ref()) else { return };
        if ask.owed > 0 {
            leases.change(key, now, Change::Force(ask.owed.div_ceil(leases.rule().quantum().max(1))), false);
        }
    }

    /// Takes in an answer to a question that was sent at `sent`, of which `spent` went to those who waited.
    pub fn answered(&self, key: Key, answer: &StoreAnswer, spent: u64, (sent, now): (Moment, Moment)) {
        let Some(branch) = self.branch() else { return };
        let Some(leases) = branch.leases.as_ref() else { return };
        let quantum = leases.rule().quantum();
        let held = leases.rule().room(leases.word(key), now);
        let most = leases.lease_quanta(branch.peers.live()).saturating_sub(held);
        let quanta = (answer.granted.saturating_sub(spent) / quantum.max(1)).min(most);
        if quanta > 0 && leases.has(key) {
            let until_ns = sent.nanos.saturating_add(answer.valid_ns);
            leases.change(key, now, Change::Grant { quanta, until_ns }, false);
        }
        let room = answer.room / self.rule().quantum().max(1);
        self.change(key, now, Change::Learn { room }, false);
    }

    /// The most that one of so many gateways holds of an account.
    pub(crate) fn lease_quanta(&self, gateways: u64) -> u64 {
        self.rule().limit_quanta() / SHARES_OF_GATEWAYS.saturating_mul(gateways.max(1))
    }

    /// Below so much, it pays to ask for more.
    pub(crate) fn renewal_quanta(&self, gateways: u64) -> u64 {
        self.lease_quanta(gateways).div_ceil(2)
    }

    /// What is held here of a shared limit's account, in units.
    pub(crate) fn held(&self, key: Key, now: Moment) -> u64 {
        let leases = self.branch().and_then(|branch| branch.leases.as_ref());
        leases.map_or(0, |leases| leases.rule().room(leases.word(key), now).saturating_mul(leases.rule().quantum()))
    }
}
