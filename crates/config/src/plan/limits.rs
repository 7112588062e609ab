//! What callers may ask for.

use std::fmt;
use std::sync::Arc;

use portcullis_limit::{Policy, Priority, Unit};
use portcullis_types::Network;

use super::Origin;

/// The limits of one route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteLimits {
    /// Those that apply, by names that are unlike each other. What several routes share is one value.
    pub entries: Vec<Arc<LimitPlan>>,
    /// What one call of it costs, where limits count costs.
    pub cost: u64,
    /// Whether answers carry the older `X-RateLimit-*` fields as well.
    pub legacy_fields: bool,
    /// How urgent its requests are where its upstream has not room for all.
    pub priority: Priority,
}

/// One limit. Accounts belong to the place where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitPlan {
    /// Where it is written: `defaults`, `apis.orders`.
    pub scope: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Who has an account of his own; never empty.
    pub key: Vec<KeyPart>,
    /// What callers without a plan may ask for.
    pub policies: Vec<Policy>,
    /// What callers with a plan may ask for.
    pub tiers: Option<TiersPlan>,
    /// Where answers say what they cost; only where costs are counted.
    pub answer_cost: Option<AnswerCostPlan>,
    /// Networks that are not counted.
    pub exempt: Vec<Network>,
    /// Whether several gateways keep it together.
    pub shared: bool,
    /// Accounts in use at the same time.
    pub accounts: usize,
    /// As it is shown to operators.
    pub text: String,
    /// Where it is written; `None` is what is built in.
    pub origin: Option<Origin>,
}

/// What answers may say that they cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerCostPlan {
    /// The field, in small letters.
    pub header: Arc<str>,
    /// The most that one answer costs, in units; nothing more than the whole limit anyhow.
    pub most: u64,
    /// Whether callers get the field.
    pub keep: bool,
}

/// One part of what names an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPart {
    /// The client's address.
    Address,
    /// The key or token of the caller.
    Credential,
    /// The caller.
    Consumer,
    /// A claim of the caller's token.
    Claim(String),
    /// A header of the request.
    Header(String),
    /// The API.
    Api,
    /// The version.
    Version,
    /// The operation.
    Route,
}

/// Amounts by plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TiersPlan {
    /// What says which plan a caller has.
    pub by: TierBy,
    /// Plans with their amounts, in the order of the file.
    pub plans: Vec<(String, Vec<Policy>)>,
}

/// What says which plan a caller has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TierBy {
    /// A claim of the token.
    Claim(String),
    /// A role.
    Role,
}

impl Default for RouteLimits {
    /// No limit at all.
    fn default() -> Self {
        Self { entries: Vec::new(), cost: 1, legacy_fields: false, priority: Priority::Normal }
    }
}

impl LimitPlan {
    /// Whether it has to wait until it is known who calls.
    #[must_use]
    pub fn needs_caller(&self) -> bool {
        self.tiers.is_some() || self.key.iter().any(KeyPart::is_of_caller)
    }

    /// Whether it counts what calls cost.
    #[must_use]
    pub fn counts_costs(&self) -> bool {
        self.all_policies().any(|policy| policy.unit() == Unit::Cost)
    }

    /// Everything that somebody may meet: what stands beside the plans and in them.
    pub fn all_policies(&self) -> impl Iterator<Item = &Policy> {
        let of_plans = self.tiers.iter().flat_map(|tiers| &tiers.plans).flat_map(|(_, policies)| policies);
        self.policies.iter().chain(of_plans)
    }
}

impl KeyPart {
    /// Whether it is known only once the caller is.
    #[must_use]
    pub const fn is_of_caller(&self) -> bool {
        match self {
            Self::Credential | Self::Consumer | Self::Claim(_) => true,
            Self::Address | Self::Header(_) | Self::Api | Self::Version | Self::Route => false,
        }
    }
}

impl fmt::Display for KeyPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => formatter.write_str("address"),
            Self::Credential => formatter.write_str("credential"),
            Self::Consumer => formatter.write_str("consumer"),
            Self::Claim(name) => write!(formatter, "claim {name}"),
            Self::Header(name) => write!(formatter, "header {name}"),
            Self::Api => formatter.write_str("api"),
            Self::Version => formatter.write_str("version"),
            Self::Route => formatter.write_str("route"),
        }
    }
}
