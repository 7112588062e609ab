//! What callers may do with a route, compiled, with what records and answers say about each rule.

use super::CompileError;
use super::policies::Policies;
use crate::members::Members;
use crate::ownership::{Owned, Ownerships};
use portcullis_access::{Caller, Decision, Field, Policy, Request, Rule, Truth};
use portcullis_auth::outward::scope_challenge;
use portcullis_auth::principal::{Principal, Scheme};
use portcullis_config::plan::{AuthzPlan, RoutePlan};
use portcullis_h1::{Fields, is_read_as};
use portcullis_mask::Path;
use portcullis_policy::Unclear;
use portcullis_types::Reason;
use std::cell::Cell;
use std::sync::Arc;

/// What decides where no rule does, in records and metrics.
const NO_RULE: &str = "default";

/// The rules of a route.
#[derive(Debug)]
pub(crate) struct Rules {
    policy: Policy,
    cedar: Option<Box<Policies>>,
    owned: Option<Box<Owned>>,
    /// The rule that asks for what was learned.
    asks_learned: Option<usize>,
    /// The fields of bodies that rules are about, by their number.
    fields: Vec<(usize, Vec<Path>)>,
    look_into_bodies: bool,
    named: Vec<Named>,
    /// For what no rule allows.
    none: Named,
}

/// A rule as it is told of.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) name: Arc<str>,
    /// `portcullis.yaml:41`
    pub(crate) origin: String,
    /// What a caller is told who lacks its scopes (RFC 6750 section 3.1).
    challenge: String,
}

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged<'a> {
    pub(crate) caller: Option<&'a Principal>,
    /// How else he has proved himself.
    pub(crate) also: &'a [&'static str],
    pub(crate) address: std::net::IpAddr,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) fields: Fields<'a>,
    pub(crate) body: Members<'a>,
    /// Whether it is no real request, so that nobody was shown anything.
    pub(crate) is_supposed: bool,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judgement {
    pub(crate) decision: Decision,
    /// How many ids that he was not shown the caller has asked for by now; 0 if this is none.
    pub(crate) guesses: u64,
}

// === impl Rules ===

impl Rules {
    /// Nothing for a route without rules.
    pub(super) fn compile(
        route: &RoutePlan,
        api: &str,
        template: &str,
        (known, before): (&mut Ownerships, &[Arc<crate::ownership::Ownership>]),
    ) -> Result<Option<Box<Self>>, CompileError> {
        let Some(plan) = &route.authz else { return Ok(None) };
        let AuthzPlan { source, rules, origin, .. } = &**plan;
        let all: Vec<Rule> = rules.iter().map(|rule| rule.rule.clone()).collect();
        let policy = Policy::compile(&all, source, template)
            .map_err(|error| CompileError::Template { template: template.to_owned(), error: error.to_string() })?;
        let cedar = Policies::compile(plan, template)?;
        let named = rules.iter().map(|rule| Named {
            name: Arc::clone(&rule.name),
            origin: rule.origin.to_string(),
            challenge: scope_challenge(api, scopes_of(&rule.rule)),
        });
        let none = Named { name: Arc::from(NO_RULE), origin: origin.to_string(), challenge: String::new() };
        let owned = plan.learned.as_ref().and_then(|learned| Owned::compile(learned, known, before));
        let asks_learned = rules.iter().position(|rule| rule.asks_learned);
        let about = rules.iter().enumerate().filter(|(_, rule)| !rule.fields.is_empty());
        let fields = about.map(|(index, rule)| (index, rule.fields.clone())).collect();
        let look_into_bodies = plan.looks_into_bodies();
        let named = named.collect();
        Ok(Some(Box::new(Self { policy, cedar, owned, asks_learned, fields, look_into_bodies, named, none })))
    }

    /// Whether something of a decision depends on the body.
    pub(crate) const fn look_into_bodies(&self) -> bool {
        self.look_into_bodies
    }

    /// Decides; `now` is in seconds since 1970.
    pub(crate) fn judge(&self, judged: Judged<'_>, now: u64) -> Judgement {
        let guesses = Cell::new(0);
        let decision = self.weigh(judged, now, &guesses, |request| self.policy.decide(request));
        Judgement { decision, guesses: guesses.get() }
    }

    /// Decides before the body is there; nothing where that would be too early.
    pub(crate) fn foresee(&self, judged: Judged<'_>, now: u64) -> Option<Judgement> {
        let guesses = Cell::new(0);
        let decision = self.weigh(judged, now, &guesses, |request| self.policy.foresee(request))?;
        Some(Judgement { decision, guesses: guesses.get() })
    }

    fn weigh<T>(&self, judged: Judged<'_>, now: u64, guesses: &Cell<u64>, decide: impl FnOnce(&Request<'_>) -> T) -> T {
        let Judged { caller, also, address, path, query, fields, body, .. } = judged;
        let field = |name: &str| {
            let mut lines = fields.iter().filter(|line| is_read_as(line.name, name.as_bytes()));
            match (lines.next(), lines.next()) {
                (None, _) => Field::Nothing,
                (Some(line), None) if line.name.eq_ignore_ascii_case(name.as_bytes()) => Field::One(line.value),
                // The other may be one of `x_tenant`, which some servers take for `x-tenant`.
                (Some(_), _) => Field::Several,
            }
        };
        let caller = caller.map(|principal| Caller { also, ..caller_of(principal) });
        let member = |names: &[String]| body.member(names);
        let request = Request { now, path, query, field: &field, body: &member, ..Request::of_caller(caller, address) };
        if self.cedar.is_none() && self.asks_learned.is_none() && self.fields.is_empty() {
            return decide(&request);
        }
        let is_early = matches!(body, Members::Later);
        let leaves = |rule: usize| match self.sets(rule, body) {
            _ if is_early => Truth::Later,
            Ok(set) if set.is_empty() => Truth::True,
            Ok(_) => Truth::False,
            Err(Unclear) => Truth::Undecided,
        };
        let shown = self.cedar.as_ref().map(|cedar| (cedar, cedar.shown(request, body)));
        let hearing = shown.as_ref().map(|(cedar, shown)| cedar.judge().hear(shown));
        let foreign = |rule: usize| {
            if self.asks_learned != Some(rule) {
                let waits = is_early && self.cedar.as_ref().is_some_and(|cedar| cedar.judge().reads_body(rule));
                let applies = hearing.as_ref().filter(|_| !waits).and_then(|hearing| hearing.applies(rule));
                return match applies {
                    _ if waits => Truth::Later,
                    Some(true) => Truth::True,
                    Some(false) => Truth::False,
                    None => Truth::Undecided,
                };
            }
            // A guess counts once, when everything is there.
            if is_early {
                return Truth::Later;
            }
            // Of a request that is supposed, so is that its ids were shown.
            let owned = self.owned.as_ref().filter(|_| !judged.is_supposed);
            let (knows, guessed) = owned.map_or((judged.is_supposed, 0), |owned| owned.knows(&request));
            guesses.set(guessed);
            if knows { Truth::True } else { Truth::False }
        };
        decide(&Request { foreign: &foreign, leaves: &leaves, ..request })
    }

    /// Which fields of a rule the body sets.
    ///
    /// # Errors
    /// Nobody can tell.
    pub(crate) fn sets(&self, rule: usize, body: Members<'_>) -> Result<Vec<String>, Unclear> {
        match self.fields.iter().find(|(of, _)| *of == rule) {
            Some((_, fields)) => body.sets(fields),
            None => Ok(Vec::new()),
        }
    }

    /// What the route shows and asks for, if it learns.
    pub(crate) fn owned(&self) -> Option<&Owned> {
        self.owned.as_deref()
    }

    /// Whether a rule asks for what was learned.
    pub(crate) fn is_learned(&self, rule: Option<usize>) -> bool {
        rule.is_some() && self.asks_learned == rule
    }

    /// The rule of this number, or what stands for none.
    pub(crate) fn named(&self, rule: Option<usize>) -> &Named {
        rule.and_then(|rule| self.named.get(rule)).unwrap_or(&self.none)
    }

    /// What a caller is told about the scopes that he lacks, where it is a token that has them.
    pub(crate) fn challenge(&self, reason: Reason, lacked: Option<usize>, caller: Option<&Principal>) -> Option<&str> {
        let is_token = caller.is_some_and(|caller| matches!(caller.scheme, Scheme::Jwt | Scheme::Introspection));
        (is_token && reason == Reason::InsufficientScope).then(|| self.named(lacked).challenge.as_str())
    }
}

/// The scopes that somebody needs to meet a rule, by the first way that asks for some.
fn scopes_of(rule: &Rule) -> &[String] {
    let mut all = std::iter::once(&rule.scopes).chain(rule.ways.iter().map(|way| &way.scopes));
    all.find(|scopes| !scopes.is_empty()).map_or(&[], Vec::as_slice)
}

/// A principal as rules see him.
pub(super) fn caller_of(principal: &Principal) -> Caller<'_> {
    Caller {
        id: &principal.id,
        username: principal.username.as_deref(),
        issuer: principal.issuer.as_deref(),
        scheme: principal.scheme.code(),
        also: &[],
        scopes: &principal.scopes,
        roles: &principal.roles,
        claims: &principal.claims,
    }
}
