//! `inspect`: whether the message is an attack.
//!
//! Rules see the request as it came: what was sent, not what it was turned into. They look at the head, the query and
//! the body, whole and decoded. What they find is in the record, also where it counts for nothing.

mod patch;

use super::Stop;
use super::conform::Valid;
use super::receive::Seen;
use crate::inspection::{Inspector, Looked, Subject};
use portcullis_types::{Reason, Refusal, Stage};
use portcullis_waf::{Limit, Refused};
use std::cell::RefCell;

/// Proof that this stage has decided.
#[derive(Debug)]
pub(crate) struct Inspected<'a>(Valid<'a>);

// === impl Inspected ===

impl<'a> Inspected<'a> {
    pub(super) fn into_inner(self) -> Valid<'a> {
        self.0
    }
}

/// Asks the rules of the route, if it has some.
pub(super) fn inspect<'a>(mut before: Valid<'a>, inspector: &RefCell<Inspector>) -> Result<Inspected<'a>, Stop> {
    let (routed, seen) = before.parts_mut();
    let route = routed.route();
    if let Some(patched) = route.patched.as_deref() {
        patch::look(patched, routed, seen)?;
    }
    let Some(waf) = &route.waf else { return Ok(Inspected(before)) };
    let body = match seen {
        Seen::Nothing => &[][..],
        Seen::Whole(content) => content.bytes(),
        // Messages of gRPC go on in both directions at once; their record says that nobody has looked at them.
        Seen::Unread => {
            routed.record.note = Some("rules have not looked at the body");
            &[]
        }
    };
    let subject = Subject { head: routed.request.head, record: routed.record, address: routed.request.client.address };
    let Looked { refused, findings, asked } =
        inspector.borrow_mut().request((waf, route.spared.as_ref()), subject, body);
    (routed.record.findings, routed.record.asked) = (findings, asked);
    if let Some(refused) = refused {
        return Err(refusal(refused).into());
    }
    if let Some(rules) = route.patched.as_deref().and_then(|patched| patched.rules.as_ref()) {
        patch::inspect(rules, routed, body, inspector)?;
    }
    Ok(Inspected(before))
}

/// The caller is told nothing of the rules: whoever attacks would learn from it.
fn refusal(refused: Refused) -> Refusal {
    let (reason, private) = match refused.limit {
        None => (Reason::AttackRefused, format!("refused by the rule {}", refused.rule)),
        Some(Limit::BodyTooLong) => (Reason::InspectionLimit, "the body is longer than rules look at".to_owned()),
        Some(Limit::BodyUnreadable) => {
            (Reason::UnreadableBody, "the body is not what it says it is, and no rule is about that".to_owned())
        }
        Some(Limit::TooMuchWork) => (Reason::InspectionLimit, "the request is more work than one may be".to_owned()),
    };
    Refusal::new(Stage::Inspect, reason, reason.page().caller).private(private)
}
