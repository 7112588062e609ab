//! What callers may do with a route, compiled, with what records and answers say about each rule.

use super::CompileError;
use portcullis_access::{Caller, Decision, Field, Policy, Request, Rule};
use portcullis_auth::outward::scope_challenge;
use portcullis_auth::principal::{Principal, Scheme};
use portcullis_config::plan::{AuthzPlan, RoutePlan};
use portcullis_h1::Fields;
use portcullis_types::Reason;
use std::sync::Arc;

/// What decides where no rule does, in records and metrics.
const NO_RULE: &str = "default";

/// The rules of a route.
#[derive(Debug)]
pub(crate) struct Rules {
    policy: Policy,
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
}

// === impl Rules ===

impl Rules {
    /// Nothing for a route without rules.
    pub(super) fn compile(route: &RoutePlan, api: &str, template: &str) -> Result<Option<Box<Self>>, CompileError> {
        let Some(plan) = &route.authz else { return Ok(None) };
        let AuthzPlan { source, rules, origin, .. } = &**plan;
        let all: Vec<Rule> = rules.iter().map(|rule| rule.rule.clone()).collect();
        let policy = Policy::compile(&all, source, template)
            .map_err(|error| CompileError::Template { template: template.to_owned(), error: error.to_string() })?;
        let named = rules.iter().map(|rule| Named {
            name: Arc::clone(&rule.name),
            origin: rule.origin.to_string(),
            challenge: scope_challenge(api, &rule.rule.scopes),
        });
        let none = Named { name: Arc::from(NO_RULE), origin: origin.to_string(), challenge: String::new() };
        Ok(Some(Box::new(Self { policy, named: named.collect(), none })))
    }

    /// Decides; `now` is in seconds since 1970.
    pub(crate) fn judge(&self, judged: Judged<'_>, now: u64) -> Decision {
        let Judged { caller, address, path, query, fields } = judged;
        let field = |name: &str| {
            let mut lines = fields.iter().filter(|line| line.name.eq_ignore_ascii_case(name.as_bytes()));
            match (lines.next(), lines.next()) {
                (None, _) => Field::Nothing,
                (Some(line), None) => Field::One(line.value),
                (Some(_), Some(_)) => Field::Several,
            }
        };
        let caller = caller.map(|principal| Caller {
            id: &principal.id,
            username: principal.username.as_deref(),
            issuer: principal.issuer.as_deref(),
            scheme: principal.scheme.code(),
            scopes: &principal.scopes,
            roles: &principal.roles,
            claims: &principal.claims,
        });
        self.policy.decide(&Request { caller, address, now, path, query, field: &field })
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
