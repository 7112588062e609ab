//! What the program is made of, and what is known against it.

use super::{Looks, NO_EXAMPLES, Practice, Rule, Severity, Subject, rule};
use crate::supply::Known;

const P: Practice = Practice::Updates;

/// Days after which a database does not say what is known.
const AGE_DAYS_MAX: u32 = 14;

pub(super) const RULES: &[Rule] = &[
    rule(
        "PC1401",
        P,
        Severity::High,
        (
            "the program has a package in it with a known vulnerability",
            "Who attacks reads the same advisories.",
            "Take a newer Portcullis, or build it with the version that mends it.",
        ),
        &["API8:2023", "ASVS 15.2.1", "CWE-1395"],
        NO_EXAMPLES,
        known,
    ),
    rule(
        "PC1402",
        P,
        Severity::Medium,
        (
            "the database of vulnerabilities is older than two weeks",
            "What became known since is not in it.",
            "Fetch it anew, best every day.",
        ),
        &["ASVS 15.2.1", "CWE-1104"],
        NO_EXAMPLES,
        old,
    ),
];

fn known(subject: &Subject<'_>, looks: &mut Looks) {
    let Some(known) = &subject.facts.known else { return };
    looks.places += usize::from(known.vulnerabilities().next().is_none());
    for one in known.vulnerabilities() {
        let (package, version) = &one.package;
        let builds = if one.build { ", which only helps to build" } else { "" };
        looks.at(format!("{package} {version}"), None, false, || {
            format!("{}{builds}: {}", one.advisory.id, one.advisory.title)
        });
    }
}

fn old(subject: &Subject<'_>, looks: &mut Looks) {
    let Some(known) = &subject.facts.known else { return };
    looks.at("database of vulnerabilities", None, !known.is_older(AGE_DAYS_MAX), || age(known));
}

fn age(known: &Known) -> String {
    known
        .age_days()
        .map_or_else(|| "no entry has a date".to_owned(), |days| format!("its newest entry is {days} days old"))
}
