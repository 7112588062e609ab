//! Rules about what requests may hold, and what answers must not.

use super::Linter;
use crate::schema::{Draft, Spot};
use crate::tree::Shape;
use std::collections::HashSet;

/// LIMIT: schemas of one document that are looked at.
const SCHEMAS_MAX: usize = 100_000;

/// Formats whose texts have a length of their own.
const FIXED: &[&str] =
    &["date", "date-time", "time", "uuid", "ipv4", "ipv6", "hostname", "email", "duration", "int32", "int64"];
/// Parts about the same value.
const PARTS: &[&str] = &["allOf", "anyOf", "oneOf"];

// === impl Linter ===

impl Linter<'_> {
    pub(super) fn is_of_type(&mut self, spot: Spot, resource: u32, name: &str) -> bool {
        let Some((spot, _)) = self.walker.target(spot, resource) else { return false };
        self.types(spot).iter().any(|have| have == name)
    }

    fn types(&self, spot: Spot) -> Vec<String> {
        let Some(at) = self.library().member(spot, "type") else { return Vec::new() };
        let mut all = self.library().items(at);
        all.push(at);
        let text = |spot: Spot| match self.library().shape(spot) {
            Shape::Text(text) => Some(text.to_string()),
            Shape::Null | Shape::Bool(_) | Shape::Number(_) | Shape::List(_) | Shape::Map(_) => None,
        };
        all.into_iter().filter_map(text).collect()
    }

    /// A schema of a request, and all that is in it.
    pub(super) fn schema(&mut self, spot: Spot, resource: u32, part: bool) {
        let mut waiting = vec![(spot, resource, part)];
        while let Some((spot, resource, part)) = waiting.pop() {
            let Some((spot, resource)) = self.walker.target(spot, resource) else { continue };
            let is_map = matches!(self.library().shape(spot), Shape::Map(_));
            if !is_map || self.schemas.len() >= SCHEMAS_MAX || !self.schemas.insert((spot, part)) {
                continue;
            }
            if self.library().flag_at(spot, "readOnly") == Some(true) {
                continue;
            }
            self.one(spot, part);
            for word in PARTS {
                let items = self.library().member(spot, word).map(|at| self.library().items(at)).unwrap_or_default();
                waiting.extend(items.into_iter().map(|item| (item, resource, true)));
            }
            let properties = self.library().member(spot, "properties").map(|at| self.library().members(at));
            waiting.extend(properties.unwrap_or_default().into_iter().map(|(_, at)| (at, resource, false)));
            for word in ["items", "additionalProperties"] {
                waiting.extend(self.library().member(spot, word).map(|at| (at, resource, false)));
            }
        }
    }

    fn one(&mut self, spot: Spot, part: bool) {
        let types = self.types(spot);
        let has = |word: &str| self.library().member(spot, word).is_some();
        let is = |name: &str| types.iter().any(|have| have == name);
        let chosen = has("enum") || has("const");
        let whole = !part && !PARTS.iter().any(|word| has(word));
        let fixed = self.library().text_at(spot, "format").is_some_and(|format| FIXED.contains(&format));
        let below = has("maximum") || (has("exclusiveMaximum") && self.library().draft == Draft::Current);
        let above = has("minimum") || (has("exclusiveMinimum") && self.library().draft == Draft::Current);
        let open = self.library().flag_at(spot, "additionalProperties") == Some(true);
        let unanchored = self
            .library()
            .text_at(spot, "pattern")
            .is_some_and(|pattern| !pattern.starts_with('^') || !pattern.ends_with('$') || pattern.ends_with("\\$"));
        let findings = [
            ("C010", is("string") && !chosen && !has("maxLength") && !fixed, "the text may have any length"),
            ("C011", is("array") && !has("maxItems"), "the array may have any number of items"),
            (
                "C012",
                (is("integer") || is("number")) && !chosen && !fixed && !(below && above),
                "the number may have any size",
            ),
            (
                "C013",
                is("object") && whole && !has("additionalProperties") && !has("unevaluatedProperties"),
                "nothing says whether other members may be there",
            ),
            ("C014", open, "members of any kind may be there"),
            ("C015", types.is_empty() && whole && !chosen && !has("not"), "values of any type may be there"),
            ("C016", unanchored, "the pattern is met by any text that has a part like it"),
        ];
        for (number, broken, message) in findings {
            if broken {
                self.say(number, spot, message.to_owned());
            }
        }
    }

    /// A schema of an answer: what is a password must not be there.
    pub(super) fn secrets(&mut self, spot: Spot, resource: u32) {
        let mut seen = HashSet::new();
        let mut waiting = vec![(spot, resource)];
        while let Some((spot, resource)) = waiting.pop() {
            let Some((spot, resource)) = self.walker.target(spot, resource) else { continue };
            if seen.len() >= SCHEMAS_MAX || !seen.insert(spot) {
                continue;
            }
            let secret = self.library().text_at(spot, "format") == Some("password");
            if self.library().flag_at(spot, "writeOnly") == Some(true) {
                continue;
            }
            if secret {
                self.say("C034", spot, "a password may be in the answer".to_owned());
            }
            for word in PARTS {
                let items = self.library().member(spot, word).map(|at| self.library().items(at)).unwrap_or_default();
                waiting.extend(items.into_iter().map(|item| (item, resource)));
            }
            let properties = self.library().member(spot, "properties").map(|at| self.library().members(at));
            waiting.extend(properties.unwrap_or_default().into_iter().map(|(_, at)| (at, resource)));
            for word in ["items", "additionalProperties"] {
                waiting.extend(self.library().member(spot, word).map(|at| (at, resource)));
            }
        }
    }
}
