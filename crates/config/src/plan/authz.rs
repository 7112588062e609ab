//! What callers may do with an operation, every level taken together.

use std::sync::Arc;

use portcullis_access::learned::{Learning, Limits, Place};
use portcullis_access::{Expression, Operand, RoleSource, Rule};
use portcullis_mask::Path;
use portcullis_policy::{Action, Kind, Policies, Shape};

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
    /// What its Cedar policies are asked about, where there are some.
    pub cedar: Option<CedarPlan>,
    /// What is learned from its answers and asked of its requests.
    pub learned: Option<LearnedRoute>,
}

/// What one level learns from answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearnedPlan {
    /// Where it is written: `apis.orders.authz.learned`.
    pub place: String,
    /// What is done about ids that were not shown.
    pub mode: Learning,
    /// How much is remembered, and how long.
    pub limits: Limits,
    /// The longest answer that is looked into, as it comes and decoded.
    pub answer_bytes: usize,
}

/// What an operation shows and asks for, each with the kind of the ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearnedRoute {
    /// Of its level.
    pub plan: Arc<LearnedPlan>,
    /// Where ids stand in its answers.
    pub shows: Vec<(Arc<str>, Place)>,
    /// The parameters that hold ids.
    pub asks: Vec<(Arc<str>, Operand)>,
}

/// An operation as Cedar policies see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CedarPlan {
    /// The operation.
    pub action: Action,
    /// What else a request shows.
    pub values: Vec<(Kind, String, Shape)>,
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
    /// The Cedar policy that it stands for, by its level's policies and its place among them.
    pub statement: Option<(Arc<Policies>, usize)>,
    /// Whether it asks for what was learned.
    pub asks_learned: bool,
    /// The fields of bodies that it is about.
    pub fields: Vec<Path>,
}

impl AuthzPlan {
    /// Whether bodies of requests have to be read to decide.
    #[must_use]
    pub fn looks_into_bodies(&self) -> bool {
        self.rules.iter().any(RulePlan::looks_into_bodies)
    }
}

impl RulePlan {
    /// Whether bodies of requests have to be read to judge it.
    #[must_use]
    pub fn looks_into_bodies(&self) -> bool {
        let is_told = |(policies, place): &(Arc<Policies>, usize)| {
            policies.statements().get(*place).is_some_and(|statement| statement.reads_body)
        };
        !self.fields.is_empty()
            || self.rule.when.iter().any(Expression::looks_into_body)
            || self.statement.as_ref().is_some_and(is_told)
    }
}
