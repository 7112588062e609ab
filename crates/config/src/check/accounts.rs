//! What developers who sign in may have: passwords that others could read on their way, keys that would open nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use super::Check;
use crate::diagnostic::Diagnostic;
use crate::file::{File, KeyOffer, PortalAccounts, defaults};
use crate::plan::{AccountsPlan, ApiPlan, Authn, OfferPlan, PortalPlan};
use crate::scalar::{Count, Period, Text};
use crate::tree::At;
use portcullis_auth::principal::{Demand, Scheme};

/// LIMIT: plans.
const MAX_PLANS: usize = 100;
/// LIMIT: scopes or roles of a plan.
const MAX_RIGHTS: usize = 50;
/// LIMIT: bytes of a scope or a role: what the store has room for.
const MAX_RIGHT_BYTES: usize = 255;
const LEAST_EXPIRES: Period = Period::seconds(60 * 60);
const MAX_EXPIRES: Period = Period::seconds(2 * 366 * 24 * 60 * 60);
const MAX_OVERLAP: Period = Period::seconds(90 * 24 * 60 * 60);

impl Check<'_> {
    pub(super) fn portal_accounts(
        &mut self,
        at: &At<'_>,
        written: &PortalAccounts,
        (file, bind, has_store): (&File, SocketAddr, bool),
    ) -> AccountsPlan {
        if !has_store && !self.incomplete {
            let diagnostic = Diagnostic::new("no-store", at.name_span(), "there is no store that could hold accounts");
            self.reject(at, diagnostic.help("add `store: { path: ./portcullis-data }`"));
        }
        if !bind.ip().is_loopback() {
            let message = format!("passwords sent to `{bind}` can be read on their way");
            let diagnostic = Diagnostic::new("plaintext", at.name_span(), message);
            self.reject(
                at,
                diagnostic.help("bind the portal to `127.0.0.1`, and put something that speaks HTTPS in front"),
            );
        }
        let (idle, lifetime) = self.session(written.session.as_ref(), &at.key("session"));
        let list = at.key("plans");
        if written.plans.is_empty() {
            let diagnostic = self.wrong(&list, "nobody", "nobody may have anything");
            self.reject(&list, diagnostic.help("add a plan: `plans: { free: { apis: [orders] } }`"));
        }
        if written.plans.len() > MAX_PLANS {
            let diagnostic = self.wrong(&list, "out-of-range", format!("there are more than {MAX_PLANS} plans"));
            self.reject(&list, diagnostic.help("let some of them be one"));
        }
        let plans = written.plans.iter().map(|(name, offer)| {
            let at = list.key(name);
            self.name(&at, name, "a plan");
            self.offer(&at, (name, offer), file)
        });
        AccountsPlan { idle, lifetime, plans: plans.collect() }
    }

    fn offer(&mut self, at: &At<'_>, (name, offer): (&str, &KeyOffer), file: &File) -> OfferPlan {
        let texts = ("keys would be for no API", "name one that takes `api_key`");
        let apis = self.known_apis(&at.key("apis"), &offer.apis, file, texts);
        let scopes = offer.scopes.as_ref().map(|list| self.rights(&at.key("scopes"), list, "scope"));
        let roles = offer.roles.as_ref().map(|list| self.rights(&at.key("roles"), list, "role"));
        let mut count = |name: &str, written: Option<Count>, usual: Count, most: u64| {
            let count = self.within(&at.key(name), written.unwrap_or(usual).0, (1, most), |value| value.to_string());
            usize::try_from(count).unwrap_or(usize::MAX)
        };
        let (usual, most) = (defaults::OFFER_APPLICATIONS, defaults::MAX_OFFER_APPLICATIONS);
        let applications = count("applications", offer.applications, usual, most);
        let keys = count("keys", offer.keys, defaults::OFFER_KEYS, defaults::MAX_OFFER_KEYS);
        let expires = offer.expires.unwrap_or(defaults::OFFER_EXPIRES);
        let overlap = offer.overlap.unwrap_or(defaults::OFFER_OVERLAP);
        OfferPlan {
            name: Arc::from(name),
            apis,
            scopes: scopes.unwrap_or_default(),
            roles: roles.unwrap_or_default(),
            applications,
            keys,
            expires: self.period(&at.key("expires"), expires, (LEAST_EXPIRES, MAX_EXPIRES)),
            overlap: self.period(&at.key("overlap"), overlap, (Period::millis(0), MAX_OVERLAP)),
            approval: offer.approval.is_some_and(|flag| flag.0),
        }
    }

    /// Scopes or roles, as a key can have them.
    fn rights(&mut self, at: &At<'_>, list: &[Text], what: &str) -> Vec<String> {
        if list.is_empty() {
            let diagnostic = self.wrong(at, "empty-list", format!("there is no {what} in it"));
            self.reject(at, diagnostic.help(format!("name one, or remove it for keys without {what}s")));
        }
        if list.len() > MAX_RIGHTS {
            let diagnostic = self.wrong(at, "out-of-range", format!("there are more than {MAX_RIGHTS} {what}s"));
            self.reject(at, diagnostic.help("make several plans of it"));
        }
        for (index, one) in list.iter().enumerate() {
            let is_plain = one.0.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
            if one.0.is_empty() || !is_plain || one.0.len() > MAX_RIGHT_BYTES {
                let at = at.index(index);
                let diagnostic = self.wrong(&at, "bad-name", format!("{} is no {what}", self.shown(&at, &one.0)));
                self.reject(&at, diagnostic.help("write it without blanks and commas: `orders:read`"));
            }
        }
        list.iter().map(|one| one.0.clone()).collect()
    }

    /// Whether keys of plans open anything.
    pub(super) fn offers(&mut self, root: &At<'_>, portal: Option<&PortalPlan>, apis: &[ApiPlan]) {
        let Some(accounts) = portal.and_then(|portal| portal.accounts.as_ref()) else { return };
        if self.incomplete || self.lacks_contract {
            return;
        }
        let section = root.key("portal");
        let accounts_at = section.key("accounts");
        let plans = accounts_at.key("plans");
        for plan in &accounts.plans {
            let plan_at = plans.key(&plan.name);
            let list = plan_at.key("apis");
            for (index, name) in plan.apis.iter().enumerate() {
                let Some(api) = apis.iter().find(|api| api.name == *name) else { continue };
                if api.versions.iter().flat_map(|version| &version.routes).any(|route| takes_keys(&route.authn)) {
                    continue;
                }
                let at = list.index(index);
                let message = format!("keys for {} open nothing: no route of it takes API keys", self.shown(&at, name));
                let diagnostic = self.wrong(&at, "no-effect", message);
                self.reject(&at, diagnostic.help("add `api_key: {}` to its `authn`, or remove it here"));
            }
        }
    }
}

fn takes_keys(authn: &Authn) -> bool {
    match authn {
        Authn::Public | Authn::Refuse => false,
        Authn::Demand(plan) => match &plan.demand {
            Demand::AnyOf { schemes, .. } | Demand::AllOf(schemes) => schemes.contains(&Scheme::ApiKey),
        },
    }
}
