//! What was decided, with everything that the wire, the record and the metrics need.

use crate::limiter::Ask;

/// What one limit says of one request. The policy is the limiter's at this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Which limit: its place in the limiter.
    pub policy: usize,
    /// Whether there was room. A shadow limit without room does not stop the request.
    pub has_room: bool,
    /// Whether the limit only watches.
    pub shadow: bool,
    /// The most that can be had at once, in units.
    pub limit: u64,
    /// How many units are left after this request. A worker that spends what it holds in advance says what was left when
    /// it last looked into the ledger, less what it spent since.
    pub remaining: u64,
    /// The time within which no more than `remaining` can be had; none for permits.
    pub reset_s: Option<u64>,
    /// When asking again makes sense; nought when there was room.
    pub retry_after_s: u64,
}

/// A place among the requests that run at the same time. It must come back through `Limiter::release`, or it is lost.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a permit that is dropped is lost to everybody"]
pub struct Permit {
    pub(crate) policy: usize,
    pub(crate) key: crate::Key,
    pub(crate) units: u64,
    pub(crate) overflow: bool,
}

/// What all limits together say of one request. Made once and used again, so that deciding allocates nothing.
#[derive(Debug, Default)]
pub struct Verdict {
    /// One per ask, in their order.
    pub decisions: Vec<Decision>,
    /// What to release when the request is over. The next charge adds to them, so take them out before: a permit that were
    /// dropped here would be lost, one that were released too early would let in more than the limit.
    pub permits: Vec<Permit>,
    /// Whether the request may go on. Nothing at all was charged if not.
    pub admitted: bool,
    /// What is not here and may be in the store. Nobody has refused then: ask it, and charge again with what it said.
    pub missing: Vec<Ask>,
    /// Shared limits of which little is held since this request: it pays to ask the store before somebody has to wait.
    pub low: Vec<Ask>,
}

// === impl Decision ===

impl Decision {
    /// Whether this limit stops the request.
    #[must_use]
    pub const fn refuses(&self) -> bool {
        !self.has_room && !self.shadow
    }
}

// === impl Permit ===

impl Permit {
    /// Which limit it is of: its place in the limiter.
    #[must_use]
    pub const fn policy(&self) -> usize {
        self.policy
    }
}

// === impl Verdict ===

impl Verdict {
    /// What `Retry-After` says: until every limit that refused has room again. None when admitted.
    #[must_use]
    pub fn retry_after_s(&self) -> Option<u64> {
        self.decisions.iter().filter(|decision| decision.refuses()).map(|decision| decision.retry_after_s).max()
    }
}
