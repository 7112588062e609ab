//! Tokens that say nothing themselves: which tokens are such, and what their issuer says about them.

use super::binding::{self, ShownToken};
use super::{Asked, Judging, UNREADABLE, Wanting};
use crate::pipeline::route::Routed;
use crate::worker::{Look, Told};
use portcullis_auth::introspect::Moment;
use portcullis_auth::jwt::claimed_issuer;
use portcullis_auth::principal::{Failure, Principal, Scheme};
use portcullis_types::Reason;
use std::rc::Rc;

const SILENT: Failure = Failure {
    reason: Reason::IssuerUnavailable,
    detail: "the issuer was not asked about the token, or did not say in time whether it is good",
};

/// Whether a token has the form of a signed one, whole or not: those are shown to nobody either.
fn looks_signed(text: &str) -> bool {
    // What the encoding makes of `{"`, with which every header begins.
    text.starts_with("eyJ") && text.bytes().filter(|byte| *byte == b'.').count() == 2
}

impl Judging<'_> {
    /// Whether a token is one that its issuer explains. Where a route takes both kinds, a token that names an issuer whose
    /// tokens are verified here is verified, and one that names a stranger is shown to nobody.
    pub(super) fn is_opaque(&self, text: &str) -> bool {
        let schemes = &self.demands.offer.schemes;
        let asked = self.demands.introspection.and_then(|index| self.snapshot.callers.issuers.get(index));
        let Some(asked) = asked else { return false };
        if !schemes.contains(&Scheme::Jwt) {
            return true;
        }
        if !looks_signed(text) {
            return true;
        }
        let Some(claimed) = claimed_issuer(text) else { return false };
        let issuers = &self.snapshot.callers.issuers;
        let mut verified = self.demands.issuers.iter().filter_map(|index| issuers.get(*index));
        !verified.any(|issuer| issuer.rules.issuer == claimed) && asked.rules.issuer == claimed
    }

    /// What its issuer says about a token.
    pub(super) fn opaque(&self, routed: &Routed<'_>, shown: ShownToken<'_>) -> Result<Rc<Principal>, Failure> {
        let text = shown.text;
        let (identity, bench) = (self.bench.identity, self.bench);
        // Revocations that cannot be read might hold this token.
        identity.check(bench.millis).map_err(|_| UNREADABLE)?;
        let index = self.demands.introspection.ok_or(SILENT)?;
        let issuer = self.snapshot.callers.issuers.get(index).ok_or(SILENT)?;
        let introspector = issuer.introspector.as_ref().ok_or(SILENT)?;
        let desk = bench.tokens.borrow_mut().desks.of(self.snapshot.generation, index, introspector);
        let told = match &self.told {
            Asked::Told(told) => told.clone(),
            asked @ (Asked::Whoever | Asked::Nobody) => {
                let clock = matches!(asked, Asked::Whoever).then_some(&identity.clock);
                let now = Moment { wall: bench.now, millis: bench.millis };
                match desk.look(text, identity.generation(), now, clock) {
                    Look::Known(told) => told,
                    Look::Wait(pending) => {
                        self.wanting.set(Some(Wanting::Answer(pending)));
                        Told::Nothing
                    }
                }
            }
        };
        let invalid = |detail| Failure { reason: Reason::InvalidToken, detail };
        let token = match told {
            Told::Active(token) => token,
            Told::Inactive => return Err(invalid("the issuer says that the token is not good, or not for this API")),
            Told::Nothing => return Err(SILENT),
        };
        self.still_good(&token, &issuer.rules.issuer)?;
        // Who it is depends on the answer and on the issuer's settings, which a desk does not outlive.
        let named = desk.named(&token, || {
            let bound = binding::of(&token)?;
            let principal = Principal::of_token(Scheme::Introspection, &token, &issuer.roles_claim);
            let principal = principal.ok_or(invalid("the token names nobody"))?;
            Ok((Principal { issuer: Some(issuer.rules.issuer.clone()), ..principal }, bound))
        })?;
        self.held(routed, shown, named.bound.as_deref(), self.demands.proofs.introspected)?;
        Ok(named.principal)
    }
}
