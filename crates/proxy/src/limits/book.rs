//! The accounts of one limit of the configuration, with its name for people.

use crate::gateway::LimitFacts;
use portcullis_config::plan::{KeyPart, LimitPlan};
use portcullis_limit::fields::{Told, write_rate_limit_policy};
use portcullis_limit::{Decision, Key, KeyHasher, Ledger, Policy};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The accounts of one limit.
#[derive(Debug)]
pub(crate) struct Book {
    /// Where it is written: `defaults.limits.per_address`, and the plan behind it where it is one of several.
    pub(crate) place: String,
    key: Vec<KeyPart>,
    accounts: usize,
    /// Where the configuration says so; empty for what is built in.
    pub(crate) origin: String,
    pub(crate) ledger: Arc<Ledger>,
    /// Its item of `RateLimit-Policy`; empty for one that only watches.
    pub(super) item: Vec<u8>,
    /// Requests that it had no room for.
    short: Arc<AtomicU64>,
}

/// All books of a snapshot.
pub(crate) type Books = Vec<Arc<Book>>;

/// What a new snapshot makes its books from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shelf<'s> {
    /// Those in force, of which the ones that stay are taken over.
    pub(crate) books: &'s [Arc<Book>],
    pub(crate) workers: usize,
}

// === impl Book ===

impl Book {
    /// The book of a policy: the one that there is, or a new one.
    pub(super) fn of(plan: &LimitPlan, tier: Option<&str>, policy: &Policy, shelf: &Shelf<'_>) -> Arc<Self> {
        let mut place = format!("{}.limits.{}", plan.scope, policy.name());
        if let Some(tier) = tier {
            place = format!("{place} ({tier})");
        }
        let origin = plan.origin.as_ref().map(ToString::to_string).unwrap_or_default();
        let same = shelf.books.iter().find(|book| book.place == place);
        let kept = same
            .filter(|book| book.key == plan.key && book.accounts == plan.accounts && book.ledger.policy() == policy);
        if let Some(book) = kept.filter(|book| book.origin == origin) {
            return Arc::clone(book);
        }
        let workers = u32::try_from(shelf.workers).unwrap_or(u32::MAX);
        let fresh = || Arc::new(Ledger::new(policy.clone(), plan.accounts, workers));
        Arc::new(Self {
            ledger: kept.map_or_else(fresh, |book| Arc::clone(&book.ledger)),
            short: same.map(|book| Arc::clone(&book.short)).unwrap_or_default(),
            item: item(policy),
            key: plan.key.clone(),
            accounts: plan.accounts,
            place,
            origin,
        })
    }

    /// The account of a caller whom an operator names: the values of the key's parts, in their order.
    pub(crate) fn key_of(&self, hasher: &KeyHasher, values: &[String]) -> Result<Key, String> {
        if values.len() != self.key.len() {
            let parts: Vec<String> = self.key.iter().map(ToString::to_string).collect();
            return Err(format!("an account of `{}` is named by {}", self.place, parts.join(" and ")));
        }
        let mut writer = hasher.key();
        for (part, value) in self.key.iter().zip(values) {
            writer = super::rules::append_named(writer, part, value)?;
        }
        Ok(writer.finish())
    }

    pub(crate) fn facts(&self) -> LimitFacts {
        let policy = self.ledger.policy();
        LimitFacts {
            place: self.place.clone(),
            key: self.key.iter().map(ToString::to_string).collect(),
            limit: policy.limit(),
            window_s: policy.window_s(),
            observed: policy.is_shadow(),
            exceeded: self.short(),
        }
    }

    /// A request found no room.
    pub(super) fn count_short(&self) {
        self.short.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn short(&self) -> u64 {
        self.short.load(Ordering::Relaxed)
    }
}

fn item(policy: &Policy) -> Vec<u8> {
    let decision = Decision {
        policy: 0,
        has_room: true,
        shadow: policy.is_shadow(),
        limit: policy.limit(),
        remaining: 0,
        reset_s: None,
        retry_after_s: 0,
    };
    let mut out = Vec::new();
    write_rate_limit_policy(&mut out, [Told { policy, decision: &decision, partition: None }]);
    out
}
