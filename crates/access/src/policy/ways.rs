//! Rules that can be met in several ways: what a contract asks of callers, and who may set which fields.

use super::{Held, Why, has_claim};
use crate::bits::Bits;
use crate::caller::Caller;
use crate::expression::Truth;
use crate::request::Request;

/// One way, compiled.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) schemes: Vec<Vec<String>>,
    pub(super) scopes: Bits,
    pub(super) roles: Bits,
    pub(super) consumers: Bits,
    pub(super) claims: Vec<(String, Vec<String>)>,
    /// Whether somebody unknown could take it.
    pub(super) is_open: bool,
    /// Whether it asks what the body sets.
    pub(super) asks_fields: bool,
}

/// Whether one of the ways is that of the request.
pub(super) fn judge(ways: &[Taken], request: &Request<'_>, held: &Held, rule: usize) -> Truth {
    let mut any = Truth::False;
    for way in ways {
        any = any.or(|| way.judge(request, held, rule));
        if any == Truth::True {
            break;
        }
    }
    any
}

/// What is lacking for one of the ways; nothing for a rule without any.
pub(super) fn why(ways: &[Taken], held: &Held, rule: usize) -> Option<Why> {
    if ways.is_empty() {
        return None;
    }
    if ways.iter().any(|way| way.asks_fields) {
        return Some(Why::Fields(rule));
    }
    let lacks_scopes = |way: &Taken| !held.scopes.covers(&way.scopes) && held.roles.covers(&way.roles);
    Some(if ways.iter().any(lacks_scopes) { Why::Scope(rule) } else { Why::Caller })
}

// === impl Taken ===

impl Taken {
    fn judge(&self, request: &Request<'_>, held: &Held, rule: usize) -> Truth {
        let is_his = self.is_open || request.caller.is_some_and(|caller| self.is_met_by(&caller, held));
        if !is_his || !self.claims.iter().all(|(name, values)| has_claim(request, name, values)) {
            return Truth::False;
        }
        if self.asks_fields { (request.leaves)(rule) } else { Truth::True }
    }

    fn is_met_by(&self, caller: &Caller<'_>, held: &Held) -> bool {
        let proved = |scheme: &String| scheme == caller.scheme || caller.also.contains(&scheme.as_str());
        // Rights of several credentials are not added up: they are those of the one that says who calls.
        let speaks = |any: &Vec<String>| any.iter().any(|scheme| scheme == caller.scheme);
        let asks_rights = !self.scopes.is_empty() || !self.roles.is_empty();
        self.schemes.iter().all(|any| any.iter().any(proved))
            && (!asks_rights || self.schemes.first().is_none_or(speaks))
            && held.scopes.covers(&self.scopes)
            && held.roles.covers(&self.roles)
            && (self.consumers.is_empty() || held.consumers.intersects(&self.consumers))
    }
}
