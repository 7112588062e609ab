//! What operators are told about keys, those of consumers and those of issuers, and how they make and take back the former. A key
//! is made first and stored later, so that what is about to be done can be written down in between.

use super::Handle;
use crate::metrics::{Totals, Traffic};
use crate::record::recent::{RecentRecord, RecentRecords};
use portcullis_auth::key::{ENTROPY_BYTES, KeyRecord, KeyText, KeyWish, Peppers};
use portcullis_store::{Listed, Store, StoreError};
use portcullis_types::Millis;
use std::fmt;
use std::sync::Arc;

// LIMIT: keys that are listed at once.
const LISTED_MAX: usize = 1_000;

/// Why something about keys was not done.
#[derive(Debug)]
pub enum KeysError {
    /// The configuration has no store.
    NoStore,
    /// There is no such key.
    Unknown,
    /// There is no API of this name.
    NoApi(String),
    /// It belongs to nobody who asks, or is not there.
    NotOwn(&'static str),
    /// There is no room for it, or it is not in the state for that.
    Unfit(String),
    /// The store, the prefix or the system does not allow it.
    Failed(String),
}

/// An issuer whose keys are fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerFacts {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// How old what is known of its keys is; `None` before the first success.
    pub age_ms: Option<Millis>,
    /// How many keys are known.
    pub keys: usize,
    /// Fetches that failed.
    pub failures: u64,
}

// === impl Handle ===

impl Handle {
    /// The keys of the store in the order of their ids, those whose number is at least `from`, a thousand at most.
    ///
    /// # Errors
    /// There is no store, or it cannot be read.
    pub fn keys(&self, from: u64) -> Result<Vec<Listed>, KeysError> {
        Ok(self.key_store()?.0.list(from, LISTED_MAX)?)
    }

    /// One key.
    ///
    /// # Errors
    /// There is none.
    pub fn key(&self, number: u64) -> Result<Listed, KeysError> {
        Ok(self.key_store()?.0.key(number)?)
    }

    /// A new key, which opens nothing until it is stored.
    ///
    /// # Errors
    /// There is no store, or the wish names an API that is not there.
    pub fn mint_key(&self, wish: &KeyWish) -> Result<(KeyText, KeyRecord), KeysError> {
        let (_, peppers) = self.key_store()?;
        let prefix = {
            let state = self.state();
            let is_unknown = |name: &&String| !state.plan.apis.iter().any(|api| &*api.name == name.as_str());
            if let Some(name) = wish.apis.iter().find(is_unknown) {
                return Err(KeysError::NoApi(name.clone()));
            }
            state.plan.identity.key_prefix.clone()
        };
        let entropy = crate::identity::random::<ENTROPY_BYTES>();
        let entropy = entropy.map_err(|error| KeysError::Failed(error.to_string()))?;
        let key = KeyText::mint(&prefix, &entropy).map_err(|error| KeysError::Failed(error.to_string()))?;
        let now = self.shared.wall_s();
        let record = wish.record(&key, peppers.current(), now);
        Ok((key, record))
    }

    /// Stores a key, from now on it opens what it is for.
    ///
    /// # Errors
    /// The store does not take it.
    pub fn store_key(&self, record: KeyRecord) -> Result<(), KeysError> {
        self.key_store()?.0.create([record])?;
        self.shared.identity.look();
        Ok(())
    }

    /// Stores a key in the place of another one, which opens for so long still.
    ///
    /// # Errors
    /// There is no such key, or the store does not take it.
    pub fn replace_key(&self, old: u64, record: KeyRecord, overlap_s: u64) -> Result<KeyRecord, KeysError> {
        let record = self.key_store()?.0.rotate(old, record, self.shared.wall_s(), overlap_s)?;
        self.shared.identity.look();
        Ok(record)
    }

    /// Revokes a key at once; whether it was not revoked already.
    ///
    /// # Errors
    /// The store does not take it.
    pub fn revoke_key(&self, number: u64) -> Result<bool, KeysError> {
        let revoked = self.key_store()?.0.revoke(&[number], self.shared.wall_s())?;
        self.shared.identity.look();
        Ok(!revoked.is_empty())
    }

    /// Does something with the store, and takes over at once what it changes about keys.
    ///
    /// # Errors
    /// There is no store, or what it says.
    pub fn with_store<T>(&self, act: impl FnOnce(&Store) -> Result<T, StoreError>) -> Result<T, KeysError> {
        let done = act(self.key_store()?.0)?;
        self.shared.identity.look();
        Ok(done)
    }

    fn key_store(&self) -> Result<(&Store, Arc<Peppers>), KeysError> {
        self.shared.identity.key_store().ok_or(KeysError::NoStore)
    }

    /// The issuers whose keys are fetched.
    #[must_use]
    pub fn issuers(&self) -> Vec<IssuerFacts> {
        let facts = self.shared.identity.issuers().into_iter();
        facts.map(|(name, age_ms, keys, failures)| IssuerFacts { name, age_ms, keys, failures }).collect()
    }

    /// What was counted of all requests since the start; cheap enough for every second.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.shared.registry.totals()
    }

    /// The same by what they were about.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.shared.registry.traffic()
    }

    /// The last records after a number, the newest `count` of them; empty where nothing is kept because there is no console.
    #[must_use]
    pub fn recent(&self, after: u64, count: usize, only_notable: bool) -> RecentRecords {
        let recent = self.shared.recent.as_ref();
        recent.map(|recent| recent.since(after, count, only_notable)).unwrap_or_default()
    }

    /// The record of a request, if it is still kept.
    #[must_use]
    pub fn record_of(&self, request_id: &str) -> Option<RecentRecord> {
        self.shared.recent.as_ref()?.find(request_id)
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.shared.wall_s()
    }

    /// The address by which people know the console, if there is one.
    pub(crate) fn console_home(&self) -> Option<String> {
        self.state().plan.admin.console.as_ref().map(portcullis_config::plan::ConsolePlan::home)
    }

    /// The plan in force.
    #[must_use]
    pub fn plan(&self) -> portcullis_config::plan::Plan {
        self.state().plan.clone()
    }
}

// === impl KeysError ===

impl From<StoreError> for KeysError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::UnknownKey => Self::Unknown,
            StoreError::NotOwn(what) => Self::NotOwn(what),
            StoreError::Taken(_) | StoreError::Full(..) | StoreError::Unfit(_) => Self::Unfit(error.to_string()),
            StoreError::InUse(_)
            | StoreError::Exposed(..)
            | StoreError::Damaged(..)
            | StoreError::Record(_)
            | StoreError::Revocation(_)
            | StoreError::Exists
            | StoreError::Io(..)
            | StoreError::Database(_) => Self::Failed(error.to_string()),
        }
    }
}

impl fmt::Display for KeysError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStore => formatter.write_str("the configuration names no store, in which keys would be"),
            Self::Unknown => formatter.write_str("there is no such key"),
            Self::NotOwn(what) => write!(formatter, "there is no such {what}"),
            Self::Unfit(why) => formatter.write_str(why),
            Self::NoApi(name) => write!(formatter, "there is no API `{name}`"),
            Self::Failed(why) => write!(formatter, "the store does not do it: {why}"),
        }
    }
}

impl std::error::Error for KeysError {}
