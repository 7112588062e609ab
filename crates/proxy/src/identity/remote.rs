//! Keys of issuers at addresses: one thread fetches them before they are needed and publishes what may be believed, and until
//! when. Requests read what is published; only one whose token names an unknown key waits for a fetch.

use super::introspector::{self, Asked};
use super::outside::{fetch, tls_of};
use crate::upstream::tls::UpstreamTls;
use arc_swap::ArcSwap;
use portcullis_auth::KeySet;
use portcullis_auth::issuer::{CacheFacts, CachePolicy, Event, FetchFault, KeyCache, Next, Unknown};
use portcullis_auth::issuer::{Metadata, MetadataError, metadata_addresses};
use portcullis_auth::web::WebAddress;
use portcullis_config::plan::{Endpoint, RemoteJwks};
use portcullis_types::{Clock, Millis};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{Notify, watch};
use tokio::task::LocalSet;

/// How long a token with an unknown key waits for a fetch.
const PATIENCE: Duration = Duration::from_secs(3);
// LIMIT: issuers that wait for the thread to begin with them.
const FOLLOWED_WAITING_MAX: usize = 1024;
/// How often a fetcher looks whether anybody still wants its keys.
const LOOK_EVERY: Duration = Duration::from_secs(1);
// LIMIT: bytes of a key set.
const JWKS_BYTES_MAX: usize = 1024 * 1024;
// LIMIT: bytes of an issuer's metadata.
const METADATA_BYTES_MAX: usize = 128 * 1024;
const METADATA_TYPE: &str = "application/json";
const KEYS_TYPE: &str = "application/jwk-set+json, application/json";
/// The longest times of [`CachePolicy`]; shorter staleness shortens them.
const REFRESH_MAX_MS: u64 = 3_600_000;
const DEADLINE_MAX_MS: u64 = 5_000;

/// The keys of one issuer.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) name: Arc<str>,
    pub(crate) plan: RemoteJwks,
    published: ArcSwap<Published>,
    /// Whether a token with an unknown key has come.
    unknown: AtomicBool,
    wake: Notify,
    /// Counts looks for unknown keys that have ended.
    looks: watch::Sender<u64>,
}

/// What may be believed.
#[derive(Debug, Default)]
struct Published {
    keys: Option<Arc<KeySet>>,
    until: Millis,
    generation: u64,
    facts: Option<CacheFacts>,
    fetched: Millis,
}

/// The thread that asks issuers: for keys, and about tokens.
#[derive(Debug)]
pub(crate) struct Fetchers {
    remotes: Sender<Arc<Remote>>,
    asked: Sender<Asked>,
}

// === impl Remote ===

impl Remote {
    /// Without keys, until somebody follows it.
    pub(crate) fn new(name: Arc<str>, plan: RemoteJwks) -> Self {
        Self {
            name,
            plan,
            published: ArcSwap::default(),
            unknown: AtomicBool::new(false),
            wake: Notify::new(),
            looks: watch::Sender::new(0),
        }
    }

    /// The keys, if they are fresh enough to be believed.
    pub(crate) fn keys(&self, now: Millis) -> Option<Arc<KeySet>> {
        let published = self.published.load();
        published.keys.clone().filter(|_| now <= published.until)
    }

    /// Whether there are keys that may be believed.
    pub(crate) fn is_fresh(&self, now: Millis) -> bool {
        let published = self.published.load();
        published.keys.is_some() && now <= published.until
    }

    /// Whether a fetch has ended, well or badly.
    pub(crate) fn was_asked(&self) -> bool {
        self.published.load().facts.is_some()
    }

    /// Grows with every change of keys.
    pub(crate) fn generation(&self) -> u64 {
        self.published.load().generation
    }

    /// Has the keys looked for anew, and waits until that has ended, for a bounded time.
    pub(crate) async fn look(&self) {
        let mut looks = self.looks.subscribe();
        // The first fetch is under way anyhow.
        if self.was_asked() {
            self.unknown.store(true, Ordering::Release);
            self.wake.notify_one();
        }
        // Whatever comes of it, the token is judged once more, by what is there then.
        drop(tokio::time::timeout(PATIENCE, looks.changed()).await);
    }

    /// What metrics say: seconds since the last good fetch, keys, failures.
    pub(crate) fn facts(&self, now: Millis) -> (Option<Millis>, usize, u64) {
        let published = self.published.load();
        let facts = published.facts;
        let age = published.keys.is_some().then(|| now.saturating_sub(published.fetched));
        (age, facts.map_or(0, |facts| facts.keys), facts.map_or(0, |facts| facts.failures))
    }

    fn publish(&self, cache: &KeyCache, policy: &CachePolicy, now: Millis) {
        let facts = cache.facts(now);
        let keys = cache.keys(now).ok().cloned();
        let fetched = now.saturating_sub(facts.age_ms.unwrap_or(0));
        let until = fetched.saturating_add(policy.max_staleness_ms);
        let published = Published { keys, until, generation: cache.generation(), facts: Some(facts), fetched };
        self.published.store(Arc::new(published));
    }
}

// === impl Fetchers ===

impl Fetchers {
    /// Begins a thread that follows whatever it is given.
    pub(crate) fn start(clock: &Clock) -> io::Result<Self> {
        let (remotes, receiver) = channel(FOLLOWED_WAITING_MAX);
        let (asked, questions) = channel(introspector::WAITING_MAX);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build()?;
        let clock = clock.clone();
        std::thread::Builder::new().name("issuers".to_owned()).spawn(move || {
            LocalSet::new().block_on(&runtime, async {
                let answering = tokio::task::spawn_local(introspector::answer(questions, clock.clone()));
                take(receiver, clock).await;
                answering.abort();
            });
            // A look-up of a name may hang in the system.
            runtime.shutdown_background();
        })?;
        Ok(Self { remotes, asked })
    }

    /// Where questions about tokens go.
    pub(crate) fn line(&self) -> Sender<Asked> {
        self.asked.clone()
    }

    /// # Errors
    /// When the thread does not take it, so that its keys would never come.
    pub(crate) fn follow(&self, remote: &Arc<Remote>) -> io::Result<()> {
        self.remotes.try_send(Arc::clone(remote)).map_err(|_| io::Error::other("the fetching of keys does not answer"))
    }
}

/// Fetches the keys once, for whoever wants to look at a token without a gateway.
///
/// # Errors
/// The code of what went wrong.
pub fn fetch_keys(plan: &RemoteJwks) -> Result<KeySet, &'static str> {
    let tls = tls_of(&plan.at);
    let tls = tls.map_err(|_| FetchFault::Tls.code())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|_| FetchFault::Unreachable.code())?;
    let deadline = Duration::from_millis(DEADLINE_MAX_MS);
    let fetched = runtime.block_on(async { tokio::time::timeout(deadline, fetch_set(plan, tls.as_ref())).await });
    runtime.shutdown_background();
    let (body, _) = fetched.map_err(|_| FetchFault::Deadline.code())?.map_err(FetchFault::code)?;
    let mut keys = KeySet::from_json(&body).map_err(|_| FetchFault::Malformed.code())?;
    if !plan.pins.is_empty() {
        keys.retain(|key| key.thumbprint().is_some_and(|print| plan.pins.contains(&print)));
    }
    Ok(keys)
}

/// Fetches a key set, from where it is or from where its issuer says.
async fn fetch_set(plan: &RemoteJwks, tls: Option<&UpstreamTls>) -> Result<(Vec<u8>, Option<u64>), FetchFault> {
    let Some(issuer) = &plan.discovery else { return fetch(&plan.at, tls, KEYS_TYPE, JWKS_BYTES_MAX).await };
    let addresses = metadata_addresses(issuer).map_err(|_| FetchFault::Address)?;
    let mut last = FetchFault::Status;
    for address in addresses {
        let at = like(&plan.at, &address).ok_or(FetchFault::Address)?;
        match fetch(&at, tls, METADATA_TYPE, METADATA_BYTES_MAX).await {
            Ok((body, _)) => {
                let metadata = Metadata::parse(issuer, &plan.at.networks, &body).map_err(|error| match error {
                    MetadataError::Address | MetadataError::IssuerAddress => FetchFault::Address,
                    MetadataError::TooLarge => FetchFault::TooLarge,
                    MetadataError::Malformed | MetadataError::OtherIssuer | MetadataError::NoKeys => {
                        FetchFault::Malformed
                    }
                })?;
                let at = like(&plan.at, &metadata.jwks_uri).ok_or(FetchFault::Address)?;
                let tls = tls_of(&at).map_err(|_| FetchFault::Tls)?;
                return fetch(&at, tls.as_ref(), KEYS_TYPE, JWKS_BYTES_MAX).await;
            }
            // Where the one kind of metadata is not, the other may be.
            Err(FetchFault::Status) => last = FetchFault::Status,
            Err(other) => return Err(other),
        }
    }
    Err(last)
}

/// A place that is asked as another one is.
fn like(other: &Endpoint, address: &str) -> Option<Endpoint> {
    let found = WebAddress::parse(address)?;
    let (_, rest) = address.split_once("://")?;
    let target = rest.find(['/', '?']).and_then(|at| rest.get(at..)).unwrap_or("/");
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    Some(Endpoint { secure: found.secure, host: found.host, port: found.port, target, ..other.clone() })
}

async fn take(mut remotes: Receiver<Arc<Remote>>, clock: Clock) {
    while let Some(remote) = remotes.recv().await {
        tokio::task::spawn_local(follow(remote, clock.clone()));
    }
}

/// Keeps the keys of one issuer until nobody wants them any more.
async fn follow(remote: Arc<Remote>, clock: Clock) {
    let tls = tls_of(&remote.plan.at);
    let policy = policy(&remote.plan);
    let mut cache = KeyCache::new(policy.clone(), clock.nanos());
    while Arc::strong_count(&remote) > 1 {
        let mut next = cache.step(clock.millis(), Event::Tick);
        let asked = remote.unknown.swap(false, Ordering::AcqRel);
        if asked && let Next::At(_) = next {
            match cache.unknown(clock.millis()) {
                Unknown::Fetch(flight) => next = Next::Fetch(flight),
                Unknown::Await(_) | Unknown::Refuse => {}
            }
        }
        match next {
            Next::Fetch(flight) => {
                let deadline = Duration::from_millis(policy.fetch_deadline_ms);
                let fetched = match &tls {
                    Ok(tls) => tokio::time::timeout(deadline, fetch_set(&remote.plan, tls.as_ref())).await,
                    Err(_) => Ok(Err(FetchFault::Tls)),
                };
                let now = clock.millis();
                match fetched.unwrap_or(Err(FetchFault::Deadline)) {
                    Ok((body, max_age_seconds)) => {
                        cache.step(now, Event::Fetched { flight, body: &body, max_age_seconds });
                    }
                    Err(fault) => drop(cache.step(now, Event::Failed { flight, fault })),
                }
                remote.publish(&cache, &policy, now);
                remote.looks.send_modify(|looks| *looks += 1);
            }
            Next::At(due) => {
                if asked {
                    remote.looks.send_modify(|looks| *looks += 1);
                }
                let wait = Duration::from_millis(due.saturating_sub(clock.millis()).max(1)).min(LOOK_EVERY);
                // Woken or not, it looks again.
                drop(tokio::time::timeout(wait, remote.wake.notified()).await);
            }
        }
    }
}

/// Times that fit together for any staleness.
fn policy(plan: &RemoteJwks) -> CachePolicy {
    let max_staleness_ms = u64::try_from(plan.max_staleness.as_millis()).unwrap_or(u64::MAX).max(100);
    let usual = CachePolicy::default();
    let refresh_max_ms = REFRESH_MAX_MS.min(max_staleness_ms / 2);
    let refresh_default_ms = usual.refresh_default_ms.min(refresh_max_ms);
    CachePolicy {
        refresh_min_ms: usual.refresh_min_ms.min(refresh_default_ms),
        refresh_default_ms,
        refresh_max_ms,
        retry_min_ms: usual.retry_min_ms.min(max_staleness_ms / 10),
        retry_max_ms: usual.retry_max_ms.min(max_staleness_ms / 5),
        fetch_deadline_ms: DEADLINE_MAX_MS.min(max_staleness_ms / 4),
        unknown_cooldown_ms: usual.unknown_cooldown_ms.min(max_staleness_ms),
        max_staleness_ms,
        pins: plan.pins.clone(),
    }
}
