//! What a schema says about numbers, texts and arrays.

use super::super::format::Format;
use super::super::library::{Draft, Spot};
use super::super::pattern::Pattern;
use super::super::rules::{ArrayRules, Bound, NumberRules, SchemaId, TextRules, Types};
use super::{Compiler, Use};
use crate::json::Decimal;
use crate::tree::Shape;

impl Compiler<'_> {
    /// A whole number that is not negative.
    pub(super) fn count(&mut self, spot: Spot, word: &str) -> Option<usize> {
        let at = self.library.member(spot, word)?;
        let value = self.library.count_at(spot, word);
        if value.is_none() {
            self.error(at, "keyword", format!("`{word}` must be a whole number that is not negative"), "");
        }
        value
    }

    fn bound(&mut self, spot: Spot, word: &str) -> Option<Bound> {
        let at = self.library.member(spot, word)?;
        let found = self.library.tree(at).and_then(|tree| tree.number(at.node)).map(Bound::new);
        if found.is_none() {
            self.error(at, "keyword", format!("`{word}` must be a number"), "");
        }
        found
    }

    fn format(&mut self, spot: Spot, numbers: bool) -> Option<Format> {
        if !self.settings.formats {
            return None;
        }
        let name = self.library.text_at(spot, "format")?.to_owned();
        let found = Format::named(&name);
        if found.is_none() && numbers {
            let message = format!("the format `{}` is not checked", crate::text::short(&name));
            self.note(spot, "format", message, "bound the value with `pattern`, `maxLength`, `minimum` or `maximum`");
        }
        found.filter(|format| !numbers || format.is_of_numbers())
    }

    pub(super) fn number_rules(&mut self, used: Use, types: Types, validates: bool) -> Option<NumberRules> {
        let spot = used.spot;
        let mut rules = NumberRules { format: self.format(spot, true), ..NumberRules::default() };
        if !validates {
            return rules.format.is_some().then_some(rules);
        }
        (rules.least, rules.most) = (self.bound(spot, "minimum"), self.bound(spot, "maximum"));
        if self.library.draft == Draft::Current {
            (rules.above, rules.below) = (self.bound(spot, "exclusiveMinimum"), self.bound(spot, "exclusiveMaximum"));
        } else {
            if self.exclusive(spot, "exclusiveMinimum") {
                rules.above = rules.least.take();
            }
            if self.exclusive(spot, "exclusiveMaximum") {
                rules.below = rules.most.take();
            }
        }
        rules.strict_integer = self.library.draft == Draft::Four && !types.has(Types::NUMBER);
        if let Some(bound) = self.bound(spot, "multipleOf") {
            match Decimal::of(&bound.text).parts() {
                Some((false, digits, power)) if digits > 0 => rules.multiple_of = Some((digits, power, bound.text)),
                Some(_) | None => {
                    self.error(
                        spot,
                        "keyword",
                        "`multipleOf` must be above zero and have at most 19 digits".to_owned(),
                        "",
                    );
                }
            }
        }
        let silent = rules.least.is_none()
            && rules.most.is_none()
            && rules.above.is_none()
            && rules.below.is_none()
            && rules.multiple_of.is_none()
            && rules.format.is_none()
            && !rules.strict_integer;
        (!silent).then_some(rules)
    }

    /// A flag in draft 4. A number here is what later drafts write, and would be lost.
    fn exclusive(&mut self, spot: Spot, word: &str) -> bool {
        let Some(at) = self.library.member(spot, word) else { return false };
        match self.library.shape(at) {
            Shape::Bool(flag) => *flag,
            Shape::Null | Shape::Number(_) | Shape::Text(_) | Shape::List(_) | Shape::Map(_) => {
                let message = format!("`{word}` must be true or false here");
                self.error(at, "keyword", message, "in OpenAPI 3.0 the limit itself stands in `minimum` or `maximum`");
                false
            }
        }
    }

    pub(super) fn pattern(&mut self, at: Spot, source: &str) -> Option<Pattern> {
        match Pattern::new(source) {
            Ok(pattern) => Some(pattern),
            Err(message) => {
                let message = format!("the pattern `{}` cannot be used: {message}", crate::text::short(source));
                self.error(at, "pattern", message, "write it without looking around and without referring back");
                None
            }
        }
    }

    pub(super) fn text_rules(&mut self, used: Use, validates: bool) -> Option<TextRules> {
        let spot = used.spot;
        let mut rules = TextRules { format: self.format(spot, false), ..TextRules::default() };
        if validates {
            rules.least = self.count(spot, "minLength").unwrap_or(0);
            rules.most = self.count(spot, "maxLength");
            if let Some(at) = self.library.member(spot, "pattern") {
                let source = self.library.text_at(spot, "pattern").map(str::to_owned);
                match source {
                    Some(source) => rules.pattern = self.pattern(at, &source),
                    None => self.error(at, "keyword", "`pattern` must be a text".to_owned(), ""),
                }
            }
        }
        let silent = rules.least == 0 && rules.most.is_none() && rules.pattern.is_none() && rules.format.is_none();
        (!silent).then_some(rules)
    }

    /// A schema about something inside the value.
    pub(super) fn inner(&mut self, spot: Spot, used: Use) -> SchemaId {
        self.want(spot, used.resource, !self.settings.open_objects && self.settings.openapi, used.direction)
    }

    pub(super) fn array_rules(&mut self, used: Use, validates: bool) -> Option<ArrayRules> {
        let spot = used.spot;
        let current = self.library.draft == Draft::Current;
        let mut rules = ArrayRules { rest_keyword: "items", ..ArrayRules::default() };
        if validates {
            rules.least = self.count(spot, "minItems").unwrap_or(0);
            rules.most = self.count(spot, "maxItems");
            rules.unique = self.library.flag_at(spot, "uniqueItems") == Some(true);
        }
        let items = self.library.member(spot, "items");
        let listed = items.filter(|at| !current && matches!(self.library.shape(*at), Shape::List(_)));
        let (prefix, rest) = match (current, listed) {
            (true, _) => (self.library.member(spot, "prefixItems"), items),
            (false, Some(_)) => {
                rules.rest_keyword = "additionalItems";
                (listed, self.library.member(spot, "additionalItems"))
            }
            (false, None) => (None, items),
        };
        let prefix = prefix.map(|at| self.library.items(at)).unwrap_or_default();
        rules.prefix = prefix.into_iter().map(|item| self.inner(item, used)).collect();
        rules.rest = rest.map(|rest| self.inner(rest, used));
        if current {
            rules.unevaluated = self.library.member(spot, "unevaluatedItems").map(|at| self.inner(at, used));
            if let Some(at) = self.library.member(spot, "contains") {
                let id = self.part(at, used);
                let (least, most) = match validates {
                    true => (self.count(spot, "minContains"), self.count(spot, "maxContains")),
                    false => (None, None),
                };
                rules.contains = Some((id, least.unwrap_or(1), most));
            }
        }
        let silent = rules.least == 0
            && rules.most.is_none()
            && !rules.unique
            && rules.prefix.is_empty()
            && rules.rest.is_none()
            && rules.contains.is_none()
            && rules.unevaluated.is_none();
        (!silent).then_some(rules)
    }
}
