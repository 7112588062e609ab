//! Proofs that tokens are the caller's: how they are judged, and whether anybody asks for them.

use super::Check;
use super::identity::algorithm_of;
use crate::diagnostic::Diagnostic;
use crate::file::{Dpop as Written, File, defaults};
use crate::plan::{Dpop, ProofPlan};
use crate::scalar::Period;
use crate::tree::At;

/// A proof needs the time of one way to us, and nobody needs one of yesterday.
const LEAST_WINDOW: Period = Period::seconds(5);
const MAX_WINDOW: Period = Period::seconds(60 * 60);
const MAX_SKEW: Period = Period::seconds(300);
const LEAST_REMEMBERED: u64 = 1000;

impl Check<'_> {
    /// The section `proofs`.
    pub(super) fn proofs(&mut self, file: &File, root: &At<'_>) -> ProofPlan {
        let at = root.key("proofs");
        let Some(written) = &file.proofs else { return ProofPlan::default() };
        let algorithms = written.algorithms.as_deref();
        if algorithms.is_some_and(<[_]>::is_empty) {
            let list = at.key("algorithms");
            let diagnostic = Diagnostic::new("empty-list", list.name_span(), "no algorithm is accepted")
                .help("name some, such as `[ES256, EdDSA]`, or remove the list");
            self.reject(&list, diagnostic);
        }
        let window = written.window.unwrap_or(defaults::PROOF_WINDOW);
        let skew = written.clock_skew.unwrap_or(defaults::PROOF_SKEW);
        let remembered = written.remembered.unwrap_or(defaults::PROOFS_REMEMBERED).0;
        let range = (LEAST_REMEMBERED, defaults::MAX_PROOFS_REMEMBERED);
        let remembered = self.within(&at.key("remembered"), remembered, range, |value| value.to_string());
        let algorithms = algorithms.map(|list| list.iter().map(|algorithm| algorithm_of(*algorithm)).collect());
        ProofPlan {
            window: self.period(&at.key("window"), window, (LEAST_WINDOW, MAX_WINDOW)),
            clock_skew: self.period(&at.key("clock_skew"), skew, (Period::seconds(0), MAX_SKEW)),
            nonce: written.nonce.is_some_and(|flag| flag.0),
            algorithms: algorithms.unwrap_or_else(|| ProofPlan::default().algorithms),
            remembered: usize::try_from(remembered).unwrap_or(usize::MAX),
        }
    }

    /// A section `proofs` without anybody who needs it; to be called after every demand has been read.
    pub(super) fn unused_proofs(&mut self, file: &File, root: &At<'_>) {
        if file.proofs.is_some() && !self.named.proofs_used {
            let at = root.key("proofs");
            let message = "`proofs` has no effect, because no `authn` takes proofs";
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message)
                .help("write `authn: { any_of: [{ jwt: { issuers: [...], dpop: required } }] }`, or remove it");
            self.reject(&at, diagnostic);
        }
    }
}

// === impl Dpop ===

impl From<Written> for Dpop {
    fn from(written: Written) -> Self {
        match written {
            Written::Off => Self::Off,
            Written::Allowed => Self::Allowed,
            Written::Required => Self::Required,
        }
    }
}
