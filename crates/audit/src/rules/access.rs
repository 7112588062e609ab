//! Who may do what.

use super::{Looks, Practice, Rule, Severity, Subject, rule};
use portcullis_access::{Effect, Mode};
use portcullis_config::plan::RoutePlan;

const P: Practice = Practice::Access;

pub(super) const RULES: &[Rule] = &[
    rule(
        "PC0601",
        P,
        Severity::Medium,
        (
            "whoever has a credential may use an operation",
            "Without rules, a credential for anything is a credential for everything.",
            "Add `authz` rules; what none of them allows is refused.",
        ),
        &["API5:2023", "ASVS 8.2.1", "CWE-862"],
        (
            "apis:\n  one: { hosts: [a.test], authn: { any_of: [{ api_key: {} }] }, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
            "",
        ),
        unruled,
    ),
    rule(
        "PC0602",
        P,
        Severity::High,
        (
            "an object is reached by its id, and no rule looks whose it is",
            "Whoever may use the operation can read or change what belongs to others (BOLA, the most common flaw of APIs).",
            "Add `owner:` or `tenant:` to the rule that allows it, or let `learned` ask whether it was shown.",
        ),
        &["API1:2023", "ASVS 8.2.2", "CWE-639"],
        (
            "apis:\n  one: { hosts: [a.test], authn: { any_of: [{ api_key: {} }] }, authz: { rules: [{ operations: [get], roles: [reader] }] }, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ id: get, path: '/{userId}', methods: [GET] }] }",
            "apis:\n  one: { hosts: [a.test], authn: { any_of: [{ api_key: {} }] }, authz: { rules: [{ operations: [get], owner: path.userId == principal.sub }] }, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ id: get, path: '/{userId}', methods: [GET] }] }",
        ),
        ownerless,
    ),
    rule(
        "PC0603",
        P,
        Severity::Medium,
        (
            "a rule about who may do what is only watched",
            "It decides, and nobody is refused for it.",
            "Take `mode: observe` away once its records are as they should be.",
        ),
        &["API5:2023"],
        (
            "apis:\n  one: { hosts: [a.test], authn: { any_of: [{ api_key: {} }] }, authz: { rules: [{ operations: [get], roles: [a], mode: observe }] }, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ id: get, path: /, methods: [GET] }] }",
            "",
        ),
        observed,
    ),
    rule(
        "PC0604",
        P,
        Severity::Medium,
        (
            "whoever is known may change something",
            "A rule allows it to every caller, whatever his role or scope.",
            "Name `roles`, `scopes`, `consumers` or an `owner` in the rule.",
        ),
        &["API5:2023", "ASVS 8.2.1", "CWE-285"],
        (
            "apis:\n  one: { hosts: [a.test], authn: { any_of: [{ api_key: {} }] }, authz: { rules: [{ operations: [put], callers: authenticated }] }, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ id: put, path: /, methods: [PUT] }] }",
            "apis:\n  one: { hosts: [a.test], authn: { any_of: [{ api_key: {} }] }, authz: { rules: [{ operations: [put], roles: [writer] }] }, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ id: put, path: /, methods: [PUT] }] }",
        ),
        everybody,
    ),
];

fn unruled(subject: &Subject<'_>, looks: &mut Looks) {
    for operation in subject.operations().filter(super::super::rule::Operation::demands) {
        looks.at(operation.place(), operation.origin(), operation.route.authz.is_some(), || {
            "no rule limits it".to_owned()
        });
    }
}

fn ownerless(subject: &Subject<'_>, looks: &mut Looks) {
    for operation in subject.operations().filter(super::super::rule::Operation::demands) {
        let Some(authz) = operation.route.authz.as_ref().filter(|_| names_object(operation.route)) else { continue };
        // Required of everybody, or in whatever allows; those with a role of their own are operators.
        let looked = authz.rules.iter().any(|rule| rule.asks_learned || !rule.rule.when.is_empty());
        looks.at(operation.place(), operation.origin(), looked, || {
            format!("`{}` is allowed without a look at whose it is", operation.route.template)
        });
    }
}

/// Whether a parameter of a path can say which object is meant. The last two segments of a call of gRPC are service and method.
fn names_object(route: &RoutePlan) -> bool {
    let skipped = if route.grpc { 2 } else { 0 };
    route.template.rsplit('/').skip(skipped).any(|segment| segment.contains('{'))
}

fn observed(subject: &Subject<'_>, looks: &mut Looks) {
    for operation in subject.operations() {
        for rule in operation.route.authz.iter().flat_map(|authz| &authz.rules) {
            let well = rule.rule.mode == Mode::Enforce;
            let place = format!("{}: rule {}", operation.place(), rule.name);
            looks.at(place, Some(&rule.origin), well, || "`mode: observe`".to_owned());
        }
    }
}

fn everybody(subject: &Subject<'_>, looks: &mut Looks) {
    for operation in subject.operations().filter(|operation| operation.demands() && operation.writes()) {
        let Some(authz) = &operation.route.authz else { continue };
        let open = authz.rules.iter().find(|rule| rule.rule.effect == Effect::Allow && rule.rule.is_unconditional());
        // A requirement on top of it limits it.
        let limited = authz.rules.iter().any(|rule| rule.rule.effect == Effect::Require);
        looks.at(operation.place(), operation.origin(), open.is_none() || limited, || {
            format!("rule {} allows it to every caller", open.map(|rule| rule.name.to_string()).unwrap_or_default())
        });
    }
}
