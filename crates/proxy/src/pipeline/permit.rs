//! `permit`: what the caller may do, by the rules of the route; `settle`: what of it only the body can say.
//!
//! A route without rules is not looked at twice. What is refused names its rule in the record; the caller gets the code only.
//! What the body cannot change is decided before it comes, so that nobody is held a body for who may not send it.

use super::Stop;
use super::decode::content_type;
use super::identify::Authenticated;
use super::receive::{self, Received, Seen};
use super::route::Routed;
use crate::members::Members;
use crate::snapshot::rules::{Judged, Judgement, Rules};
use portcullis_access::{Decision, Why};
use portcullis_auth::principal::Principal;
use portcullis_types::{Reason, Refusal, Stage, Violation};

const NOT_SHOWN: &str = "Read the list that shows this id first: only ids that an answer has shown to this caller, not too long ago, may be \
     asked for.";

/// Proof that the stage has decided, as far as that can be without the body.
#[derive(Debug)]
pub(crate) struct Authorized<'a>(Authenticated<'a>);

/// Proof that nothing is left to decide about what the caller may do.
#[derive(Debug)]
pub(crate) struct Settled<'a>(Received<'a>);

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

// === impl Settled ===

impl<'a> Settled<'a> {
    pub(super) fn into_inner(self) -> Received<'a> {
        self.0
    }

    /// For the stages after this one: the request, and what is held of its body.
    pub(super) fn parts_mut(&mut self) -> (&mut Routed<'a>, &Seen) {
        self.0.parts_mut()
    }
}

/// Asks the rules of the route, if it has some; `now` is in seconds since 1970.
pub(super) fn permit<'a>(mut before: Authenticated<'a>, now: impl Fn() -> u64) -> Result<Authorized<'a>, Stop> {
    let routed = before.routed_mut();
    if let Some(refusal) = routed.brownout.take() {
        let (lifecycle, caller) = (routed.route().lifecycle.as_ref(), routed.record.caller.as_deref());
        if !lifecycle.zip(caller).is_some_and(|(lifecycle, caller)| lifecycle.exempts(&caller.id)) {
            return Err(Stop::Refused(refusal));
        }
    }
    let Some(rules) = &routed.route().rules else { return Ok(Authorized(before)) };
    let waits = rules.look_into_bodies() && receive::has_body(routed.request.head.framing());
    let judgement = match waits {
        false => rules.judge(judged(routed, Members::Nothing), now()),
        true => match rules.foresee(judged(routed, Members::Later), now()) {
            Some(judgement) => judgement,
            None => return Ok(Authorized(before)),
        },
    };
    conclude(routed, rules, judgement, Members::Later)?;
    Ok(Authorized(before))
}

/// Asks the rules that had to wait for the body. What cannot be read of it, they cannot tell.
pub(super) fn settle<'a>(mut before: Received<'a>, now: impl Fn() -> u64) -> Result<Settled<'a>, Stop> {
    let (routed, seen) = before.parts_mut();
    let Some(rules) = routed.route().rules.as_ref().filter(|_| routed.record.permit.is_none()) else {
        return Ok(Settled(before));
    };
    let body = Members::of(seen, content_type(routed.request.head.fields()));
    let judgement = rules.judge(judged(routed, body), now());
    conclude(routed, rules, judgement, body)?;
    Ok(Settled(before))
}

fn judged<'r>(routed: &'r Routed<'_>, body: Members<'r>) -> Judged<'r> {
    let request = &routed.request;
    Judged {
        caller: routed.record.caller.as_deref(),
        also: &routed.record.also,
        address: request.client.address,
        path: request.target.path(),
        query: request.target.query(),
        fields: request.head.fields(),
        body,
        is_supposed: false,
    }
}

fn conclude(routed: &mut Routed<'_>, rules: &Rules, judgement: Judgement, body: Members<'_>) -> Result<(), Refusal> {
    let Judgement { decision, guesses } = judgement;
    let refusal = refusal(rules, decision, routed.record.caller.as_deref(), body);
    routed.record.guesses = guesses;
    routed.record.permit = Some(decision);
    refusal.map_or(Ok(()), Err)
}

/// What the caller is told, if he is refused.
pub(super) fn refusal(
    rules: &Rules,
    decision: Decision,
    caller: Option<&Principal>,
    body: Members<'_>,
) -> Option<Refusal> {
    let (reason, lacked) = match decision.refused? {
        Why::Caller => (Reason::Forbidden, None),
        Why::Scope(rule) => (Reason::InsufficientScope, Some(rule)),
        Why::Circumstances => (Reason::ForbiddenHere, None),
        Why::Fields(_) => (Reason::ForbiddenField, None),
    };
    let named = rules.named(decision.rule);
    let is_learned = rules.is_learned(decision.rule);
    let mut private = match decision.rule {
        Some(_) if is_learned => "the caller was not shown this id, or so long ago that it is forgotten".to_owned(),
        Some(_) => format!("refused by the rule {}", named.name),
        None => "no rule allows it".to_owned(),
    };
    // Whoever was shown nothing may be quite the right caller, and would look for the mistake in vain.
    let public = if is_learned { NOT_SHOWN } else { reason.page().caller };
    let refusal = Refusal::new(Stage::Permit, reason, public);
    let refusal = match decision.refused {
        Some(Why::Fields(rule)) => match rules.sets(rule, body) {
            Ok(set) => refusal.errors(set.into_iter().map(set_field).collect()),
            Err(_) => {
                private.push_str(", because nobody can tell what the body sets");
                refusal
            }
        },
        Some(Why::Caller | Why::Scope(_) | Why::Circumstances) | None => refusal,
    };
    let refusal = refusal.private(private);
    Some(match rules.challenge(reason, lacked, caller) {
        Some(challenge) => refusal.header("www-authenticate", challenge),
        None => refusal,
    })
}

fn set_field(pointer: String) -> Violation {
    let detail = "only some callers may set this field".to_owned();
    Violation { part: "body", name: String::new(), pointer, keyword: "protected", detail }
}
