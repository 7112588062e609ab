//! What a process serves from: every key and every revocation in memory, and how far behind the disk it may be.

use crate::StoreError;
use crate::disk::{Changes, Everything, Store, TOKENS};
use crate::index::Index;
use arc_swap::ArcSwap;
use portcullis_auth::key::{Door, KeyText, Peppers, Refused, StoredKey};
use portcullis_auth::principal::{Principal, Scheme};
use portcullis_auth::revocation::Revocations;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The store's contents in memory. Reading waits for nothing.
#[derive(Debug)]
pub struct Mirror {
    index: Index,
    peppers: ArcSwap<Peppers>,
    revocations: ArcSwap<Revocations>,
    /// Grows with every change that was taken over: whoever keeps verdicts throws them away when it differs.
    generation: AtomicU64,
    /// The disk's number of the last change that is in here. Changes are taken over by one thread at a time.
    known: Mutex<u64>,
}

/// Who a key belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The key's number, for [`crate::LastUsed`].
    pub id: u64,
    /// The consumer's id.
    pub consumer: String,
    /// The consumer's name.
    pub username: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// As whom.
    pub roles: Vec<String>,
    /// When the key ends.
    pub expires_at: Option<u64>,
}

/// What a refresh found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// Nothing new.
    Unchanged,
    /// Single changes.
    Changes(usize),
    /// Everything was read anew.
    Everything,
}

// === impl Mirror ===

impl Mirror {
    /// Reads everything.
    ///
    /// # Errors
    /// A record that cannot be read: a gateway that knows only some of its keys does not start.
    pub fn load(store: &Store, peppers: Peppers) -> Result<Self, StoreError> {
        let mirror = Self {
            index: Index::default(),
            peppers: ArcSwap::from_pointee(peppers),
            revocations: ArcSwap::default(),
            generation: AtomicU64::new(0),
            known: Mutex::new(0),
        };
        let known = mirror.reload(store)?;
        *mirror.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(mirror)
    }

    /// Takes over what was changed since. Call it after every change of one's own, and several times a second for those of
    /// other processes. After an error the old contents stand, and the next call tries again; how long that may go on is
    /// for the caller to bound.
    ///
    /// # Errors
    /// What kept it from reading.
    pub fn refresh(&self, store: &Store) -> Result<Refreshed, StoreError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, changes) = store.since(*known)?;
        let outcome = match changes {
            Changes::Few(ids) if ids.is_empty() => Refreshed::Unchanged,
            Changes::Few(ids) => {
                self.take_over(store, &ids)?;
                *known = now;
                Refreshed::Changes(ids.len())
            }
            Changes::Many => {
                *known = self.reload(store)?;
                Refreshed::Everything
            }
        };
        Ok(outcome)
    }

    fn take_over(&self, store: &Store, ids: &[u64]) -> Result<(), StoreError> {
        for id in ids {
            if *id == TOKENS {
                self.revocations.store(Arc::new(store.revocations()?));
            } else {
                self.index.set(*id, store.bytes(*id)?.as_deref())?;
            }
        }
        self.generation.fetch_add(1, Ordering::Release);
        Ok(())
    }

    fn reload(&self, store: &Store) -> Result<u64, StoreError> {
        let Everything { generation, keys, revocations } = store.everything()?;
        self.index.load(keys)?;
        self.revocations.store(Arc::new(revocations));
        self.generation.fetch_add(1, Ordering::Release);
        Ok(generation)
    }

    /// The hashing keys in force.
    #[must_use]
    pub fn peppers(&self) -> Arc<Peppers> {
        self.peppers.load_full()
    }

    /// Takes other hashing keys, after their file was changed.
    pub fn replace_peppers(&self, peppers: Peppers) {
        self.peppers.store(Arc::new(peppers));
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Differs from the last one whenever anything was changed; costs one load.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The revocations in force.
    #[must_use]
    pub fn revocations(&self) -> Arc<Revocations> {
        self.revocations.load_full()
    }

    /// Whom a key belongs to, if it opens this door. An unknown id costs the same hash as a known one.
    ///
    /// # Errors
    /// What keeps the door closed.
    pub fn identify(&self, key: &KeyText, door: Door<'_>) -> Result<Found, Refused> {
        let peppers = self.peppers.load();
        let found = self
            .index
            .with(key.number(), |stored| stored.admits(&peppers, key, door).map(|()| found(key.number(), &stored)));
        found.unwrap_or_else(|| {
            std::hint::black_box(peppers.current().digest(key));
            Err(Refused::Unknown)
        })
    }

    /// Whether a key that has opened something would still open anything.
    #[must_use]
    pub fn stands(&self, number: u64, now: u64) -> bool {
        self.index.with(number, |stored| stored.stands(now)).unwrap_or(false)
    }

    /// How many keys there are, and how many bytes they take.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.index.len(), self.index.bytes())
    }
}

// === impl Found ===

impl From<Found> for Principal {
    fn from(found: Found) -> Self {
        Self {
            scheme: Scheme::ApiKey,
            id: found.consumer,
            username: Some(found.username),
            credential: KeyText::id_of(found.id),
            issuer: None,
            scopes: found.scopes,
            roles: found.roles,
            claims: Default::default(),
            expires_at: found.expires_at,
        }
    }
}

fn found(id: u64, stored: &StoredKey<'_>) -> Found {
    let texts = |list: portcullis_auth::key::Texts<'_>| list.iter().map(str::to_owned).collect();
    Found {
        id,
        consumer: stored.consumer.to_owned(),
        username: stored.username.to_owned(),
        scopes: texts(stored.scopes),
        roles: texts(stored.roles),
        expires_at: stored.expires_at(),
    }
}
