//! What one worker remembers of callers: tokens that were verified already, keys that were used, versions that were called.

use super::opaque::Desks;
use crate::identity::{Notes, random};
use portcullis_auth::dpop::Bound;
use portcullis_auth::principal::Principal;
use portcullis_auth::verified::VerifiedTokens;
use portcullis_store::{Callers, LastUsed};
use std::rc::Rc;

// LIMIT: verified tokens that a worker remembers; one that is forgotten is verified again.
const VERIFIED_MAX: usize = 16_384;
/// How often used keys and callers are told, in seconds.
const TELL_EVERY: u64 = 2;

/// A token's issuer, by its index in the snapshot, whom the token names, and what it is bound to.
type Known = (usize, Rc<Principal>, Option<Rc<Bound>>);

/// What one worker remembers.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    verified: Option<VerifiedTokens<Known>>,
    pub(crate) desks: Desks,
    pub(crate) used: LastUsed,
    /// Who has called which version.
    pub(crate) callers: Callers,
    told: u64,
}

// === impl Tokens ===

impl Tokens {
    /// The verified tokens; a worker that never meets one has no table. `None` where there is no randomness for its key.
    pub(crate) fn verified(&mut self) -> Option<&mut VerifiedTokens<Known>> {
        if self.verified.is_none() {
            self.verified = Some(VerifiedTokens::new(VERIFIED_MAX, random().ok()?));
        }
        self.verified.as_mut()
    }

    /// What is to be written of keys and callers, once in a while.
    pub(crate) fn due(&mut self, now: u64) -> Option<Notes> {
        if now < self.told.saturating_add(TELL_EVERY) {
            return None;
        }
        self.told = now;
        Some(Notes { used: self.used.take(now), calls: self.callers.take() })
    }
}
