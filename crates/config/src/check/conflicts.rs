//! Which routes answer the same requests: same host, same method, same path up to the names of parameters.

use std::collections::{HashMap, HashSet};

use crate::plan::{HostPattern, Methods, RoutePlan};
use crate::scalar::shape;
use crate::sources::Span;

/// Every path that is answered so far, and by whom.
pub(super) struct Claims {
    /// APIs that share a host pattern, smaller position first.
    overlapping: HashSet<(usize, usize)>,
    by_shape: HashMap<String, Vec<Claim>>,
}

struct Claim {
    api: usize,
    slot: Option<String>,
    methods: Methods,
    span: Span,
}

impl Claims {
    /// `hosts` are those of each API, in order.
    pub(super) fn new(hosts: &[Vec<HostPattern>]) -> Self {
        let mut users: HashMap<&HostPattern, Vec<usize>> = HashMap::new();
        let mut overlapping = HashSet::new();
        for (api, patterns) in hosts.iter().enumerate() {
            for pattern in patterns {
                let others = users.entry(pattern).or_default();
                overlapping.extend(others.iter().map(|other| (*other, api)));
                others.push(api);
            }
        }
        Self { overlapping, by_shape: HashMap::new() }
    }

    /// Claims a route's path below a prefix; the place of a route that answers the same, if there is one.
    /// `slot` is the version that answers, where its path does not say so.
    pub(super) fn add(
        &mut self,
        (api, slot): (usize, Option<&str>),
        prefix: &str,
        plan: &RoutePlan,
        span: Span,
    ) -> Option<Span> {
        let path = shape(&format!("{prefix}{}", plan.template));
        let overlapping = &self.overlapping;
        let claims = self.by_shape.entry(path).or_default();
        let first = claims.iter().find(|claim| {
            let same_host = claim.api == api || overlapping.contains(&(claim.api.min(api), claim.api.max(api)));
            let other_version = claim.api == api && slot.is_some() && claim.slot.as_deref() != slot;
            same_host && !other_version && share_a_method(&claim.methods, &plan.methods)
        });
        let first = first.map(|claim| claim.span);
        claims.push(Claim { api, slot: slot.map(str::to_owned), methods: plan.methods.clone(), span });
        first
    }
}

fn share_a_method(one: &Methods, other: &Methods) -> bool {
    match (one, other) {
        (Methods::Any, _) | (_, Methods::Any) => true,
        (Methods::Only(one), Methods::Only(other)) => one.iter().any(|method| other.contains(method)),
    }
}
