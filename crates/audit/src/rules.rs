//! The rules, by practice.

mod access;
mod authentication;
mod gateway;
mod headers;
mod https;
mod input;
mod jwt;
mod limits;
mod logging;
mod updates;
mod versions;

use crate::rule::{Looks, Subject};
use crate::{Practice, Rule, Severity};

/// All of them.
pub(crate) static ALL: &[&[Rule]] = &[
    authentication::RULES,
    jwt::RULES,
    https::RULES,
    input::RULES,
    limits::RULES,
    access::RULES,
    headers::RULES,
    versions::RULES,
    logging::RULES,
    gateway::RULES,
    updates::RULES,
];

type Look = fn(&Subject<'_>, &mut Looks);
/// Title, why, fix.
type Words = (&'static str, &'static str, &'static str);
/// A configuration that breaks the rule, and one that does not.
type Examples = (&'static str, &'static str);
/// For rules about something else than the configuration.
const NO_EXAMPLES: Examples = ("", "");

const fn rule(
    id: &'static str,
    practice: Practice,
    severity: Severity,
    words: Words,
    refs: &'static [&'static str],
    examples: Examples,
    look: Look,
) -> Rule {
    let (title, why, fix) = words;
    Rule { id, practice, severity, title, why, fix, refs, examples, look }
}
