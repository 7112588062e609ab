//! Whom a decision is about, and which of his roles count.

use serde_json::{Map, Value};
use std::borrow::Cow;

/// A caller who has proved who he is.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The consumer's id, or the token's subject.
    pub id: &'a str,
    /// The name, where there is one.
    pub username: Option<&'a str>,
    /// Which issuer vouches for him.
    pub issuer: Option<&'a str>,
    /// How he has proved it: `jwt`, `api_key`.
    pub scheme: &'a str,
    /// How else he has proved himself.
    pub also: &'a [&'static str],
    /// What he was given.
    pub scopes: &'a [String],
    /// As whom, by his issuer or his key.
    pub roles: &'a [String],
    /// The claims of his token.
    pub claims: &'a Map<String, Value>,
}

/// Where roles come from and what they are called here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleSource {
    /// The claim that holds them, where that is not the issuer's; dots lead into objects.
    pub claim: Option<String>,
    /// Names of elsewhere with the roles that they are here. Where there is a map, only what it lists counts.
    pub map: Option<RoleMap>,
}

/// Names of elsewhere, each with the roles that it is here.
pub type RoleMap = Vec<(String, Vec<String>)>;

// === impl RoleSource ===

impl RoleSource {
    /// The roles of a caller as they are called elsewhere.
    pub(crate) fn each<'c>(&self, caller: &Caller<'c>, mut take: impl FnMut(&'c str)) {
        match &self.claim {
            // A key has no claims: what it holds stands in its own record.
            Some(claim) if !caller.claims.is_empty() => match claim_at(caller.claims, claim) {
                Some(Value::String(text)) => text.split(' ').filter(|part| !part.is_empty()).for_each(take),
                // A list that holds anything else gives no rights.
                Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
                    items.iter().filter_map(Value::as_str).for_each(take);
                }
                Some(Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {}
            },
            Some(_) | None => caller.roles.iter().for_each(|role| take(role)),
        }
    }

    /// The roles of a caller as they are called here.
    #[must_use]
    pub fn held<'a>(&'a self, caller: &Caller<'a>) -> Vec<&'a str> {
        let mut all = Vec::new();
        self.each(caller, |role| match self.map {
            None => all.push(role),
            Some(_) => all.extend(self.mapped(role)),
        });
        all
    }

    /// What a role of elsewhere is here.
    pub(crate) fn mapped<'s>(&'s self, role: &'s str) -> Vec<&'s str> {
        match &self.map {
            None => vec![role],
            Some(map) => {
                let of = map.iter().filter(|(from, _)| from == role);
                of.flat_map(|(_, to)| to.iter().map(String::as_str)).collect()
            }
        }
    }

    /// What of elsewhere is this role here.
    pub(crate) fn sources<'s>(&'s self, role: &'s str) -> Vec<&'s str> {
        match &self.map {
            None => vec![role],
            Some(map) => {
                let from = map.iter().filter(|(_, to)| to.iter().any(|one| one == role));
                from.map(|(from, _)| from.as_str()).collect()
            }
        }
    }
}

/// A claim by its whole name, or, where there is none, what a path with dots leads to.
#[must_use]
pub fn claim_at<'c>(claims: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    let mut steps = path.split('.');
    let first = claims.get(steps.next()?)?;
    steps.try_fold(first, |at, step| at.get(step))
}

/// A claim's value as text; nothing for what is not a single value.
pub(crate) fn plain(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
