//! What pages of other origins may do.

use super::{Looks, Practice, Rule, Severity, Subject, rule};
use portcullis_config::plan::{CorsPlan, Origins, WebSocketPlan};

const P: Practice = Practice::Headers;

pub(super) const RULES: &[Rule] = &[
    rule(
        "PC0701",
        P,
        Severity::Medium,
        (
            "pages of any origin may read answers",
            "Any page that a caller looks at can use this API from the caller's network.",
            "List `origins`.",
        ),
        &["API8:2023", "ASVS 3.4.2", "CWE-942"],
        (
            "apis:\n  one: { hosts: [a.test], cors: { origins: ['*'] }, authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
            "apis:\n  one: { hosts: [a.test], cors: { origins: ['https://app.test'] }, authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
        ),
        any_origin,
    ),
    rule(
        "PC0702",
        P,
        Severity::Medium,
        (
            "pages that came in plain HTTP may read answers",
            "Whoever is on the way can put anything into such a page.",
            "List origins with `https://`.",
        ),
        &["API8:2023", "CWE-319"],
        (
            "apis:\n  one: { hosts: [a.test], cors: { origins: ['http://app.test'] }, authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
            "apis:\n  one: { hosts: [a.test], cors: { origins: ['https://app.test'] }, authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
        ),
        plain_origin,
    ),
    rule(
        "PC0703",
        P,
        Severity::Low,
        (
            "pages of every host below a name may read answers",
            "A forgotten host below it that somebody takes over is trusted as well.",
            "List the hosts that need it.",
        ),
        &["CWE-942"],
        (
            "apis:\n  one: { hosts: [a.test], cors: { origins: ['https://*.app.test'] }, authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
            "apis:\n  one: { hosts: [a.test], cors: { origins: ['https://app.test'] }, authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
        ),
        below,
    ),
    rule(
        "PC0704",
        P,
        Severity::Medium,
        (
            "public pages may call into a private network",
            "A page on the internet can reach this API through the browser of somebody inside.",
            "Take `private_network` away unless that is what the API is for.",
        ),
        &["API7:2023"],
        (
            "apis:\n  one: { hosts: [a.test], cors: { origins: ['https://app.test'], private_network: true }, authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
            "apis:\n  one: { hosts: [a.test], cors: { origins: ['https://app.test'] }, authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
        ),
        private,
    ),
    rule(
        "PC0705",
        P,
        Severity::High,
        (
            "pages of any origin may open a WebSocket",
            "A page that a caller looks at talks in the caller's name (cross-site WebSocket hijacking).",
            "List `websocket.origins`.",
        ),
        &["API8:2023", "ASVS 4.4.2", "CWE-1385"],
        (
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET], websocket: { origins: ['*'] } }] }",
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET], websocket: { origins: ['https://app.test'] } }] }",
        ),
        any_socket,
    ),
];

fn cors(subject: &Subject<'_>, looks: &mut Looks, well: impl Fn(&CorsPlan) -> Result<(), String>) {
    for api in &subject.plan.apis {
        let Some(plan) = &api.cors else { continue };
        let outcome = well(plan);
        looks.at(&*api.name, None, outcome.is_ok(), || outcome.err().unwrap_or_default());
    }
}

fn any_origin(subject: &Subject<'_>, looks: &mut Looks) {
    cors(
        subject,
        looks,
        |plan| if plan.origins == Origins::Any { Err("`origins: [\"*\"]`".to_owned()) } else { Ok(()) },
    );
}

fn listed(plan: &CorsPlan, wrong: impl Fn(&&String) -> bool) -> Result<(), String> {
    match &plan.origins {
        Origins::Any => Ok(()),
        Origins::Only(origins) => origins.iter().find(wrong).map_or(Ok(()), |origin| Err(origin.clone())),
    }
}

fn plain_origin(subject: &Subject<'_>, looks: &mut Looks) {
    let here = |origin: &str| origin.starts_with("http://localhost") || origin.starts_with("http://127.");
    cors(subject, looks, |plan| listed(plan, |origin| origin.starts_with("http://") && !here(origin)));
}

fn below(subject: &Subject<'_>, looks: &mut Looks) {
    cors(subject, looks, |plan| listed(plan, |origin| origin.contains('*')));
}

fn private(subject: &Subject<'_>, looks: &mut Looks) {
    cors(subject, looks, |plan| if plan.private_network { Err("`private_network: true`".to_owned()) } else { Ok(()) });
}

fn any_socket(subject: &Subject<'_>, looks: &mut Looks) {
    for operation in subject.open_operations() {
        let Some(WebSocketPlan { origins, .. }) = &operation.route.websocket else { continue };
        let well = *origins != Origins::Any;
        looks.at(operation.place(), operation.origin(), well, || "`origins: [\"*\"]`".to_owned());
    }
}
