//! What calls cost where limits count costs: by the route, by its contract, and by what answers say.

use std::sync::Arc;

use portcullis_limit::{Policy, Unit as Counted};

use super::Check;
use super::contract::serves;
use super::headers::{TAKEN, is_field_name};
use crate::diagnostic::{Diagnostic, quote};
use crate::file::{AnswerCost, Limit, Unit, defaults};
use crate::plan::{AnswerCostPlan, LimitPlan, Methods, RouteContract, TiersPlan};
use crate::scalar::Count;
use crate::tree::At;

/// What is said about the cost of a route.
#[derive(Clone, Copy)]
pub(super) struct Costs<'c> {
    pub(super) written: Option<Count>,
    pub(super) contract: Option<&'c RouteContract>,
    pub(super) methods: &'c Methods,
}

impl Check<'_> {
    /// What one call of a route costs: what is written, else what its contract says, else 1.
    pub(super) fn cost(&mut self, at: &At<'_>, entries: &[Arc<LimitPlan>], costs: Costs<'_>) -> u64 {
        let written_at = at.key("cost");
        let counting = || entries.iter().flat_map(|plan| plan.all_policies()).filter(|one| one.unit() == Counted::Cost);
        let (cost, at) = match costs.written {
            Some(cost) => {
                let range = (1, defaults::MAX_LIMIT);
                (self.within(&written_at, cost.0, range, |value| value.to_string()), &written_at)
            }
            // A contract says what a call costs wherever it is served; here nobody may count that.
            None if counting().next().is_none() => return 1,
            None => (self.cost_in_contract(at, costs.contract, costs.methods), at),
        };
        if costs.written.is_some() && counting().next().is_none() {
            self.idle_setting(at, "cost", "no limit counts costs here");
        }
        if let Some(least) = counting().min_by_key(|policy| policy.limit()).filter(|policy| policy.limit() < cost) {
            let message = format!("the limit {} never has room for a cost of {cost}", quote(least.name()));
            let diagnostic = self.wrong(at, "out-of-range", message);
            self.reject(at, diagnostic.help(format!("it has {} at most at once", least.limit())));
        }
        cost
    }

    /// A route has one cost, whichever of its operations is called.
    fn cost_in_contract(&mut self, at: &At<'_>, contract: Option<&RouteContract>, methods: &Methods) -> u64 {
        let Some(RouteContract { plan, operations, .. }) = contract else { return 1 };
        let known = plan.contract.operations();
        let served = operations.iter().filter(|(method, _)| serves(methods, method));
        let mut costs = served.filter_map(|(_, index)| known.get(*index)).map(|one| one.cost().unwrap_or(1));
        let Some(first) = costs.next() else { return 1 };
        let Some(other) = costs.find(|cost| *cost != first) else { return first };
        let message = format!("by `x-cost` its operations cost {first} and {other}");
        let diagnostic = self.wrong(at, "contradiction", message);
        self.reject(at, diagnostic.help("write a route for each method, or its `cost` here"));
        first.max(other)
    }

    /// What answers may say that they cost.
    pub(super) fn answer_cost(
        &mut self,
        at: &At<'_>,
        limit: &Limit,
        (policies, tiers): (&[Policy], Option<&TiersPlan>),
    ) -> Option<AnswerCostPlan> {
        let AnswerCost { header, most, keep } = limit.answer_cost.as_ref()?;
        if limit.unit != Some(Unit::Cost) {
            self.idle_setting(at, "answer_cost", "costs are not counted without `unit: cost`");
            return None;
        }
        let name = header.0.to_ascii_lowercase();
        let header_at = at.key("header");
        if !is_field_name(&name) {
            let message = format!("{} is not the name of a field", self.shown(&header_at, &header.0));
            let diagnostic = self.wrong(&header_at, "bad-name", message);
            self.reject(&header_at, diagnostic.help("letters, digits and `-`, as in `X-Cost`"));
        } else if TAKEN.contains(&name.as_str()) || name.starts_with("access-control-") {
            let message = format!("{} means something else", self.shown(&header_at, &header.0));
            let diagnostic = self.wrong(&header_at, "not-yours", message);
            self.reject(&header_at, diagnostic.help("name a field of the server's own, as `X-Cost`"));
        }
        let most_at = at.key("most");
        let written = most.map_or(defaults::MAX_LIMIT, |most| most.0);
        let most_units = self.within(&most_at, written, (1, defaults::MAX_LIMIT), |value| value.to_string());
        let of_plans = tiers.iter().flat_map(|tiers| &tiers.plans).flat_map(|(_, policies)| policies);
        let largest = policies.iter().chain(of_plans).map(Policy::limit).max();
        if let Some(largest) = largest.filter(|largest| most.is_some() && *largest < most_units) {
            let message = format!("no answer is charged {most_units}: what is owed ends at the limit");
            let diagnostic: Diagnostic = self.wrong(&most_at, "out-of-range", message);
            self.reject(&most_at, diagnostic.help(format!("choose a value from 1 to {largest}")));
        }
        Some(AnswerCostPlan { header: Arc::from(name), most: most_units, keep: keep.is_some_and(|keep| keep.0) })
    }
}
