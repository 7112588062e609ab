//! What callers are identified with by all workers, through every reload: the keys of the store and the count of failures.
//!
//! A thread of its own takes over what other processes have changed in the store. While it cannot, what is in memory stands
//! for a bounded time, and then no key opens anything.

mod introspector;
pub(crate) mod outside;
mod outward;
mod remote;
mod statement;

pub(crate) use introspector::Introspector;
pub(crate) use outward::write;
pub(crate) use remote::Remote;
pub use remote::fetch_keys;

use crate::snapshot::access::{Callers, IssuerKeys};
use crate::worker::Tokens;
use portcullis_auth::dpop::Nonces;
use portcullis_auth::failures::{FailurePolicy, Failures};
use portcullis_auth::key::{Door, KeyText, Peppers};
use portcullis_auth::principal::{Principal, Scheme};
use portcullis_auth::replay::ReplayTable;
use portcullis_auth::revocation::TokenNames;
use portcullis_config::plan::IdentityPlan;
use portcullis_store::{Calls, Found, Home, Mirror, Store};
use portcullis_types::{Clock, Millis};
use remote::Fetchers;
use statement::Statements;
use std::cell::RefCell;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, SystemTime};

/// How often the store is looked at for what others have changed.
const LOOK_EVERY: Duration = Duration::from_millis(100);
// LIMIT: how long keys are believed that could not be compared with the store.
const UNCOMPARED_MAX_MS: Millis = 10_000;
// LIMIT: addresses and credentials whose failures are counted, eight bytes each.
const FAILURES_ENTRIES: usize = 65_536;
// LIMIT: batches of notes that wait to be written; what comes on top is lost.
const BATCHES_MAX: usize = 64;

/// How often callers of versions are counted for metrics, in seconds.
const COUNT_EVERY: u64 = 60;
/// Who has not called for so long does not count any more, in seconds.
const RECENT_SECONDS: u64 = 30 * 24 * 60 * 60;
/// Who has not called for so long is forgotten, in seconds.
const FORGOTTEN_SECONDS: u64 = 400 * 24 * 60 * 60;

// LIMIT: seconds for which a nonce of ours is good.
const NONCE_LIFETIME: u64 = 300;

/// What is written of callers, for people.
#[derive(Debug)]
pub(crate) struct Notes {
    /// Keys that were used, and when.
    pub(crate) used: Vec<(u64, u64)>,
    /// Who has called which version of an API.
    pub(crate) calls: Vec<Calls>,
}

/// What all workers share about identity.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) failures: Failures,
    /// What must not be used twice; made when it is needed first, and never again.
    replays: OnceLock<Option<ReplayTable>>,
    remembered: usize,
    /// Under which nonces are made, through every reload.
    nonce_key: [u8; 32],
    /// What is signed about callers.
    pub(crate) statements: Statements,
    keys: Option<Keys>,
    followed: Mutex<Followed>,
    pub(crate) clock: Clock,
}

/// Issuers that are spoken with, and who does.
#[derive(Debug, Default)]
struct Followed {
    fetchers: Option<Fetchers>,
    remotes: Vec<Arc<Remote>>,
    introspectors: Vec<Arc<Introspector>>,
}

#[derive(Debug)]
struct Keys {
    mirror: Mirror,
    store: Store,
    /// When memory and store were last known to be the same.
    compared: AtomicU64,
    /// How many callers each version had lately, by API and version.
    versions: Mutex<Vec<(String, String, u64)>>,
    notes: SyncSender<Notes>,
}

/// Why no key can be looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unreadable;

/// What the judgement of one request needs besides the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bench<'w> {
    pub(crate) identity: &'w Identity,
    pub(crate) tokens: &'w RefCell<Tokens>,
    /// Seconds since 1970.
    pub(crate) now: u64,
    /// Milliseconds that never go back.
    pub(crate) millis: Millis,
}

// === impl Identity ===

impl Identity {
    /// Opens the store, if the plan has one, and begins to follow it.
    ///
    /// # Errors
    /// A store that cannot be opened or read whole.
    pub(crate) fn start(plan: &IdentityPlan, clock: &Clock) -> io::Result<Arc<Self>> {
        let (identity, batches) = Self::open(plan, clock)?;
        let identity = Arc::new(identity);
        if let Some(batches) = batches {
            let followed = Arc::downgrade(&identity);
            std::thread::Builder::new().name("store".to_owned()).spawn(move || follow(&followed, &batches))?;
        }
        Ok(identity)
    }

    /// The same as it is at this moment, for one look.
    ///
    /// # Errors
    /// A store that cannot be opened or read whole.
    pub(crate) fn open(plan: &IdentityPlan, clock: &Clock) -> io::Result<(Self, Option<Receiver<Notes>>)> {
        let mut keys = None;
        let mut batches = None;
        if let Some(path) = &plan.store {
            let (store, peppers) = Home::new(path).open(random()?).map_err(io::Error::other)?;
            let mirror = Mirror::load(&store, peppers).map_err(io::Error::other)?;
            let (notes, receiver) = sync_channel(BATCHES_MAX);
            keys = Some(Keys {
                mirror,
                store,
                compared: AtomicU64::new(clock.millis()),
                notes,
                versions: Mutex::default(),
            });
            batches = Some(receiver);
        }
        let failures = Failures::new(FailurePolicy::default(), FAILURES_ENTRIES, random()?);
        let (replays, remembered, nonce_key) = (OnceLock::new(), plan.proofs.remembered, random()?);
        let (statements, followed, clock) = (Statements::default(), Mutex::default(), clock.clone());
        Ok((Self { failures, replays, remembered, nonce_key, statements, keys, followed, clock }, batches))
    }

    /// The table of what was used; `None` where there is no randomness for its key.
    pub(crate) fn replays(&self) -> Option<&ReplayTable> {
        let make = || Some(ReplayTable::new(self.remembered, random().ok()?));
        self.replays.get_or_init(make).as_ref()
    }

    /// Gives a new snapshot what only this process knows: the key of its nonces.
    pub(crate) fn arm(&self, callers: &mut Callers) {
        if callers.needs_nonces {
            callers.proofs.nonces = Some(Nonces::new(self.nonce_key, NONCE_LIFETIME));
        }
    }

    /// Begins to follow the issuers of a snapshot that is about to be in force. Those that are followed already keep what is
    /// known of them, and those that are gone are let go.
    ///
    /// # Errors
    /// When the system grants no thread.
    pub(crate) fn take_over(&self, callers: &mut Callers, plan: &IdentityPlan) -> io::Result<()> {
        self.statements.take_over(plan, self.seconds())?;
        self.arm(callers);
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut remotes, mut introspectors) = (Vec::new(), Vec::new());
        for issuer in &mut callers.issuers {
            if let IssuerKeys::There(remote) = &mut issuer.keys {
                let known = followed.remotes.iter().find(|have| have.name == remote.name && have.plan == remote.plan);
                match known {
                    Some(have) => *remote = Arc::clone(have),
                    None => followed.fetchers(&self.clock)?.follow(remote)?,
                }
                remotes.push(Arc::clone(remote));
            }
            if let Some(introspector) = &mut issuer.introspector {
                let before = followed.introspectors.iter().find(|have| have.name == introspector.name);
                let before = before.map(Arc::clone);
                let line = followed.fetchers(&self.clock)?.line();
                if let Some(introspector) = Arc::get_mut(introspector) {
                    introspector.connect(line, before.as_deref());
                }
                introspectors.push(Arc::clone(introspector));
            }
        }
        (followed.remotes, followed.introspectors) = (remotes, introspectors);
        Ok(())
    }

    /// What came of questions about tokens, by issuer: active, inactive, failed.
    pub(crate) fn introspections(&self) -> Vec<(Arc<str>, [u64; 3])> {
        let followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = followed.introspectors.iter().map(|one| {
            let counts = [&one.counts.active, &one.counts.inactive, &one.counts.failed];
            (Arc::clone(&one.name), counts.map(|count| count.load(Ordering::Relaxed)))
        });
        counts.collect()
    }

    /// What metrics say of each issuer that is followed: age, keys, failures.
    pub(crate) fn issuers(&self) -> Vec<(Arc<str>, Option<Millis>, usize, u64)> {
        let now = self.clock.millis();
        let followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let facts = followed.remotes.iter().map(|remote| {
            let (age, keys, failures) = remote.facts(now);
            (Arc::clone(&remote.name), age, keys, failures)
        });
        facts.collect()
    }

    /// Seconds since 1970.
    pub(crate) fn seconds(&self) -> u64 {
        self.clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
    }

    /// Grows whenever keys or revocations change.
    pub(crate) fn generation(&self) -> u64 {
        self.keys.as_ref().map_or(0, |keys| keys.mirror.generation())
    }

    /// Whom a key belongs to.
    ///
    /// # Errors
    /// When nobody can tell. The inner error says what keeps the door closed.
    pub(crate) fn look_up(
        &self,
        key: &KeyText,
        door: Door<'_>,
        millis: Millis,
    ) -> Result<Result<Found, portcullis_auth::key::Refused>, Unreadable> {
        let keys = self.keys.as_ref().ok_or(Unreadable)?;
        keys.check(millis)?;
        Ok(keys.mirror.identify(key, door))
    }

    /// Whether a verified token was revoked.
    ///
    /// # Errors
    /// When nobody can tell.
    pub(crate) fn is_revoked(&self, token: TokenNames<'_>) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.mirror.revocations().covers(token))
    }

    /// Whether a caller who was let in would be let in now, as far as that can change: by time and by revocation. What
    /// cannot be told is no.
    pub(crate) fn stands(&self, caller: &Principal, now: u64, millis: Millis) -> bool {
        if caller.expires_at.is_some_and(|end| end <= now) || self.check(millis).is_err() {
            return false;
        }
        match caller.scheme {
            Scheme::Jwt | Scheme::Introspection => !self.is_revoked(caller.token_names()),
            Scheme::ApiKey => {
                let number = KeyText::number_of(&caller.credential);
                self.keys.as_ref().zip(number).is_some_and(|(keys, number)| keys.mirror.stands(number, now))
            }
            Scheme::Certificate | Scheme::Signature => true,
        }
    }

    /// Whether what is known of the store may be believed.
    ///
    /// # Errors
    /// It could not be read for too long.
    pub(crate) fn check(&self, millis: Millis) -> Result<(), Unreadable> {
        self.keys.as_ref().map_or(Ok(()), |keys| keys.check(millis))
    }

    /// Milliseconds since what is known of the store was read; `None` without one.
    pub(crate) fn store_age(&self) -> Option<Millis> {
        let compared = self.keys.as_ref()?.compared.load(Ordering::Acquire);
        Some(self.clock.millis().saturating_sub(compared))
    }

    /// The store with what keys are hashed with; `None` without one. Never on the path of a request.
    pub(crate) fn key_store(&self) -> Option<(&Store, Arc<Peppers>)> {
        self.keys.as_ref().map(|keys| (&keys.store, keys.mirror.peppers()))
    }

    /// Takes over what has changed in the store.
    pub(crate) fn look(&self) {
        let Some(keys) = &self.keys else { return };
        let began = self.clock.millis();
        if keys.mirror.refresh(&keys.store).is_ok() {
            keys.compared.store(began, Ordering::Release);
        }
    }

    /// Whether anybody keeps who calls which version.
    pub(crate) const fn notes_callers(&self) -> bool {
        self.keys.is_some()
    }

    /// Takes notes to be written.
    pub(crate) fn note(&self, notes: Notes) {
        let is_empty = notes.used.is_empty() && notes.calls.is_empty();
        if let Some(keys) = self.keys.as_ref().filter(|_| !is_empty) {
            // A full queue loses a note about a key, which is made again within the hour, and counts of calls.
            drop(keys.notes.try_send(notes));
        }
    }

    /// How many callers each version had in the last thirty days, by API and version.
    pub(crate) fn version_callers(&self) -> Vec<(String, String, u64)> {
        let versions = |keys: &Keys| keys.versions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.keys.as_ref().map(versions).unwrap_or_default()
    }
}

// === impl Followed ===

impl Followed {
    /// The thread that speaks with issuers, which begins with the first of them.
    fn fetchers(&mut self, clock: &Clock) -> io::Result<&Fetchers> {
        let fetchers = match self.fetchers.take() {
            Some(fetchers) => fetchers,
            None => Fetchers::start(clock)?,
        };
        Ok(self.fetchers.insert(fetchers))
    }
}

// === impl Keys ===

impl Keys {
    fn check(&self, millis: Millis) -> Result<(), Unreadable> {
        let age = millis.saturating_sub(self.compared.load(Ordering::Acquire));
        if age > UNCOMPARED_MAX_MS { Err(Unreadable) } else { Ok(()) }
    }

    /// When a key was used and who calls what is for people; that it cannot be written is no reason to refuse anybody.
    fn write(&self, notes: &Notes) {
        drop(self.store.note_used(&notes.used));
        drop(self.store.note_calls(&notes.calls));
    }

    fn count_callers(&self, now: u64) {
        let Ok(calls) = self.store.calls() else { return };
        let since = now.saturating_sub(FORGOTTEN_SECONDS);
        if calls.iter().any(|one| one.last_at < since) {
            drop(self.store.forget_calls(since));
        }
        let mut versions: Vec<(String, String, u64)> = Vec::new();
        for one in calls.into_iter().filter(|one| !one.version.is_empty()) {
            let recent = u64::from(one.last_at.saturating_add(RECENT_SECONDS) >= now);
            match versions.iter_mut().find(|(api, version, _)| *api == one.api && *version == one.version) {
                Some((_, _, count)) => *count += recent,
                None => versions.push((one.api, one.version, recent)),
            }
        }
        *self.versions.lock().unwrap_or_else(PoisonError::into_inner) = versions;
    }
}

fn follow(followed: &Weak<Identity>, batches: &Receiver<Notes>) {
    let mut counted = 0;
    loop {
        let notes = match batches.recv_timeout(LOOK_EVERY) {
            Ok(notes) => Some(notes),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let Some(identity) = followed.upgrade() else { return };
        if let Some(keys) = &identity.keys {
            let now = identity.seconds();
            if let Some(notes) = notes {
                keys.write(&notes);
            }
            if now >= counted + COUNT_EVERY {
                counted = now;
                keys.count_callers(now);
            }
        }
        identity.look();
        identity.statements.look(identity.seconds());
    }
}

/// Bytes that nobody can guess.
pub(crate) fn random<const BYTES: usize>() -> io::Result<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| io::Error::other("no randomness"))?;
    Ok(bytes)
}
