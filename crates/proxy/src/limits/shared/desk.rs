//! Which questions leave together. A request's questions leave in one call, about each account one at a time: whoever wants to
//! know of one that is being asked about waits, and everybody who has waited is asked for at once. Pure.

use super::{Asked, What};
use portcullis_limit::ASKS_MAX;
use std::collections::{HashMap, HashSet, VecDeque};

/// A limit's name in the store, and whose account.
pub(super) type Account = (u64, u128);
/// What one request has to ask, or what nobody waits for.
pub(super) type Parcel = Vec<Asked>;
/// An account with all who want to know.
pub(super) type Entry = (Account, Vec<Asked>);

// LIMIT: accounts in one call, so that no script holds the store up for long.
pub(super) const ACCOUNTS_MAX: usize = 32;
// LIMIT: parcels that wait for an account.
const WAITING_MAX: usize = 1_024;
// LIMIT: who waits for one answer about an account.
const ASKED_MAX: usize = 1_024;

#[cfg(test)]
mod tests;

#[derive(Debug, Default)]
pub(super) struct Desk {
    /// Accounts that are being asked about.
    busy: HashSet<Account>,
    /// In the order of coming: what wants an account that is busy, or that somebody before it waits for.
    waiting: VecDeque<Parcel>,
    /// The accounts of those who wait.
    wanted: HashSet<Account>,
    /// The next call.
    next: Vec<Entry>,
    places: HashMap<Account, usize>,
}

pub(super) fn account(asked: &Asked) -> Account {
    (asked.book.store_id, asked.key.bits())
}

// === impl Desk ===

impl Desk {
    /// Takes a parcel: into the next call, or to wait. What finds no room to wait is dropped, which is no answer.
    pub(super) fn take(&mut self, mut parcel: Parcel) {
        // An answer that is on its way brings something in advance as well.
        parcel.retain(|asked| !(matches!(asked.what, What::More) && self.busy.contains(&account(asked))));
        let is_held = |asked: &Asked| {
            let account = account(asked);
            let place = self.places.get(&account).and_then(|place| self.next.get(*place));
            let is_crowded = place.is_some_and(|(_, asked)| asked.len() >= ASKED_MAX);
            self.busy.contains(&account) || self.wanted.contains(&account) || is_crowded
        };
        if parcel.iter().any(is_held) {
            if self.waiting.len() < WAITING_MAX {
                self.wanted.extend(parcel.iter().map(account));
                self.waiting.push_back(parcel);
            }
            return;
        }
        for asked in parcel {
            let account = account(&asked);
            let place = *self.places.entry(account).or_insert(self.next.len());
            match self.next.get_mut(place) {
                Some((_, all)) => all.push(asked),
                None => self.next.push((account, vec![asked])),
            }
        }
    }

    /// Whether another parcel might not fit into the next call.
    pub(super) fn is_full(&self) -> bool {
        self.next.len().saturating_add(ASKS_MAX) > ACCOUNTS_MAX
    }

    /// The next call. Its accounts are busy until they are freed.
    pub(super) fn leave(&mut self) -> Vec<Entry> {
        self.places.clear();
        self.busy.extend(self.next.iter().map(|(account, _)| *account));
        std::mem::take(&mut self.next)
    }

    /// These have been answered; what may go on now has to be taken again.
    pub(super) fn free(&mut self, accounts: &[Account]) -> Vec<Parcel> {
        let mut is_wanted = false;
        for account in accounts {
            self.busy.remove(account);
            is_wanted |= self.wanted.contains(account);
        }
        if !is_wanted {
            return Vec::new();
        }
        self.wanted.clear();
        self.waiting.drain(..).collect()
    }

    /// No answer will come: whoever waits for one of these will not get one either.
    pub(super) fn give_up(&mut self, accounts: &[Account]) -> Vec<Parcel> {
        self.waiting.retain(|parcel| !parcel.iter().any(|asked| accounts.contains(&account(asked))));
        self.free(accounts)
    }
}
