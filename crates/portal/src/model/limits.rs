//! What callers may ask of an operation, and what answers tell them of it, written by the same code that writes it on the wire.

use portcullis_config::plan::{KeyPart, LimitPlan, RouteLimits, RoutePlan, TierBy};
use portcullis_limit::fields::{Told, write_rate_limit, write_rate_limit_policy};
use portcullis_limit::{Ask, Key, Kind, Ledger, Limiter, Moment, Period, Policy, Supply, Unit, Verdict};
use std::sync::Arc;

/// LIMIT: accounts of a limiter that is asked one question.
const ACCOUNTS: usize = 16;

/// One limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Its name on the wire.
    pub name: String,
    /// Who has an account of his own.
    pub per: String,
    /// Of which plan callers are, where amounts depend on it.
    pub plan: Option<String>,
    /// How much, in words.
    pub amount: String,
    /// Whether it refuses nobody yet.
    pub watches_only: bool,
    /// The most that can be had at once, in units.
    pub units: u64,
    /// Seconds in which that comes back; none for what runs at the same time.
    pub window_s: Option<u64>,
    /// What is counted: `requests`, `bytes`, `cost`.
    pub unit: &'static str,
    /// Whether it can be told before it is known who calls.
    pub before_identity: bool,
}

/// The fields of answers about limits, for a caller without a plan who asks for the first time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitFields {
    /// `RateLimit-Policy`, exactly.
    pub policy: Option<String>,
    /// `RateLimit`, as it begins.
    pub limit: Option<String>,
    /// Whether the older fields come as well.
    pub has_legacy: bool,
    /// What a call costs, where costs are counted.
    pub cost: Option<u64>,
}

/// All limits of a route.
pub(super) fn limits(route: &RoutePlan) -> Vec<Limit> {
    let mut all = Vec::new();
    for plan in held(route) {
        all.extend(plan.policies.iter().map(|policy| limit(plan, policy, None)));
        for (name, policies) in plan.tiers.iter().flat_map(|tiers| &tiers.plans) {
            let by = plan.tiers.as_ref().map(|tiers| match &tiers.by {
                TierBy::Claim(claim) => format!("{name} (by the claim {claim})"),
                TierBy::Role => format!("{name} (by role)"),
            });
            all.extend(policies.iter().map(|policy| limit(plan, policy, by.clone())));
        }
    }
    all
}

/// In the order in which they are charged: those that need not know who calls come first.
fn held(route: &RoutePlan) -> impl Iterator<Item = &LimitPlan> {
    let of = |late| route.held_limits().map(|plan| &**plan).filter(move |plan| plan.needs_caller() == late);
    of(false).chain(of(true))
}

fn limit(plan: &LimitPlan, policy: &Policy, tier: Option<String>) -> Limit {
    Limit {
        name: policy.name().to_owned(),
        per: per(&plan.key),
        plan: tier,
        amount: amount(policy),
        watches_only: policy.is_shadow(),
        units: policy.limit(),
        window_s: policy.window_s(),
        unit: match policy.unit() {
            Unit::Requests => "requests",
            Unit::ContentBytes => "bytes",
            Unit::Cost => "cost",
        },
        before_identity: !plan.needs_caller(),
    }
}

/// For whom an account is kept.
fn per(key: &[KeyPart]) -> String {
    let words = key.iter().map(|part| match part {
        KeyPart::Address => "address of the client".to_owned(),
        KeyPart::Credential => "credential".to_owned(),
        KeyPart::Consumer => "caller".to_owned(),
        KeyPart::Claim(name) => format!("value of the claim {name}"),
        KeyPart::Header(name) => format!("value of the field {name}"),
        KeyPart::Api => "API".to_owned(),
        KeyPart::Version => "version".to_owned(),
        KeyPart::Route => "operation".to_owned(),
    });
    words.collect::<Vec<_>>().join(" and ")
}

fn amount(policy: &Policy) -> String {
    let things = match policy.unit() {
        Unit::Requests => "requests",
        Unit::ContentBytes => "bytes",
        Unit::Cost => "units of cost",
    };
    match policy.kind() {
        Kind::Rate { units, per_ns, burst } => {
            format!("{units} {things} {}, up to {burst} at once", each(per_ns))
        }
        Kind::Window { limit, width_ns } => format!("{limit} {things} within {}", time(width_ns)),
        Kind::Quota { limit, period, offset_min } => {
            let period = match period {
                Period::Hour => "hour",
                Period::Day => "day",
                Period::Month => "month",
            };
            let sign = if offset_min < 0 { '-' } else { '+' };
            let (hours, minutes) = (offset_min.unsigned_abs() / 60, offset_min.unsigned_abs() % 60);
            format!("{limit} {things} a calendar {period} (UTC{sign}{hours:02}:{minutes:02})")
        }
        Kind::Concurrency { limit } => format!("{limit} requests at the same time"),
    }
}

fn each(nanos: u64) -> String {
    match nanos {
        1_000_000_000 => "a second".to_owned(),
        60_000_000_000 => "a minute".to_owned(),
        3_600_000_000_000 => "an hour".to_owned(),
        86_400_000_000_000 => "a day".to_owned(),
        other => format!("in {}", time(other)),
    }
}

fn time(nanos: u64) -> String {
    let seconds = nanos / 1_000_000_000;
    let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    let fits = units.into_iter().find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size));
    fits.map_or_else(|| format!("{seconds} seconds"), |(size, unit)| format!("{} {unit}", seconds / size))
}

/// What the first answer says.
pub(super) fn fields(route: &RoutePlan) -> LimitFields {
    let RouteLimits { cost, legacy_fields, .. } = route.limits;
    let policies: Vec<&Policy> = held(route).flat_map(|plan| &plan.policies).collect();
    let ledgers = policies.iter().map(|policy| Arc::new(Ledger::new((*policy).clone(), ACCOUNTS, 1)));
    let mut limiter = Limiter::new(ledgers.collect());
    let units = |policy: &Policy| if policy.unit() == Unit::Cost { cost } else { 1 };
    let key = Key::from_hash(1);
    let asks: Vec<Ask> = policies
        .iter()
        .enumerate()
        .map(|(place, policy)| Ask { policy: place, key, units: units(policy), supply: Supply::Here })
        .collect();
    let mut verdict = Verdict::default();
    // Behind the first moment of the clock, where nothing has been spent yet.
    let now = Moment { nanos: 86_400_000_000_000, unix_s: 1_767_225_600 };
    limiter.charge(&asks, now, &mut verdict);
    for permit in std::mem::take(&mut verdict.permits) {
        limiter.release(&permit, now);
    }
    let told = || {
        let both = policies.iter().zip(&verdict.decisions);
        both.map(|(policy, decision)| Told { policy, decision, partition: None })
    };
    let (mut policy, mut limit) = (Vec::new(), Vec::new());
    write_rate_limit_policy(&mut policy, told());
    write_rate_limit(&mut limit, told());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).ok().filter(|text| !text.is_empty());
    let counts_costs = held(route).any(LimitPlan::counts_costs);
    LimitFields {
        policy: text(policy),
        limit: text(limit),
        has_legacy: legacy_fields && !policies.is_empty(),
        cost: counts_costs.then_some(cost),
    }
}
