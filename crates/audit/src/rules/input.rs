//! What comes in.

use super::{Looks, Practice, Rule, Severity, Subject, rule};
use portcullis_config::plan::{ContractMode, Methods};

const P: Practice = Practice::Input;
const MIB: u64 = 1024 * 1024;

pub(super) const RULES: &[Rule] = &[
    rule(
        "PC0401",
        P,
        Severity::Medium,
        (
            "an operation answers every method",
            "Methods that nobody thought of reach the server.",
            "List the methods that it has.",
        ),
        &["API8:2023", "ASVS 4.1.4", "CWE-650"],
        (
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [any] }] }",
            "",
        ),
        any_method,
    ),
    rule(
        "PC0402",
        P,
        Severity::Low,
        (
            "bodies may be larger than 10 MiB",
            "Large bodies cost memory and time behind the gateway.",
            "Lower `body_bytes` to what the operation needs.",
        ),
        &["API4:2023", "CWE-770"],
        (
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [POST], body_bytes: 100MiB }] }",
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [POST] }] }",
        ),
        large,
    ),
    rule(
        "PC0403",
        P,
        Severity::Medium,
        (
            "whatever lies below a path is one operation",
            "What is not declared one by one is not looked at one by one: rules, limits and records cannot tell it apart.",
            "Declare the operations below it.",
        ),
        &["API9:2023", "CWE-1059"],
        (
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: '/{*rest}', methods: [GET] }] }",
            "",
        ),
        everything,
    ),
    rule(
        "PC0404",
        P,
        Severity::Low,
        (
            "parameters may stand in the segments of a path",
            "Servers disagree about `;`: what one takes for a parameter is part of the name for another.",
            "Take `allow_path_parameters` away.",
        ),
        &["CWE-436"],
        (
            "apis:\n  one: { hosts: [a.test], allow_path_parameters: true, authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET] }] }",
            "",
        ),
        parameters,
    ),
    rule(
        "PC0405",
        P,
        Severity::Low,
        (
            "heads of requests may be larger than 64 KiB",
            "Nobody needs that much; it is memory for each connection.",
            "Lower `head_bytes`.",
        ),
        &["API4:2023", "CWE-770"],
        (
            "listeners: { public: { bind: '127.0.0.1:8443', limits: { head_bytes: 128KiB }, tls: { self_signed: { names: [a], directory: ./tls } } } }",
            "",
        ),
        heads,
    ),
    rule(
        "PC0406",
        P,
        Severity::Medium,
        (
            "requests are not held to the contract that is there",
            "What the contract forbids reaches the servers all the same.",
            "Write `validation: { request: enforce }`, once the report about it is empty.",
        ),
        &["API8:2023", "ASVS 2.2.1", "CWE-20"],
        (
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, openapi: o.yaml, validation: { request: report } }",
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, openapi: o.yaml, validation: { request: enforce } }",
        ),
        unheld,
    ),
    rule(
        "PC0407",
        P,
        Severity::High,
        (
            "requests are not looked at for attacks, or attacks are let through",
            "Injections reach servers that nobody has written against them.",
            "Write `waf: { mode: enforce }`; `portcullis waf tune` finds the exceptions that honest requests need.",
        ),
        &["API8:2023", "ASVS 1.2.4", "CWE-74"],
        (
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, waf: { mode: observe }, routes: [{ path: /, methods: [GET] }] }",
            "",
        ),
        unguarded,
    ),
];

fn any_method(subject: &Subject<'_>, looks: &mut Looks) {
    for operation in subject.open_operations() {
        let well = operation.route.methods != Methods::Any;
        looks.at(operation.place(), operation.origin(), well, || "`methods: [any]`".to_owned());
    }
}

fn large(subject: &Subject<'_>, looks: &mut Looks) {
    for operation in subject.open_operations().filter(super::super::rule::Operation::writes) {
        let bytes = operation.route.body_bytes;
        looks.at(operation.place(), operation.origin(), bytes <= 10 * MIB, || format!("up to {} MiB", bytes / MIB));
    }
}

fn everything(subject: &Subject<'_>, looks: &mut Looks) {
    for operation in subject.open_operations() {
        let well = !operation.route.template.contains("{*");
        looks.at(operation.place(), operation.origin(), well, || format!("`{}`", operation.route.template));
    }
}

fn parameters(subject: &Subject<'_>, looks: &mut Looks) {
    for api in &subject.plan.apis {
        looks.at(&*api.name, None, !api.allow_path_parameters, || "`allow_path_parameters: true`".to_owned());
    }
}

fn heads(subject: &Subject<'_>, looks: &mut Looks) {
    for listener in &subject.plan.listeners {
        let kib = listener.limits.head_bytes / 1024;
        looks.at(&*listener.name, None, kib <= 64, || format!("`head_bytes` is {kib} KiB"));
    }
}

fn unheld(subject: &Subject<'_>, looks: &mut Looks) {
    for operation in subject.open_operations() {
        let Some(contract) = &operation.route.contract else { continue };
        let mode = contract.plan.request;
        looks.at(operation.place(), operation.origin(), mode == ContractMode::Enforce, || {
            format!("`validation.request: {}`", mode.name())
        });
    }
}

fn unguarded(subject: &Subject<'_>, looks: &mut Looks) {
    // Calls of gRPC are streamed; no rule reads what is in them.
    for operation in subject.open_operations().filter(|operation| !operation.route.grpc) {
        let waf = operation.route.waf.as_ref();
        looks.at(operation.place(), operation.origin(), waf.is_some_and(|waf| waf.enforces), || {
            if waf.is_some() { "`waf.mode: observe`".to_owned() } else { "`waf.mode: off`".to_owned() }
        });
    }
}
