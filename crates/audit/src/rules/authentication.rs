//! Who calls.

use super::{Looks, NO_EXAMPLES, Practice, Rule, Severity, Subject, rule};
use portcullis_auth::principal::{Demand, Scheme};
use portcullis_config::plan::{Authn, ClientPlan, DemandPlan, Dpop};

const P: Practice = Practice::Authentication;
const DAY_S: u64 = 86_400;

pub(super) const RULES: &[Rule] = &[
    rule(
        "PC0101",
        P,
        Severity::High,
        (
            "an operation that changes something is public",
            "Anybody can change data, without a name in any record.",
            "Demand a credential: `authn: { any_of: [...] }`.",
        ),
        &["API2:2023", "ASVS 6.1.1", "CWE-306"],
        (
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [POST] }] }",
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [POST], authn: refuse }] }",
        ),
        public_writes,
    ),
    rule(
        "PC0102",
        P,
        Severity::Medium,
        (
            "an operation that changes something needs no credential",
            "With `anonymous` among the ways, whoever shows nothing passes.",
            "Take `anonymous` away from operations that change something.",
        ),
        &["API2:2023", "CWE-306"],
        (
            "apis:\n  one: { hosts: [a.test], authn: { any_of: [{ api_key: {} }, anonymous] }, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [POST] }] }",
            "apis:\n  one: { hosts: [a.test], authn: { any_of: [{ api_key: {} }] }, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [POST] }] }",
        ),
        anonymous_writes,
    ),
    rule(
        "PC0103",
        P,
        Severity::Low,
        (
            "the credential of the caller goes on to the servers",
            "A server that is broken into can use what its callers showed anywhere else.",
            "Take `forward_credential` away and let servers read `X-Identity-Token` or the identity fields.",
        ),
        &["API2:2023", "CWE-522"],
        (
            "apis:\n  one: { hosts: [a.test], forward_credential: true, authn: { any_of: [{ api_key: {} }] }, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
            "",
        ),
        forwarded,
    ),
    rule(
        "PC0104",
        P,
        Severity::Low,
        (
            "tokens of this operation may be used by whoever has them",
            "A token that leaks from a log or a proxy opens until it ends.",
            "Take `dpop: off` away, or say `dpop: required` for callers that can.",
        ),
        &["API2:2023", "ASVS 10.3.5", "CWE-294"],
        (
            "apis:\n  one: { hosts: [a.test], authn: { any_of: [{ jwt: { issuers: [corp], dpop: off } }] }, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
            "",
        ),
        unbound,
    ),
    rule(
        "PC0105",
        P,
        Severity::Medium,
        (
            "client certificates are not looked up in lists of revoked ones",
            "A certificate whose key was stolen opens until it ends, often for years.",
            "Name `crl_files` beside `ca_files`, and keep them fresh.",
        ),
        &["API2:2023", "ASVS 12.3.5", "CWE-299"],
        (
            "listeners: { public: { bind: '127.0.0.1:8443', tls: { self_signed: { names: [a], directory: ./tls }, client_auth: { ca_files: [ca.pem] } } } }",
            "listeners: { public: { bind: '127.0.0.1:8443', tls: { self_signed: { names: [a], directory: ./tls }, client_auth: { ca_files: [ca.pem], crl_files: [ca.crl] } } } }",
        ),
        unrevoked,
    ),
    rule(
        "PC0106",
        P,
        Severity::Medium,
        (
            "answers about opaque tokens are believed for more than five minutes",
            "So long a token opens after its issuer has taken it back.",
            "Set `keep_active` to a minute or less.",
        ),
        &["API2:2023", "CWE-613"],
        (
            "issuers: { corp: { issuer: 'https://idp.test', audiences: [one], jwks: { file: k.json }, introspection: { uri: 'https://idp.test/i', keep_active: 10m, client: { basic: { id: g, secret: s } } } } }\napis:\n  one: { hosts: [a.test], authn: { any_of: [{ introspection: { issuer: corp } }] }, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
            "issuers: { corp: { issuer: 'https://idp.test', audiences: [one], jwks: { file: k.json }, introspection: { uri: 'https://idp.test/i', client: { basic: { id: g, secret: s } } } } }\napis:\n  one: { hosts: [a.test], authn: { any_of: [{ introspection: { issuer: corp } }] }, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
        ),
        kept_long,
    ),
    rule(
        "PC0107",
        P,
        Severity::Medium,
        (
            "opaque tokens need not be meant for this API",
            "Whoever has a token for any API of the issuer can use it here.",
            "Let the issuer name audiences in its answers and take `danger_no_audience` away.",
        ),
        &["API2:2023", "CWE-287"],
        (
            "issuers: { corp: { issuer: 'https://idp.test', audiences: [one], jwks: { file: k.json }, introspection: { uri: 'https://idp.test/i', danger_no_audience: true, client: { basic: { id: g, secret: s } } } } }\napis:\n  one: { hosts: [a.test], authn: { any_of: [{ introspection: { issuer: corp } }] }, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
            "issuers: { corp: { issuer: 'https://idp.test', audiences: [one], jwks: { file: k.json }, introspection: { uri: 'https://idp.test/i', client: { basic: { id: g, secret: s } } } } }\napis:\n  one: { hosts: [a.test], authn: { any_of: [{ introspection: { issuer: corp } }] }, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
        ),
        any_audience,
    ),
    rule(
        "PC0108",
        P,
        Severity::Low,
        (
            "the gateway proves itself to an issuer with a shared secret",
            "Whoever reads it anywhere can ask about tokens in the gateway's name.",
            "Use `private_key_jwt`, whose key never leaves this machine.",
        ),
        &["ASVS 10.4.16", "CWE-522"],
        (
            "issuers: { corp: { issuer: 'https://idp.test', audiences: [one], jwks: { file: k.json }, introspection: { uri: 'https://idp.test/i', client: { basic: { id: g, secret: s } } } } }\napis:\n  one: { hosts: [a.test], authn: { any_of: [{ introspection: { issuer: corp } }] }, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
            "issuers: { corp: { issuer: 'https://idp.test', audiences: [one], jwks: { file: k.json }, introspection: { uri: 'https://idp.test/i', client: { private_key_jwt: { id: g, key_file: g.pem } } } } }\napis:\n  one: { hosts: [a.test], authn: { any_of: [{ introspection: { issuer: corp } }] }, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
        ),
        shared_secret,
    ),
    rule(
        "PC0109",
        P,
        Severity::Medium,
        (
            "signed requests are good for more than five minutes",
            "Whoever records one has that long to send it again elsewhere.",
            "Set the window of signatures to five minutes or less.",
        ),
        &["API2:2023", "CWE-294"],
        NO_EXAMPLES,
        old_signatures,
    ),
    rule(
        "PC0110",
        P,
        Severity::Low,
        (
            "signed requests carry no nonce",
            "Within its window a recorded request can be sent again.",
            "Demand `nonce: true` of signatures.",
        ),
        &["CWE-294"],
        NO_EXAMPLES,
        no_nonce,
    ),
    rule(
        "PC0151",
        P,
        Severity::Medium,
        (
            "an API key never ends",
            "A key that nobody remembers stays a way in.",
            "Make keys with `--expires-days`, and rotate them.",
        ),
        &["API2:2023", "ASVS 13.3.4", "CWE-324"],
        NO_EXAMPLES,
        endless_keys,
    ),
    rule(
        "PC0152",
        P,
        Severity::Medium,
        (
            "an API key has not been used for 90 days",
            "What nobody uses, nobody misses when it is stolen.",
            "Revoke it: `portcullis keys revoke ID`.",
        ),
        &["API2:2023", "CWE-324"],
        NO_EXAMPLES,
        idle_keys,
    ),
    rule(
        "PC0153",
        P,
        Severity::Medium,
        (
            "an API key is older than a year",
            "The longer a key is used, the more places it has been seen in.",
            "Replace it: `portcullis keys rotate ID`.",
        ),
        &["API2:2023", "CWE-324"],
        NO_EXAMPLES,
        old_keys,
    ),
    rule(
        "PC0154",
        P,
        Severity::Low,
        (
            "an API key opens every API and names no rights",
            "It is worth more to a thief than to its holder.",
            "Make keys with `--api`, `--scope` or `--role`.",
        ),
        &["API5:2023", "CWE-272"],
        NO_EXAMPLES,
        broad_keys,
    ),
    rule(
        "PC0155",
        P,
        Severity::Low,
        (
            "an API key that was replaced still opens",
            "Two keys of one holder are two ways in.",
            "Revoke it once its holder uses the new one.",
        ),
        &["CWE-324"],
        NO_EXAMPLES,
        replaced_keys,
    ),
];

fn public_writes(subject: &Subject<'_>, looks: &mut Looks) {
    for operation in
        subject.open_operations().chain(subject.operations().filter(|one| one.route.authn == Authn::Refuse))
    {
        if operation.writes() {
            looks.at(operation.place(), operation.origin(), !operation.is_public(), || {
                "anybody may change something here".to_owned()
            });
        }
    }
}

fn anonymous_writes(subject: &Subject<'_>, looks: &mut Looks) {
    for operation in subject.operations().filter(super::super::rule::Operation::writes) {
        let Authn::Demand(plan) = &operation.route.authn else { continue };
        let anonymous = matches!(&plan.demand, Demand::AnyOf { anonymous: true, .. });
        looks.at(operation.place(), operation.origin(), !anonymous, || {
            format!("{} lets whoever shows nothing pass", plan.text)
        });
    }
}

fn forwarded(subject: &Subject<'_>, looks: &mut Looks) {
    for api in &subject.plan.apis {
        let first = api.versions.iter().flat_map(|version| &version.routes).next();
        looks.at(&*api.name, first.map(|route| &route.origin), !api.forward_credential, || {
            "its servers get the credential of each caller".to_owned()
        });
    }
}

fn demands<'a>(subject: &Subject<'a>) -> impl Iterator<Item = (super::super::rule::Operation<'a>, &'a DemandPlan)> {
    subject.operations().filter_map(|operation| match &operation.route.authn {
        Authn::Demand(plan) => Some((operation, &**plan)),
        Authn::Public | Authn::Refuse => None,
    })
}

fn accepts(plan: &DemandPlan, scheme: Scheme) -> bool {
    match &plan.demand {
        Demand::AnyOf { schemes, .. } | Demand::AllOf(schemes) => schemes.contains(&scheme),
    }
}

fn unbound(subject: &Subject<'_>, looks: &mut Looks) {
    for (operation, plan) in demands(subject).filter(|(_, plan)| accepts(plan, Scheme::Jwt)) {
        let well = plan.proofs.dpop != Dpop::Off;
        looks.at(operation.place(), operation.origin(), well, || {
            "`dpop: off`: bound tokens are not accepted".to_owned()
        });
    }
}

fn unrevoked(subject: &Subject<'_>, looks: &mut Looks) {
    for listener in &subject.plan.listeners {
        let Some(auth) = listener.tls.as_ref().and_then(|tls| tls.client_auth.as_ref()) else { continue };
        looks.at(&*listener.name, None, !auth.crl_files.is_empty(), || "it names no `crl_files`".to_owned());
    }
}

fn introspected<'a>(
    subject: &Subject<'a>,
) -> impl Iterator<Item = (&'a str, &'a portcullis_config::plan::IntrospectionPlan)> {
    subject.plan.identity.issuers.iter().filter_map(|issuer| Some((&*issuer.name, issuer.introspection.as_ref()?)))
}

fn kept_long(subject: &Subject<'_>, looks: &mut Looks) {
    for (name, plan) in introspected(subject) {
        let seconds = plan.keep_active.as_secs();
        looks.at(name, None, seconds <= 300, || format!("good answers are kept for {seconds} s"));
    }
}

fn any_audience(subject: &Subject<'_>, looks: &mut Looks) {
    for (name, plan) in introspected(subject) {
        looks.at(name, None, !plan.audience_optional, || "`danger_no_audience: true`".to_owned());
    }
}

fn shared_secret(subject: &Subject<'_>, looks: &mut Looks) {
    for (name, plan) in introspected(subject) {
        let well = matches!(plan.client, ClientPlan::PrivateKeyJwt { .. });
        looks.at(name, None, well, || "a secret that the issuer knows as well".to_owned());
    }
}

fn old_signatures(subject: &Subject<'_>, looks: &mut Looks) {
    for (operation, plan) in demands(subject) {
        let Some(signature) = &plan.proofs.signature else { continue };
        let seconds = signature.rules.window_seconds;
        looks.at(operation.place(), operation.origin(), seconds <= 300, || {
            format!("signatures are good for {seconds} s")
        });
    }
}

fn no_nonce(subject: &Subject<'_>, looks: &mut Looks) {
    for (operation, plan) in demands(subject) {
        let Some(signature) = &plan.proofs.signature else { continue };
        looks.at(operation.place(), operation.origin(), signature.rules.nonce, || "a nonce is not demanded".to_owned());
    }
}

fn keys(subject: &Subject<'_>, looks: &mut Looks, well: impl Fn(&crate::KeyFact, u64) -> Result<(), String>) {
    for key in &subject.facts.keys {
        let outcome = well(key, subject.facts.now);
        let place = format!("key {} of {}", key.id, key.consumer);
        looks.at(place, None, outcome.is_ok(), || outcome.err().unwrap_or_default());
    }
}

fn days(now: u64, then: u64) -> u64 {
    now.saturating_sub(then) / DAY_S
}

fn endless_keys(subject: &Subject<'_>, looks: &mut Looks) {
    keys(subject, looks, |key, _| key.expires_at.map(drop).ok_or_else(|| "it has no end".to_owned()));
}

fn idle_keys(subject: &Subject<'_>, looks: &mut Looks) {
    keys(subject, looks, |key, now| {
        let idle = days(now, key.last_used_at.unwrap_or(key.created_at));
        if idle < 90 { Ok(()) } else { Err(format!("it was not used for {idle} days")) }
    });
}

fn old_keys(subject: &Subject<'_>, looks: &mut Looks) {
    keys(subject, looks, |key, now| {
        let age = days(now, key.created_at);
        if age <= 365 { Ok(()) } else { Err(format!("it was made {age} days ago")) }
    });
}

fn broad_keys(subject: &Subject<'_>, looks: &mut Looks) {
    keys(subject, looks, |key, _| {
        if key.all_apis && !key.has_rights { Err("all APIs, no scopes, no roles".to_owned()) } else { Ok(()) }
    });
}

fn replaced_keys(subject: &Subject<'_>, looks: &mut Looks) {
    keys(
        subject,
        looks,
        |key, _| if key.replaced { Err("another key has taken its place".to_owned()) } else { Ok(()) },
    );
}
