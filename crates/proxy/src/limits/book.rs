//! The accounts of one limit of the configuration, with its name for people.

use super::costs;
use crate::feed::Feed;
use crate::gateway::LimitFacts;
use crate::knowledge::Knowledge;
use crate::ownership::Ownership;
use portcullis_config::plan::{AnswerCostPlan, KeyPart, LimitPlan};
use portcullis_h1::ResponseHead;
use portcullis_limit::fields::{Told, write_rate_limit_policy};
use portcullis_limit::{Decision, Key, KeyHasher, Kind, Ledger, Peers, Period, Policy, Prefixes, Unit};
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
    /// What it is called in a store that gateways share.
    pub(crate) store_id: u64,
    /// Its item of `RateLimit-Policy`; empty for one that only watches.
    pub(super) item: Vec<u8>,
    /// Where answers say what they cost.
    pub(super) answer_cost: Option<AnswerCostPlan>,
    /// Answers of which that could not be told, or was too much.
    capped: Arc<AtomicU64>,
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
    /// What was learned under it, which stays where its level stays.
    pub(crate) ownerships: &'s [Arc<Ownership>],
    /// What is known of contracts, which stays where they stay.
    pub(crate) knowledge: &'s [Arc<Knowledge>],
    pub(crate) workers: usize,
    /// The bundle in force.
    pub(crate) feed: Option<&'s Arc<Feed>>,
    /// Present where gateways share a store.
    pub(crate) peers: Option<&'s Arc<Peers>>,
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
        let is_shared = plan.shared && shelf.peers.is_some();
        let kept = kept.filter(|book| book.ledger.is_shared() == is_shared);
        let is_same = |book: &&Arc<Self>| book.origin == origin && book.answer_cost == plan.answer_cost;
        if let Some(book) = kept.filter(is_same) {
            return Arc::clone(book);
        }
        let workers = u32::try_from(shelf.workers).unwrap_or(u32::MAX);
        let fresh = || {
            let ledger = match shelf.peers.filter(|_| plan.shared) {
                Some(peers) => Ledger::shared(policy.clone(), plan.accounts, workers, Arc::clone(peers)),
                None => Ledger::new(policy.clone(), plan.accounts, workers),
            };
            Arc::new(ledger)
        };
        Arc::new(Self {
            ledger: kept.map_or_else(fresh, |book| Arc::clone(&book.ledger)),
            short: same.map(|book| Arc::clone(&book.short)).unwrap_or_default(),
            capped: same.map(|book| Arc::clone(&book.capped)).unwrap_or_default(),
            answer_cost: plan.answer_cost.clone(),
            store_id: store_id(&place, policy),
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

    /// Whether only what follows a request tells what it comes to.
    pub(super) fn is_told_later(&self) -> bool {
        match self.ledger.policy().unit() {
            Unit::Requests => false,
            Unit::ContentBytes => true,
            Unit::Cost => self.answer_cost.is_some(),
        }
    }

    /// What an answer comes to: what it says, and at most what the configuration or the whole limit allows. What cannot be told
    /// is the most.
    pub(super) fn cost_of(&self, plan: &AnswerCostPlan, answer: &ResponseHead) -> Option<u64> {
        let most = plan.most.min(self.ledger.policy().limit());
        let said = costs::said(answer, &plan.header)?;
        if said.is_none_or(|said| said > plan.most) {
            self.capped.fetch_add(1, Ordering::Relaxed);
        }
        Some(said.map_or(most, |said| said.min(most)))
    }

    /// Answers whose cost could not be told or was too much; none where answers do not say it.
    pub(crate) fn capped(&self) -> Option<u64> {
        self.answer_cost.is_some().then(|| self.capped.load(Ordering::Relaxed))
    }

    pub(crate) fn short(&self) -> u64 {
        self.short.load(Ordering::Relaxed)
    }
}

/// The same at every gateway that has this limit at this place, and another once either changes. It is no secret.
fn store_id(place: &str, policy: &Policy) -> u64 {
    let numbers = match policy.kind() {
        Kind::Rate { units, per_ns, burst } => [1, units, per_ns, burst],
        Kind::Window { limit, width_ns } => [2, limit, width_ns, 0],
        Kind::Quota { limit, period, offset_min } => {
            let period = match period {
                Period::Hour => 1,
                Period::Day => 2,
                Period::Month => 3,
            };
            [3, limit, period, u64::from(offset_min.unsigned_abs()) * 2 + u64::from(offset_min < 0)]
        }
        Kind::Concurrency { limit } => [4, limit, 0, 0],
    };
    let writer = KeyHasher::new([0; 16], Prefixes::default()).key().part(place.as_bytes());
    let key = numbers.iter().fold(writer, |writer, number| writer.part(&number.to_be_bytes())).finish();
    u64::try_from(key.bits() >> 64).unwrap_or(0)
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
