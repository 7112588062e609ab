//! What callers may do, as people write it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::defaults;
use crate::scalar::{Count, DayTime, FileName, Network, Period, Size, Text};

/// What callers may do. Where there is `authz`, what no rule allows is refused. It may stand in `defaults`, an API, a version
/// and a route: rules that refuse or require add up, and of those that allow, the nearest level that has some for an operation
/// counts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Authz {
    /// The claim that holds the caller's roles, where that is not the one of his issuer; dots lead into objects.
    pub(crate) roles_claim: Option<Text>,
    /// Roles as issuers call them, each with what it is called here: `{ corp-admins: [admin] }`. Where there is a map, other
    /// roles do not count.
    pub(crate) role_map: Option<IndexMap<String, Vec<Text>>>,
    /// Whether the decisions of these rules count.
    #[schemars(extend("default" = "enforce"))]
    pub(crate) mode: Option<AuthzMode>,
    /// The rules.
    pub(crate) rules: Option<Vec<AuthzRule>>,
    /// Fields of bodies that only some callers may set.
    pub(crate) protected_fields: Option<Vec<ProtectedFields>>,
    /// Policies in the language Cedar, which count beside the rules.
    pub(crate) cedar: Option<Cedar>,
    /// Ownership that is learned from answers.
    pub(crate) learned: Option<Learned>,
}

/// Fields of bodies that only some callers may set. A request of anybody else that sets one is refused, with the place of the field;
/// nothing is left out. Names that differ in case only are the same field, and of a body that cannot be read as JSON or as a form
/// nobody knows what it sets. Without any `unless_`, nobody may set them. Fields that are `readOnly` in the contract need no entry.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProtectedFields {
    /// Its name in records and metrics. By default its place: `apis.orders.authz.protected_fields[0]`.
    pub(crate) name: Option<Text>,
    /// Places in bodies: `$.role`, `$.items[*].price`, `$..isAdmin` (RFC 9535, without filters and slices).
    pub(crate) fields: Vec<Text>,
    /// The operations it is about, by their id or by method and path template. By default all of its level.
    pub(crate) operations: Option<Vec<Text>>,
    /// Whether its decision counts.
    pub(crate) mode: Option<AuthzMode>,
    /// Callers with one of these roles may set them.
    pub(crate) unless_roles: Option<Vec<Text>>,
    /// Callers with one of these scopes may.
    pub(crate) unless_scopes: Option<Vec<Text>>,
    /// These consumers, or subjects of tokens, may.
    pub(crate) unless_consumers: Option<Vec<Text>>,
    /// Callers with one of these values in one of these claims may.
    pub(crate) unless_claims: Option<IndexMap<String, Vec<Text>>>,
}

/// Ownership that is learned from answers: a caller may ask for the ids that he was shown, in answers to requests that he was
/// allowed to make, and for no others. It is one more thing that rules require. What is forgotten, for want of time or room, has to
/// be shown again. The nearest level that has some counts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Learned {
    /// Whether an id that was not shown is refused.
    #[schemars(extend("default" = "enforce"))]
    pub(crate) mode: Option<LearnedMode>,
    /// Kinds of objects, whose ids are kept apart.
    pub(crate) objects: IndexMap<String, LearnedObject>,
    /// How long an id that was shown may be asked for.
    #[schemars(extend("default" = defaults::LEARNED_KEEP.to_string()))]
    pub(crate) keep: Option<Period>,
    /// How many ids of one caller are remembered.
    #[schemars(extend("default" = defaults::LEARNED_IDS.0), extend("minimum" = 1, "maximum" = 100_000))]
    pub(crate) ids: Option<Count>,
    /// How many callers are remembered, by each of 16 parts of the memory.
    #[schemars(extend("default" = defaults::LEARNED_CALLERS.0), extend("minimum" = 1, "maximum" = 1_000_000))]
    pub(crate) callers: Option<Count>,
    /// How long an answer may be, as it comes and decoded; of a longer one nothing is learned.
    #[schemars(extend("default" = defaults::LEARNED_ANSWER_BYTES.to_string()))]
    pub(crate) answer_bytes: Option<Size>,
}

/// Where ids of one kind are shown and asked for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LearnedObject {
    /// Operations that show ids, each with where they stand in its answers of JSON: `{ listOrders: "$.items[*].id" }`.
    pub(crate) shown: IndexMap<String, Text>,
    /// Operations that ask for one, each with the parameter that holds it: `{ getOrder: path.orderId }`.
    pub(crate) asked: IndexMap<String, Text>,
}

/// What is done about an id that a caller was not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LearnedMode {
    /// It is refused.
    Enforce,
    /// It is recorded and counted.
    Observe,
    /// Nothing, and nothing is learned.
    Off,
}

/// Policies in the language Cedar. What one of them permits is allowed as by a rule, what one forbids is refused, and so is
/// what cannot be evaluated. They are checked against a schema: principals are `Caller` (`sub`, `username`, `issuer`, `scheme`,
/// `roles`, `scopes`, `claims`) in `Role`, or `Anonymous`, whom only policies with `principal is Anonymous` permit; actions are the
/// ids of operations; resources have `path` and `body`; the context has `address`, `time` (seconds since 1970), `query` and
/// `header`. Below `locked: [authz]` there can be none.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cedar {
    /// The files with the policies. A policy may have `@id("NAME")`, its name in records and metrics, and `@mode("observe")`.
    pub(crate) policies: Vec<FileName>,
    /// Claims of tokens that policies speak of, `principal.claims.NAME`, each with what it is. A token may lack them; in one that
    /// has another thing there, the policies that speak of it cannot be evaluated.
    pub(crate) claims: Option<IndexMap<String, CedarShape>>,
    /// Members of bodies that policies speak of, each with what it is; dots lead into objects: `resource.body.NAME`,
    /// `resource.body["order.owner"]`. Bodies are JSON or, for texts, forms; of others, and where a member is another thing or servers
    /// could read it in more than one way, the policies that speak of it cannot be evaluated.
    pub(crate) body: Option<IndexMap<String, CedarShape>>,
    /// Query parameters that policies speak of: `context.query.NAME`.
    pub(crate) query: Option<Vec<Text>>,
    /// Fields that policies speak of: `context.header["NAME"]`.
    pub(crate) headers: Option<Vec<Text>>,
}

/// What a value of a request is for policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CedarShape {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// Several texts.
    Strings,
}

/// A rule. All of its conditions have to hold.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthzRule {
    /// Its name in records and metrics. By default its place: `apis.orders.authz.rules[0]`.
    pub(crate) name: Option<Text>,
    /// The operations it is about, by their id or by method and path template: `[deleteOrder, "GET /{id}"]`. By default all
    /// of its level.
    pub(crate) operations: Option<Vec<Text>>,
    /// What it does where it holds.
    #[schemars(extend("default" = "allow"))]
    pub(crate) effect: Option<AuthzEffect>,
    /// Whether its decision counts.
    pub(crate) mode: Option<AuthzMode>,
    /// Whom it speaks of. A rule that allows and has no other condition has to say so.
    #[schemars(extend("default" = "authenticated"))]
    pub(crate) callers: Option<AuthzCallers>,
    /// The caller has one of these roles.
    pub(crate) roles: Option<Vec<Text>>,
    /// The caller has all of these scopes.
    pub(crate) scopes: Option<Vec<Text>>,
    /// The caller is one of these consumers, or the subject of a token.
    pub(crate) consumers: Option<Vec<Text>>,
    /// Claims of the token, each with the values of which it has one. Dots lead into objects.
    pub(crate) claims: Option<IndexMap<String, Vec<Text>>>,
    /// The request comes from one of these networks.
    pub(crate) networks: Option<Vec<Network>>,
    /// It is one of these times.
    pub(crate) times: Option<Vec<Hours>>,
    /// To whom the object belongs: `path.userId == principal.sub`.
    pub(crate) owner: Option<Text>,
    /// To which tenant: `header.X-Tenant == claims.tid`.
    pub(crate) tenant: Option<Text>,
    /// What else has to be true of the request: `path.region in claims.regions`. Known are `path.`, `query.`, `header.`, `body.`
    /// (a member of a body of JSON or of a form, with dots into objects, or by a pointer: `body["/order/user id"]`), `principal.`
    /// (`sub`, `username`, `issuer`, `scheme`, `roles`, `scopes`), `claims.`, texts in quotes, `==`, `!=`, `in`, `and`, `or`, `not`
    /// and parentheses.
    pub(crate) when: Option<Text>,
}

/// What a rule does where it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuthzEffect {
    /// It allows, unless another rule refuses.
    Allow,
    /// It refuses.
    Refuse,
    /// It refuses whatever it does not hold for.
    Require,
}

/// Whether a decision counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuthzMode {
    /// It does.
    Enforce,
    /// It is recorded and counted, and nobody is refused for it.
    Observe,
}

/// Whom a rule speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuthzCallers {
    /// Those who have proved who they are.
    Authenticated,
    /// Also those who have not, where `authn` lets them come.
    Anybody,
}

/// A time of day, on some days, in UTC.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hours {
    /// By default every day.
    pub(crate) days: Option<Vec<Day>>,
    /// From this minute.
    #[schemars(extend("default" = "00:00"))]
    pub(crate) from: Option<DayTime>,
    /// Up to this one. What is not after `from` belongs to the next day.
    #[schemars(extend("default" = "24:00"))]
    pub(crate) to: Option<DayTime>,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Authz {
    /// Whether it could open what stands closed above it.
    pub(crate) fn loosens(&self) -> bool {
        let is_observed = self.mode == Some(AuthzMode::Observe);
        let opens = |rule: &AuthzRule| rule.effect.is_none_or(|effect| effect == AuthzEffect::Allow);
        let own = self.roles_claim.is_some() || self.role_map.is_some() || self.cedar.is_some();
        own || is_observed || self.rules.iter().flatten().any(opens)
    }
}

impl Day {
    /// From Monday, which is 0.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Mon => 0,
            Self::Tue => 1,
            Self::Wed => 2,
            Self::Thu => 3,
            Self::Fri => 4,
            Self::Sat => 5,
            Self::Sun => 6,
        }
    }
}
