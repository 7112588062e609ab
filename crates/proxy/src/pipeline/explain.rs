//! One request through the stages offline: what each decides, and what the upstream would get.
//!
//! The stages are the very ones of the pipeline; their proofs keep this from taking them in another order.

use super::{Stop, charge, conform, cors, forward, guard, identify, inspect, permit, receive, route, target};
use crate::carry::room::Rooms;
use crate::exchange::{Connection, Exchange, Place};
use crate::identity::{Bench, Identity};
use crate::limits::{Drawer, RouteLimits, Shelf, Till};
use crate::origin;
use crate::problem::{Form, Problem};
use crate::record::TlsFacts;
use crate::snapshot::access::Access;
use crate::snapshot::rules::Rules;
use crate::snapshot::{CompileError, Route, Snapshot, decisions};
use portcullis_access::Decision;
use portcullis_config::plan::{Plan, WafPlan};
use portcullis_h1::{HeadScan, RequestHead};
use portcullis_limit::{KeyHasher, Moment, Prefixes};
use portcullis_types::{Clock, Stage};
use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

/// A request to be explained.
#[derive(Clone, Debug, Default)]
pub struct ExplainRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// A whole URL, or a path with the host in a header.
    pub url: String,
    /// Names and values as a client would send them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What one stage decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The stage.
    pub stage: Stage,
    /// `ok`, `public`, `not_required`, `refused`, …
    pub decision: String,
    /// What it is about: the canonical target, the route, the rule that was broken.
    pub detail: String,
    /// The line of the configuration behind it, where there is one.
    pub origin: Option<String>,
}

/// What would become of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Every stage that was reached, in order.
    pub steps: Vec<Step>,
    /// The head that the upstream would get; `None` where the request is refused.
    pub forwarded: Option<String>,
    /// The targets it would go to.
    pub targets: Vec<String>,
    /// Status and body of the problem that the caller would get; `None` where the request is forwarded.
    pub problem: Option<(u16, String)>,
}

/// Takes a request through every stage up to the upstream, without a socket.
///
/// # Errors
/// A plan that cannot be served.
pub fn explain(plan: &Plan, problem_base: &str, request: &ExplainRequest) -> Result<Explanation, CompileError> {
    let (raw, secure) = raw(request);
    explain_parts(plan, problem_base, (&raw, &request.body), secure)
}

/// The same for the bytes of a request, `secure` saying whether they come over TLS.
///
/// # Errors
/// A plan that cannot be served.
pub fn explain_raw(plan: &Plan, problem_base: &str, raw: &[u8], secure: bool) -> Result<Explanation, CompileError> {
    let end = memchr::memmem::find(raw, b"\r\n\r\n").map_or(raw.len(), |at| at + 4);
    explain_parts(plan, problem_base, raw.split_at(end), secure)
}

fn explain_parts(
    plan: &Plan,
    problem_base: &str,
    raw: (&[u8], &[u8]),
    secure: bool,
) -> Result<Explanation, CompileError> {
    let mut snapshot = Snapshot::compile(
        plan,
        1,
        problem_base.to_owned(),
        Shelf { books: &[], ownerships: &[], knowledge: &[], workers: 1, feed: None, peers: None },
    )?;
    let clock = Clock::system();
    let (identity, _) =
        Identity::open(&plan.identity, &clock).map_err(|error| CompileError::Store(error.to_string()))?;
    identity.arm(&mut snapshot.callers);
    let mut exchange = Exchange::default();
    let mut explanation = Explanation { steps: Vec::new(), forwarded: None, targets: Vec::new(), problem: None };
    let connection = connection(plan, &snapshot, secure).ok_or(CompileError::NoListener)?;
    if let Err(stop) = walk((&snapshot, &identity, &clock), &connection, &mut exchange, raw, &mut explanation) {
        refused(&stop, &exchange, &snapshot, &mut explanation);
    }
    Ok(explanation)
}

fn refused(stop: &Stop, exchange: &Exchange, snapshot: &Snapshot, explanation: &mut Explanation) {
    let (stage, detail) = match stop {
        Stop::Refused(refusal) => {
            // Whoever has the configuration may know what callers are not told.
            (refusal.stage, refusal.private.clone().unwrap_or_else(|| refusal.detail.to_string()))
        }
        Stop::Failed(fault) => (Stage::Forward, fault.source.clone()),
        Stop::Answered(_) => {
            let detail = "a preflight: the page may call".to_owned();
            explanation.steps.push(Step { stage: Stage::Cors, decision: "answered".to_owned(), detail, origin: None });
            return;
        }
        Stop::Told(document) => {
            let (decision, detail) = ("answered".to_owned(), format!("a document about the API: {document}"));
            explanation.steps.push(Step { stage: Stage::Route, decision, detail, origin: None });
            return;
        }
        // Nothing is forwarded or taken in, so that no server says anything and no browser reports.
        Stop::Scrubbed(_) | Stop::Noted | Stop::Gone => return,
    };
    let route = exchange.record.route.and_then(|index| snapshot.routes.get(index));
    let rules = route.and_then(|route| route.rules.as_ref()).filter(|_| stage == Stage::Permit);
    let ruled = rules.zip(exchange.record.permit).map(|(rules, decision)| rules.named(decision.rule).origin.clone());
    let origin = ruled.or_else(|| route.map(|route| route.origin.clone()));
    // The caller is not told of the rule; whoever asks here is.
    let private =
        if let (Stop::Refused(refusal), Stage::Permit) = (stop, stage) { refusal.private.clone() } else { None };
    let detail = private.unwrap_or(detail);
    explanation.steps.push(Step { stage, decision: "refused".to_owned(), detail, origin });
    explanation.problem = Problem::of(stop).map(|problem| {
        let form = Form::asked_by(exchange.head.fields());
        (problem.reason.status(), problem.body(form, exchange.record.id, &snapshot.problem_base))
    });
}

fn walk(
    (snapshot, identity, clock): (&Snapshot, &Identity, &Clock),
    connection: &Connection,
    exchange: &mut Exchange,
    (raw, body): (&[u8], &[u8]),
    explanation: &mut Explanation,
) -> Result<(), Stop> {
    let steps = &mut explanation.steps;
    let mut ok = |stage, detail: String, origin| {
        steps.push(Step { stage, decision: "ok".to_owned(), detail, origin });
    };
    parse(&mut exchange.head, raw, connection)?;
    ok(Stage::Head, format!("{} field lines", exchange.head.fields().len()), None);
    origin::find(connection, exchange)?;
    target::canonicalise(exchange)?;
    ok(Stage::Target, format!("{}{}", exchange.host, exchange.target.as_str()), None);
    let wall = clock.wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    exchange.record.wall_ms = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
    let routed = route::find(snapshot, connection, exchange)?;
    let found = routed.route();
    let version = if found.version.is_empty() { String::new() } else { format!(" version {}", found.version) };
    let place = format!("{}{version} {} ({})", found.api, found.template, found.id);
    ok(Stage::Route, place, Some(found.origin.clone()));
    let origin = found.origin.clone();
    let upstream = snapshot.upstreams.get(found.upstream);
    let tokens = RefCell::default();
    let wall = wall.as_secs();
    let bench = || Bench { identity, tokens: &tokens, now: wall, millis: clock.millis() };
    let (drawer, hasher) = (RefCell::new(Drawer::new(&snapshot.books)), KeyHasher::new([0; 16], Prefixes::default()));
    let now = Moment { nanos: clock.nanos(), unix_s: wall };
    let till = || Till { drawer: &drawer, hasher: &hasher, books: &snapshot.books, now, store: None };
    let guarded = guard::guard_at_once(routed, till)?;
    let left_before = drawer.borrow().left(&snapshot.books);
    let authenticated = identify::identify_at_once(cors::clear(guarded)?, (connection, snapshot), bench)?;
    let admitted = charge::charge_at_once(permit::permit(authenticated, || wall)?, till)?;
    let left_after = drawer.borrow().left(&snapshot.books);
    let valid =
        conform::conform(permit::settle(receive::bound_at_once(admitted, body, Rooms::default().room())?, || wall)?)?;
    let inspected = inspect::inspect(valid, &RefCell::default())?;
    let (mut routed, _) = inspected.into_inner().into_inner().into_inner().into_parts();
    for (stage, decision) in decisions(found) {
        let (detail, origin) = match (stage, &found.access) {
            (Stage::Identify, Access::Demand(demands)) => (demands.text.clone(), Some(origin.clone())),
            (Stage::Identify, Access::Public | Access::Refuse) => (String::new(), Some(origin.clone())),
            (Stage::Inspect, _) => {
                let text = |waf: &WafPlan| (waf.rules.text.clone(), None);
                found.waf.as_ref().map(text).unwrap_or_default()
            }
            (Stage::Permit, _) => permitted(found.rules.as_deref(), routed.record.permit),
            (Stage::Guard, _) => limits_of(found, stage, &left_before),
            (_, _) => limits_of(found, stage, &left_after),
        };
        explanation.steps.push(Step { stage, decision: decision.to_owned(), detail, origin });
    }
    let targets = upstream.map(|upstream| upstream.plan.targets.as_slice()).unwrap_or_default();
    explanation.targets = targets.iter().map(ToString::to_string).collect();
    if snapshot.callers.states && routed.record.caller.is_some() {
        routed.statement = Some("(signed when the request is sent)".into());
    }
    let mut head = Vec::new();
    forward::head::write(&routed, "upstream", &mut head);
    explanation.forwarded = Some(String::from_utf8_lossy(&head).into_owned());
    Ok(())
}

/// The limits that a stage charges, what they leave of a new account, and where the first of them is written.
fn limits_of<'a>(route: &'a Route, stage: Stage, left: &str) -> (String, Option<String>) {
    let of_stage = |limits: &'a RouteLimits| match (stage == Stage::Guard, stage == Stage::Charge) {
        (true, _) => limits.guard.as_slice(),
        (_, true) => limits.charge.as_slice(),
        (false, false) => &[],
    };
    let limits = route.limits.as_deref().map(of_stage).unwrap_or_default();
    let texts: Vec<&str> = limits.iter().map(|limit| limit.text.as_str()).collect();
    let mut text = texts.join("; ");
    if !text.is_empty() {
        text.push_str(&format!(" (left of a new account: {left})"));
    }
    (text, limits.first().and_then(|limit| limit.origin.clone()))
}

/// What the rules have decided about a request that passes.
fn permitted(rules: Option<&Rules>, decision: Option<Decision>) -> (String, Option<String>) {
    let Some((rules, decision)) = rules.zip(decision) else { return (String::new(), None) };
    let by = decision.rule.map(|rule| rules.named(Some(rule)));
    let mut detail = by.map_or_else(|| "no rule that counts".to_owned(), |named| named.name.to_string());
    if let Some(would) = decision.would_refuse.map(|rule| rules.named(rule)) {
        detail.push_str(&format!("; would be refused by {} at {}", would.name, would.origin));
    }
    (detail, Some(by.map_or_else(|| rules.named(None).origin.clone(), |named| named.origin.clone())))
}

pub(super) fn parse(head: &mut RequestHead, raw: &[u8], connection: &Connection) -> Result<(), Stop> {
    let limits = &connection.settings.head;
    let length = HeadScan::default().find(raw, limits.head_bytes_max).map_err(crate::http1::head_refusal)?;
    let whole = length.and_then(|length| raw.get(..length)).unwrap_or(raw);
    head.parse(whole, limits).map_err(|error| Stop::from(crate::http1::head_refusal(error)))
}

/// The bytes that a client would send, and whether over TLS. Nothing is mended: what a client could not send well is
/// refused here as there.
pub(super) fn raw(request: &ExplainRequest) -> (Vec<u8>, bool) {
    let (secure, rest) = match (request.url.strip_prefix("https://"), request.url.strip_prefix("http://")) {
        (Some(rest), _) => (true, Some(rest)),
        (_, Some(rest)) => (false, Some(rest)),
        (None, None) => (true, None),
    };
    let (host, target) = match rest {
        Some(rest) => rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())),
        None => ("localhost", request.url.as_str()),
    };
    let target = if target.is_empty() { "/" } else { target };
    let mut text = format!("{} {target} HTTP/1.1\r\n", request.method);
    let has = |name: &str| request.headers.iter().any(|(have, _)| have.eq_ignore_ascii_case(name));
    if !has("host") {
        text.push_str(&format!("host: {host}\r\n"));
    }
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !request.body.is_empty() && !has("content-length") && !has("transfer-encoding") {
        text.push_str(&format!("content-length: {}\r\n", request.body.len()));
    }
    text.push_str("\r\n");
    (text.into_bytes(), secure)
}

/// A connection on the first listener that fits.
pub(super) fn connection(plan: &Plan, snapshot: &Snapshot, secure: bool) -> Option<Connection> {
    let fitting = plan.listeners.iter().find(|listener| listener.tls.is_some() == secure);
    let name = Arc::clone(&fitting.or_else(|| plan.listeners.first())?.name);
    let settings = Rc::new(snapshot.listeners.get(&name)?.clone());
    let peer = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let tls = secure.then_some(TlsFacts { version: "1.3", group: "" });
    let connection = Connection::new(Place { listener: name, settings, peer, life: Arc::default() }, peer);
    Some(Connection { tls, ..connection })
}
