//! What developers who sign in may have.

use std::sync::Arc;
use std::time::Duration;

/// Sessions of developers, and the plans that an account can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountsPlan {
    /// How long somebody stays without doing anything.
    pub idle: Duration,
    /// How long he stays whatever he does.
    pub lifetime: Duration,
    /// What accounts may have; never empty.
    pub plans: Vec<OfferPlan>,
}

/// What accounts of one plan may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferPlan {
    /// Its name.
    pub name: Arc<str>,
    /// The APIs that keys can be for; never empty.
    pub apis: Vec<Arc<str>>,
    /// The scopes that keys can have.
    pub scopes: Vec<String>,
    /// The roles that every key has.
    pub roles: Vec<String>,
    /// How many applications there may be.
    pub applications: usize,
    /// How many keys there may be, not counting those whose place another one has taken.
    pub keys: usize,
    /// How long a key opens at the longest.
    pub expires: Duration,
    /// For how long a replaced key may still open.
    pub overlap: Duration,
    /// Whether an operator has to approve before a key is made.
    pub approval: bool,
}

impl AccountsPlan {
    /// What accounts of a plan may have; `None` if there is no such plan any more.
    #[must_use]
    pub fn offer(&self, name: &str) -> Option<&OfferPlan> {
        self.plans.iter().find(|plan| *plan.name == *name)
    }
}
