//! What callers may do with an operation, every level taken together.

use std::sync::Arc;

use portcullis_access::{RoleSource, Rule};

use super::Origin;

/// The rules of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthzPlan {
    /// Where roles come from and what they are called here.
    pub source: RoleSource,
    /// The rules that apply to the operation, nearest level first.
    pub rules: Vec<RulePlan>,
    /// The nearest `authz`: what decides where no rule does.
    pub origin: Origin,
    /// Where the claim of the roles is written, if it is.
    pub roles_claim_origin: Option<Origin>,
    /// Where the map of the roles is written, if it is.
    pub role_map_origin: Option<Origin>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulePlan {
    /// Given, or made from its place: `apis.orders.authz.rules[0]`.
    pub name: Arc<str>,
    /// What it says.
    pub rule: Rule,
    /// Where it is written.
    pub origin: Origin,
}
