//! What rules about access would decide about a request of a caller who is supposed, not proved: for tests of rules.
//!
//! The very stages decide, from the bytes of the request to its route, and then the route's rules.

use super::decode::content_type;
use super::explain::{ExplainRequest, connection, parse, raw};
use super::{Stop, permit, receive, route, target};
use crate::carry::room::Rooms;
use crate::exchange::Exchange;
use crate::limits::Shelf;
use crate::members::Members;
use crate::snapshot::access::Access;
use crate::snapshot::rules::Judged;
use crate::snapshot::{CompileError, Snapshot};
use portcullis_auth::principal::{Demand, Principal, Scheme};
use portcullis_config::plan::Plan;
use portcullis_types::{Reason, Refusal};
use std::net::IpAddr;

/// A request with its caller.
#[derive(Clone, Debug)]
pub struct Supposed {
    /// The request.
    pub request: ExplainRequest,
    /// Who calls; nothing for nobody in particular.
    pub caller: Option<Principal>,
    /// From where.
    pub address: IpAddr,
    /// When, in seconds since 1970.
    pub now: u64,
}

/// What would be decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permission {
    /// Whether the request would pass.
    pub allowed: bool,
    /// The place of the route in the plan's order of routes, where there is one.
    pub route: Option<usize>,
    /// The code of the refusal.
    pub code: Option<&'static str>,
    /// The name of the rule that decided, and where it is written.
    pub rule: Option<(String, String)>,
    /// The rule that would refuse if it counted.
    pub would_refuse: Option<(String, String)>,
}

/// Decides about each request.
///
/// # Errors
/// A plan that cannot be served.
pub fn suppose(plan: &Plan, all: &[Supposed]) -> Result<Vec<Permission>, CompileError> {
    let snapshot = Snapshot::compile(
        plan,
        1,
        String::new(),
        Shelf { books: &[], ownerships: &[], knowledge: &[], workers: 1, feed: None, peers: None },
    )?;
    all.iter().map(|one| decide(plan, &snapshot, one)).collect()
}

fn decide(plan: &Plan, snapshot: &Snapshot, supposed: &Supposed) -> Result<Permission, CompileError> {
    let (bytes, secure) = raw(&supposed.request);
    let connection = connection(plan, snapshot, secure).ok_or(CompileError::NoListener)?;
    let mut exchange = Exchange::default();
    let mut permission = Permission::default();
    let found = parse(&mut exchange.head, &bytes, &connection)
        .and_then(|()| target::canonicalise(&mut exchange))
        .and_then(|()| route::find(snapshot, &connection, &mut exchange).map(drop));
    permission.route = exchange.record.route;
    if let Err(Stop::Refused(refusal)) = found {
        return Ok(refused(permission, &refusal));
    }
    let Some(route) = exchange.record.route.and_then(|index| snapshot.routes.get(index)) else {
        return Ok(permission);
    };
    let caller = supposed.caller.as_ref();
    let closed = match &route.access {
        Access::Public => None,
        Access::Refuse => Some(Reason::RouteClosed),
        Access::Demand(demands) => {
            let (Demand::AnyOf { schemes, .. } | Demand::AllOf(schemes)) = &demands.demand;
            let is_open = matches!(demands.demand, Demand::AnyOf { anonymous: true, .. });
            let comes = caller.map_or(is_open, |caller| schemes.iter().any(|scheme| is_like(*scheme, caller.scheme)));
            (!comes).then_some(Reason::MissingCredential)
        }
    };
    // Whoever is supposed to come has proved all that is demanded at once.
    let also: Vec<&'static str> = match &route.access {
        Access::Demand(demands) => match &demands.demand {
            Demand::AllOf(schemes) => schemes.iter().map(|scheme| scheme.code()).collect(),
            Demand::AnyOf { .. } => Vec::new(),
        },
        Access::Public | Access::Refuse => Vec::new(),
    };
    if let Some(reason) = closed {
        permission.code = Some(reason.code());
        return Ok(permission);
    }
    let Some(rules) = &route.rules else {
        permission.allowed = true;
        return Ok(permission);
    };
    let fields = exchange.head.fields();
    let looks = route.looks.as_deref().filter(|_| rules.look_into_bodies());
    let seen = looks.map(|looks| receive::seen(fields, &supposed.request.body, looks, Rooms::default().room()));
    let seen = match seen.transpose() {
        Ok(seen) => seen,
        Err(refusal) => return Ok(refused(permission, &refusal)),
    };
    let body = seen.as_ref().map_or(Members::Nothing, |seen| Members::of(seen, content_type(fields)));
    let judged = Judged {
        caller,
        also: &also,
        address: supposed.address,
        path: exchange.target.path(),
        query: exchange.target.query(),
        fields,
        body,
        is_supposed: true,
    };
    let decision = rules.judge(judged, supposed.now).decision;
    let named = |rule: Option<usize>| {
        let named = rules.named(rule);
        (named.name.to_string(), named.origin.clone())
    };
    permission.would_refuse = decision.would_refuse.map(named);
    permission.rule = (decision.refused.is_some() || decision.rule.is_some()).then(|| named(decision.rule));
    Ok(match permit::refusal(rules, decision, caller, body) {
        Some(refusal) => refused(permission, &refusal),
        None => Permission { allowed: true, ..permission },
    })
}

/// Whether somebody with a key has one that is wanted, and somebody with anything else comes in any other way that is: tests of
/// rules know no more of him.
fn is_like(wanted: Scheme, supposed: Scheme) -> bool {
    (wanted == Scheme::ApiKey) == (supposed == Scheme::ApiKey)
}

fn refused(permission: Permission, refusal: &Refusal) -> Permission {
    Permission { allowed: false, code: Some(refusal.reason.code()), ..permission }
}
