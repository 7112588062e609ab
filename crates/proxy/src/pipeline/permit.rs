//! `permit`: what the caller may do, by the rules of the route.
//!
//! A route without rules is not looked at twice. What is refused names its rule in the record; the caller gets the code only.

use super::Stop;
use super::identify::Authenticated;
use super::route::Routed;
use crate::snapshot::rules::{Judged, Rules};
use portcullis_access::{Decision, Why};
use portcullis_auth::principal::Principal;
use portcullis_types::{Reason, Refusal, Stage};

/// Proof that this stage has decided.
#[derive(Debug)]
pub(crate) struct Authorized<'a>(Authenticated<'a>);

// === impl Authorized ===

impl<'a> Authorized<'a> {
    pub(super) fn into_inner(self) -> Authenticated<'a> {
        self.0
    }

    /// For the stage after this one, to add what it finds.
    pub(super) fn routed_mut(&mut self) -> &mut Routed<'a> {
        self.0.routed_mut()
    }
}

/// Asks the rules of the route, if it has some; `now` is in seconds since 1970.
pub(super) fn permit<'a>(mut before: Authenticated<'a>, now: impl Fn() -> u64) -> Result<Authorized<'a>, Stop> {
    let routed = before.routed_mut();
    let Some(rules) = &routed.route().rules else { return Ok(Authorized(before)) };
    let request = &routed.request;
    let caller = routed.record.caller.as_deref();
    let judgement = rules.judge(
        Judged {
            caller,
            address: request.client.address,
            path: request.target.path(),
            query: request.target.query(),
            fields: request.head.fields(),
            is_supposed: false,
        },
        now(),
    );
    let decision = judgement.decision;
    let refusal = refusal(rules, decision, caller);
    routed.record.guesses = judgement.guesses;
    routed.record.permit = Some(decision);
    match refusal {
        Some(refusal) => Err(refusal.into()),
        None => Ok(Authorized(before)),
    }
}

/// What the caller is told, if he is refused.
pub(super) fn refusal(rules: &Rules, decision: Decision, caller: Option<&Principal>) -> Option<Refusal> {
    let (reason, lacked) = match decision.refused? {
        Why::Caller => (Reason::Forbidden, None),
        Why::Scope(rule) => (Reason::InsufficientScope, Some(rule)),
        Why::Circumstances => (Reason::ForbiddenHere, None),
    };
    let named = rules.named(decision.rule);
    let private = match decision.rule {
        Some(_) => format!("refused by the rule {}", named.name),
        None => "no rule allows it".to_owned(),
    };
    let refusal = Refusal::new(Stage::Permit, reason, reason.page().caller).private(private);
    Some(match rules.challenge(reason, lacked, caller) {
        Some(challenge) => refusal.header("www-authenticate", challenge),
        None => refusal,
    })
}
