//! A route's limits, compiled: which books a request is charged to, and what names its account in them.

use super::book::{Book, Books, Shelf};
use super::charged::join;
use crate::pipeline::route::Routed;
use portcullis_auth::principal::Principal;
use portcullis_config::plan::{Authn, KeyPart, LimitPlan, RoutePlan, TierBy, TiersPlan};
use portcullis_limit::{Key, KeyHasher, KeyWriter};
use portcullis_types::Network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// The limits of a route, by the stage that charges them.
#[derive(Debug)]
pub(crate) struct RouteLimits {
    /// Before it is known who calls.
    pub(crate) guard: Vec<Arc<Limit>>,
    /// Once it is.
    pub(crate) charge: Vec<Arc<Limit>>,
    pub(crate) cost: u64,
    /// Fields in which answers say what they cost, and which callers do not get.
    pub(crate) hidden: Vec<Arc<str>>,
    pub(crate) legacy_fields: bool,
    /// The items of `RateLimit-Policy` of what is charged once it is known who calls, for whoever is turned away before.
    pub(crate) ahead: Vec<u8>,
}

/// One limit. Places are those of its books in the snapshot.
#[derive(Debug)]
pub(crate) struct Limit {
    key: Vec<KeyPart>,
    exempt: Vec<Network>,
    standard: Vec<usize>,
    tiers: Option<Tiers>,
    /// As operators are shown it.
    pub(crate) text: String,
    pub(crate) origin: Option<String>,
}

#[derive(Debug)]
struct Tiers {
    by: TierBy,
    plans: Vec<(String, Vec<usize>)>,
}

/// What several routes have in common is compiled once.
#[derive(Debug, Default)]
pub(crate) struct Compiler(HashMap<*const LimitPlan, Arc<Limit>>);

// === impl Compiler ===

impl Compiler {
    /// The limits of a route; none where nothing can be charged.
    pub(crate) fn route(&mut self, plan: &RoutePlan, books: &mut Books, shelf: &Shelf<'_>) -> Option<Box<RouteLimits>> {
        let (mut guard, mut charge) = (Vec::new(), Vec::new());
        for entry in &plan.limits.entries {
            // Where nobody says who he is, a limit that goes by that would count all as their addresses a second time.
            let nameless = matches!(plan.authn, Authn::Public | Authn::Refuse);
            if nameless && entry.key.iter().any(KeyPart::is_of_caller) {
                continue;
            }
            let limit = self.0.entry(Arc::as_ptr(entry)).or_insert_with(|| Limit::compile(entry, books, shelf));
            if entry.needs_caller() { &mut charge } else { &mut guard }.push(Arc::clone(limit));
        }
        let costs = plan.limits.entries.iter().filter_map(|entry| entry.answer_cost.as_ref());
        let hidden = costs.filter(|cost| !cost.keep).map(|cost| Arc::clone(&cost.header)).collect();
        let (cost, legacy_fields) = (plan.limits.cost, plan.limits.legacy_fields);
        let any = !guard.is_empty() || !charge.is_empty();
        let mut ahead = Vec::new();
        for book in charge.iter().flat_map(|limit| &limit.standard).filter_map(|place| books.get(*place)) {
            join(&mut ahead, |out| out.extend_from_slice(&book.item));
        }
        any.then(|| Box::new(RouteLimits { guard, charge, cost, hidden, legacy_fields, ahead }))
    }
}

// === impl Limit ===

impl Limit {
    fn compile(plan: &LimitPlan, books: &mut Books, shelf: &Shelf<'_>) -> Arc<Self> {
        let mut places = |tier: Option<&str>, policies: &[portcullis_limit::Policy]| {
            let place = policies.iter().map(|policy| {
                books.push(Book::of(plan, tier, policy, shelf));
                books.len().saturating_sub(1)
            });
            place.collect::<Vec<_>>()
        };
        let standard = places(None, &plan.policies);
        let tiers = plan.tiers.as_ref().map(|TiersPlan { by, plans }| Tiers {
            by: by.clone(),
            plans: plans.iter().map(|(name, policies)| (name.clone(), places(Some(name), policies))).collect(),
        });
        let (text, origin) = (format!("{}: {}", plan.name, plan.text), plan.origin.as_ref().map(ToString::to_string));
        Arc::new(Self { key: plan.key.clone(), exempt: plan.exempt.clone(), standard, tiers, text, origin })
    }

    pub(super) fn exempts(&self, address: IpAddr) -> bool {
        !self.exempt.is_empty() && self.exempt.iter().any(|network| network.contains(address))
    }

    /// The books that a caller is charged to.
    pub(super) fn places(&self, caller: Option<&Principal>) -> &[usize] {
        let (Some(tiers), Some(caller)) = (&self.tiers, caller) else { return &self.standard };
        let claimed = match &tiers.by {
            TierBy::Claim(name) => caller.plain_claim(name),
            TierBy::Role => None,
        };
        let has = |plan: &str| match tiers.by {
            TierBy::Claim(_) => claimed.as_deref() == Some(plan),
            TierBy::Role => caller.roles.iter().any(|role| role == plan),
        };
        tiers.plans.iter().find(|(plan, _)| has(plan)).map_or(&self.standard, |(_, places)| places)
    }

    /// The account of a request.
    pub(super) fn key(&self, hasher: &KeyHasher, routed: &Routed<'_>) -> Key {
        self.key.iter().fold(hasher.key(), |writer, part| append(writer, part, routed)).finish()
    }
}

/// Each kind of part has a form of its own, and another where it is missing: the address then, so that leaving something out
/// opens no account that others have not.
fn append(writer: KeyWriter, part: &KeyPart, routed: &Routed<'_>) -> KeyWriter {
    let caller = routed.record.caller.as_deref();
    let (request, route) = (&routed.request, routed.route());
    let or_address = |text: Option<&[u8]>| match text {
        Some(text) => writer.part(b"=").part(text),
        None => writer.part(b"").address(request.client.address),
    };
    match part {
        KeyPart::Address => writer.address(request.client.address),
        KeyPart::Consumer => match caller {
            Some(caller) => {
                let issuer = caller.issuer.as_deref().unwrap_or_default();
                writer.part(b"=").part(issuer.as_bytes()).part(caller.id.as_bytes())
            }
            None => or_address(None),
        },
        KeyPart::Credential => {
            or_address(caller.map(|caller| caller.credential.as_bytes()).filter(|text| !text.is_empty()))
        }
        KeyPart::Claim(name) => {
            let claim = caller.and_then(|caller| caller.plain_claim(name));
            or_address(claim.as_deref().map(str::as_bytes))
        }
        KeyPart::Header(name) => {
            let named = |line: &portcullis_h1::Field<'_>| line.name.eq_ignore_ascii_case(name.as_bytes());
            or_address(request.head.fields().iter().find(named).map(|line| line.value))
        }
        KeyPart::Api => writer.part(route.api.as_bytes()),
        KeyPart::Version => writer.part(route.version.as_bytes()),
        KeyPart::Route => writer.part(route.api.as_bytes()).part(route.version.as_bytes()).part(route.id.as_bytes()),
    }
}

/// The same for a caller whom an operator names. A consumer of an issuer is `ISSUER SUBJECT`, a route `API/VERSION/ID`.
pub(super) fn append_named(writer: KeyWriter, part: &KeyPart, value: &str) -> Result<KeyWriter, String> {
    Ok(match part {
        KeyPart::Address => writer.address(value.parse().map_err(|_| format!("`{value}` is no address"))?),
        KeyPart::Consumer => {
            let (issuer, id) = value.split_once(' ').unwrap_or(("", value));
            writer.part(b"=").part(issuer.as_bytes()).part(id.as_bytes())
        }
        KeyPart::Credential | KeyPart::Claim(_) | KeyPart::Header(_) => writer.part(b"=").part(value.as_bytes()),
        KeyPart::Api | KeyPart::Version => writer.part(value.as_bytes()),
        KeyPart::Route => {
            let parts: Vec<&str> = value.splitn(3, '/').collect();
            if parts.len() != 3 {
                return Err(
                    "a route is named like `orders/v1/getOrder`, or `orders//getOrder` without versions".to_owned()
                );
            }
            parts.into_iter().fold(writer, |writer, part| writer.part(part.as_bytes()))
        }
    })
}
