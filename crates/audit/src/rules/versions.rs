//! How versions come to their end.

use super::{Looks, Practice, Rule, Severity, Subject, rule};
use portcullis_config::plan::{LifecyclePlan, VersionBy};

const P: Practice = Practice::Versions;

pub(super) const RULES: &[Rule] = &[
    rule(
        "PC0801",
        P,
        Severity::Low,
        (
            "a version that is over for 90 days is still in the configuration",
            "What nobody may call any more is only there to be forgotten.",
            "Take it out; callers then get 404 instead of 410.",
        ),
        &["API9:2023", "CWE-1059"],
        (
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, versions: { v1: { sunset_at: 2020-01-01, routes: [{ path: /, methods: [GET] }] } } }",
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, versions: { v1: { deprecated_at: 2026-01-01, sunset_at: 2099-01-01, deprecation_link: 'https://a.test/v2', routes: [{ path: /, methods: [GET] }] } } }",
        ),
        over,
    ),
    rule(
        "PC0802",
        P,
        Severity::Low,
        ("a deprecated version has no end", "Callers move when they know until when they have to.", "Set `sunset_at`."),
        &["API9:2023"],
        (
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, versions: { v1: { deprecated_at: 2026-01-01, routes: [{ path: /, methods: [GET] }] } } }",
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, versions: { v1: { deprecated_at: 2026-01-01, sunset_at: 2099-01-01, deprecation_link: 'https://a.test/v2', routes: [{ path: /, methods: [GET] }] } } }",
        ),
        endless,
    ),
    rule(
        "PC0803",
        P,
        Severity::Low,
        (
            "a version that comes to its end does not say where to go",
            "Callers see that it ends and not what to do.",
            "Set `deprecation_link`.",
        ),
        &["API9:2023"],
        (
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, versions: { v1: { sunset_at: 2099-01-01, routes: [{ path: /, methods: [GET] }] } } }",
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, versions: { v1: { deprecated_at: 2026-01-01, sunset_at: 2099-01-01, deprecation_link: 'https://a.test/v2', routes: [{ path: /, methods: [GET] }] } } }",
        ),
        nowhere,
    ),
    rule(
        "PC0804",
        P,
        Severity::Low,
        (
            "a request that names no version is refused, and nothing in its path says that there are versions",
            "Callers who do not know of the field are turned away, and move to whatever happens to answer.",
            "Give one version `default: true`.",
        ),
        &["API9:2023"],
        (
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, version_by: { header: X-API-Version }, versions: { v1: { routes: [{ path: /, methods: [GET] }] }, v2: { routes: [{ path: /, methods: [GET] }] } } }",
            "apis:\n  one: { hosts: [a.test], authn: public, upstream: { targets: ['https://10.0.0.1'] }, version_by: { header: X-API-Version }, versions: { v1: { routes: [{ path: /, methods: [GET] }] }, v2: { default: true, routes: [{ path: /, methods: [GET] }] } } }",
        ),
        unnamed,
    ),
];

fn ending(subject: &Subject<'_>, looks: &mut Looks, well: impl Fn(&LifecyclePlan) -> Result<(), String>) {
    for api in &subject.plan.apis {
        for version in &api.versions {
            let Some(plan) = &version.lifecycle else { continue };
            let outcome = well(plan);
            let place = format!("{}/{}", api.name, version.name.as_deref().unwrap_or_default());
            let origin = version.routes.first().map(|route| &route.origin);
            looks.at(place, origin, outcome.is_ok(), || outcome.err().unwrap_or_default());
        }
    }
}

fn over(subject: &Subject<'_>, looks: &mut Looks) {
    let now = i64::try_from(subject.facts.now).unwrap_or(i64::MAX);
    ending(subject, looks, |plan| match plan.sunset_at.map(|end| (now - end) / 86_400) {
        Some(days) if days > 90 => Err(format!("it ended {days} days ago")),
        Some(_) | None => Ok(()),
    });
}

fn endless(subject: &Subject<'_>, looks: &mut Looks) {
    ending(subject, looks, |plan| {
        if plan.deprecated_at.is_some() && plan.sunset_at.is_none() { Err("no `sunset_at`".to_owned()) } else { Ok(()) }
    });
}

fn nowhere(subject: &Subject<'_>, looks: &mut Looks) {
    ending(subject, looks, |plan| {
        if plan.link.is_none() && plan.successor.is_none() { Err("no `deprecation_link`".to_owned()) } else { Ok(()) }
    });
}

fn unnamed(subject: &Subject<'_>, looks: &mut Looks) {
    for api in subject.plan.apis.iter().filter(|api| api.version_by != VersionBy::Path) {
        let well = api.versions.iter().any(|version| version.default);
        let origin = api.versions.iter().find_map(|version| version.routes.first()).map(|route| &route.origin);
        looks.at(&*api.name, origin, well, || "`version_by` a field, and no version is the default".to_owned());
    }
}
