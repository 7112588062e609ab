//! The keys of one issuer through rotation, lag and death of its server.
//!
//! One fetch at a time. The last good set stands while fetches fail, but not for ever: after `max_staleness_ms` there are
//! no keys, and whoever asks gets an error that becomes a 503, never a pass.

use crate::jwt::KeySet;
use portcullis_types::Millis;
use std::fmt;
use std::sync::Arc;

/// How keys are kept fresh. All times in milliseconds.
#[derive(Clone, Debug)]
pub struct CachePolicy {
    /// No refresh comes sooner, whatever the server's cache headers say.
    pub refresh_min_ms: u64,
    /// No refresh comes later, whatever they say.
    pub refresh_max_ms: u64,
    /// When they say nothing.
    pub refresh_default_ms: u64,
    /// The first wait after a failure; doubled with each further one.
    pub retry_min_ms: u64,
    /// The longest wait after a failure.
    pub retry_max_ms: u64,
    /// Between two fetches for the sake of an unknown key.
    pub unknown_cooldown_ms: u64,
    /// How long after its fetch a set may be used.
    pub max_staleness_ms: u64,
    /// After this a fetch has failed, whatever became of it.
    pub fetch_deadline_ms: u64,
    /// If not empty, the RFC 7638 thumbprints (SHA-256) of the only keys that are used.
    pub pins: Vec<[u8; 32]>,
}

/// A policy that cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// The bounds of refreshing or retrying are not in order, or zero.
    Order,
    /// Keys would be too old before they are fetched again.
    Staleness,
}

/// The number of a fetch: an answer that comes after the next one has begun is not listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flight(u64);

/// Why a fetch brought no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FetchFault {
    /// The server, or its name, could not be reached.
    Unreachable,
    /// Its address may not be asked.
    Address,
    /// Its certificate or the handshake failed.
    Tls,
    /// Another status than 200.
    Status,
    /// No answer in time.
    Deadline,
    /// An answer larger than its limit.
    TooLarge,
    /// An answer that is no key set.
    Malformed,
    /// A set without one key that can be used.
    NoUsableKey,
    /// None of its keys is pinned.
    NotPinned,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Time has passed.
    Tick,
    /// A fetch brought an answer with status 200.
    Fetched {
        /// Which fetch.
        flight: Flight,
        /// The answer's body.
        body: &'a [u8],
        /// The age that `Cache-Control` allows; `None` where it says nothing.
        max_age_seconds: Option<u64>,
    },
    /// A fetch failed.
    Failed {
        /// Which fetch.
        flight: Flight,
        /// Why.
        fault: FetchFault,
    },
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Fetch the keys now.
    Fetch(Flight),
    /// Nothing before this time.
    At(Millis),
}

/// What to do with a token whose key is not in the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// Fetch the keys now, and look again when they are there.
    Fetch(Flight),
    /// A fetch is on its way; look again when it has ended.
    Await(Flight),
    /// They were fetched for this reason a moment ago; the token is refused.
    Refuse,
}

/// There are no keys that may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeysUnavailable {
    /// The last fault, if a fetch has failed.
    pub fault: Option<FetchFault>,
}

/// What metrics say about an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheFacts {
    /// Since the last good fetch; `None` before the first.
    pub age_ms: Option<u64>,
    /// Keys in the set.
    pub keys: usize,
    /// Fetches so far.
    pub fetches: u64,
    /// Those that failed.
    pub failures: u64,
    /// The last fault since the last good fetch.
    pub fault: Option<FetchFault>,
}

/// The keys of one issuer.
#[derive(Debug)]
pub struct KeyCache {
    policy: CachePolicy,
    keys: Option<(Arc<KeySet>, Millis)>,
    /// The hash of the answer that the keys are from, and how often it has changed.
    source: [u8; 32],
    generation: u64,
    flight: Option<(Flight, Millis)>,
    due: Millis,
    unknown_after: Millis,
    flights: u64,
    failures: u64,
    failures_in_row: u32,
    fault: Option<FetchFault>,
    dice: u64,
}

// === impl CachePolicy ===

impl Default for CachePolicy {
    fn default() -> Self {
        Self {
            refresh_min_ms: 60_000,
            refresh_max_ms: 3_600_000,
            refresh_default_ms: 300_000,
            retry_min_ms: 1_000,
            retry_max_ms: 60_000,
            unknown_cooldown_ms: 10_000,
            max_staleness_ms: 86_400_000,
            fetch_deadline_ms: 5_000,
            pins: Vec::new(),
        }
    }
}

impl CachePolicy {
    /// Whether the times fit together.
    ///
    /// # Errors
    /// What does not.
    pub fn check(&self) -> Result<(), PolicyError> {
        let rising = |times: &[u64]| times.is_sorted() && times.first().is_some_and(|first| *first > 0);
        let in_order = rising(&[self.refresh_min_ms, self.refresh_default_ms, self.refresh_max_ms])
            && rising(&[self.retry_min_ms, self.retry_max_ms])
            && rising(&[self.fetch_deadline_ms])
            && rising(&[self.unknown_cooldown_ms]);
        if !in_order {
            return Err(PolicyError::Order);
        }
        let late = self.refresh_max_ms.saturating_add(self.fetch_deadline_ms);
        if self.max_staleness_ms <= late { Err(PolicyError::Staleness) } else { Ok(()) }
    }
}

// === impl KeyCache ===

impl KeyCache {
    /// An empty cache; the first [`KeyCache::step`] wants a fetch. The seed spreads the refreshes of many gateways.
    #[must_use]
    pub fn new(policy: CachePolicy, seed: u64) -> Self {
        Self {
            policy,
            keys: None,
            source: [0; 32],
            generation: 0,
            flight: None,
            due: 0,
            unknown_after: 0,
            flights: 0,
            failures: 0,
            failures_in_row: 0,
            fault: None,
            dice: seed | 1,
        }
    }

    /// Takes what happened and says what is next.
    pub fn step(&mut self, now: Millis, event: Event<'_>) -> Next {
        match event {
            Event::Tick => {}
            Event::Fetched { flight, body, max_age_seconds } => {
                if self.lands(flight) {
                    match self.read(body) {
                        Ok(keys) => {
                            let source = *blake3::hash(body).as_bytes();
                            self.generation += u64::from(source != self.source);
                            self.source = source;
                            self.succeed(now, keys, max_age_seconds);
                        }
                        Err(fault) => self.fail(now, fault),
                    }
                }
            }
            Event::Failed { flight, fault } => {
                if self.lands(flight) {
                    self.fail(now, fault);
                }
            }
        }
        self.next(now)
    }

    /// Asks what to do about a key that is not in the set.
    pub fn unknown(&mut self, now: Millis) -> Unknown {
        self.give_up_late_flight(now);
        if let Some((flight, _)) = self.flight {
            return Unknown::Await(flight);
        }
        if now < self.unknown_after {
            return Unknown::Refuse;
        }
        self.unknown_after = now.saturating_add(self.policy.unknown_cooldown_ms);
        Unknown::Fetch(self.take_off(now))
    }

    /// The keys, if they are fresh enough to be believed.
    ///
    /// # Errors
    /// There are none.
    pub fn keys(&self, now: Millis) -> Result<&Arc<KeySet>, KeysUnavailable> {
        let fresh = |at: &Millis| now.saturating_sub(*at) <= self.policy.max_staleness_ms;
        let keys = self.keys.as_ref().filter(|(_, at)| fresh(at)).map(|(keys, _)| keys);
        keys.ok_or(KeysUnavailable { fault: self.fault })
    }

    /// Grows when the keys are others than before: whoever keeps verdicts throws them away then. A refresh that brings the
    /// same keys again changes nothing. That keys have become too old is no change either; ask [`KeyCache::keys`] with
    /// every request, before any verdict that was kept.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// What metrics say.
    #[must_use]
    pub fn facts(&self, now: Millis) -> CacheFacts {
        CacheFacts {
            age_ms: self.keys.as_ref().map(|(_, at)| now.saturating_sub(*at)),
            keys: self.keys.as_ref().map_or(0, |(keys, _)| keys.len()),
            fetches: self.flights,
            failures: self.failures,
            fault: self.fault,
        }
    }

    fn next(&mut self, now: Millis) -> Next {
        self.give_up_late_flight(now);
        match self.flight {
            Some((_, deadline)) => Next::At(deadline),
            None if now >= self.due => Next::Fetch(self.take_off(now)),
            None => Next::At(self.due),
        }
    }

    /// Whoever was to fetch is gone or hangs: that is a failure too, so that one lost answer does not end all fetching.
    fn give_up_late_flight(&mut self, now: Millis) {
        if self.flight.is_some_and(|(_, deadline)| now >= deadline) {
            self.flight = None;
            self.fail(now, FetchFault::Deadline);
        }
    }

    fn take_off(&mut self, now: Millis) -> Flight {
        self.flights += 1;
        let flight = Flight(self.flights);
        self.flight = Some((flight, now.saturating_add(self.policy.fetch_deadline_ms)));
        flight
    }

    fn lands(&mut self, flight: Flight) -> bool {
        let current = self.flight.is_some_and(|(expected, _)| expected == flight);
        if current {
            self.flight = None;
        }
        current
    }

    fn read(&self, body: &[u8]) -> Result<KeySet, FetchFault> {
        let mut keys = KeySet::from_json(body).map_err(|_| FetchFault::Malformed)?;
        if keys.is_empty() {
            return Err(FetchFault::NoUsableKey);
        }
        if !self.policy.pins.is_empty() {
            keys.retain(|key| key.thumbprint().is_some_and(|print| self.policy.pins.contains(&print)));
        }
        if keys.is_empty() { Err(FetchFault::NotPinned) } else { Ok(keys) }
    }

    fn succeed(&mut self, now: Millis, keys: KeySet, max_age_seconds: Option<u64>) {
        self.keys = Some((Arc::new(keys), now));
        self.failures_in_row = 0;
        self.fault = None;
        let policy = &self.policy;
        let wanted = max_age_seconds.map_or(policy.refresh_default_ms, |seconds| seconds.saturating_mul(1000));
        let wait = wanted.min(policy.refresh_max_ms).max(policy.refresh_min_ms);
        // Up to a tenth earlier, never later and never below the bound.
        let earlier = self.roll(wait / 10);
        self.due = now.saturating_add((wait - earlier).max(self.policy.refresh_min_ms));
    }

    fn fail(&mut self, now: Millis, fault: FetchFault) {
        self.failures += 1;
        self.fault = Some(fault);
        let doubled = self.policy.retry_min_ms.saturating_mul(1 << self.failures_in_row.min(20));
        let wait = doubled.min(self.policy.retry_max_ms);
        self.failures_in_row = self.failures_in_row.saturating_add(1);
        let earlier = self.roll(wait / 4);
        self.due = now.saturating_add(wait - earlier);
    }

    /// A number up to `most` (xorshift64, Marsaglia 2003); it spreads load and protects nothing.
    fn roll(&mut self, most: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice.checked_rem(most.saturating_add(1)).unwrap_or(0)
    }
}

// === impl FetchFault ===

impl FetchFault {
    /// The stable name in records and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Address => "address",
            Self::Tls => "tls",
            Self::Status => "status",
            Self::Deadline => "deadline",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::NoUsableKey => "no_usable_key",
            Self::NotPinned => "not_pinned",
        }
    }
}

// === impl KeysUnavailable ===

impl fmt::Display for KeysUnavailable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            Some(fault) => write!(formatter, "the issuer's keys are not to be had: {}", fault.code()),
            None => formatter.write_str("the issuer's keys have not been fetched yet"),
        }
    }
}

impl std::error::Error for KeysUnavailable {}

// === impl PolicyError ===

impl fmt::Display for PolicyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Order => "times of refreshing and retrying have to be above zero and in rising order",
            Self::Staleness => "keys have to last longer than the latest refresh and the deadline of a fetch together",
        })
    }
}

impl std::error::Error for PolicyError {}
