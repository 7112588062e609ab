//! Of which values a schema without `type` speaks: what has only rules for numbers is about numbers, and a text that looks like one
//! must not escape them.

use crate::schema::{Library, Spot};
use crate::tree::Shape;
use std::collections::HashSet;

/// LIMIT: schemas that are looked through for one value.
const SCHEMAS_MAX: usize = 200;

const NUMBERS: &[&str] = &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const TEXTS: &[&str] = &["minLength", "maxLength", "pattern"];
const NUMBER_FORMATS: &[&str] = &["int32", "int64", "float", "double"];

/// Values that are spoken of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spoken {
    pub(super) number: bool,
    pub(super) text: bool,
    pub(super) bool: bool,
    /// Rules, not only lists of values, stand for numbers and for texts.
    pub(super) rules_for_both: bool,
    /// A condition speaks of numbers.
    pub(super) condition: bool,
}

// === impl Spoken ===

impl Spoken {
    /// Of a schema and all that is about the same value, what must not fit and conditions included.
    pub(super) fn of(library: &Library, spot: Spot, resource: u32) -> Self {
        let (mut spoken, mut seen) = (Self::default(), HashSet::new());
        let (mut numbers, mut texts) = (false, false);
        let mut waiting = vec![(spot, resource, false)];
        while let Some((spot, within, inner)) = waiting.pop() {
            if !seen.insert((spot, inner)) || seen.len() > SCHEMAS_MAX {
                continue;
            }
            let resource = library.resource_at(spot, within);
            let reference = library.text_at(spot, "$ref").and_then(|to| library.resolve_known(to, resource));
            waiting.extend(reference.map(|(spot, of)| (spot, of, inner)));
            for word in ["allOf", "anyOf", "oneOf"] {
                let items = library.member(spot, word).map(|at| library.items(at)).unwrap_or_default();
                waiting.extend(items.into_iter().map(|item| (item, resource, inner)));
            }
            for word in ["if", "then", "else", "not"] {
                waiting.extend(library.member(spot, word).map(|at| (at, resource, inner || word != "not")));
            }
            let (of_numbers, of_texts) = rules(library, spot);
            (numbers, texts) = (numbers || of_numbers, texts || of_texts);
            spoken.values(library, spot);
            let is_numeric = spoken.types(library, spot);
            spoken.condition |= inner && (of_numbers || is_numeric);
        }
        spoken.number |= numbers;
        spoken.text |= texts;
        spoken.rules_for_both = numbers && texts;
        spoken
    }

    fn values(&mut self, library: &Library, spot: Spot) {
        let listed = library.member(spot, "enum").map(|at| library.items(at)).unwrap_or_default();
        for value in listed.into_iter().chain(library.member(spot, "const")) {
            match library.shape(value) {
                Shape::Number(_) => self.number = true,
                Shape::Text(_) => self.text = true,
                Shape::Bool(_) => self.bool = true,
                Shape::Null | Shape::List(_) | Shape::Map(_) => {}
            }
        }
    }

    /// Whether numbers are among them.
    fn types(&mut self, library: &Library, spot: Spot) -> bool {
        let Some(at) = library.member(spot, "type") else { return false };
        let mut is_numeric = false;
        for name in library.items(at).into_iter().chain([at]) {
            let Shape::Text(word) = library.shape(name) else { continue };
            match word.as_ref() {
                "string" => self.text = true,
                "integer" | "number" => is_numeric = true,
                "boolean" => self.bool = true,
                _ => {}
            }
        }
        self.number |= is_numeric;
        is_numeric
    }
}

/// Whether there are rules for numbers, and for texts.
fn rules(library: &Library, spot: Spot) -> (bool, bool) {
    let has = |words: &[&str]| words.iter().any(|word| library.member(spot, word).is_some());
    let format = library.text_at(spot, "format");
    let is_numeric = format.is_some_and(|name| NUMBER_FORMATS.contains(&name));
    (has(NUMBERS) || is_numeric, has(TEXTS) || (format.is_some() && !is_numeric))
}
