//! The security record: what of a request belongs into it, and what is told besides requests.

use super::form::{self, Ended, Told};
use super::log::{LogLines, Queue};
use super::syslog::Severity;
use super::wall::WallTexts;
use super::{AccessRecord, Outcome};
use portcullis_auth::principal::{Principal, Scheme};
use portcullis_types::siphash::SipHash;
use portcullis_types::{Clock, Reason, Stage};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

// LIMIT: credentials that are remembered as seen, by all workers and by each. Beyond it all are forgotten, so that some are told
// again.
const SEEN_MAX: usize = 262_144;

/// Why something stands in the security record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A request was refused.
    Refused,
    /// A request was refused for its credential.
    CredentialFailed,
    /// A credential was good, and has not been seen since the gateway began.
    CredentialFirstSeen,
    /// An answer could not be masked and was not let out.
    MaskingFailed,
    /// An error of a server was replaced, because of what it told.
    ErrorScrubbed,
    /// Rules about attacks or a virtual patch matched, and the request passed.
    RuleMatch,
    /// A connection was turned away before there was a request.
    ConnectionRefused,
    /// Something unusual was found.
    Anomaly,
    /// Something was done to the gateway.
    AdminAction,
}

/// What all who write the security record share.
#[derive(Debug)]
pub(crate) struct Security {
    /// For those who are no worker, who write seldom; `None` once the gateway ends.
    common: Mutex<Option<Common>>,
    clock: Clock,
    seen: Mutex<HashSet<u128>>,
    seed: [u64; 2],
    counts: [AtomicU64; Event::ALL.len()],
}

#[derive(Debug)]
struct Common {
    queue: Arc<Queue>,
    lines: LogLines,
    wall: WallTexts,
}

/// A worker's end.
#[derive(Debug)]
pub(crate) struct SecurityLines {
    shared: Arc<Security>,
    lines: LogLines,
    seen: HashSet<u128>,
}

// === impl Event ===

impl Event {
    pub(crate) const ALL: [Self; 9] = [
        Self::Refused,
        Self::CredentialFailed,
        Self::CredentialFirstSeen,
        Self::MaskingFailed,
        Self::ErrorScrubbed,
        Self::RuleMatch,
        Self::ConnectionRefused,
        Self::Anomaly,
        Self::AdminAction,
    ];

    /// The name in records and metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::CredentialFailed => "credential_failed",
            Self::CredentialFirstSeen => "credential_first_seen",
            Self::MaskingFailed => "masking_failed",
            Self::ErrorScrubbed => "error_scrubbed",
            Self::RuleMatch => "rule_match",
            Self::ConnectionRefused => "connection_refused",
            Self::Anomaly => "anomaly",
            Self::AdminAction => "admin_action",
        }
    }

    pub(crate) const fn severity(self) -> Severity {
        match self {
            Self::MaskingFailed => Severity::Error,
            Self::CredentialFailed | Self::ErrorScrubbed | Self::Anomaly => Severity::Warning,
            Self::Refused | Self::RuleMatch | Self::ConnectionRefused | Self::AdminAction => Severity::Notice,
            Self::CredentialFirstSeen => Severity::Informational,
        }
    }

    /// What a request has to tell, but for a credential that is new.
    fn of(record: &AccessRecord) -> Option<Self> {
        let noted = (record.findings.is_some() || record.patch.is_some()).then_some(Self::RuleMatch);
        let Some(decision) = &record.decision else { return noted };
        match (decision.reason, decision.stage, record.outcome) {
            (Reason::AnswerUnreadable, _, _) => Some(Self::MaskingFailed),
            (Reason::UpstreamError, Stage::Shape, _) => Some(Self::ErrorScrubbed),
            // No credential was found wanting.
            (
                Reason::MissingCredential
                | Reason::NonceRequired
                | Reason::IssuerUnavailable
                | Reason::IdentityOverloaded
                | Reason::RouteClosed
                | Reason::AbnormalUsage,
                _,
                Outcome::Refused,
            ) => Some(Self::Refused),
            (_, Stage::Identify, Outcome::Refused) => Some(Self::CredentialFailed),
            (_, _, Outcome::Refused) => Some(Self::Refused),
            (_, _, Outcome::Served | Outcome::Answered | Outcome::Failed | Outcome::Truncated | Outcome::Gone) => noted,
        }
    }
}

// === impl Security ===

impl Security {
    pub(crate) fn new(queue: &Arc<Queue>, seed: [u64; 2], clock: &Clock) -> Arc<Self> {
        let lines = LogLines::new(Some(Arc::clone(queue)));
        let common = Common { queue: Arc::clone(queue), lines, wall: WallTexts::default() };
        Arc::new(Self {
            common: Mutex::new(Some(common)),
            clock: clock.clone(),
            seen: Mutex::default(),
            seed,
            counts: Default::default(),
        })
    }

    /// A worker's end; `None` once the gateway ends.
    pub(crate) fn lines(self: &Arc<Self>) -> Option<SecurityLines> {
        let common = self.common.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = Arc::clone(&common.as_ref()?.queue);
        let (shared, lines) = (Arc::clone(self), LogLines::new(Some(queue)));
        Some(SecurityLines { shared, lines, seen: HashSet::new() })
    }

    /// Tells of something that is no request. Never on the path of one.
    pub(crate) fn tell(&self, told: Told<'_>) {
        let wall = self.clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(wall.as_millis()).unwrap_or(0);
        let mut common = self.common.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Common { lines, wall, .. }) = &mut *common else { return };
        self.count(told.event());
        lines.add((wall, now), told.event().severity(), |format, wall, out| form::other(format, told, now, wall, out));
        lines.flush();
    }

    /// Lets go of the queue.
    pub(crate) fn close(&self) {
        self.common.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Asks for a file to be opened anew.
    pub(crate) fn reopen(&self) {
        if let Some(common) = &*self.common.lock().unwrap_or_else(PoisonError::into_inner) {
            common.queue.reopen();
        }
    }

    /// Every event with its count.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Event::ALL.into_iter().zip(&self.counts).map(|(event, count)| (event.name(), count.load(Ordering::Relaxed)))
    }

    fn count(&self, event: Event) {
        if let Some(count) = self.counts.get(event as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether nobody has seen this credential.
    fn is_first(&self, name: u128) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        remember(&mut seen, name)
    }
}

fn remember(seen: &mut HashSet<u128>, name: u128) -> bool {
    if seen.len() >= SEEN_MAX && !seen.contains(&name) {
        seen.clear();
    }
    seen.insert(name)
}

// === impl SecurityLines ===

impl SecurityLines {
    /// Enters a finished request, where there is something to tell of it.
    pub(crate) fn note(&mut self, ended: Ended<'_>, wall: &mut WallTexts) {
        let record = ended.record;
        let noted = record.findings.is_some() || record.patch.is_some();
        // Most requests end here: nothing was decided against them, no rule has matched, and nobody in particular calls.
        if record.decision.is_none() && !noted && record.caller.is_none() {
            return;
        }
        let is_new = record.caller.as_ref().is_some_and(|caller| self.is_new(caller));
        let first = is_new.then_some(Event::CredentialFirstSeen);
        let Some(event) = Event::of(record).or(first) else { return };
        self.shared.count(event);
        let when = (&mut *wall, record.wall_ms);
        self.lines
            .add(when, event.severity(), |format, wall, out| form::request(format, ended, Some(event), wall, out));
        // A caller whose first request is refused is told of twice.
        if is_new && event != Event::CredentialFirstSeen {
            self.shared.count(Event::CredentialFirstSeen);
            let when = (&mut *wall, record.wall_ms);
            self.lines.add(when, Severity::Informational, |format, wall, out| {
                form::request(format, ended, first, wall, out);
            });
        }
    }

    /// Tells of a connection that was turned away.
    pub(crate) fn tell(&mut self, told: Told<'_>, wall: &mut WallTexts, wall_ms: u64) {
        self.shared.count(told.event());
        let when = (wall, wall_ms);
        self.lines
            .add(when, told.event().severity(), |format, wall, out| form::other(format, told, wall_ms, wall, out));
    }

    pub(crate) fn flush(&mut self) {
        self.lines.flush();
    }

    /// Whether a credential was not seen since the gateway began. A token's is whom its issuer names: each caller has many.
    fn is_new(&mut self, caller: &Principal) -> bool {
        let [first, second] = self.shared.seed;
        let mut hash = SipHash::new(first, second);
        let credential = match caller.scheme {
            Scheme::Jwt | Scheme::Introspection => "",
            Scheme::ApiKey | Scheme::Certificate | Scheme::Signature => caller.credential.as_str(),
        };
        let parts = [caller.scheme.code(), caller.issuer.as_deref().unwrap_or_default(), credential, &caller.id];
        for part in parts {
            hash.write(&(part.len() as u64).to_le_bytes());
            hash.write(part.as_bytes());
        }
        let name = hash.finish();
        !self.seen.contains(&name) && remember(&mut self.seen, name) && self.shared.is_first(name)
    }
}
