//! What callers may do with a route, compiled, with what records and answers say about each rule.

use super::CompileError;
use super::policies::Policies;
use crate::ownership::{Owned, Ownerships};
use portcullis_access::{Caller, Decision, Field, Policy, Request, Rule};
use portcullis_auth::outward::scope_challenge;
use portcullis_auth::principal::{Principal, Scheme};
use portcullis_config::plan::{AuthzPlan, RoutePlan};
use portcullis_h1::Fields;
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
    pub(crate) address: std::net::IpAddr,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) fields: Fields<'a>,
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
            challenge: scope_challenge(api, &rule.rule.scopes),
        });
        let none = Named { name: Arc::from(NO_RULE), origin: origin.to_string(), challenge: String::new() };
        let owned = plan.learned.as_ref().and_then(|learned| Owned::compile(learned, known, before));
        let asks_learned = rules.iter().position(|rule| rule.asks_learned);
        Ok(Some(Box::new(Self { policy, cedar, owned, asks_learned, named: named.collect(), none })))
    }

    /// Decides; `now` is in seconds since 1970.
    pub(crate) fn judge(&self, judged: Judged<'_>, now: u64) -> Judgement {
        let Judged { caller, address, path, query, fields, .. } = judged;
        let field = |name: &str| {
            let mut lines = fields.iter().filter(|line| line.name.eq_ignore_ascii_case(name.as_bytes()));
            match (lines.next(), lines.next()) {
                (None, _) => Field::Nothing,
                (Some(line), None) => Field::One(line.value),
                (Some(_), Some(_)) => Field::Several,
            }
        };
        let caller = caller.map(caller_of);
        let request = Request { caller, address, now, path, query, field: &field, foreign: &|_| None };
        if self.cedar.is_none() && self.asks_learned.is_none() {
            return Judgement { decision: self.policy.decide(&request), guesses: 0 };
        }
        let shown = self.cedar.as_ref().map(|cedar| (cedar, cedar.shown(request)));
        let hearing = shown.as_ref().map(|(cedar, shown)| cedar.judge().hear(shown));
        let guesses = Cell::new(0);
        let foreign = |rule: usize| {
            if self.asks_learned != Some(rule) {
                return hearing.as_ref()?.applies(rule);
            }
            // Of a request that is supposed, so is that its ids were shown.
            let owned = self.owned.as_ref().filter(|_| !judged.is_supposed);
            let (knows, guessed) = owned.map_or((judged.is_supposed, 0), |owned| owned.knows(&request));
            guesses.set(guessed);
            Some(knows)
        };
        let decision = self.policy.decide(&Request { foreign: &foreign, ..request });
        Judgement { decision, guesses: guesses.get() }
    }

    /// What the route shows and asks for, if it learns.
    pub(crate) fn owned(&self) -> Option<&Owned> {
        self.owned.as_deref()
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

/// A principal as rules see him.
pub(super) fn caller_of(principal: &Principal) -> Caller<'_> {
    Caller {
        id: &principal.id,
        username: principal.username.as_deref(),
        issuer: principal.issuer.as_deref(),
        scheme: principal.scheme.code(),
        scopes: &principal.scopes,
        roles: &principal.roles,
        claims: &principal.claims,
    }
}
