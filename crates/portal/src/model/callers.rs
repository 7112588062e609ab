//! Who may call an operation: how he proves who he is, and which rights he has to have.

use portcullis_access::Effect;
use portcullis_access::outlook::{Outlook, Standing};
use portcullis_auth::certificate::NameRule;
use portcullis_auth::principal::{Demand, Scheme};
use portcullis_config::plan::{Authn, DemandPlan, Dpop, Plan, RoutePlan};

/// Who may call.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Callers {
    /// Whether nobody may.
    pub closed: bool,
    /// Whether somebody who proves nothing may.
    pub anonymous: bool,
    /// The ways to prove who one is, of which one will do; none where nothing is asked.
    pub ways: Vec<Way>,
    /// As the configuration shows it.
    pub text: String,
    /// The scopes that rules ask for.
    pub scopes: Vec<String>,
    /// What everybody has to meet, as rules say it.
    pub demands: Vec<String>,
    /// What opens it, one of which will do, as rules say it; none where nothing more than a proof is asked.
    pub rules: Vec<String>,
    /// What the contract asks for, as it says it.
    pub contract: Option<String>,
    /// What it comes to for each role.
    pub roles: Vec<(String, String)>,
}

/// One way to prove who one is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Way {
    /// What it is called.
    pub title: String,
    /// The methods that it takes together.
    pub schemes: Vec<Scheme>,
    /// Whether a proof that the token is the caller's comes with it (DPoP).
    pub proof: Option<ProofFact>,
    /// Whose tokens are accepted.
    pub issuers: Vec<IssuerFact>,
    /// The field of an API key, and what a key begins with.
    pub key: Option<(String, String)>,
    /// Which names in a certificate say who calls.
    pub certificate_names: Vec<&'static str>,
    /// What a signature has to be.
    pub signature: Option<SignatureFact>,
}

/// Somebody whose tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerFact {
    /// The exact `iss`.
    pub issuer: String,
    /// One of these has to be in `aud`.
    pub audiences: Vec<String>,
    /// Claims that have to be there.
    pub claims: Vec<String>,
}

/// What a proof has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFact {
    /// Whether a token without one is refused.
    pub required: bool,
    /// The algorithms of keys.
    pub algorithms: Vec<&'static str>,
    /// Seconds after which it is too old.
    pub window: u64,
    /// Whether it needs a nonce of the gateway's.
    pub nonce: bool,
}

/// What a signature over a request has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureFact {
    /// What it covers, in written form.
    pub components: Vec<String>,
    /// Seconds after which it is too old.
    pub window: u64,
    /// Whether a nonce has to be in it.
    pub nonce: bool,
    /// The `tag` that it has to have.
    pub tag: Option<String>,
}

/// What the policy says about callers of a route.
pub(super) fn callers(plan: &Plan, route: &RoutePlan) -> Callers {
    let mut callers = match &route.authn {
        Authn::Public => Callers { anonymous: true, text: "public".to_owned(), ..Callers::default() },
        Authn::Refuse => Callers { closed: true, text: "refuse".to_owned(), ..Callers::default() },
        Authn::Demand(demand) => Callers {
            anonymous: matches!(demand.demand, Demand::AnyOf { anonymous: true, .. }),
            closed: route.is_forgotten(),
            ways: ways(plan, demand),
            text: demand.text.clone(),
            ..Callers::default()
        },
    };
    if let Some(contract) = route.contract.as_ref() {
        callers.contract = contract.security.as_ref().map(|security| security.text.clone());
    }
    let Some(authz) = route.authz.as_ref().filter(|_| !matches!(route.authn, Authn::Public)) else { return callers };
    for rule in authz.rules.iter().map(|rule| &rule.rule) {
        let said = match rule.effect {
            Effect::Require | Effect::Refuse => &mut callers.demands,
            Effect::Allow => &mut callers.rules,
        };
        said.push(rule.to_string());
        let scopes = rule.scopes.iter().chain(rule.ways.iter().flat_map(|way| &way.scopes));
        callers.scopes.extend(scopes.cloned());
    }
    callers.scopes.sort();
    callers.scopes.dedup();
    let mut roles: Vec<&String> = authz.roles().collect();
    roles.sort();
    roles.dedup();
    let standings = [("nobody in particular", Standing::Anonymous), ("any caller without a role", Standing::NoRole)];
    let named = roles.into_iter().map(|role| (role.as_str(), Standing::Role(role)));
    let shown = standings.into_iter().chain(named).map(|(name, who)| (name.to_owned(), told(&route.outlook(who))));
    callers.roles = shown.collect();
    callers
}

fn told(outlook: &Outlook) -> String {
    match outlook {
        Outlook::Allowed => "may".to_owned(),
        Outlook::Refused => "may not".to_owned(),
        Outlook::Depends(_) => format!("may with {outlook}"),
    }
}

fn ways(plan: &Plan, demand: &DemandPlan) -> Vec<Way> {
    match &demand.demand {
        Demand::AnyOf { schemes, .. } => {
            schemes.iter().flat_map(|scheme| variants(plan, demand, std::slice::from_ref(scheme))).collect()
        }
        Demand::AllOf(schemes) => variants(plan, demand, schemes),
    }
}

/// The same with a token that anybody can show, and with one that is bound to its holder.
fn variants(plan: &Plan, demand: &DemandPlan, schemes: &[Scheme]) -> Vec<Way> {
    let binding = schemes.iter().find_map(|scheme| match scheme {
        Scheme::Jwt => Some(demand.proofs.dpop),
        Scheme::Introspection => Some(demand.proofs.introspected),
        Scheme::ApiKey | Scheme::Certificate | Scheme::Signature => None,
    });
    let bound = |required| way(plan, demand, schemes, Some(required));
    match binding {
        None | Some(Dpop::Off) => vec![way(plan, demand, schemes, None)],
        Some(Dpop::Allowed) => vec![way(plan, demand, schemes, None), bound(false)],
        Some(Dpop::Required) => vec![bound(true)],
    }
}

fn way(plan: &Plan, demand: &DemandPlan, schemes: &[Scheme], bound: Option<bool>) -> Way {
    let has = |scheme| schemes.contains(&scheme);
    let identity = &plan.identity;
    let is_named = |name: &std::sync::Arc<str>| {
        (has(Scheme::Jwt) && demand.issuers.contains(name))
            || (has(Scheme::Introspection) && demand.introspection.as_ref() == Some(name))
    };
    let issuers = identity.issuers.iter().filter(|issuer| is_named(&issuer.name)).map(|issuer| IssuerFact {
        issuer: issuer.issuer.clone(),
        audiences: issuer.audiences.clone(),
        claims: issuer.required_claims.clone(),
    });
    let proofs = &identity.proofs;
    let signature = demand.proofs.signature.as_ref().filter(|_| has(Scheme::Signature));
    Way {
        title: schemes.iter().map(|scheme| called(*scheme, bound)).collect::<Vec<_>>().join(" and "),
        schemes: schemes.to_vec(),
        proof: bound.map(|required| ProofFact {
            required,
            algorithms: proofs.algorithms.iter().map(|algorithm| algorithm.name()).collect(),
            window: proofs.window.as_secs(),
            nonce: proofs.nonce,
        }),
        issuers: issuers.collect(),
        key: has(Scheme::ApiKey).then(|| (identity.key_field.clone(), identity.key_prefix.clone())),
        certificate_names: match has(Scheme::Certificate) {
            true => demand.proofs.certificate_names.iter().map(|name| name_of(*name)).collect(),
            false => Vec::new(),
        },
        signature: signature.map(|signature| SignatureFact {
            components: signature.rules.required.clone(),
            window: signature.rules.window_seconds,
            nonce: signature.rules.nonce,
            tag: signature.rules.tag.clone(),
        }),
    }
}

fn called(scheme: Scheme, bound: Option<bool>) -> &'static str {
    match (scheme, bound) {
        (Scheme::ApiKey, _) => "API key",
        (Scheme::Jwt, None) => "access token",
        (Scheme::Jwt, Some(_)) => "access token bound to a key (DPoP)",
        (Scheme::Introspection, None) => "opaque access token",
        (Scheme::Introspection, Some(_)) => "opaque access token bound to a key (DPoP)",
        (Scheme::Certificate, _) => "client certificate (mutual TLS)",
        (Scheme::Signature, _) => "signed request",
    }
}

fn name_of(rule: NameRule) -> &'static str {
    match rule {
        NameRule::SanDns => "a DNS name among its alternative names",
        NameRule::SanUri => "a URI among its alternative names",
        NameRule::SanEmail => "a mail address among its alternative names",
        NameRule::CommonName => "its common name",
    }
}
