//! What a bundle of the feed says of a request: its virtual patches, and its rules.

use super::refusal;
use crate::feed::Patched;
use crate::inspection::{Inspector, Looked, Subject};
use crate::pipeline::Stop;
use crate::pipeline::receive::Seen;
use crate::pipeline::route::{Request, Routed};
use crate::snapshot::Route;
use portcullis_config::plan::WafPlan;
use portcullis_contract::json::{Item, Json, Kind as JsonKind, Limits};
use portcullis_patch::{Asked, Body, Fields, Held, Kind, Step, judge};
use portcullis_types::{Reason, Refusal, Stage};
use std::cell::RefCell;

/// A request as patches see it.
struct Shown<'a> {
    request: Request<'a>,
    route: &'a Route,
    seen: &'a Seen,
}

/// Refuses what a patch is about, and notes what one only observes.
pub(super) fn look(patched: &Patched, routed: &mut Routed<'_>, seen: &Seen) -> Result<(), Stop> {
    let (request, route) = (routed.request, routed.route());
    let shown = Shown { request, route, seen };
    let Some(met) = judge(&patched.patches, &route.template, patched.feed.stage(), &shown) else { return Ok(()) };
    patched.feed.count(&met);
    let (refuses, private) = (met.refuses, format!("the virtual patch {}: {}", met.patch.id, met.patch.reason));
    routed.record.patch = Some(Box::new(met));
    if !refuses {
        return Ok(());
    }
    let reason = Reason::PatchRefused;
    Err(Refusal::new(Stage::Inspect, reason, reason.page().caller).private(private).into())
}

/// Asks the rules of a bundle, after those of the route.
pub(super) fn inspect(
    rules: &WafPlan,
    routed: &mut Routed<'_>,
    body: &[u8],
    inspector: &RefCell<Inspector>,
) -> Result<(), Stop> {
    let subject = Subject { head: routed.request.head, record: routed.record, address: routed.request.client.address };
    let Looked { refused, findings, .. } = inspector.borrow_mut().request((rules, None), subject, body);
    match (&mut routed.record.findings, findings) {
        (Some(have), Some(more)) => have.add(*more),
        (none @ None, more) => *none = more,
        (Some(_), None) => {}
    }
    refused.map_or(Ok(()), |refused| Err(refusal(refused).into()))
}

// === impl Shown ===

impl Asked for Shown<'_> {
    fn method(&self) -> &[u8] {
        self.request.head.method()
    }

    fn path(&self) -> &str {
        self.request.target.path()
    }

    fn query(&self) -> Option<&str> {
        self.request.target.query()
    }

    fn header(&self, name: &str, each: &mut dyn FnMut(&[u8]) -> bool) {
        let fields = self.request.head.fields();
        let mut named = fields.iter().filter(|line| line.name.eq_ignore_ascii_case(name.as_bytes()));
        named.any(|line| each(line.value));
    }

    fn body(&self) -> Body<'_> {
        match self.seen {
            Seen::Nothing => Body::Nothing,
            Seen::Unread => Body::Unread,
            Seen::Whole(content) => Body::Whole(content.bytes()),
        }
    }

    fn field(&self, place: &[Step], each: &mut dyn FnMut(&Held<'_>) -> bool) -> Fields {
        let Seen::Whole(content) = self.seen else { return Fields::Read };
        if let Some(json) = content.json() {
            walk(json.root(), place, each);
            return Fields::Read;
        }
        // Whatever it calls itself, a server may read it as JSON.
        let opens = content.bytes().trim_ascii_start().strip_prefix(b"\xef\xbb\xbf").unwrap_or(content.bytes());
        let looks_like = matches!(opens.trim_ascii_start().first(), Some(b'{' | b'['));
        if content.flaw().is_none() && !looks_like {
            return Fields::Read;
        }
        let limits = self.route.looks.as_deref().map_or_else(Limits::default, |looks| looks.json);
        match Json::parse(content.bytes(), &limits) {
            Ok(json) => {
                walk(json.root(), place, each);
                Fields::Read
            }
            Err(_) => Fields::Unreadable,
        }
    }
}

/// Shows each value at a place; whether it was told to stop. No deeper than the body, whose depth is bounded.
fn walk(item: Item<'_>, place: &[Step], each: &mut dyn FnMut(&Held<'_>) -> bool) -> bool {
    let Some((step, rest)) = place.split_first() else { return show(item, each) };
    let is_named = |have: &str, name: &str| have == name || have.eq_ignore_ascii_case(name);
    match step {
        Step::Named(name) => {
            let mut members = item.members();
            let index = name.parse().ok();
            let mut items = item.items().enumerate().filter(|(at, _)| index == Some(*at));
            members.any(|(have, inner)| is_named(have.text(), name) && walk(inner, rest, each))
                || items.any(|(_, inner)| walk(inner, rest, each))
        }
        Step::Each => {
            item.members().any(|(_, inner)| walk(inner, rest, each))
                || item.items().any(|inner| walk(inner, rest, each))
        }
        Step::Within => {
            walk(item, rest, each)
                || item.members().any(|(_, inner)| walk(inner, place, each))
                || item.items().any(|inner| walk(inner, place, each))
        }
    }
}

fn show(item: Item<'_>, each: &mut dyn FnMut(&Held<'_>) -> bool) -> bool {
    let (bytes, kind): (&str, Kind) = match item.kind() {
        JsonKind::Null => ("null", Kind::Null),
        JsonKind::Bool(true) => ("true", Kind::Boolean),
        JsonKind::Bool(false) => ("false", Kind::Boolean),
        JsonKind::Number => (item.text(), Kind::Number),
        JsonKind::Text => (item.text(), Kind::Text),
        JsonKind::Array => ("", Kind::Array),
        JsonKind::Object => ("", Kind::Object),
    };
    each(&Held { bytes: bytes.as_bytes(), kind: Some(kind) })
}
