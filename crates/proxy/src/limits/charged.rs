//! What a request has been charged: what its answer says of that, and what comes back when it ends.

use super::book::Books;
use crate::head::Head;
use portcullis_limit::fields::{Legacy, Told, write_rate_limit};
use portcullis_limit::{Ask, Decision, Ledger, Moment, Permit};
use std::sync::Arc;

/// One request's charges. Its memory is used again for the next one.
#[derive(Debug, Default)]
pub(crate) struct Charged {
    /// The items of `RateLimit-Policy` and of `RateLimit`.
    policies: Vec<u8>,
    limits: Vec<u8>,
    legacy: Option<Legacy>,
    /// Whether the answer says it in the older fields as well.
    pub(crate) in_legacy_fields: bool,
    /// Whether nothing is left to charge before the request goes on.
    pub(crate) is_complete: bool,
    /// Places among the requests that run at the same time.
    held: Vec<(Arc<Ledger>, Permit)>,
    /// What counts what is told later, with what was charged to get in.
    pub(super) owing: Vec<Ask>,
}

// === impl Charged ===

impl Charged {
    /// Notes what limits said, for the answer.
    pub(super) fn tell(&mut self, books: &Books, decisions: &[Decision]) {
        let told = decisions.iter().filter_map(|decision| {
            let policy = books.get(decision.policy)?.ledger.policy();
            Some(Told { policy, decision, partition: None })
        });
        for book in decisions.iter().filter_map(|decision| books.get(decision.policy)) {
            join(&mut self.policies, |out| out.extend_from_slice(&book.item));
        }
        join(&mut self.limits, |out| write_rate_limit(out, told.clone()));
        if self.in_legacy_fields
            && let Some(legacy) = Legacy::of(told)
            && self.legacy.is_none_or(|have| part(&legacy) < part(&have))
        {
            self.legacy = Some(legacy);
        }
    }

    pub(super) fn hold(&mut self, books: &Books, permits: impl Iterator<Item = Permit>) {
        for permit in permits {
            if let Some(book) = books.get(permit.policy()) {
                self.held.push((Arc::clone(&book.ledger), permit));
            }
        }
    }

    /// Whether something is to be charged once it is known how much it was.
    pub(crate) fn is_owing(&self) -> bool {
        !self.owing.is_empty()
    }

    /// Writes the fields that tell the caller; `ahead` are the items of limits that nobody has come to.
    pub(crate) fn write(&self, ahead: &[u8], out: &mut impl Head) {
        match (self.policies.is_empty(), ahead.is_empty()) {
            (true, true) => return,
            (false, true) => out.field(b"ratelimit-policy", &self.policies),
            (true, false) => out.field(b"ratelimit-policy", ahead),
            (false, false) => {
                let mut all = self.policies.clone();
                join(&mut all, |out| out.extend_from_slice(ahead));
                out.field(b"ratelimit-policy", &all);
            }
        }
        if self.limits.is_empty() {
            return;
        }
        out.field(b"ratelimit", &self.limits);
        if let Some(legacy) = self.legacy {
            out.number(b"x-ratelimit-limit", legacy.limit);
            out.number(b"x-ratelimit-remaining", legacy.remaining);
            out.number(b"x-ratelimit-reset", legacy.reset_s);
        }
    }

    /// Forgets the request: gives back its places and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.policies.clear();
        self.limits.clear();
        self.legacy = None;
        self.in_legacy_fields = false;
        self.is_complete = false;
        self.owing.clear();
        for (ledger, permit) in self.held.drain(..) {
            // How many run at once does not depend on the time.
            ledger.release(&permit, Moment::default());
        }
    }
}

impl Drop for Charged {
    /// However a request ends, also by being torn down in the middle.
    fn drop(&mut self) {
        self.clear();
    }
}

/// Appends items to a list of structured fields (RFC 9651 section 3.1).
pub(super) fn join(list: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let before = list.len();
    if before > 0 {
        list.extend_from_slice(b", ");
    }
    let start = list.len();
    write(list);
    if list.len() == start {
        list.truncate(before);
    }
}

/// How much is left, in millionths.
fn part(legacy: &Legacy) -> u128 {
    u128::from(legacy.remaining).saturating_mul(1_000_000) / u128::from(legacy.limit.max(1))
}
