//! What callers are identified with by all workers, through every reload: the keys of the store and the count of failures.
//!
//! A thread of its own takes over what other processes have changed in the store. While it cannot, what is in memory stands
//! for a bounded time, and then no key opens anything.

mod introspector;
mod outside;
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
use portcullis_auth::key::{Door, KeyText};
use portcullis_auth::principal::{Principal, Scheme};
use portcullis_auth::replay::ReplayTable;
use portcullis_auth::revocation::TokenNames;
use portcullis_config::plan::IdentityPlan;
use portcullis_store::{Found, Home, Mirror, Store};
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
// LIMIT: batches of used keys that wait to be written; what comes on top is noted when the key is used again.
const BATCHES_MAX: usize = 64;

// LIMIT: seconds for which a nonce of ours is good.
const NONCE_LIFETIME: u64 = 300;

/// A batch of keys that were used, and when.
type Batch = Vec<(u64, u64)>;

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
    used: SyncSender<Batch>,
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
    pub(crate) fn open(plan: &IdentityPlan, clock: &Clock) -> io::Result<(Self, Option<Receiver<Batch>>)> {
        let mut keys = None;
        let mut batches = None;
        if let Some(path) = &plan.store {
            let (store, peppers) = Home::new(path).open(random()?).map_err(io::Error::other)?;
            let mirror = Mirror::load(&store, peppers).map_err(io::Error::other)?;
            let (used, receiver) = sync_channel(BATCHES_MAX);
            keys = Some(Keys { mirror, store, compared: AtomicU64::new(clock.millis()), used });
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

    /// Takes over what has changed in the store.
    fn look(&self) {
        let Some(keys) = &self.keys else { return };
        let began = self.clock.millis();
        if keys.mirror.refresh(&keys.store).is_ok() {
            keys.compared.store(began, Ordering::Release);
        }
    }

    /// Takes notes of keys that were used, to be written.
    pub(crate) fn note_used(&self, batch: Batch) {
        if let Some(keys) = self.keys.as_ref().filter(|_| !batch.is_empty()) {
            // A full queue loses a note that is made again within the hour.
            drop(keys.used.try_send(batch));
        }
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
}

fn follow(followed: &Weak<Identity>, batches: &Receiver<Batch>) {
    loop {
        let batch = match batches.recv_timeout(LOOK_EVERY) {
            Ok(batch) => Some(batch),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let Some(identity) = followed.upgrade() else { return };
        if let (Some(batch), Some(keys)) = (batch, &identity.keys) {
            // When a key was used is for people; that it cannot be written is no reason to refuse anybody.
            drop(keys.store.note_used(&batch));
        }
        identity.look();
        identity.statements.look(identity.seconds());
    }
}

/// 32 bytes that nobody can guess.
pub(crate) fn random() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| io::Error::other("no randomness"))?;
    Ok(bytes)
}
