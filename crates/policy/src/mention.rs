//! Which values of a request policies speak of, so that no others are looked up for them.

use crate::world::Kind;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// What is spoken of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mentions {
    /// Members of anything, by name.
    pub(crate) names: BTreeSet<String>,
    /// Values by kind and name.
    values: BTreeSet<(Kind, String)>,
    /// Records that are spoken of as a whole.
    wholes: BTreeSet<Kind>,
    /// The context is spoken of as a whole.
    is_context_whole: bool,
}

// === impl Mentions ===

impl Mentions {
    /// Adds what the conditions of a policy speak of; `policy` is its JSON form.
    pub(crate) fn add(&mut self, policy: &Json) {
        let conditions = policy.get("conditions").and_then(Json::as_array);
        conditions.into_iter().flatten().filter_map(|one| one.get("body")).for_each(|body| self.visit(body, None));
    }

    /// Whether a member of the principal, the resource or the context is needed.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.is_context_whole || self.names.contains(name)
    }

    /// Whether any value of a kind is needed.
    pub(crate) fn speaks_of(&self, kind: Kind) -> bool {
        self.names.contains(kind.record())
    }

    /// Whether a value is needed.
    pub(crate) fn wants(&self, kind: Kind, name: &str) -> bool {
        let is_whole = self.wholes.contains(&kind) || self.is_context_whole;
        is_whole || self.values.iter().any(|(have, one)| *have == kind && one == name)
    }

    /// `member` is what is asked of this expression, if one member of it is.
    fn visit(&mut self, expression: &Json, member: Option<&str>) {
        match expression {
            Json::Object(object) => {
                for (operator, operands) in object {
                    match operator.as_str() {
                        "." | "has" => self.access(operands, member),
                        "Var" if operands == "context" && member.is_none() => self.is_context_whole = true,
                        _ => self.visit(operands, None),
                    }
                }
            }
            Json::Array(all) => all.iter().for_each(|one| self.visit(one, None)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }

    fn access(&mut self, operands: &Json, member: Option<&str>) {
        let left = operands.get("left").unwrap_or(&Json::Null);
        let attribute = operands.get("attr").and_then(Json::as_str).unwrap_or_default();
        self.names.insert(attribute.to_owned());
        if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.record() == attribute) {
            match member {
                Some(member) => drop(self.values.insert((kind, member.to_owned()))),
                None => drop(self.wholes.insert(kind)),
            }
        }
        self.visit(left, Some(attribute));
    }
}
