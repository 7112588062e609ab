//! Limits: amounts that can be kept, keys that name somebody, and nothing that would count without effect. A limit that is
//! inherited is one value, so that its accounts are the same wherever it applies.

use std::sync::Arc;

use portcullis_limit::{Kind, Policy, PolicyError, Priority, Unit as Counted};

use super::Check;
use super::costs::Costs;
use crate::diagnostic::{Diagnostic, closest, quote};
use crate::file::{
    Amounts, AnswerCost, KeyPart as WrittenKey, Limit, Limits, Mode, TierBy as WrittenBy, Tiers, Unit, defaults,
};
use crate::plan::{Authn, KeyPart, LimitPlan, RouteLimits, TierBy, TiersPlan};
use crate::scalar::{Amount, Count, Quota, Rate, TimeZone};
use crate::sources::Span;
use crate::tree::{At, Kind as NodeKind};

/// LIMIT: parts of a key.
const MAX_PARTS: usize = 8;
/// LIMIT: plans of one limit.
const MAX_PLANS: usize = 16;
/// LIMIT: accounts of all limits together, half a gibibyte to one.
const MAX_ACCOUNTS_TOGETHER: u64 = 1 << 24;
/// What may follow a name on the wire: `.concurrency`.
const SUFFIX_CHARS: usize = 12;

/// The settings of which a limit has one at least.
const KINDS: [&str; 4] = ["rate", "window", "quota", "concurrency"];

/// What is said of a limit that several gateways keep.
const SHARED: &str = " over all gateways";

/// Where limits are written that hold for every API.
pub(crate) const DEFAULTS: &str = "defaults";
pub(super) const PER_ADDRESS: &str = "per_address";
pub(super) const PER_PRINCIPAL: &str = "per_principal";

/// What the levels above say, for one level.
#[derive(Clone, Copy)]
pub(super) struct Inherited<'i> {
    pub(super) limits: &'i [Arc<LimitPlan>],
    /// Where `limits` is locked, if it is.
    pub(super) locked: Option<Span>,
}

/// The amounts that can stand together, wherever they stand.
struct Kinds {
    rate: Option<Rate>,
    burst: Option<Count>,
    window: Option<Rate>,
    quota: Option<Quota>,
    concurrency: Option<Count>,
}

impl Check<'_> {
    /// The limits that hold on a level: its own, and those from above that it does not speak of.
    pub(super) fn caller_limits(
        &mut self,
        at: &At<'_>,
        written: Option<&Limits>,
        scope: &str,
        above: Inherited<'_>,
    ) -> Vec<Arc<LimitPlan>> {
        let mut all = above.limits.to_vec();
        for (name, limit) in written.into_iter().flatten() {
            let at = at.key(name);
            if let Some(span) = above
                .locked
                .filter(|_| above.limits.iter().any(|have| *have.name == **name && &*have.scope == DEFAULTS))
            {
                let message = format!("`limits` is locked, so that {} cannot be changed here", quote(name));
                let diagnostic = Diagnostic::new("locked-setting", at.name_span(), message).also(span, "locked here");
                let help = "remove the limit, or the lock; a limit of another name may stand here";
                self.reject(&at, diagnostic.help(help));
                continue;
            }
            let place = all.iter().position(|have| *have.name == **name);
            let plan = self.limit(&at, name, limit, scope, place.is_some());
            match (plan, place) {
                (Some(plan), None) => all.push(plan),
                (plan, Some(place)) => drop(all.splice(place..=place, plan)),
                (None, None) => {}
            }
        }
        all
    }

    fn limit(&mut self, at: &At<'_>, name: &str, limit: &Limit, scope: &str, known: bool) -> Option<Arc<LimitPlan>> {
        self.limit_name(at, name);
        if limit.mode == Some(Mode::Off) {
            self.switched_off(at, name, known);
            return None;
        }
        let shape = Shape { name, unit: limit.unit, shadow: limit.mode == Some(Mode::Observe), zone: limit.time_zone };
        let kinds = Kinds::of(limit);
        let policies = self.policies(at, &kinds, &shape);
        if kinds.is_empty() && !KINDS.iter().any(|kind| at.key(kind).is_tainted()) {
            let message = format!("the limit {} limits nothing", quote(name));
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
            self.reject(at, diagnostic.help("add `rate`, `window`, `quota` or `concurrency`, or `mode: off`"));
        }
        let tiers = limit.tiers.as_ref().map(|tiers| self.tiers(&at.key("tiers"), tiers, &shape));
        let has_quota = kinds.quota.is_some()
            || limit.tiers.iter().flat_map(|tiers| tiers.plans.values()).any(|amounts| amounts.quota.is_some());
        if limit.time_zone.is_some() && !has_quota {
            self.idle_setting(&at.key("time_zone"), "time_zone", "only `quota` goes by the calendar");
        }
        let key = self.key(at, name, limit.key.as_deref());
        let exempt = self.exempt(&at.key("exempt"), limit);
        let accounts = limit.accounts.unwrap_or(defaults::ACCOUNTS).0;
        let accounts =
            self.within(&at.key("accounts"), accounts, (16, defaults::MAX_ACCOUNTS), |value| value.to_string());
        let by_caller = limit.tiers.is_some() || key.iter().any(KeyPart::is_of_caller);
        let shared = self.is_shared(at, name, limit.shared.map(|flag| flag.0), by_caller);
        let text = text(limit, &key, shared);
        let answer_cost = self.answer_cost(&at.key("answer_cost"), limit, (&policies, tiers.as_ref()));
        let plan = LimitPlan {
            answer_cost,
            shared,
            scope: Arc::from(scope),
            name: Arc::from(name),
            key,
            policies,
            tiers,
            exempt,
            accounts: usize::try_from(accounts).unwrap_or(usize::MAX),
            text,
            origin: Some(self.origin(at)),
        };
        let tables = u64::try_from(plan.all_policies().count()).unwrap_or(u64::MAX);
        self.accounts = self.accounts.saturating_add(accounts.saturating_mul(tables));
        if self.accounts > MAX_ACCOUNTS_TOGETHER {
            let message = format!("with this limit there are more than {MAX_ACCOUNTS_TOGETHER} accounts");
            let diagnostic = Diagnostic::new("too-large", at.name_span(), message);
            let help = "give limits fewer `accounts`, or write one above with `route` in its `key`";
            self.reject(at, diagnostic.help(help));
            self.accounts = 0;
        }
        Some(Arc::new(plan))
    }

    fn limit_name(&mut self, at: &At<'_>, name: &str) {
        self.name(at, name, "a limit");
        let most = super::MAX_NAME_CHARS - SUFFIX_CHARS;
        if name.len() > most && name.len() <= super::MAX_NAME_CHARS {
            let diagnostic = Diagnostic::new("bad-name", at.name_span(), format!("{} is too long", quote(name)));
            self.reject(at, diagnostic.help(format!("names of limits have {most} characters at most")));
        }
    }

    /// A limit that does not apply here says nothing else, and there is one above that it means.
    fn switched_off(&mut self, at: &At<'_>, name: &str, known: bool) {
        if let NodeKind::Map(settings) = &at.node().kind {
            for setting in settings.keys().filter(|setting| &***setting != "mode") {
                self.idle_setting(&at.key(setting), setting, "the limit is off here");
            }
        }
        if !known {
            let message = format!("there is no limit {} that could be off here", quote(name));
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
            self.reject(at, diagnostic.help("remove it; `per_address` and `per_principal` are built in"));
        }
    }

    pub(super) fn idle_setting(&mut self, at: &At<'_>, setting: &str, why: &str) {
        let message = format!("`{setting}` has no effect: {why}");
        let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
        self.reject(at, diagnostic.help("remove it"));
    }

    fn policies(&mut self, at: &At<'_>, kinds: &Kinds, shape: &Shape<'_>) -> Vec<Policy> {
        let mut found: Vec<(&str, Kind)> = Vec::new();
        match (kinds.rate, kinds.burst) {
            (Some(rate), burst) => {
                self.amount(&at.key("rate"), rate.amount, shape.unit);
                let per_ns = rate.per.as_millis().saturating_mul(1_000_000);
                let burst = burst.map_or(rate.amount.units, |burst| burst.0);
                found.push(("rate", Kind::Rate { units: rate.amount.units, per_ns, burst }));
            }
            (None, Some(_)) => self.idle_setting(&at.key("burst"), "burst", "it belongs to a `rate`"),
            (None, None) => {}
        }
        if let Some(window) = kinds.window {
            self.amount(&at.key("window"), window.amount, shape.unit);
            let width_ns = window.per.as_millis().saturating_mul(1_000_000);
            found.push(("window", Kind::Window { limit: window.amount.units, width_ns }));
        }
        if let Some(quota) = kinds.quota {
            self.amount(&at.key("quota"), quota.amount, shape.unit);
            let offset_min = shape.zone.map_or(0, |zone| zone.offset_min);
            found.push(("quota", Kind::Quota { limit: quota.amount.units, period: quota.per, offset_min }));
        }
        if let Some(count) = kinds.concurrency {
            if shape.unit.is_some_and(|unit| unit != Unit::Requests) {
                let at = at.key("concurrency");
                let diagnostic = Diagnostic::new("contradiction", at.name_span(), "`concurrency` counts requests");
                self.reject(&at, diagnostic.help("write a limit of its own for it, without `unit`"));
            }
            found.push(("concurrency", Kind::Concurrency { limit: count.0 }));
        }
        let alone = found.len() == 1;
        found.into_iter().filter_map(|(kind, what)| self.policy(&at.key(kind), (kind, alone), what, shape)).collect()
    }

    fn policy(&mut self, at: &At<'_>, (kind, alone): (&str, bool), what: Kind, shape: &Shape<'_>) -> Option<Policy> {
        // A lone kind is called by the limit's name; several have to be told apart.
        let name = if alone { shape.name.to_owned() } else { format!("{}.{kind}", shape.name) };
        let unit = match shape.unit {
            None | Some(Unit::Requests) => Counted::Requests,
            Some(Unit::Bytes) => Counted::ContentBytes,
            Some(Unit::Cost) => Counted::Cost,
        };
        match Policy::new(&name, what, unit) {
            Ok(policy) if shape.shadow => Some(policy.shadow()),
            Ok(policy) => Some(policy),
            // A bad name was reported where it stands.
            Err(PolicyError::Name) => None,
            Err(error) => {
                let diagnostic = self.wrong(at, "out-of-range", error.to_string());
                self.reject(at, diagnostic.help("choose other numbers"));
                None
            }
        }
    }

    fn amount(&mut self, at: &At<'_>, amount: Amount, unit: Option<Unit>) {
        if amount.is_size && unit != Some(Unit::Bytes) {
            let diagnostic = self.wrong(at, "contradiction", "a size is written, but bytes are not counted");
            self.reject(at, diagnostic.help("add `unit: bytes`, or write a number"));
        }
    }

    fn tiers(&mut self, at: &At<'_>, tiers: &Tiers, shape: &Shape<'_>) -> TiersPlan {
        let list = at.key("plans");
        if tiers.plans.is_empty() || tiers.plans.len() > MAX_PLANS {
            let message = format!("`plans` holds 1 to {MAX_PLANS} plans");
            let diagnostic = Diagnostic::new("bad-value", list.name_span(), message);
            self.reject(&list, diagnostic.help("write `plans: { gold: { rate: 100/s } }`"));
        }
        let mut plans = Vec::new();
        for (plan, amounts) in &tiers.plans {
            let item = list.key(plan);
            let kinds = Kinds::of_plan(amounts);
            if kinds.is_empty() && !KINDS.iter().any(|kind| item.key(kind).is_tainted()) {
                let message = format!("the plan {} limits nothing", quote(plan));
                let diagnostic = Diagnostic::new("no-effect", item.name_span(), message);
                self.reject(&item, diagnostic.help("add `rate`, `window`, `quota` or `concurrency`"));
            }
            plans.push((plan.clone(), self.policies(&item, &kinds, shape)));
        }
        let by = match &tiers.by {
            WrittenBy::Claim(name) => TierBy::Claim(name.0.clone()),
            WrittenBy::Role => TierBy::Role,
        };
        TiersPlan { by, plans }
    }

    fn key(&mut self, at: &At<'_>, name: &str, written: Option<&[WrittenKey]>) -> Vec<KeyPart> {
        let key_at = at.key("key");
        let fixed = match name {
            PER_ADDRESS => Some(KeyPart::Address),
            PER_PRINCIPAL => Some(KeyPart::Consumer),
            _ => None,
        };
        if let Some(part) = fixed {
            if written.is_some() {
                let message = format!("`{name}` knows whom it counts");
                let diagnostic = Diagnostic::new("contradiction", key_at.name_span(), message);
                self.reject(&key_at, diagnostic.help("remove `key`, or give the limit another name"));
            }
            return vec![part];
        }
        let parts = written.unwrap_or_default();
        if written.is_none() && !key_at.is_tainted() {
            let message = format!("the limit {} does not say whom it counts", quote(name));
            let diagnostic = Diagnostic::new("no-key", at.name_span(), message);
            let near = closest(name, [PER_ADDRESS, PER_PRINCIPAL]);
            let help = match near {
                Some(near) => format!("did you mean `{near}`? others need a `key: [address]`"),
                None => "add `key: [address]`, or what else a request has an account by".to_owned(),
            };
            self.reject(at, diagnostic.help(help));
        } else if written.is_some() && (parts.is_empty() || parts.len() > MAX_PARTS) {
            let diagnostic = self.wrong(&key_at, "bad-value", format!("a key has 1 to {MAX_PARTS} parts"));
            self.reject(&key_at, diagnostic.help("write `key: [address]`"));
        }
        for (index, part) in parts.iter().enumerate() {
            if parts.iter().take(index).any(|before| before == part) {
                let item = key_at.index(index);
                let diagnostic = Diagnostic::new("duplicate", item.span(), "the same part stands twice");
                self.reject(&item, diagnostic.help("remove one of the two"));
            }
        }
        if parts.is_empty() { vec![KeyPart::Address] } else { parts.iter().map(part_of).collect() }
    }

    fn exempt(&mut self, at: &At<'_>, limit: &Limit) -> Vec<portcullis_types::Network> {
        let networks: Vec<_> = limit.exempt.iter().flatten().map(|network| network.0).collect();
        for (index, network) in networks.iter().enumerate() {
            let item = at.index(index);
            if network.prefix() == 0 {
                let message =
                    format!("{} is every address, so that nobody is limited", self.shown(&item, &network.to_string()));
                let diagnostic = self.wrong(&item, "no-effect", message);
                self.reject(&item, diagnostic.help("name the networks that are meant, or write `mode: off` alone"));
            }
        }
        networks
    }

    /// What a route's limits come to.
    pub(super) fn route_limits(
        &mut self,
        at: &At<'_>,
        entries: Vec<Arc<LimitPlan>>,
        cost: Costs<'_>,
        legacy_fields: bool,
    ) -> RouteLimits {
        let cost = self.cost(at, &entries, cost);
        for early in [true, false] {
            let asked = entries.iter().filter(|plan| plan.needs_caller() != early);
            let most: usize = asked.map(|plan| most_at_once(plan)).sum();
            if most > portcullis_limit::ASKS_MAX {
                let message = format!(
                    "a request meets {most} limits {}",
                    if early { "before it is known who calls" } else { "once it is known who calls" }
                );
                let diagnostic = Diagnostic::new("too-large", at.name_span(), message);
                self.reject(
                    at,
                    diagnostic
                        .help(format!("{} can be kept; switch some off with `mode: off`", portcullis_limit::ASKS_MAX)),
                );
            }
        }
        RouteLimits { entries, cost, legacy_fields, priority: Priority::Normal }
    }

    /// A limit that a level writes and that no route of it meets.
    pub(super) fn met<'r>(
        &mut self,
        at: &At<'_>,
        own: Option<&Limits>,
        plans: &[Arc<LimitPlan>],
        routes: impl Iterator<Item = (&'r RouteLimits, &'r Authn)> + Clone,
    ) {
        for name in own.into_iter().flatten().map(|(name, _)| name) {
            let Some(plan) = plans.iter().find(|plan| *plan.name == **name) else { continue };
            let mut meeting = routes.clone();
            if meeting.any(|(limits, authn)| {
                limits.entries.iter().any(|have| Arc::ptr_eq(have, plan)) && applies(plan, authn)
            }) {
                continue;
            }
            let section = at.key("limits");
            let at = section.key(name);
            let message = format!(
                "the limit {} has no effect: no route here knows its caller, or all of them have another of this name",
                quote(name)
            );
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
            self.reject(
                &at,
                diagnostic.help("remove it; `per_address` counts callers who say nothing about themselves"),
            );
        }
    }
}

/// What is common to the policies of one limit.
struct Shape<'s> {
    name: &'s str,
    unit: Option<Unit>,
    shadow: bool,
    zone: Option<TimeZone>,
}

impl Kinds {
    fn of(limit: &Limit) -> Self {
        let Limit { rate, burst, window, quota, concurrency, .. } = *limit;
        Self { rate, burst, window, quota, concurrency }
    }

    fn of_plan(amounts: &Amounts) -> Self {
        let Amounts { rate, burst, window, quota, concurrency } = *amounts;
        Self { rate, burst, window, quota, concurrency }
    }

    fn is_empty(&self) -> bool {
        self.rate.is_none() && self.window.is_none() && self.quota.is_none() && self.concurrency.is_none()
    }

    fn text(&self) -> String {
        let rate = self.rate.map(|rate| match self.burst {
            Some(burst) => format!("{rate} burst {burst}"),
            None => rate.to_string(),
        });
        let window = self.window.map(|window| format!("{window} sliding"));
        let quota = self.quota.map(|quota| quota.to_string());
        let concurrency = self.concurrency.map(|count| format!("{count} at once"));
        [rate, window, quota, concurrency].into_iter().flatten().collect::<Vec<_>>().join(" and ")
    }
}

/// Whether a limit can count anybody on a route: one that goes by the caller alone needs one.
pub(crate) fn applies(plan: &LimitPlan, authn: &Authn) -> bool {
    let is_open = matches!(authn, Authn::Public | Authn::Refuse);
    !(is_open && plan.key.iter().any(KeyPart::is_of_caller))
}

fn most_at_once(plan: &LimitPlan) -> usize {
    let of_plans = plan.tiers.iter().flat_map(|tiers| &tiers.plans).map(|(_, policies)| policies.len());
    of_plans.max().unwrap_or(0).max(plan.policies.len())
}

fn part_of(written: &WrittenKey) -> KeyPart {
    match written {
        WrittenKey::Address => KeyPart::Address,
        WrittenKey::Credential => KeyPart::Credential,
        WrittenKey::Consumer => KeyPart::Consumer,
        WrittenKey::Claim(name) => KeyPart::Claim(name.0.clone()),
        WrittenKey::Header(name) => KeyPart::Header(name.0.clone()),
        WrittenKey::Api => KeyPart::Api,
        WrittenKey::Version => KeyPart::Version,
        WrittenKey::Route => KeyPart::Route,
    }
}

/// What is built in: nobody gets more than this until somebody has decided otherwise.
pub(super) fn built_in(is_store_shared: bool) -> Vec<Arc<LimitPlan>> {
    let one = |name: &str, part: KeyPart, rate: Rate, burst: Count| {
        let per_ns = rate.per.as_millis().saturating_mul(1_000_000);
        let kind = Kind::Rate { units: rate.amount.units, per_ns, burst: burst.0 };
        let policies = Policy::new(name, kind, Counted::Requests).into_iter().collect();
        let key = vec![part];
        let shared = is_store_shared && key.iter().any(KeyPart::is_of_caller);
        Arc::new(LimitPlan {
            scope: Arc::from(DEFAULTS),
            name: Arc::from(name),
            policies,
            tiers: None,
            exempt: Vec::new(),
            accounts: usize::try_from(defaults::ACCOUNTS.0).unwrap_or(usize::MAX),
            answer_cost: None,
            text: format!("{rate} burst {burst} by {}{}", key_text(&key), if shared { SHARED } else { "" }),
            shared,
            key,
            origin: None,
        })
    };
    vec![
        one(PER_ADDRESS, KeyPart::Address, defaults::RATE_PER_ADDRESS, defaults::BURST_PER_ADDRESS),
        one(PER_PRINCIPAL, KeyPart::Consumer, defaults::RATE_PER_PRINCIPAL, defaults::BURST_PER_PRINCIPAL),
    ]
}

/// As operators are shown it: `20/s burst 40 and 10000/day by consumer`.
fn text(limit: &Limit, key: &[KeyPart], shared: bool) -> String {
    let mut text = Kinds::of(limit).text();
    match limit.unit {
        None | Some(Unit::Requests) => {}
        Some(Unit::Bytes) => text.push_str(" in bytes"),
        Some(Unit::Cost) => {
            text.push_str(" in cost");
            if let Some(AnswerCost { header, .. }) = &limit.answer_cost {
                text.push_str(&format!(" (of answers: {})", header.0));
            }
        }
    }
    text.push_str(" by ");
    text.push_str(&key_text(key));
    for (plan, amounts) in limit.tiers.iter().flat_map(|tiers| &tiers.plans) {
        text.push_str(&format!("; {plan} {}", Kinds::of_plan(amounts).text()));
    }
    if shared {
        text.push_str(SHARED);
    }
    if limit.mode == Some(Mode::Observe) {
        text.push_str(" (observed)");
    }
    text
}

fn key_text(key: &[KeyPart]) -> String {
    key.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
