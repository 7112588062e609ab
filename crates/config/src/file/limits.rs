//! The `limits` section as people write it, on whichever level it stands.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::defaults;
use crate::scalar::{Count, Flag, Network, Quota, Rate, Text, TimeZone};

/// Limits by name. The nearest level that has a name decides about it, and a limit counts where it is written: one under
/// `defaults` counts the requests to all APIs together.
pub(crate) type Limits = IndexMap<String, Limit>;

/// What a caller may ask for. `per_address` and `per_principal` know whom they count; every other name needs a `key`. Several
/// of `rate`, `window`, `quota` and `concurrency` can stand together; then all of them hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit {
    /// Who has an account of his own: requests that agree in all of these share one. Where a part is missing, as the consumer
    /// of an anonymous request, the address stands in for it.
    pub(crate) key: Option<Vec<KeyPart>>,
    /// So many evenly over the time, with up to `burst` at once.
    pub(crate) rate: Option<Rate>,
    /// How many can be saved up. By default as many as `rate` names.
    #[schemars(extend("minimum" = 1, "maximum" = defaults::MAX_LIMIT))]
    pub(crate) burst: Option<Count>,
    /// So many within every stretch of this length, counted with a window that slides.
    pub(crate) window: Option<Rate>,
    /// So many in every calendar hour, day or month.
    pub(crate) quota: Option<Quota>,
    /// The time zone by which hours, days and months of `quota` begin.
    #[schemars(extend("default" = "UTC"))]
    pub(crate) time_zone: Option<TimeZone>,
    /// So many at the same time.
    #[schemars(extend("minimum" = 1, "maximum" = defaults::MAX_LIMIT))]
    pub(crate) concurrency: Option<Count>,
    /// What is counted.
    #[schemars(extend("default" = "requests"))]
    pub(crate) unit: Option<Unit>,
    /// Where answers say what they cost, with `unit: cost`.
    pub(crate) answer_cost: Option<AnswerCost>,
    /// Whether it refuses.
    #[schemars(extend("default" = "enforce"))]
    pub(crate) mode: Option<Mode>,
    /// Networks whose requests it does not count.
    #[schemars(extend("default" = Vec::<String>::new()))]
    pub(crate) exempt: Option<Vec<Network>>,
    /// Accounts that can be in use at the same time. When they are, newcomers share a few, which is stricter and never open. 32 to
    /// 64 bytes each.
    #[schemars(extend("default" = defaults::ACCOUNTS.0), extend("minimum" = 16, "maximum" = defaults::MAX_ACCOUNTS))]
    pub(crate) accounts: Option<Count>,
    /// Whether all gateways with the same `shared_store` keep it together. By default limits by caller are, where there is such a
    /// store; of `concurrency` each gateway has its share.
    pub(crate) shared: Option<Flag>,
    /// Other amounts for callers with a plan. Whoever has none of these plans has what stands beside.
    pub(crate) tiers: Option<Tiers>,
}

/// One part of what names an account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyPart {
    /// The client's address; of an IPv6 address the first 64 bits.
    Address,
    /// The key or token that the caller showed.
    Credential,
    /// The caller: the consumer of an API key, the subject of a token with its issuer.
    Consumer,
    /// A claim of the caller's token.
    Claim(Text),
    /// A header of the request. Clients choose it, and with another value another account, so that a limit whom nobody can
    /// get around has to stand beside.
    Header(Text),
    /// The API.
    Api,
    /// The version.
    Version,
    /// The operation.
    Route,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    /// One per request.
    Requests,
    /// Bytes of content, both ways. They are known when they have passed: whoever has room for one may send a request, and what
    /// it comes to is owed afterwards.
    Bytes,
    /// The `cost` of the operation, or its `x-cost` in the contract, or what the answer says.
    Cost,
}

/// What the server says that a call has cost. It is charged when the answer comes, as far as it is more than was charged to get
/// in; an answer never makes a call cheaper. What it comes to is owed, up to one whole limit.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerCost {
    /// The field of the answer: a whole number. One that is none counts as `most`; without the field nothing more is charged.
    pub(crate) header: Text,
    /// The most that one answer costs, whatever it says. By default the whole limit.
    #[schemars(extend("minimum" = 1, "maximum" = defaults::MAX_LIMIT))]
    pub(crate) most: Option<Count>,
    /// Whether the caller gets the field as well.
    #[schemars(extend("default" = false))]
    pub(crate) keep: Option<Flag>,
}

/// Whether a limit refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// Who has no budget is refused.
    Enforce,
    /// Nobody is refused; records and metrics say who would have been.
    Observe,
    /// The limit of this name, from the levels above or built in, does not apply here.
    Off,
}

/// Other amounts for callers with a plan.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tiers {
    /// What says which plan a caller has.
    pub(crate) by: TierBy,
    /// Amounts by plan.
    pub(crate) plans: IndexMap<String, Amounts>,
}

/// What says which plan a caller has.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TierBy {
    /// A claim of his token.
    Claim(Text),
    /// A role of his, of a token or an API key: the first plan that is one of them.
    Role,
}

/// What somebody with a plan may ask for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Amounts {
    /// So many evenly over the time, with up to `burst` at once.
    pub(crate) rate: Option<Rate>,
    /// How many can be saved up. By default as many as `rate` names.
    #[schemars(extend("minimum" = 1, "maximum" = defaults::MAX_LIMIT))]
    pub(crate) burst: Option<Count>,
    /// So many within every stretch of this length.
    pub(crate) window: Option<Rate>,
    /// So many in every calendar hour, day or month.
    pub(crate) quota: Option<Quota>,
    /// So many at the same time.
    #[schemars(extend("minimum" = 1, "maximum" = defaults::MAX_LIMIT))]
    pub(crate) concurrency: Option<Count>,
}
