//! A rule as it is written: whom it speaks of, under which conditions, and what it does.

use crate::expression::Expression;
use crate::window::Window;
use portcullis_types::Network;
use std::fmt;

/// What a rule does where it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Refuses whatever it does not hold for.
    Require,
    /// Refuses whatever it holds for.
    Refuse,
    /// Allows what it holds for, unless another one refuses.
    Allow,
}

/// Whether a rule's decision counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It does.
    #[default]
    Enforce,
    /// It is recorded, and nobody is refused for it.
    Observe,
}

/// One way to meet a rule. All of it has to be so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// The caller has proved himself by one of the schemes of each of these; scopes and roles are those that come with the first.
    pub schemes: Vec<Vec<String>>,
    /// He has all of these scopes.
    pub scopes: Vec<String>,
    /// He has all of these roles.
    pub roles: Vec<String>,
    /// He is one of these consumers or subjects.
    pub consumers: Vec<String>,
    /// Each of these claims has one of its values, or, where it is a list, holds one.
    pub claims: Vec<(String, Vec<String>)>,
    /// The body sets none of these fields, which are told elsewhere.
    pub leaves: Vec<String>,
}

/// A rule. Every condition that is there has to hold; none at all holds for every caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it does.
    pub effect: Effect,
    /// Whether that counts.
    pub mode: Mode,
    /// Whether it also speaks of callers who have proved nothing.
    pub anonymous: bool,
    /// The caller has one of these roles.
    pub roles: Vec<String>,
    /// The caller has all of these scopes.
    pub scopes: Vec<String>,
    /// The caller is one of these consumers or subjects.
    pub consumers: Vec<String>,
    /// Each of these claims has one of its values, or, where it is a list, holds one.
    pub claims: Vec<(String, Vec<String>)>,
    /// The request comes from one of these networks.
    pub networks: Vec<Network>,
    /// It is one of these times.
    pub times: Vec<Window>,
    /// All of these are true of the request.
    pub when: Vec<Expression>,
    /// One of these ways has to be his, where there are some.
    pub ways: Vec<Way>,
    /// What is told elsewhere has to be true of the request as well, such as a policy in another language; this is what it
    /// is called.
    pub foreign: Option<String>,
}

// === impl Rule ===

impl Rule {
    /// A rule without conditions.
    #[must_use]
    pub const fn new(effect: Effect) -> Self {
        Self {
            effect,
            mode: Mode::Enforce,
            anonymous: false,
            roles: Vec::new(),
            scopes: Vec::new(),
            consumers: Vec::new(),
            claims: Vec::new(),
            networks: Vec::new(),
            times: Vec::new(),
            when: Vec::new(),
            ways: Vec::new(),
            foreign: None,
        }
    }

    /// Whether it holds for everybody it speaks of.
    #[must_use]
    pub fn is_unconditional(&self) -> bool {
        self.roles.is_empty() && self.scopes.is_empty() && self.consumers.is_empty() && self.needs().is_empty()
    }

    /// What, besides who calls, decides whether it holds.
    #[must_use]
    pub fn needs(&self) -> Vec<String> {
        // Whoever compares two rules has to see every value.
        let mut needs: Vec<String> = self.claims.iter().map(claim).collect();
        let any = |what: &str, all: Vec<String>| (!all.is_empty()).then(|| format!("{what} {}", all.join(" or ")));
        needs.extend(any("network", self.networks.iter().map(ToString::to_string).collect()));
        needs.extend(any("time", self.times.iter().map(ToString::to_string).collect()));
        needs.extend(self.when.iter().map(ToString::to_string));
        needs.extend((!self.ways.is_empty()).then(|| {
            let ways: Vec<String> = self.ways.iter().map(ToString::to_string).collect();
            ways.join(" or ")
        }));
        needs.extend(self.foreign.clone());
        needs
    }

    /// Whether this rule holds wherever the other one does, as far as that can be told from what is written.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        // Of alternatives, fewer is stricter; of demands, more.
        let any = |mine: &[String], its: &[String]| {
            mine.is_empty() || (!its.is_empty() && its.iter().all(|one| mine.contains(one)))
        };
        let claims = self.claims.iter().all(|(name, values)| {
            other.claims.iter().any(|(its, allowed)| its == name && allowed.iter().all(|one| values.contains(one)))
        });
        (self.anonymous || !other.anonymous)
            && any(&self.roles, &other.roles)
            && self.scopes.iter().all(|scope| other.scopes.contains(scope))
            && any(&self.consumers, &other.consumers)
            && claims
            && (self.networks.is_empty() || self.networks == other.networks)
            && (self.times.is_empty() || self.times == other.times)
            && self.when.iter().all(|one| other.when.contains(one))
            && (self.ways.is_empty() || self.ways == other.ways)
            && (self.foreign.is_none() || self.foreign == other.foreign)
    }
}

fn claim((name, values): &(String, Vec<String>)) -> String {
    format!("claim {name} {}", values.join(" or "))
}

// === impl Way ===

impl Way {
    /// Whether somebody who has proved nothing could take it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let Self { schemes, scopes, roles, consumers, claims, leaves: _ } = self;
        schemes.is_empty() && scopes.is_empty() && roles.is_empty() && consumers.is_empty() && claims.is_empty()
    }

    /// Whether nothing but roles decides.
    pub(crate) fn is_of_roles(&self) -> bool {
        let roles = Vec::new();
        Self { roles, ..self.clone() } == Self::default()
    }
}

impl fmt::Display for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.schemes.iter().map(|any| any.join("/")).collect();
        parts.extend(self.roles.iter().map(|role| format!("role {role}")));
        parts.extend(self.scopes.iter().map(|scope| format!("scope {scope}")));
        parts.extend((!self.consumers.is_empty()).then(|| format!("consumer {}", self.consumers.join("/"))));
        parts.extend(self.claims.iter().map(claim));
        parts.extend((!self.leaves.is_empty()).then(|| format!("body without {}", self.leaves.join(", "))));
        formatter.write_str(&parts.join(" with "))
    }
}

// === impl Effect ===

impl Effect {
    /// The word in files and tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Require => "require",
            Self::Refuse => "refuse",
            Self::Allow => "allow",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined =
            |what: &str, all: &[String], with: &str| (!all.is_empty()).then(|| format!("{what} {}", all.join(with)));
        let lists = [
            joined("role", &self.roles, " or "),
            joined("scope", &self.scopes, " and "),
            joined("consumer", &self.consumers, " or "),
        ];
        let mut parts: Vec<String> = lists.into_iter().flatten().collect();
        parts.extend(self.needs());
        if parts.is_empty() {
            parts.push(if self.anonymous { "anybody" } else { "every authenticated caller" }.to_owned());
        }
        let observed = if self.mode == Mode::Observe { " (observed)" } else { "" };
        write!(formatter, "{} {}{observed}", self.effect.word(), parts.join(", "))
    }
}
