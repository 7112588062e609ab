//! Charging a shared limit: from the lease that is here, from what the store gave for this very request, or, while the store
//! is away, from this gateway's share.

use crate::key::Key;
use crate::ledger::{Branch, Change, Ledger};
use crate::moment::Moment;
use crate::share::{Share, Source, Taken};

/// Where a charge to a shared limit comes from. Limits of this gateway alone do not look at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Supply {
    /// From what this gateway holds, or from its share while the store is away.
    #[default]
    Here,
    /// The store gave it for this request.
    Granted,
    /// The store has none left.
    Denied,
    /// The store did not answer: from this gateway's share.
    Unanswered,
}

// === impl Share ===

impl Share {
    /// Takes `units` of a shared limit. Nothing is final until all limits have agreed.
    pub(crate) fn take_shared(&self, branch: &Branch, key: Key, (units, supply): (u64, Supply), now: Moment) -> Taken {
        let Some(leases) = &branch.leases else { return self.take_share(branch, key, units, now) };
        let need = leases_quanta(leases, units);
        match supply {
            Supply::Here => {
                let changed = leases.change(key, now, Change::Take { need, ahead: 0 }, false);
                if changed.quanta < need || (need == 0 && units > 0) {
                    if branch.peers.is_away() {
                        return self.take_share(branch, key, units, now);
                    }
                    return self.told(key, Source::Missing, 0, 0);
                }
                let left = leases.rule().room(changed.word, now);
                let low = leases.renewal_quanta(branch.peers.live());
                // Told once, when it is crossed.
                let is_low = left < low && left.saturating_add(need) >= low;
                let source = Source::Lease { is_low };
                self.told(key, source, changed.quanta, left.saturating_mul(leases.rule().quantum()))
            }
            Supply::Granted => self.told(key, Source::Lease { is_low: false }, need, 0),
            Supply::Denied => self.told(key, Source::Denied, 0, 0),
            Supply::Unanswered => self.take_share(branch, key, units, now),
        }
    }

    /// One in so many gateways: everything counts that many times.
    fn take_share(&self, branch: &Branch, key: Key, units: u64, now: Moment) -> Taken {
        let rule = self.ledger.rule();
        let weight = branch.peers.live();
        let most = if rule.is_concurrency() { rule.limit_quanta() } else { u64::MAX };
        let need = units.saturating_mul(weight).div_ceil(rule.quantum().max(1)).min(most);
        let changed = self.ledger.change(key, now, Change::Take { need, ahead: 0 }, false);
        let granted = changed.quanta >= need && (changed.quanta > 0 || need == 0);
        let owed = branch.leases.as_ref().map_or(0, |leases| leases_quanta(leases, units));
        if let Some(leases) = branch.leases.as_ref().filter(|_| granted) {
            // The store hears of it when it is back.
            leases.change(key, now, Change::Force(owed), false);
            branch.peers.note_alone();
        }
        let quanta = if granted { changed.quanta } else { 0 };
        Taken::shared(granted, (changed.word, changed.overflow), 0, Source::Share { owed, weight }, quanta)
    }

    fn told(&self, key: Key, source: Source, quanta: u64, units_held: u64) -> Taken {
        let granted = matches!(source, Source::Lease { .. });
        Taken::shared(granted, (self.ledger.word(key), false), units_held, source, quanta)
    }

    /// Another limit refused: back to where it came from.
    pub(crate) fn put_back_shared(&self, branch: &Branch, key: Key, taken: &Taken, now: Moment) {
        match taken.source() {
            Source::Own | Source::Missing | Source::Denied => {}
            Source::Lease { .. } => {
                if let Some(leases) = &branch.leases {
                    // What the store gave for this request comes on top of what was held for others.
                    let most = leases.lease_quanta(branch.peers.live());
                    leases.change(key, now, Change::Restore { quanta: taken.quanta(), most }, false);
                }
            }
            Source::Share { owed, .. } => {
                self.ledger.change(key, now, Change::Return(taken.quanta()), taken.overflow);
                if let Some(leases) = &branch.leases {
                    leases.change(key, now, Change::Return(owed), false);
                }
            }
        }
    }

    /// Charges what has been spent already. Gives back what found no place here and belongs to the store.
    pub(crate) fn force_shared(&self, branch: &Branch, key: Key, units: u64, now: Moment) -> u64 {
        let Some(leases) = &branch.leases else { return 0 };
        if branch.peers.is_away() {
            let quanta = units.saturating_mul(branch.peers.live()).div_ceil(self.ledger.rule().quantum().max(1));
            self.ledger.change(key, now, Change::Force(quanta), false);
        }
        let changed = leases.change(key, now, Change::Force(leases_quanta(leases, units)), false);
        if changed.overflow { units } else { 0 }
    }
}

fn leases_quanta(leases: &Ledger, units: u64) -> u64 {
    units.div_ceil(leases.rule().quantum().max(1))
}
