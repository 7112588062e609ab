//! What follows from a plan for those who call: the answers that tables, reports and pages share, so that none works it out in its
//! own way.

use std::sync::Arc;

use portcullis_access::outlook::{Outlook, Standing};
use portcullis_access::{Effect, Rule};
use portcullis_auth::outward::{Offer, Resource};
use portcullis_auth::principal::{Demand, Scheme};
use portcullis_mask::Select;
use portcullis_types::Outline;
use portcullis_types::civil::Moment;

use super::{
    ApiPlan, Authn, AuthzPlan, CorsPlan, DemandPlan, Dpop, IdentityPlan, LifecyclePlan, LimitPlan, MaskPlan, Methods,
    Plan, RoutePlan, ShapePlan, VersionPlan, Who,
};
use crate::check::limits::applies;

/// What somebody sees of a masked value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// All of it.
    Clear,
    /// What is left of it, as people write it.
    Masked(String),
    /// He is among those for whom the fields of an allow-list leave.
    Allowed,
    /// He is not.
    NotAllowed,
}

// === impl Plan ===

impl Plan {
    /// Whether somebody looks at the last requests: operators in the console, or developers at what was refused of theirs.
    #[must_use]
    pub fn is_looked_at(&self) -> bool {
        self.admin.console.is_some() || self.has_accounts()
    }

    /// Whether developers can sign in.
    #[must_use]
    pub fn has_accounts(&self) -> bool {
        self.portal.as_ref().is_some_and(|portal| portal.accounts.is_some())
    }

    /// Every operation, in the order of the file.
    pub fn operations(&self) -> impl Iterator<Item = (&ApiPlan, &VersionPlan, &RoutePlan)> {
        self.apis.iter().flat_map(|api| {
            api.versions.iter().flat_map(move |version| version.routes.iter().map(move |route| (api, version, route)))
        })
    }
}

// === impl ApiPlan ===

impl ApiPlan {
    /// Where its metadata as a protected resource is (RFC 9728), if it has some.
    #[must_use]
    pub fn metadata_address(&self) -> Option<String> {
        let resource = self.resource.as_ref()?;
        Some(format!("{}{}", resource.origin, Resource::path(&self.base_path)))
    }
}

// === impl DemandPlan ===

impl DemandPlan {
    /// The methods, the preferred one first.
    #[must_use]
    pub fn schemes(&self) -> &[Scheme] {
        match &self.demand {
            Demand::AnyOf { schemes, .. } | Demand::AllOf(schemes) => schemes,
        }
    }

    /// What a route of an API says that it accepts.
    #[must_use]
    pub fn offer(&self, api: &ApiPlan, plan: &IdentityPlan) -> Offer {
        let (schemes, proofs) = (self.schemes().to_vec(), &self.proofs);
        let tokens = [(Scheme::Jwt, proofs.dpop), (Scheme::Introspection, proofs.introspected)];
        let mut dpop = tokens.iter().filter(|(scheme, _)| schemes.contains(scheme)).map(|(_, dpop)| *dpop);
        let proofs_only = dpop.clone().all(|dpop| dpop == Dpop::Required);
        let is_off = dpop.all(|dpop| dpop == Dpop::Off);
        Offer {
            realm: api.name.to_string(),
            metadata: api.metadata_address(),
            schemes,
            key_field: plan.key_field.clone(),
            proof_algorithms: if is_off { Vec::new() } else { plan.proofs.algorithms.clone() },
            proofs_only,
            ..Offer::default()
        }
    }
}

// === impl CorsPlan ===

/// Request fields that pages may set where the configuration names none, beside the field of API keys.
const PAGE_FIELDS: [&str; 3] = ["authorization", "content-type", "dpop"];

impl CorsPlan {
    /// Names of request fields that pages may set. `key_field` is where API keys come.
    #[must_use]
    pub fn page_fields(&self, key_field: &str) -> Vec<String> {
        let usual = || PAGE_FIELDS.iter().map(|name| (*name).to_owned()).chain([key_field.to_owned()]).collect();
        self.headers.clone().unwrap_or_else(usual)
    }
}

// === impl LifecyclePlan ===

impl LifecyclePlan {
    /// What each answer says of it: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), `Link` (RFC 8288, relations of these and of RFC
    /// 5829). Names are in lower case.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let mut links = Vec::new();
        if let Some(page) = &self.link {
            let relations = [("deprecation", self.deprecated_at), ("sunset", self.sunset_at)];
            let stated = relations.into_iter().filter(|(_, at)| at.is_some());
            links.extend(stated.map(|(relation, _)| format!("<{page}>; rel=\"{relation}\"; type=\"text/html\"")));
        }
        links.extend(self.successor.iter().map(|path| format!("<{path}>; rel=\"successor-version\"")));
        let fields = [
            ("deprecation", self.deprecated_at.map(|at| format!("@{at}"))),
            ("sunset", self.sunset_at.map(|at| Moment::of_unix(at).imf())),
            ("link", Some(links.join(", ")).filter(|link| !link.is_empty())),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

// === impl VersionPlan ===

impl VersionPlan {
    /// The whole path template of a route, and for a default version the one without its segment.
    #[must_use]
    pub fn paths(&self, api: &ApiPlan, route: &RoutePlan) -> Vec<String> {
        let mut paths = Vec::new();
        if let Some(segment) = &self.path {
            paths.push(format!("{}/{segment}{}", api.base_path, route.template));
        }
        if self.path.is_none() || self.default {
            paths.push(format!("{}{}", api.base_path, route.template));
        }
        paths
    }
}

// === impl RoutePlan ===

impl RoutePlan {
    /// What it comes to for somebody, as far as that can be told without a request.
    #[must_use]
    pub fn outlook(&self, who: Standing<'_>) -> Outlook {
        let is_known = who != Standing::Anonymous;
        let comes = match &self.authn {
            Authn::Public => return Outlook::Allowed,
            Authn::Refuse => return Outlook::Refused,
            Authn::Demand(plan) => is_known || matches!(plan.demand, Demand::AnyOf { anonymous: true, .. }),
        };
        match &self.authz {
            _ if !comes => Outlook::Refused,
            None => Outlook::Allowed,
            Some(authz) => {
                let rules: Vec<Rule> = authz.rules.iter().map(|rule| rule.rule.clone()).collect();
                Outlook::of(&rules, who)
            }
        }
    }

    /// Whether nobody may call it because no rule allows anything. One that says so itself (`authn: refuse`) is none of them.
    #[must_use]
    pub fn is_forgotten(&self) -> bool {
        let is_allowed = |authz: &AuthzPlan| authz.rules.iter().any(|rule| rule.rule.effect == Effect::Allow);
        matches!(self.authn, Authn::Demand(_)) && self.authz.as_ref().is_some_and(|authz| !is_allowed(authz))
    }

    /// The limits that can count anybody here.
    pub fn held_limits(&self) -> impl Iterator<Item = &Arc<LimitPlan>> {
        self.limits.entries.iter().filter(|plan| applies(plan, &self.authn))
    }

    /// The methods as people read them: `any` stands for all.
    #[must_use]
    pub fn method_names(&self) -> Vec<String> {
        match &self.methods {
            Methods::Any => vec!["any".to_owned()],
            Methods::Only(names) => names.clone(),
        }
    }
}

// === impl AuthzPlan ===

impl AuthzPlan {
    /// The roles that its rules speak of, or that callers can come to have by its map.
    pub fn roles(&self) -> impl Iterator<Item = &String> {
        let of_rules = self.rules.iter().flat_map(|rule| &rule.rule.roles);
        let of_map = self.source.map.iter().flatten().flat_map(|(_, to)| to);
        of_rules.chain(of_map)
    }
}

// === impl ShapePlan ===

impl ShapePlan {
    /// Everybody that a rule speaks of, one condition each; those of whom none is true are not among them.
    pub fn audiences(&self) -> impl Iterator<Item = Who> {
        let named = self.masks.iter().flat_map(|mask| mask.audience.only_for.iter().chain([&mask.audience.unless]));
        named.flat_map(|who| {
            let roles = who.roles.iter().map(|role| Who { roles: vec![role.clone()], ..Who::default() });
            let scopes = who.scopes.iter().map(|scope| Who { scopes: vec![scope.clone()], ..Who::default() });
            let consumers = who.consumers.iter().map(|one| Who { consumers: vec![one.clone()], ..Who::default() });
            let claims = who.claims.iter().flat_map(|(claim, values)| {
                values.iter().map(|value| Who { claims: vec![(claim.clone(), vec![value.clone()])], ..Who::default() })
            });
            roles.chain(scopes).chain(consumers).chain(claims)
        })
    }
}

// === impl MaskPlan ===

impl MaskPlan {
    /// What somebody sees of what it is about. Of him one thing is true, or nothing.
    #[must_use]
    pub fn sight(&self, who: &Who) -> Sight {
        let granted = matches!(self.rule.select, Select::Grant(_) | Select::Declared);
        let only = self.audience.only_for.as_ref();
        let counts = only.is_none_or(|only| who.is_among(only)) && !who.is_among(&self.audience.unless);
        match (counts, granted) {
            (true, true) => Sight::Allowed,
            (false, true) => Sight::NotAllowed,
            (true, false) => Sight::Masked(self.rule.action.to_string()),
            (false, false) => Sight::Clear,
        }
    }

    /// What it is about, and where that is written: in the configuration, or in the contract.
    #[must_use]
    pub fn fields(&self, outline: Option<&Outline>) -> Vec<(String, String)> {
        let here = |field: String| (field, self.origin.to_string());
        match &self.rule.select {
            Select::Paths(paths) | Select::Grant(paths) => paths.iter().map(|path| here(path.to_string())).collect(),
            Select::Detect(detectors) => detectors.iter().map(|one| here(format!("any {}", one.name()))).collect(),
            Select::Declared => vec![here("what the contract declares".to_owned())],
            Select::Marked(meanings) => {
                let of = |meaning| outline.map(|one| one.places(meaning)).unwrap_or_default();
                let places = meanings.iter().flat_map(of);
                places.map(|(place, mark)| (place, format!("{}:{}", mark.file, mark.line))).collect()
            }
        }
    }
}

// === impl Who ===

impl Who {
    /// Whether what is true of somebody makes him one of these.
    fn is_among(&self, these: &Self) -> bool {
        let shares = |own: &[String], wanted: &[String]| own.iter().any(|one| wanted.contains(one));
        let has_claim = |(claim, own): &(String, Vec<String>)| {
            these.claims.iter().any(|(name, wanted)| name == claim && shares(own, wanted))
        };
        shares(&self.roles, &these.roles)
            || shares(&self.scopes, &these.scopes)
            || shares(&self.consumers, &these.consumers)
            || self.claims.iter().any(has_claim)
    }
}

// === impl Sight ===

impl std::fmt::Display for Sight {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Clear => "in clear",
            Self::Masked(left) => left,
            Self::Allowed => "allowed",
            Self::NotAllowed => "not allowed",
        })
    }
}
