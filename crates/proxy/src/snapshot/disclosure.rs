//! Who sees what of a route's answers, compiled.

use super::CompileError;
use super::marked::Marked;
use super::rules::caller_of;
use portcullis_access::{Effect, Policy, Request, RoleSource, Rule};
use portcullis_auth::principal::Principal;
use portcullis_config::plan::{RoutePlan, Who};
use portcullis_mask::{Active, Detectors, Keys, Masker, Ruleset, Select, redact_target};
use portcullis_types::Outline;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// What of a route's answers is not for everybody.
#[derive(Debug)]
pub(crate) struct Disclosure {
    pub(crate) rules: Arc<Ruleset>,
    named: Vec<Arc<str>>,
    audiences: Vec<Audience>,
    /// What is looked for in answers; records do not show it either.
    looked_for: Detectors,
    /// What the contract marks of targets.
    marked: Marked,
    /// Whether callers see different answers, so that nobody between may keep one for another.
    pub(crate) differs: bool,
}

/// For whom a rule counts.
#[derive(Debug)]
struct Audience {
    only_for: Option<Policy>,
    unless: Option<Policy>,
}

/// What was masked in one answer.
#[derive(Debug, Default)]
pub(crate) struct Masked {
    /// Values by rule.
    pub(crate) values: Vec<u64>,
    /// Values that nothing allowed to leave.
    pub(crate) withheld: u64,
}

// === impl Masked ===

impl Masked {
    pub(crate) fn by(masker: &Masker) -> Self {
        Self { values: masker.counts().to_vec(), withheld: masker.withheld() }
    }
}

// === impl Disclosure ===

impl Disclosure {
    /// Nothing for a route whose answers are for everybody.
    pub(super) fn compile(
        route: &RoutePlan,
        template: &str,
        keys: Option<&Keys>,
    ) -> Result<Option<Arc<Self>>, CompileError> {
        let masks = &route.shape.masks;
        let marked = Marked::of(route, template);
        if masks.is_empty() && marked.is_empty() {
            return Ok(None);
        }
        let wrong = |error: String| CompileError::Template { template: route.template.clone(), error };
        let rules: Vec<_> = masks.iter().map(|mask| mask.rule.clone()).collect();
        let nothing = Outline::default();
        let outline = route.shape.outline.as_deref().unwrap_or(&nothing);
        let compiled = Ruleset::along(&rules, outline, keys.cloned()).map_err(|error| wrong(format!("{error:?}")))?;
        let source = route.authz.as_ref().map(|authz| authz.source.clone()).unwrap_or_default();
        let policy = |who: &Who| policy(who, &source).map_err(|error| wrong(error.to_string()));
        let audience = |mask: &portcullis_config::plan::MaskPlan| {
            let unless = (!mask.audience.unless.is_nobody()).then(|| policy(&mask.audience.unless)).transpose()?;
            Ok(Audience { only_for: mask.audience.only_for.as_ref().map(policy).transpose()?, unless })
        };
        Ok(Some(Arc::new(Self {
            rules: Arc::new(compiled),
            looked_for: masks.iter().fold(Detectors::default(), |all, mask| match &mask.rule.select {
                Select::Detect(own) => all.and(Detectors::of(own)),
                Select::Paths(_) | Select::Grant(_) | Select::Marked(_) | Select::Declared => all,
            }),
            marked,
            named: masks.iter().map(|mask| Arc::clone(&mask.name)).collect(),
            audiences: masks.iter().map(audience).collect::<Result<_, CompileError>>()?,
            differs: masks.iter().any(|mask| !mask.audience.is_everybody()),
        })))
    }

    /// Which rules count for a caller; nothing is known of somebody who has not proved who he is.
    pub(crate) fn active(&self, caller: Option<&Principal>) -> Active {
        let counts = |audience: &Audience| {
            audience.only_for.as_ref().is_none_or(|policy| holds(policy, caller))
                && !audience.unless.as_ref().is_some_and(|policy| holds(policy, caller))
        };
        let bits = self.audiences.iter().enumerate().filter(|(_, audience)| counts(audience));
        Active(bits.fold(0, |bits, (index, _)| bits | 1 << index))
    }

    /// A target as records may show it, where it holds what is looked for in answers, or what the contract marks.
    pub(crate) fn redacted(&self, target: &[u8]) -> Option<Vec<u8>> {
        let unmarked = if self.marked.is_empty() { None } else { self.marked.hide(target) };
        if self.looked_for.is_empty() {
            return unmarked;
        }
        redact_target(unmarked.as_deref().unwrap_or(target), self.looked_for).or(unmarked)
    }

    /// The name of a rule; what no rule allows has one of its own.
    pub(crate) fn name(&self, rule: Option<usize>) -> Arc<str> {
        rule.and_then(|rule| self.named.get(rule)).map_or_else(|| Arc::from("not_allowed"), Arc::clone)
    }
}

/// Callers of whom one of these is true, as rules of which each allows them.
fn policy(who: &Who, source: &RoleSource) -> Result<Policy, portcullis_access::Unfit> {
    let rule = || Rule::new(Effect::Allow);
    let mut rules = Vec::new();
    if !who.roles.is_empty() {
        rules.push(Rule { roles: who.roles.clone(), ..rule() });
    }
    rules.extend(who.scopes.iter().map(|scope| Rule { scopes: vec![scope.clone()], ..rule() }));
    if !who.consumers.is_empty() {
        rules.push(Rule { consumers: who.consumers.clone(), ..rule() });
    }
    rules.extend(who.claims.iter().map(|claim| Rule { claims: vec![claim.clone()], ..rule() }));
    Policy::compile(&rules, source, "/")
}

fn holds(policy: &Policy, caller: Option<&Principal>) -> bool {
    let caller = caller.map(caller_of);
    // These rules ask about nothing but the caller.
    let address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    caller.is_some() && policy.decide(&Request::of_caller(caller, address)).refused.is_none()
}
