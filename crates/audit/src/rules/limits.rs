//! How much may come in.

use super::{Looks, Practice, Rule, Severity, Subject, rule};
use portcullis_config::plan::{FloodLimits, KeyPart, LimitPlan, ListenerPlan};
use portcullis_limit::Kind;

const P: Practice = Practice::Limits;

pub(super) const RULES: &[Rule] = &[
    rule(
        "PC0501",
        P,
        Severity::High,
        (
            "no limit by address stands before an operation",
            "Whoever has one machine can use up what the servers can do, and guess credentials as fast as they answer.",
            "Let `defaults.limits.per_address` be, or set one that fits.",
        ),
        &["API4:2023", "ASVS 2.4.1", "CWE-770"],
        ("defaults: { limits: { per_address: { mode: off } } }", ""),
        by_address,
    ),
    rule(
        "PC0502",
        P,
        Severity::Medium,
        (
            "no limit by caller stands before an operation",
            "One caller can use up what all share, from many addresses.",
            "Let `limits.per_principal` be, or set one that fits.",
        ),
        &["API4:2023", "CWE-770"],
        ("defaults: { limits: { per_principal: { mode: off } } }", ""),
        by_caller,
    ),
    rule(
        "PC0503",
        P,
        Severity::Low,
        ("a limit is only watched", "It counts and refuses nobody.", "Take `mode: observe` away once its numbers fit."),
        &["API4:2023"],
        ("defaults: { limits: { per_address: { rate: 10/s, mode: observe } } }", ""),
        observed,
    ),
    rule(
        "PC0504",
        P,
        Severity::Medium,
        (
            "a limit does not count large networks",
            "Whoever gets hold of one machine in them is not limited.",
            "List the machines that need it.",
        ),
        &["API4:2023"],
        ("defaults: { limits: { per_address: { rate: 10/s, exempt: ['10.0.0.0/8'] } } }", ""),
        exempt,
    ),
    rule(
        "PC0505",
        P,
        Severity::Low,
        (
            "a limit by address allows more than 1,000 requests a second",
            "It stops accidents and no attack.",
            "Lower it to several times what one caller needs.",
        ),
        &["API4:2023"],
        ("defaults: { limits: { per_address: { rate: 5000/s } } }", ""),
        generous,
    ),
    rule(
        "PC0506",
        P,
        Severity::Medium,
        (
            "clients may be very slow",
            "A few slow clients hold all connections (Slowloris).",
            "Let `body_rate` and `send_rate` be, or raise them.",
        ),
        &["API4:2023", "CWE-400"],
        (
            "listeners: { public: { bind: '127.0.0.1:8443', limits: { body_rate: 10B }, tls: { self_signed: { names: [a], directory: ./tls } } } }",
            "",
        ),
        slow,
    ),
    rule(
        "PC0507",
        P,
        Severity::Low,
        (
            "the head of a request may take longer than 30 seconds",
            "Each such client holds a connection for nothing.",
            "Lower `head_timeout`.",
        ),
        &["API4:2023", "CWE-400"],
        (
            "listeners: { public: { bind: '127.0.0.1:8443', limits: { head_timeout: 60s }, tls: { self_signed: { names: [a], directory: ./tls } } } }",
            "",
        ),
        head_time,
    ),
    rule(
        "PC0508",
        P,
        Severity::Low,
        (
            "a connection may rest for more than five minutes",
            "Each costs memory, and there is a bound on them.",
            "Lower `idle_timeout`.",
        ),
        &["CWE-400"],
        (
            "listeners: { public: { bind: '127.0.0.1:8443', limits: { idle_timeout: 10m }, tls: { self_signed: { names: [a], directory: ./tls } } } }",
            "",
        ),
        idle,
    ),
    rule(
        "PC0509",
        P,
        Severity::Low,
        (
            "a connection may carry more than 250 requests at once",
            "One client can fill what all share.",
            "Lower `http2.streams`.",
        ),
        &["API4:2023", "CWE-770"],
        (
            "listeners: { public: { bind: '127.0.0.1:8443', http2: { streams: 500 }, tls: { self_signed: { names: [a], directory: ./tls } } } }",
            "",
        ),
        streams,
    ),
    rule(
        "PC0510",
        P,
        Severity::Medium,
        (
            "a bound on floods of HTTP/2 was raised to more than four times its default",
            "The floods that it stops are cheap to make (CVE-2023-44487 and its like).",
            "Let the default be, or raise it as far as your clients need.",
        ),
        &["API4:2023", "CWE-400"],
        (
            "listeners: { public: { bind: '127.0.0.1:8443', http2: { floods: { resets: 2000 } }, tls: { self_signed: { names: [a], directory: ./tls } } } }",
            "",
        ),
        floods,
    ),
    rule(
        "PC0511",
        P,
        Severity::Low,
        (
            "an operation may take more than two minutes",
            "Slow answers hold memory and connections.",
            "Lower `timeout`; answers that go on have `streams`.",
        ),
        &["API4:2023", "CWE-400"],
        (
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, routes: [{ path: /, methods: [GET], timeout: 10m }] }",
            "",
        ),
        long,
    ),
    rule(
        "PC0512",
        P,
        Severity::Low,
        (
            "answers that go on may do so for more than a day",
            "Nobody asks again whether their caller may still see them.",
            "Lower `streams.lifetime`.",
        ),
        &["CWE-613"],
        (
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'], streams: { lifetime: 48h } }, routes: [{ path: /, methods: [GET] }] }",
            "",
        ),
        endless,
    ),
];

fn by_address(subject: &Subject<'_>, looks: &mut Looks) {
    for operation in subject.open_operations() {
        let well = operation.limits().iter().any(|limit| limit.key.contains(&KeyPart::Address));
        looks.at(operation.place(), operation.origin(), well, || "no limit has `address` in its key".to_owned());
    }
}

fn by_caller(subject: &Subject<'_>, looks: &mut Looks) {
    for operation in subject.operations().filter(super::super::rule::Operation::demands) {
        let well = operation.limits().iter().any(|limit| limit.needs_caller());
        looks.at(operation.place(), operation.origin(), well, || "no limit is about the caller".to_owned());
    }
}

/// Each limit once, however many operations it stands before.
fn limits(subject: &Subject<'_>, looks: &mut Looks, well: impl Fn(&LimitPlan) -> Result<(), String>) {
    let mut seen: Vec<*const LimitPlan> = Vec::new();
    for limit in subject.operations().flat_map(|operation| operation.limits()) {
        let here = std::sync::Arc::as_ptr(limit);
        if seen.contains(&here) {
            continue;
        }
        seen.push(here);
        let outcome = well(limit);
        let place = format!("{}.limits.{}", limit.scope, limit.name);
        looks.at(place, limit.origin.as_ref(), outcome.is_ok(), || outcome.err().unwrap_or_default());
    }
}

fn observed(subject: &Subject<'_>, looks: &mut Looks) {
    limits(subject, looks, |limit| {
        let shadow = limit.all_policies().any(portcullis_limit::Policy::is_shadow);
        if shadow { Err("`mode: observe`".to_owned()) } else { Ok(()) }
    });
}

fn exempt(subject: &Subject<'_>, looks: &mut Looks) {
    limits(subject, looks, |limit| match limit.exempt.iter().find(|network| network.prefix() < 16) {
        Some(network) => Err(format!("{network} is not counted")),
        None => Ok(()),
    });
}

fn generous(subject: &Subject<'_>, looks: &mut Looks) {
    limits(subject, looks, |limit| {
        if !limit.key.contains(&KeyPart::Address) {
            return Ok(());
        }
        let fast = limit.all_policies().find_map(|policy| match policy.kind() {
            Kind::Rate { units, per_ns, .. } => {
                let second = units.saturating_mul(1_000_000_000).checked_div(per_ns).unwrap_or(0);
                (second > 1_000).then_some(second)
            }
            Kind::Window { .. } | Kind::Quota { .. } | Kind::Concurrency { .. } => None,
        });
        fast.map_or(Ok(()), |second| Err(format!("{second} a second")))
    });
}

fn listeners(subject: &Subject<'_>, looks: &mut Looks, well: impl Fn(&ListenerPlan) -> Result<(), String>) {
    for listener in &subject.plan.listeners {
        let outcome = well(listener);
        looks.at(&*listener.name, None, outcome.is_ok(), || outcome.err().unwrap_or_default());
    }
}

fn unless(broken: bool, words: impl FnOnce() -> String) -> Result<(), String> {
    if broken { Err(words()) } else { Ok(()) }
}

fn slow(subject: &Subject<'_>, looks: &mut Looks) {
    listeners(subject, looks, |listener| {
        let least = listener.limits.pace.body_rate.min(listener.limits.pace.send_rate);
        unless(least < 60, || format!("{least} bytes a second are enough"))
    });
}

fn head_time(subject: &Subject<'_>, looks: &mut Looks) {
    listeners(subject, looks, |listener| {
        let seconds = listener.limits.head_timeout.as_secs();
        unless(seconds > 30, || format!("`head_timeout` is {seconds} s"))
    });
}

fn idle(subject: &Subject<'_>, looks: &mut Looks) {
    listeners(subject, looks, |listener| {
        let seconds = listener.limits.idle_timeout.as_secs();
        unless(seconds > 300, || format!("`idle_timeout` is {seconds} s"))
    });
}

fn streams(subject: &Subject<'_>, looks: &mut Looks) {
    listeners(subject, looks, |listener| {
        let streams = listener.http2.as_ref().map_or(0, |http2| http2.streams);
        unless(streams > 250, || format!("`http2.streams` is {streams}"))
    });
}

fn floods(subject: &Subject<'_>, looks: &mut Looks) {
    let all = |limits: &FloodLimits| {
        let FloodLimits { resets, settings, pings, empty_data, priorities, window_updates, continuations } = *limits;
        [resets, settings, pings, empty_data, priorities, window_updates, continuations]
    };
    listeners(subject, looks, |listener| {
        let Some(http2) = &listener.http2 else { return Ok(()) };
        let usual = all(&FloodLimits::default());
        let raised = all(&http2.floods).into_iter().zip(usual).find(|(own, usual)| *own > usual.saturating_mul(4));
        raised.map_or(Ok(()), |(own, usual)| Err(format!("{own} instead of {usual}")))
    });
}

fn long(subject: &Subject<'_>, looks: &mut Looks) {
    for operation in subject.open_operations() {
        let seconds = operation.route.timeout.as_secs();
        looks.at(operation.place(), operation.origin(), seconds <= 120, || format!("`timeout` is {seconds} s"));
    }
}

fn endless(subject: &Subject<'_>, looks: &mut Looks) {
    for operation in subject.open_operations() {
        let hours = operation.route.upstream.streams.lifetime.as_secs() / 3600;
        looks.at(operation.place(), operation.origin(), hours <= 24, || format!("`streams.lifetime` is {hours} h"));
    }
}
