//! What operators are told about limits, and how they forgive what a caller has spent.

use super::{Handle, StartError};
use crate::limits::{Book, SharedStore};
use portcullis_config::plan::Plan;
use portcullis_limit::{Key, Moment, Peers};
use portcullis_types::Clock;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

/// One limit.
#[derive(Clone, Debug)]
pub struct LimitFacts {
    /// Where it is written: `defaults.limits.per_address`.
    pub place: String,
    /// What names an account, part by part.
    pub key: Vec<String>,
    /// The most that can be had at once.
    pub limit: u64,
    /// In how many seconds; `None` for what runs at the same time.
    pub window_s: Option<u64>,
    /// Whether it only watches.
    pub observed: bool,
    /// Requests that it had no room for.
    pub exceeded: u64,
}

/// The store that gateways share, as this one sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreFacts {
    /// Whether it answers. While it does not, this gateway goes by its share.
    pub answers: bool,
    /// Whether it ever has.
    pub reached: bool,
    /// Gateways that share limits.
    pub gateways: u64,
}

/// One account.
#[derive(Clone, Copy, Debug)]
pub struct AccountFacts {
    /// The most that can be had at once.
    pub limit: u64,
    /// What is left.
    pub remaining: u64,
    /// When there is more; `None` where nobody can know.
    pub reset_s: Option<u64>,
}

/// The way to the store that gateways share, where there is one.
pub(super) fn shared_store(
    plan: &Plan,
    peers: Option<Arc<Peers>>,
    clock: &Clock,
) -> Result<Option<SharedStore>, StartError> {
    let Some((plan, peers)) = plan.shared_store.as_ref().zip(peers) else { return Ok(None) };
    let [low, high] = super::listen::seed(0).map_err(StartError::System)?;
    let id = u128::from(high) << 64 | u128::from(low);
    SharedStore::start(plan, peers, clock, id).map(Some).map_err(StartError::Compile)
}

// === impl Handle ===

impl Handle {
    /// The store that gateways share, where there is one.
    #[must_use]
    pub fn shared_store(&self) -> Option<StoreFacts> {
        let store = self.shared.store.as_ref()?;
        let reached = store.counts.reached.load(Ordering::Relaxed);
        Some(StoreFacts { answers: !store.peers.is_away(), reached, gateways: store.peers.live() })
    }

    /// Every limit of the configuration in force.
    #[must_use]
    pub fn limits(&self) -> Vec<LimitFacts> {
        self.shared.snapshot.load().books.iter().map(|book| book.facts()).collect()
    }

    /// How an account stands; `values` are those of the key's parts, in their order.
    ///
    /// # Errors
    /// What is wrong with the question, in one sentence.
    pub fn account(&self, place: &str, values: &[String]) -> Result<AccountFacts, String> {
        let (book, key) = self.find(place, values)?;
        let wall = self.shared.clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = Moment { nanos: self.shared.clock.nanos(), unix_s: wall.as_secs() };
        let decision = book.ledger.look(key, now);
        Ok(AccountFacts { limit: decision.limit, remaining: decision.remaining, reset_s: decision.reset_s })
    }

    /// Forgets what a caller has spent; whether there was anything to forget.
    ///
    /// # Errors
    /// What is wrong with the question, in one sentence.
    pub fn forgive(&self, place: &str, values: &[String]) -> Result<bool, String> {
        let (book, key) = self.find(place, values)?;
        if book.ledger.policy().window_s().is_none() {
            return Err("places come back when their requests end; there is nothing to forget".to_owned());
        }
        if let Some(store) = self.shared.store.as_ref().filter(|_| book.ledger.is_shared()) {
            store.forgive(&book, key);
        }
        Ok(book.ledger.reset(key))
    }

    fn find(&self, place: &str, values: &[String]) -> Result<(Arc<Book>, Key), String> {
        let snapshot = self.shared.snapshot.load();
        let book = snapshot.books.iter().find(|book| book.place == place);
        let book = book.ok_or_else(|| format!("there is no limit `{place}`; `limits show` lists them"))?;
        let key = book.key_of(&self.shared.hasher, values)?;
        Ok((Arc::clone(book), key))
    }
}
