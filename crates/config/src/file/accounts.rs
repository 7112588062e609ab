//! The `portal.accounts` section as people write it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{AdminSession, defaults};
use crate::scalar::{Count, Flag, Period, Text};

/// Developers who sign in to the portal. Each has an account in the store, made with `portcullis portal account create`, and one of
/// the plans. Keys are held by a consumer with the name of the account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PortalAccounts {
    /// How long somebody stays signed in.
    pub(crate) session: Option<AdminSession>,
    /// What an account may have, by the name of its plan.
    #[schemars(extend("minProperties" = 1))]
    pub(crate) plans: IndexMap<String, KeyOffer>,
}

/// What accounts of a plan may have.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyOffer {
    /// The APIs that keys can be for.
    #[schemars(length(min = 1))]
    pub(crate) apis: Vec<Text>,
    /// The scopes that keys can have. None without it.
    #[schemars(length(min = 1))]
    pub(crate) scopes: Option<Vec<Text>>,
    /// The roles that every key has. None without it.
    #[schemars(length(min = 1))]
    pub(crate) roles: Option<Vec<Text>>,
    /// How many applications an account may have.
    #[schemars(extend("default" = defaults::OFFER_APPLICATIONS.0))]
    pub(crate) applications: Option<Count>,
    /// How many keys an account may have. One whose place another one has taken, and that opens still, is not counted.
    #[schemars(extend("default" = defaults::OFFER_KEYS.0))]
    pub(crate) keys: Option<Count>,
    /// How long a key opens at the longest.
    #[schemars(extend("default" = defaults::OFFER_EXPIRES.to_string()))]
    pub(crate) expires: Option<Period>,
    /// For how long a key that is replaced may still open.
    #[schemars(extend("default" = defaults::OFFER_OVERLAP.to_string()))]
    pub(crate) overlap: Option<Period>,
    /// Whether an operator has to approve before a key is made. A key that takes the place of another one ends with it then.
    #[schemars(extend("default" = false))]
    pub(crate) approval: Option<Flag>,
}
