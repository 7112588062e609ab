//! Whom the gateway believes, and what stands behind it.

use super::{Looks, Practice, Rule, Severity, Subject, rule};
use portcullis_config::plan::HostPattern;

const P: Practice = Practice::Gateway;

pub(super) const RULES: &[Rule] = &[
    rule(
        "PC1001",
        P,
        Severity::Low,
        (
            "an API answers for any host",
            "Requests that were meant for another name reach it, and names that others point here.",
            "List its `hosts`.",
        ),
        &["API8:2023", "CWE-346"],
        (
            "apis:\n  one: { hosts: ['*'], authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
            "",
        ),
        any_host,
    ),
    rule(
        "PC1002",
        P,
        Severity::High,
        (
            "large networks are believed about where requests come from",
            "Whoever is in them can claim any address, and so pass limits and lists by address.",
            "List the proxies in front of the gateway.",
        ),
        &["API8:2023", "ASVS 15.3.4", "CWE-348"],
        (
            "listeners: { public: { bind: '127.0.0.1:8443', trusted_proxies: ['10.0.0.0/8'], tls: { self_signed: { names: [a], directory: ./tls } } } }",
            "listeners: { public: { bind: '127.0.0.1:8443', trusted_proxies: ['10.1.2.3'], tls: { self_signed: { names: [a], directory: ./tls } } } }",
        ),
        believed,
    ),
    rule(
        "PC1003",
        P,
        Severity::High,
        (
            "a protection was switched off on purpose",
            "A setting that begins with `danger_` does what its name says.",
            "Take it away, or waive this rule with the reason.",
        ),
        &["API8:2023", "CWE-16"],
        ("listeners: { public: { bind: '0.0.0.0:8080', danger_plaintext: true } }", ""),
        dangers,
    ),
    rule(
        "PC1004",
        P,
        Severity::Low,
        (
            "servers are not watched",
            "A server that fails is asked until somebody notices.",
            "Add `health` or `ejection` to the upstream.",
        ),
        &["ASVS 16.4.1"],
        (
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1', 'https://10.0.0.2'] }, routes: [{ path: /, methods: [GET] }] }",
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1', 'https://10.0.0.2'], ejection: {} }, routes: [{ path: /, methods: [GET] }] }",
        ),
        unwatched,
    ),
    rule(
        "PC1005",
        P,
        Severity::Low,
        (
            "servers may be asked for as much at once as comes",
            "A server that slows down gets ever more to do.",
            "Set `connections` of the upstream, and a `queue`, or let `adaptive` find out what it bears.",
        ),
        &["API4:2023", "CWE-770"],
        (
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'], connections: 100 }, routes: [{ path: /, methods: [GET] }] }",
        ),
        unbounded,
    ),
    rule(
        "PC1006",
        P,
        Severity::Medium,
        (
            "the pages for developers are served in plain HTTP to other machines",
            "They say how each API is protected, and whoever is on the way can change what they tell people to run.",
            "Bind it to loopback, and put a listener with TLS in front of it.",
        ),
        &["API8:2023", "ASVS 12.2.1", "CWE-319"],
        ("portal: { bind: '0.0.0.0:9902', danger_exposed: true }", "portal: { bind: '127.0.0.1:9902' }"),
        pages,
    ),
    rule(
        "PC1007",
        P,
        Severity::High,
        (
            "the store that gateways share asks for no password",
            "Whoever reaches it gives himself every limit, or takes it from others.",
            "Set `shared_store.password: { env: STORE_PASSWORD }`, and the same at the store.",
        ),
        &["API8:2023", "ASVS 13.2.3", "CWE-306"],
        (
            "shared_store: { servers: ['rediss://10.0.0.9:6379'] }\napis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, limits: { all: { key: [address], rate: 10/s, shared: true } }, routes: [{ path: /, methods: [GET] }] }",
            "shared_store: { servers: ['rediss://10.0.0.9:6379'], password: '0123456789abcdef' }\napis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, limits: { all: { key: [address], rate: 10/s, shared: true } }, routes: [{ path: /, methods: [GET] }] }",
        ),
        unasked,
    ),
];

fn any_host(subject: &Subject<'_>, looks: &mut Looks) {
    for api in &subject.plan.apis {
        looks.at(&*api.name, None, !api.hosts.contains(&HostPattern::Any), || "`hosts: [\"*\"]`".to_owned());
    }
}

fn believed(subject: &Subject<'_>, looks: &mut Looks) {
    for listener in &subject.plan.listeners {
        let trusted = &listener.provenance.trusted;
        let large = trusted.iter().find(|network| network.prefix() < 16);
        if !trusted.is_empty() {
            looks.at(&*listener.name, None, large.is_none(), || {
                format!("{} is believed", large.map(ToString::to_string).unwrap_or_default())
            });
        }
    }
}

fn dangers(subject: &Subject<'_>, looks: &mut Looks) {
    looks.places += usize::from(subject.plan.dangers.is_empty());
    for danger in &subject.plan.dangers {
        looks.at(&*danger.path, Some(&danger.origin), false, || danger.message.clone());
    }
}

/// Each upstream once.
fn upstreams(
    subject: &Subject<'_>,
    looks: &mut Looks,
    well: impl Fn(&portcullis_config::plan::UpstreamPlan) -> Option<bool>,
    words: &str,
) {
    let mut seen = Vec::new();
    for operation in subject.open_operations() {
        let upstream = &operation.route.upstream;
        if seen.contains(&&*upstream.name) {
            continue;
        }
        seen.push(&*upstream.name);
        if let Some(well) = well(upstream) {
            looks.at(format!("upstream {}", upstream.name), operation.origin(), well, || words.to_owned());
        }
    }
}

fn unwatched(subject: &Subject<'_>, looks: &mut Looks) {
    let watched = |upstream: &portcullis_config::plan::UpstreamPlan| {
        let pool = &upstream.pool;
        (upstream.targets.len() > 1).then_some(pool.health.is_some() || pool.ejection.is_some())
    };
    upstreams(subject, looks, watched, "neither `health` nor `ejection`");
}

fn unbounded(subject: &Subject<'_>, looks: &mut Looks) {
    let bounded = |upstream: &portcullis_config::plan::UpstreamPlan| {
        Some(upstream.pool.connections.is_some() || upstream.pool.adaptive.is_some())
    };
    upstreams(subject, looks, bounded, "neither `connections` nor `adaptive`");
}

fn pages(subject: &Subject<'_>, looks: &mut Looks) {
    if let Some(portal) = &subject.plan.portal {
        looks.at("portal", None, portal.bind.ip().is_loopback(), || format!("it listens on {}", portal.bind));
    }
}

fn unasked(subject: &Subject<'_>, looks: &mut Looks) {
    let Some(store) = &subject.plan.shared_store else { return };
    if store.servers.iter().any(|server| !server.is_within_machine()) {
        looks.at("shared_store", None, store.password.is_some(), || "no `password`".to_owned());
    }
}
