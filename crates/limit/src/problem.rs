//! The three problem types of draft-ietf-httpapi-ratelimit-headers-11, section 5, with their extension member.

use crate::decision::Verdict;
use crate::limiter::Limiter;
use portcullis_types::Reason;

/// Why a request was refused for want of budget. All carry `violated-policies`, an array of policies' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemType {
    /// The caller has spent its limit.
    QuotaExceeded,
    /// We have less to give than usual: an adaptive limit, a shed load, an open breaker.
    TemporaryReducedCapacity,
    /// The caller behaves as no client of this API does.
    AbnormalUsageDetected,
}

// === impl ProblemType ===

impl ProblemType {
    /// The member that names the limits.
    pub const VIOLATED_POLICIES: &'static str = "violated-policies";

    /// What others have named already of what we refuse for.
    #[must_use]
    pub fn of(reason: Reason) -> Option<Self> {
        const TYPES: [(Reason, ProblemType); 4] = [
            (Reason::AbnormalUsage, ProblemType::AbnormalUsageDetected),
            (Reason::ReducedCapacity, ProblemType::TemporaryReducedCapacity),
            (Reason::QuotaExceeded, ProblemType::QuotaExceeded),
            (Reason::TooManyFailures, ProblemType::AbnormalUsageDetected),
        ];
        TYPES.iter().find(|(named, _)| *named == reason).map(|(_, kind)| *kind)
    }

    /// The `type` of the problem.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::QuotaExceeded => "https://iana.org/assignments/http-problem-types#quota-exceeded",
            Self::TemporaryReducedCapacity => {
                "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
            }
            Self::AbnormalUsageDetected => "https://iana.org/assignments/http-problem-types#abnormal-usage-detected",
        }
    }

    /// The status that goes with it: 429 blames the caller, 503 does not.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::QuotaExceeded | Self::AbnormalUsageDetected => 429,
            Self::TemporaryReducedCapacity => 503,
        }
    }
}

impl Limiter {
    /// The names of the limits that refused, for `violated-policies`.
    pub fn violated<'a>(&'a self, verdict: &'a Verdict) -> impl Iterator<Item = &'a str> {
        let refusing = verdict.decisions.iter().filter(|decision| decision.refuses());
        refusing.filter_map(|decision| self.policy(decision.policy)).map(crate::Policy::name)
    }
}
