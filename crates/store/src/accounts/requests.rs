//! Keys that somebody has asked for: what he wants, what was decided, and the key that came of it.

use super::{APPLICATIONS, REQUESTS, decoded, encoded, keys, own};
use crate::StoreError;
use crate::disk::{Store, finish};
use portcullis_auth::key::KeyRecord;
use redb::{ReadableDatabase, ReadableTable};
use serde::{Deserialize, Serialize};

// LIMIT: requests of an account that are settled and still listed; the oldest are forgotten.
const SETTLED_KEPT: usize = 20;

/// A key that somebody has asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRequest {
    /// Its number.
    pub id: u64,
    /// Whose it is.
    pub account: String,
    /// What the key is for.
    pub application: u64,
    /// The APIs that it is for; never empty.
    pub apis: Vec<String>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// In how many seconds it ends, from when it is made on.
    pub lasts_s: u64,
    /// What he says it is for.
    pub why: String,
    /// When he asked, in seconds since 1970.
    pub asked_at: u64,
    /// What was decided.
    pub decision: Decision,
}

/// What was decided about a key that somebody has asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Nothing yet.
    Waiting,
    /// It may be made.
    Approved {
        /// By whom.
        by: String,
        /// When, in seconds since 1970.
        at: u64,
    },
    /// It may not.
    Declined {
        /// By whom.
        by: String,
        /// When, in seconds since 1970.
        at: u64,
        /// Why, for whoever has asked.
        why: String,
    },
    /// It was made.
    Made {
        /// Its number.
        key: u64,
    },
}

// === impl Decision ===

impl Decision {
    /// The name for people.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved { .. } => "approved",
            Self::Declined { .. } => "declined",
            Self::Made { .. } => "made",
        }
    }

    /// Whether nothing more will come of it.
    const fn is_settled(&self) -> bool {
        match self {
            Self::Waiting | Self::Approved { .. } => false,
            Self::Declined { .. } | Self::Made { .. } => true,
        }
    }
}

// === impl Store ===

impl Store {
    /// Notes that somebody wants a key. At most `most` of an account are open at once.
    ///
    /// # Errors
    /// The account has no such application, or asks for too much.
    pub fn ask_for_key(&self, request: &KeyRequest, most: usize) -> Result<(), StoreError> {
        let write = self.database().begin_write()?;
        {
            let account = request.account.as_str();
            if write.open_table(APPLICATIONS)?.get((account, request.application))?.is_none() {
                return Err(StoreError::NotOwn("application"));
            }
            let mut table = write.open_table(REQUESTS)?;
            let all: Vec<KeyRequest> = own(&table, account)?;
            let (mut settled, open): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.decision.is_settled());
            if open.len() >= most {
                return Err(StoreError::Full(most, "requests that are open"));
            }
            settled.sort_by_key(|one| one.asked_at);
            let many = settled.len().saturating_sub(SETTLED_KEPT);
            for old in settled.iter().take(many) {
                table.remove((account, old.id))?;
            }
            if table.insert((account, request.id), encoded(request)?.as_slice())?.is_some() {
                return Err(StoreError::Exists);
            }
        }
        write.commit()?;
        Ok(())
    }

    /// What an account has asked for, in that order.
    ///
    /// # Errors
    /// What the database says.
    pub fn key_requests(&self, account: &str) -> Result<Vec<KeyRequest>, StoreError> {
        let mut all: Vec<KeyRequest> = own(&self.database().begin_read()?.open_table(REQUESTS)?, account)?;
        all.sort_by_key(|one| (one.asked_at, one.id));
        Ok(all)
    }

    /// What all accounts have asked for and nobody has decided, at most `count`.
    ///
    /// # Errors
    /// What the database says.
    pub fn waiting_requests(&self, count: usize) -> Result<Vec<KeyRequest>, StoreError> {
        let table = self.database().begin_read()?.open_table(REQUESTS)?;
        let mut all = Vec::new();
        for entry in table.iter()? {
            let request: KeyRequest = decoded(entry?.1.value())?;
            if request.decision == Decision::Waiting {
                all.push(request);
            }
            if all.len() == count {
                break;
            }
        }
        all.sort_by_key(|one| (one.asked_at, one.id));
        Ok(all)
    }

    /// One of them by its number, whoever has asked.
    ///
    /// # Errors
    /// There is none.
    pub fn key_request(&self, id: u64) -> Result<KeyRequest, StoreError> {
        let table = self.database().begin_read()?.open_table(REQUESTS)?;
        for entry in table.iter()? {
            let (key, bytes) = entry?;
            if key.value().1 == id {
                return decoded(bytes.value());
            }
        }
        Err(StoreError::NotOwn("request"))
    }

    /// Decides about a key that an account waits for.
    ///
    /// # Errors
    /// The account waits for no such key.
    pub fn decide_request(&self, account: &str, id: u64, decision: Decision) -> Result<KeyRequest, StoreError> {
        let write = self.database().begin_write()?;
        let request = {
            let mut table = write.open_table(REQUESTS)?;
            let mut request: KeyRequest = match table.get((account, id))? {
                Some(bytes) => decoded(bytes.value())?,
                None => return Err(StoreError::NotOwn("request")),
            };
            if request.decision != Decision::Waiting {
                return Err(StoreError::Unfit("this is decided already"));
            }
            request.decision = decision;
            table.insert((account, id), encoded(&request)?.as_slice())?;
            request
        };
        write.commit()?;
        Ok(request)
    }

    /// Stores the key that was approved, and notes that it was made: once.
    ///
    /// # Errors
    /// Nothing of this number was approved, or the account has as many keys as it may.
    pub fn make_requested_key(
        &self,
        account: &str,
        id: u64,
        record: &KeyRecord,
        most: usize,
    ) -> Result<(), StoreError> {
        let write = self.database().begin_write()?;
        let changed = {
            let mut table = write.open_table(REQUESTS)?;
            let mut request: KeyRequest = match table.get((account, id))? {
                Some(bytes) => decoded(bytes.value())?,
                None => return Err(StoreError::NotOwn("request")),
            };
            if !matches!(request.decision, Decision::Approved { .. }) {
                return Err(StoreError::Unfit("this is not approved, or made already"));
            }
            request.decision = Decision::Made { key: record.number };
            table.insert((account, id), encoded(&request)?.as_slice())?;
            keys::add(&write, (account, request.application), record, most)?
        };
        finish(write, &changed)
    }

    /// Takes back what an account has asked for.
    ///
    /// # Errors
    /// It has asked for nothing of this number, or nothing that is open.
    pub fn withdraw_request(&self, account: &str, id: u64) -> Result<(), StoreError> {
        let write = self.database().begin_write()?;
        {
            let mut table = write.open_table(REQUESTS)?;
            let request: KeyRequest = match table.remove((account, id))? {
                Some(bytes) => decoded(bytes.value())?,
                None => return Err(StoreError::NotOwn("request")),
            };
            if request.decision.is_settled() {
                return Err(StoreError::Unfit("this is settled already"));
            }
        }
        write.commit()?;
        Ok(())
    }
}
