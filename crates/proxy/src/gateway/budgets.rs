//! What operators are told about limits, and how they forgive what a caller has spent.

use super::Handle;
use crate::limits::Book;
use portcullis_limit::{Key, Moment};
use std::sync::Arc;
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

// === impl Handle ===

impl Handle {
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
