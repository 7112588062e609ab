//! What a rule is.

use crate::Facts;
use portcullis_config::Plan;
use portcullis_config::plan::{ApiPlan, Authn, LimitPlan, Methods, Origin, RoutePlan, VersionPlan};
use std::sync::Arc;

/// Which practice a rule belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Practice {
    /// Who calls.
    Authentication,
    /// Tokens.
    Jwt,
    /// Encryption.
    Https,
    /// What comes in.
    Input,
    /// How much of it.
    Limits,
    /// Who may do what.
    Access,
    /// What pages of other origins may do.
    Headers,
    /// How versions come to their end.
    Versions,
    /// What operators see.
    Logging,
    /// Whom the gateway believes, and what stands behind it.
    Gateway,
    /// What the program is made of.
    Updates,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Low,
    /// To be mended at the next occasion.
    Medium,
    /// To be mended now.
    High,
    /// The door is open.
    Critical,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its number, such as `PC0301`; it never changes.
    pub id: &'static str,
    /// Where it belongs.
    pub practice: Practice,
    /// How bad it is if it is broken.
    pub severity: Severity,
    /// What is wrong then, in a few words.
    pub title: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// Entries of OWASP API Security Top 10 (2023), ASVS 5.0 and CWE.
    pub refs: &'static [&'static str],
    /// A configuration that breaks it and one that does not, as sections that take the place of
    /// those of a small sound one; empty where it is about
    /// something else than the configuration.
    pub examples: (&'static str, &'static str),
    pub(crate) look: fn(&Subject<'_>, &mut Looks),
}

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) facts: &'a Facts,
}

/// An operation with what it belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation<'a> {
    pub(crate) api: &'a ApiPlan,
    pub(crate) version: &'a VersionPlan,
    pub(crate) route: &'a RoutePlan,
}

/// What one rule saw.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    pub(crate) places: usize,
    pub(crate) broken: Vec<(String, Option<Origin>, String)>,
}

// === impl Looks ===

impl Looks {
    /// A place where the rule matters, and whether all is well there; what is not is said in words.
    pub(crate) fn at(
        &mut self,
        place: impl Into<String>,
        origin: Option<&Origin>,
        well: bool,
        words: impl FnOnce() -> String,
    ) {
        self.places += 1;
        if !well {
            self.broken.push((place.into(), origin.cloned(), words()));
        }
    }
}

// === impl Subject ===

impl<'a> Subject<'a> {
    pub(crate) fn operations(&self) -> impl Iterator<Item = Operation<'a>> {
        self.plan.apis.iter().flat_map(|api| {
            api.versions
                .iter()
                .flat_map(move |version| version.routes.iter().map(move |route| Operation { api, version, route }))
        })
    }

    /// Operations that anybody can reach in some way.
    pub(crate) fn open_operations(&self) -> impl Iterator<Item = Operation<'a>> {
        self.operations().filter(|operation| operation.route.authn != Authn::Refuse)
    }
}

// === impl Operation ===

impl<'a> Operation<'a> {
    /// `api/version/operation`.
    pub(crate) fn place(&self) -> String {
        match &self.version.name {
            Some(version) => format!("{}/{version}/{}", self.api.name, self.route.id),
            None => format!("{}/{}", self.api.name, self.route.id),
        }
    }

    pub(crate) fn origin(&self) -> Option<&'a Origin> {
        Some(&self.route.origin)
    }

    /// Whether it changes something.
    pub(crate) fn writes(&self) -> bool {
        match &self.route.methods {
            Methods::Any => true,
            Methods::Only(methods) => methods.iter().any(|method| !matches!(&**method, "GET" | "HEAD" | "OPTIONS")),
        }
    }

    pub(crate) fn is_public(&self) -> bool {
        self.route.authn == Authn::Public
    }

    pub(crate) fn demands(&self) -> bool {
        matches!(self.route.authn, Authn::Demand(_))
    }

    pub(crate) fn limits(&self) -> &'a [Arc<LimitPlan>] {
        &self.route.limits.entries
    }
}

// === impl Practice ===

impl Practice {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Authentication,
        Self::Jwt,
        Self::Https,
        Self::Input,
        Self::Limits,
        Self::Access,
        Self::Headers,
        Self::Versions,
        Self::Logging,
        Self::Gateway,
        Self::Updates,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Jwt => "JWT validation",
            Self::Https => "HTTPS",
            Self::Input => "input validation",
            Self::Limits => "rate limiting",
            Self::Access => "access control",
            Self::Headers => "security headers",
            Self::Versions => "versioning",
            Self::Logging => "logging and monitoring",
            Self::Gateway => "gateway",
            Self::Updates => "updates and patches",
        }
    }
}

// === impl Severity ===

impl Severity {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// From its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High, Self::Critical].into_iter().find(|severity| severity.name() == name)
    }

    /// What it counts in a score.
    #[must_use]
    pub const fn weight(self) -> u32 {
        match self {
            Self::Low => 1,
            Self::Medium => 3,
            Self::High => 6,
            Self::Critical => 10,
        }
    }
}
