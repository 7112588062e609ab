//! What of answers leaves.

use std::sync::Arc;

use portcullis_mask::Rule;
use portcullis_types::Outline;

use super::Origin;

/// What happens to the answers of a route.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShapePlan {
    /// What is not for everybody; empty where answers leave as they are.
    pub masks: Vec<MaskPlan>,
    /// What the contract declares for its answers, where a rule or a mark is about that.
    pub outline: Option<Arc<Outline>>,
    /// What becomes of errors of servers.
    pub errors: ErrorsPlan,
    /// Where that is said; `None` is what is built in.
    pub errors_origin: Option<Origin>,
}

/// What becomes of errors of servers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ErrorsPlan {
    /// They leave as they are.
    Pass,
    /// Those that give something away are replaced.
    #[default]
    Scrub,
    /// All of them are replaced.
    Replace,
}

/// One rule about values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskPlan {
    /// Given, or where it stands.
    pub name: Arc<str>,
    /// What is masked, and how.
    pub rule: Rule,
    /// For whom it counts.
    pub audience: Audience,
    /// As people write it.
    pub text: String,
    /// Where it is written.
    pub origin: Origin,
}

/// For whom a rule counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    /// For these alone, if it is said.
    pub only_for: Option<Who>,
    /// Not for these.
    pub unless: Who,
}

/// Callers of whom one of these is true.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// They have one of these roles.
    pub roles: Vec<String>,
    /// They have one of these scopes.
    pub scopes: Vec<String>,
    /// They are one of these.
    pub consumers: Vec<String>,
    /// A claim has one of these values.
    pub claims: Vec<(String, Vec<String>)>,
}

// === impl ErrorsPlan ===

impl ErrorsPlan {
    /// As people write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Scrub => "scrub",
            Self::Replace => "replace",
        }
    }
}

// === impl Audience ===

impl Audience {
    /// Whether it is for everybody.
    #[must_use]
    pub fn is_everybody(&self) -> bool {
        self.only_for.is_none() && self.unless.is_nobody()
    }
}

// === impl Who ===

impl Who {
    /// Whether nobody is meant.
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        self.roles.is_empty() && self.scopes.is_empty() && self.consumers.is_empty() && self.claims.is_empty()
    }

    /// As people read it: `roles: support`.
    #[must_use]
    pub fn text(&self) -> String {
        let lists = [("roles", &self.roles), ("scopes", &self.scopes), ("consumers", &self.consumers)];
        let named = lists.into_iter().filter(|(_, list)| !list.is_empty());
        let mut parts: Vec<String> = named.map(|(name, list)| format!("{name}: {}", list.join(", "))).collect();
        parts.extend(self.claims.iter().map(|(claim, values)| format!("claims.{claim}: {}", values.join(", "))));
        parts.join("; ")
    }
}
