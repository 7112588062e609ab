//! The rules of one operation, compiled, and what they decide about a request.
//!
//! Requirements come first, then what is refused, then what is allowed; what nothing allows is refused.

mod compile;
#[cfg(test)]
mod tests;
mod ways;

use crate::bits::Bits;
use crate::caller::{RoleSource, claim_at, plain};
use crate::expression::{Expression, Truth};
use crate::request::Request;
use crate::rule::{Effect, Mode};
use crate::window::Window;
use portcullis_types::Network;
use serde_json::Value;
use ways::Taken;

pub use compile::Unfit;

/// How many different roles, scopes and consumers the rules of one operation may name together.
pub const NAMES_MAX: usize = crate::bits::BITS;

/// The rules of one operation.
#[derive(Clone, Debug)]
pub struct Policy {
    roles: Names,
    scopes: Names,
    consumers: Names,
    source: RoleSource,
    /// Requirements, refusals, permissions: in this order, each in the order of the rules.
    rules: Vec<Compiled>,
    /// Whether what no rule allows passes all the same, because every rule that allows is only observed.
    is_default_observed: bool,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Why it is refused, if it is.
    pub refused: Option<Why>,
    /// The rule that decided, by its number; nothing where it was that no rule allows it.
    pub rule: Option<usize>,
    /// What would have been decided if what is only observed counted: a refusal, by this rule or by none.
    pub would_refuse: Option<Option<usize>>,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Whoever calls may not do this.
    Caller,
    /// He could if he had the scopes of this rule.
    Scope(usize),
    /// He could, but not with this object or from where he is.
    Circumstances,
    /// He could, but not set the fields of this rule.
    Fields(usize),
}

/// Names with their bits, sorted.
type Names = Vec<(Box<str>, Bits)>;

#[derive(Clone, Debug)]
struct Compiled {
    index: usize,
    effect: Effect,
    mode: Mode,
    anonymous: bool,
    roles: Bits,
    scopes: Bits,
    consumers: Bits,
    /// Whether the rule names roles, even if nothing of elsewhere becomes one of them.
    asks_role: bool,
    claims: Vec<(String, Vec<String>)>,
    networks: Vec<Network>,
    times: Vec<Window>,
    when: Vec<Expression>,
    ways: Vec<Taken>,
    is_foreign: bool,
}

/// What of a decision waits for the body.
#[derive(Clone, Copy, Debug, Default)]
struct Waits {
    /// Something that could refuse.
    counts: bool,
    /// Something that could allow.
    would_allow: bool,
}

/// What a caller holds of what the rules ask for.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    is_known: bool,
    roles: Bits,
    scopes: Bits,
    consumers: Bits,
}

// === impl Waits ===

impl Waits {
    /// Whether it is too early to say what comes of a rule: it depends on the body, or on whether one before it will allow.
    fn is_early(&self, rule: &Compiled, truth: Truth) -> bool {
        let is_after = self.would_allow && rule.effect == Effect::Allow && rule.is_foreign;
        truth == Truth::Later || (truth == Truth::Undecided && is_after)
    }

    fn note(&mut self, rule: &Compiled) {
        let allows = rule.effect == Effect::Allow;
        self.would_allow |= allows;
        // What cannot be evaluated refuses, even where it would have allowed.
        self.counts |= !allows || rule.is_foreign;
    }
}

// === impl Policy ===

impl Policy {
    /// Decides about a request. What depends on a body that is not there cannot be told.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        self.weigh(request, None)
    }

    /// Decides about a request before its body is there; nothing where the body decides.
    #[must_use]
    pub fn foresee(&self, request: &Request<'_>) -> Option<Decision> {
        let mut waits = Waits::default();
        let decision = self.weigh(request, Some(&mut waits));
        let is_final = match (decision.refused, decision.rule) {
            // What a rule refuses stays refused, whatever the body is.
            (Some(_), Some(_)) => true,
            (Some(_), None) => !waits.would_allow,
            (None, Some(_)) => !waits.counts,
            (None, None) => !waits.counts && !waits.would_allow,
        };
        is_final.then_some(decision)
    }

    /// `waits` notes what depends on the body, where that comes later.
    fn weigh(&self, request: &Request<'_>, mut waits: Option<&mut Waits>) -> Decision {
        let held = self.held(request);
        let (mut would, mut allowed) = (None, None);
        for rule in &self.rules {
            if rule.effect == Effect::Allow && allowed.is_some() {
                break;
            }
            let truth = rule.judge(request, &held, &self.source);
            if let Some(waits) = waits.as_deref_mut().filter(|waits| waits.is_early(rule, truth)) {
                waits.note(rule);
                continue;
            }
            let refuses = match rule.effect {
                // What cannot be told is neither met nor harmless.
                Effect::Require => truth != Truth::True,
                Effect::Refuse => truth != Truth::False,
                // A policy that fails is a mistake of whoever wrote it, which nobody may profit from.
                Effect::Allow if rule.is_foreign && matches!(truth, Truth::Undecided | Truth::Later) => true,
                Effect::Allow => {
                    if truth == Truth::True && (rule.mode == Mode::Enforce || self.is_default_observed) {
                        allowed = Some(rule.index);
                    }
                    continue;
                }
            };
            match rule.mode {
                Mode::Enforce if refuses => {
                    let refused = rule.why(&held);
                    return Decision { refused: Some(refused), rule: Some(rule.index), would_refuse: None };
                }
                Mode::Observe if refuses => would = would.or(Some(Some(rule.index))),
                Mode::Enforce | Mode::Observe => {}
            }
        }
        match allowed {
            Some(rule) => Decision { refused: None, rule: Some(rule), would_refuse: would },
            None if self.is_default_observed => {
                Decision { refused: None, rule: None, would_refuse: would.or(Some(None)) }
            }
            None => Decision { refused: Some(self.why(request, &held)), rule: None, would_refuse: None },
        }
    }

    /// What he lacks, by the rule that he is nearest to.
    fn why(&self, request: &Request<'_>, held: &Held) -> Why {
        let allowing = || self.rules.iter().filter(|rule| rule.effect == Effect::Allow && rule.mode == Mode::Enforce);
        let mut lacking = allowing().filter(|rule| !held.scopes.covers(&rule.scopes));
        let scope = lacking.find(|rule| {
            let all = Held { scopes: rule.scopes, ..*held };
            held.is_known && rule.judge(request, &all, &self.source) == Truth::True
        });
        match scope {
            Some(rule) => Why::Scope(rule.index),
            None if allowing().any(|rule| rule.is_met_by(held)) => Why::Circumstances,
            None => Why::Caller,
        }
    }

    fn held(&self, request: &Request<'_>) -> Held {
        let Some(caller) = &request.caller else { return Held::default() };
        let mut held = Held { is_known: true, ..Held::default() };
        if !self.roles.is_empty() {
            self.source.each(caller, |role| add(&self.roles, role, &mut held.roles));
        }
        if !self.scopes.is_empty() {
            caller.scopes.iter().for_each(|scope| add(&self.scopes, scope, &mut held.scopes));
        }
        add(&self.consumers, caller.id, &mut held.consumers);
        held
    }
}

fn add(names: &Names, name: &str, to: &mut Bits) {
    if let Ok(index) = names.binary_search_by(|(have, _)| (**have).cmp(name))
        && let Some((_, bits)) = names.get(index)
    {
        to.add(bits);
    }
}

// === impl Compiled ===

impl Compiled {
    /// Whether who calls fits.
    fn is_met_by(&self, held: &Held) -> bool {
        (held.is_known || self.anonymous)
            && (!self.asks_role || held.roles.intersects(&self.roles))
            && held.scopes.covers(&self.scopes)
            && (self.consumers.is_empty() || held.consumers.intersects(&self.consumers))
    }

    /// Why what it refuses is refused.
    fn why(&self, held: &Held) -> Why {
        if let Some(why) = ways::why(&self.ways, held, self.index) {
            return why;
        }
        let lacks_scopes = self.effect == Effect::Require && !held.scopes.covers(&self.scopes);
        let is_about_caller = match self.effect {
            Effect::Require => !self.is_met_by(held),
            Effect::Refuse | Effect::Allow => {
                self.when.is_empty() && self.networks.is_empty() && self.times.is_empty() && !self.is_foreign
            }
        };
        match (lacks_scopes, is_about_caller) {
            (true, _) => Why::Scope(self.index),
            (false, true) => Why::Caller,
            (false, false) => Why::Circumstances,
        }
    }

    fn judge(&self, request: &Request<'_>, held: &Held, source: &RoleSource) -> Truth {
        if !self.is_met_by(held) {
            return Truth::False;
        }
        let is_in = self.networks.is_empty() || self.networks.iter().any(|network| network.contains(request.address));
        let is_now = self.times.is_empty() || self.times.iter().any(|window| window.contains(request.now));
        if !is_in || !is_now || !self.claims.iter().all(|(name, values)| has_claim(request, name, values)) {
            return Truth::False;
        }
        let mut all = Truth::True;
        for expression in &self.when {
            all = all.and(|| expression.judge(request, source));
            if all == Truth::False {
                return Truth::False;
            }
        }
        if !self.ways.is_empty() {
            all = all.and(|| ways::judge(&self.ways, request, held, self.index));
        }
        if self.is_foreign {
            all = all.and(|| (request.foreign)(self.index));
        }
        all
    }
}

fn has_claim(request: &Request<'_>, name: &str, values: &[String]) -> bool {
    let is_one = |value: &Value| plain(value).is_some_and(|text| values.iter().any(|one| *one == *text));
    match request.caller.and_then(|caller| claim_at(caller.claims, name)) {
        Some(Value::Array(items)) => items.iter().any(is_one),
        Some(value) => is_one(value),
        None => false,
    }
}
