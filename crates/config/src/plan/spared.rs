//! What a contract spares rules about attacks: fields of which it says of which bytes their values are.

use super::{ContractMode, RoutePlan};
use portcullis_contract::{KnownField, Location};
use portcullis_waf::{Place, Promise, Spared};

impl RoutePlan {
    /// What is known of the fields of the route's requests, for the rules that look at them; `None` where nothing is, or the contract
    /// is not enforced.
    #[must_use]
    pub fn spared(&self) -> Option<Spared> {
        let waf = self.waf.as_ref()?;
        let contract = self.contract.as_ref().filter(|contract| contract.plan.request == ContractMode::Enforce)?;
        let engine = &contract.plan.contract;
        let operations = contract.operations.iter().filter_map(|(_, index)| engine.operations().get(*index));
        let known: Vec<KnownField> = operations.flat_map(|operation| engine.known_fields(operation)).collect();
        let promises: Vec<Promise<'_>> = known
            .iter()
            .filter_map(|field| Some(Promise { place: place(field)?, name: &field.name, bytes: &field.bytes }))
            .collect();
        (!promises.is_empty()).then(|| waf.rules.set.spared(&promises))
    }
}

fn place(field: &KnownField) -> Option<Place> {
    match field.parameter {
        None => Some(Place::Body),
        Some(Location::Query) => Some(Place::Query),
        Some(Location::Header) => Some(Place::Header),
        Some(Location::Cookie) => Some(Place::Cookie),
        // Rules see a path as a whole.
        Some(Location::Path) => None,
    }
}
