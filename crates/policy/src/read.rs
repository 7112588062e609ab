//! Texts into policies, or every mistake with its place.

use crate::mention::Mentions;
use crate::world::{ANONYMOUS, CALLER, Kind, ROLE};
use cedar_policy::{
    ActionConstraint, Effect, EntityTypeName, EntityUid, ParseErrors, Policy, PolicyId, PolicySet, PrincipalConstraint,
    ResourceConstraint,
};
use miette::Diagnostic;
use std::collections::BTreeMap;

// LIMIT: policies of one level.
/// Policies that one level may have.
pub const POLICIES_MAX: usize = 1_000;

/// The annotations that mean something here; the last one is for people.
const ANNOTATIONS: [&str; 3] = ["id", "mode", "description"];

/// A place in one of the texts, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which text.
    pub file: usize,
    /// The first byte.
    pub start: usize,
    /// The byte behind the last.
    pub end: usize,
}

/// What is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub place: Place,
    /// Whether the policy can be read and can never decide anything.
    pub is_vain: bool,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// Of whom a policy speaks, as far as its head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principals {
    /// Of everybody.
    All,
    /// Of whoever has proved who he is.
    Known,
    /// Of whoever has this role.
    Role(String),
    /// Of this caller.
    Caller(String),
    /// Of those who have proved nothing.
    Anonymous,
    /// Only an evaluation tells.
    Other,
}

/// A policy, as far as its head says what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Where it stands.
    pub place: Place,
    /// Its name, if `@id` gives it one.
    pub name: Option<String>,
    /// Whether it permits; it forbids otherwise.
    pub permits: bool,
    /// Whether `@mode` says that its decision does not count.
    pub observes: Option<bool>,
    /// Of whom it speaks.
    pub principals: Principals,
    /// The operations that it is about; nothing for all.
    pub actions: Option<Vec<String>>,
    /// Whether more than its head decides.
    pub is_conditional: bool,
    /// Whether it speaks of the body of the request.
    pub reads_body: bool,
}

/// The policies of one level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    pub(crate) statements: Vec<Statement>,
    /// In the same order.
    pub(crate) policies: Vec<Policy>,
}

// === impl Policies ===

impl Policies {
    /// Reads texts.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn read(texts: &[&str]) -> Result<Self, Vec<Mistake>> {
        let (mut all, mut mistakes) = (Self::default(), Vec::new());
        for (file, text) in texts.iter().enumerate() {
            match text.parse::<PolicySet>() {
                Ok(set) => all.take(&set, file, text, &mut mistakes),
                Err(errors) => mistakes.extend(unreadable(&errors, file, text)),
            }
        }
        if all.policies.len() > POLICIES_MAX {
            let place = all.statements.get(POLICIES_MAX).map_or(Place { file: 0, start: 0, end: 0 }, |one| one.place);
            mistakes.push(place.mistake(format!("more than {POLICIES_MAX} policies"), "give policies to roles"));
        }
        if mistakes.is_empty() { Ok(all) } else { Err(mistakes) }
    }

    /// What each policy says of itself, in the order of the texts.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    fn take(&mut self, set: &PolicySet, file: usize, text: &str, mistakes: &mut Vec<Mistake>) {
        // The library numbers policies in the order in which they stand.
        let number = |id: &PolicyId| AsRef::<str>::as_ref(id).trim_start_matches("policy").parse::<usize>().ok();
        let ordered: BTreeMap<_, _> = set.policies().map(|policy| (number(policy.id()), policy)).collect();
        let mut from = 0;
        for policy in ordered.into_values() {
            let written = policy.to_cedar().unwrap_or_default();
            let start = text.get(from..).and_then(|rest| rest.find(&written)).map_or(from, |at| from + at);
            from = (start + written.len()).min(text.len());
            let place = Place { file, start, end: from };
            mistakes.extend(annotations(policy, place));
            self.statements.push(statement(policy, place));
            self.policies.push(policy.new_id(PolicyId::new((self.policies.len()).to_string())));
        }
        for template in set.templates() {
            let written = template.to_cedar();
            let start = text.find(&written).unwrap_or(0);
            let place = Place { file, start, end: (start + written.len()).min(text.len()) };
            mistakes.push(place.mistake("a template says nothing by itself", "put a value in the place of the slot"));
        }
    }
}

// === impl Place ===

impl Place {
    fn mistake(self, message: impl Into<String>, help: impl Into<String>) -> Mistake {
        Mistake { place: self, is_vain: false, message: message.into(), help: help.into() }
    }
}

/// What is there that means nothing.
fn annotations(policy: &Policy, place: Place) -> Vec<Mistake> {
    let wrong = |(name, value): (&str, &str)| match name {
        "mode" if !matches!(value, "observe" | "enforce") => Some(
            place.mistake(format!("there is no mode `{value}`"), "write `@mode(\"observe\")` or `@mode(\"enforce\")`"),
        ),
        "id" if value.is_empty() => Some(place.mistake("the name is empty", "write `@id(\"NAME\")`")),
        name if !ANNOTATIONS.contains(&name) => Some(place.mistake(
            format!("`@{name}` means nothing here"),
            "known are `@id(\"NAME\")`, `@mode(\"observe\")` and `@description(\"TEXT\")`",
        )),
        _ => None,
    };
    policy.annotations().filter_map(wrong).collect()
}

fn statement(policy: &Policy, place: Place) -> Statement {
    let principals = match policy.principal_constraint() {
        PrincipalConstraint::Any => Principals::All,
        PrincipalConstraint::Is(kind) if is(&kind, CALLER) => Principals::Known,
        PrincipalConstraint::Is(kind) if is(&kind, ANONYMOUS) => Principals::Anonymous,
        PrincipalConstraint::In(of) if is(of.type_name(), ROLE) => Principals::Role(id(&of)),
        PrincipalConstraint::IsIn(kind, of) if is(&kind, CALLER) && is(of.type_name(), ROLE) => {
            Principals::Role(id(&of))
        }
        PrincipalConstraint::Eq(one) if is(one.type_name(), CALLER) => Principals::Caller(id(&one)),
        PrincipalConstraint::Is(_)
        | PrincipalConstraint::In(_)
        | PrincipalConstraint::IsIn(..)
        | PrincipalConstraint::Eq(_) => Principals::Other,
    };
    let actions = match policy.action_constraint() {
        ActionConstraint::Any => None,
        ActionConstraint::Eq(one) => Some(vec![id(&one)]),
        ActionConstraint::In(all) => Some(all.iter().map(id).collect()),
    };
    let is_whole = policy.resource_constraint() == ResourceConstraint::Any && !policy.has_non_scope_constraint();
    let permits = policy.effect() == Effect::Permit;
    let is_told = match &principals {
        Principals::Role(_) | Principals::Caller(_) => true,
        // Who has proved nothing is not permitted by the way, and is forbidden with all others.
        Principals::All => true,
        Principals::Known => permits,
        Principals::Anonymous | Principals::Other => false,
    };
    Statement {
        place,
        name: policy.annotation("id").map(str::to_owned),
        permits,
        observes: policy.annotation("mode").map(|mode| mode == "observe"),
        principals,
        actions,
        is_conditional: !is_whole || !is_told,
        reads_body: speaks_of_body(policy),
    }
}

/// What cannot be looked at could speak of anything.
fn speaks_of_body(policy: &Policy) -> bool {
    policy.to_json().map_or(true, |json| {
        let mut mentions = Mentions::default();
        mentions.add(&json);
        mentions.speaks_of(Kind::Body)
    })
}

fn is(kind: &EntityTypeName, name: &str) -> bool {
    kind.basename() == name && kind.namespace_components().next().is_none()
}

fn id(uid: &EntityUid) -> String {
    uid.id().unescaped().to_owned()
}

fn unreadable(errors: &ParseErrors, file: usize, text: &str) -> Vec<Mistake> {
    let one = |error: &cedar_policy::ParseError| described(error, file, text, "write it as Cedar's grammar says");
    errors.iter().map(one).collect()
}

/// A mistake that the library has found; `help` where it has none.
pub(crate) fn described(error: &dyn Diagnostic, file: usize, text: &str, help: &str) -> Mistake {
    let label = error.labels().and_then(|mut labels| labels.next());
    let start = label.as_ref().map_or(0, |label| label.offset().min(text.len()));
    let end = label.as_ref().map_or(0, |label| label.offset().saturating_add(label.len())).min(text.len());
    let said = error.help().map_or_else(|| help.to_owned(), |help| help.to_string());
    Mistake {
        place: Place { file, start, end },
        is_vain: false,
        message: one_line(&error.to_string()),
        help: one_line(&said),
    }
}

/// On one line, beginning small and without a period, as all messages are.
fn one_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.trim_end_matches('.');
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
