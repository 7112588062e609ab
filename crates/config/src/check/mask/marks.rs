//! Rules about what a contract says of its answers: marks that no rule names count for everybody, rules about marks that are
//! nowhere are mistakes, and so is a list of what is declared where nothing is.

use std::sync::Arc;

use portcullis_mask::{Action, Rule, Select};
use portcullis_types::Outline;
use portcullis_types::outline::Meaning;

use super::described;
use crate::check::Check;
use crate::diagnostic::{Diagnostic, quote};
use crate::file::MaskRule;
use crate::plan::{Audience, MaskPlan, Origin, RoutePlan, Who};
use crate::tree::At;

impl Check<'_> {
    /// What the contract declares for the answers of a route, with rules for all its marks that none of the written rules is about.
    pub(super) fn outlined(
        &mut self,
        route: &RoutePlan,
        masks: &mut Vec<MaskPlan>,
        at: &At<'_>,
    ) -> Option<Arc<Outline>> {
        let contract = route.contract.as_ref()?;
        let declares = masks.iter().any(|mask| mask.rule.select == Select::Declared);
        if !declares && !contract.plan.contract.has_marks() {
            return None;
        }
        let all = contract.plan.contract.operations();
        let own = contract.operations.iter().filter_map(|(_, index)| all.get(*index));
        let Some(outline) = contract.plan.contract.outline(own) else {
            let message = "the contract declares more for the answers of this route than can be followed";
            let diagnostic = Diagnostic::new("too-large", at.name_span(), message);
            self.reject(at, diagnostic.help("describe answers by fewer schemas, or mask by `fields`"));
            return None;
        };
        if !declares && outline.marks.is_empty() {
            return None;
        }
        masks.extend(unnamed(&outline, masks));
        Some(Arc::new(outline))
    }

    /// `declared: true`; anything else would say nothing.
    pub(super) fn all_declared(&mut self, declared: bool, at: &At<'_>) -> Option<Select> {
        if !declared {
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), "`declared: false` allows nothing");
            self.reject(at, diagnostic.help("write `declared: true`, or remove the rule"));
            return None;
        }
        Some(Select::Declared)
    }

    /// Whether what a route may let leave is declared anywhere, and can be followed.
    pub(super) fn undeclared(&mut self, route: &RoutePlan, at: &At<'_>) {
        if !route.shape.masks.iter().any(|mask| mask.rule.select == Select::Declared) {
            return;
        }
        match &route.shape.outline {
            // Where one is named it has not loaded, which was said.
            None if self.lacks_contract => {}
            None => {
                let message =
                    "nothing of its answers would leave: a rule of `mask` has `declared`, and there is no contract";
                let diagnostic = Diagnostic::new("missing-setting", at.name_span(), message);
                self.reject(
                    at,
                    diagnostic.help("add `openapi: FILE` to the API or version, or name what may leave with `allow`"),
                );
            }
            Some(outline) if outline.shapes.iter().any(|shape| !shape.patterned.is_empty()) => {
                let message =
                    "its answers have members whose names fit `patternProperties`, which `declared` cannot follow";
                let diagnostic = Diagnostic::new("cannot-follow", at.name_span(), message);
                let help =
                    "describe them by `additionalProperties` in the contract, or name what may leave with `allow`";
                self.reject(at, diagnostic.help(help));
            }
            Some(_) => {}
        }
    }

    /// Rules about classes that no contract of their level knows.
    pub(super) fn of_nothing(&mut self, written: Option<&[MaskRule]>, level: &At<'_>, routes: &[RoutePlan]) {
        let section = level.key("mask");
        if routes.is_empty() || self.incomplete || self.lacks_contract {
            return;
        }
        let known = |class: &str| {
            let outlines = routes.iter().filter_map(|route| route.shape.outline.as_deref());
            outlines.flat_map(|outline| &outline.marks).any(|mark| mark.meaning.class() == Some(class))
        };
        for (index, rule) in written.unwrap_or_default().iter().enumerate() {
            let item = section.index(index);
            let list = item.key("sensitivity");
            for (place, class) in rule.sensitivity.iter().flatten().enumerate().filter(|(_, class)| !known(&class.0)) {
                let at = list.index(place);
                let message = format!("nothing that leaves here is marked as {}", self.shown(&at, &class.0));
                let diagnostic = self.wrong(&at, "never-matches", message);
                let help = format!(
                    "mark a schema of an answer in the contract with `x-sensitivity: {}`, or remove it",
                    plain(&class.0)
                );
                self.reject(&at, diagnostic.help(help));
            }
        }
    }
}

/// A class as a help text repeats it.
fn plain(class: &str) -> String {
    quote(class).trim_matches('`').to_owned()
}

/// Rules for marks: those of classes that nobody has written a rule about, and those of roles.
fn unnamed(outline: &Outline, written: &[MaskPlan]) -> Vec<MaskPlan> {
    let named = |meaning: &Meaning| {
        written.iter().any(|mask| matches!(&mask.rule.select, Select::Marked(marks) if marks.contains(meaning)))
    };
    let plan = |meaning: &Meaning| {
        let (name, unless) = match meaning {
            Meaning::Class(class) => (format!("x-sensitivity.{class}"), Who::default()),
            Meaning::Roles(roles) => {
                let roles = roles.iter().map(|role| role.to_string()).collect();
                ("x-visible-to".to_owned(), Who { roles, ..Who::default() })
            }
        };
        let select = Select::Marked(vec![meaning.clone()]);
        let audience = Audience { only_for: None, unless };
        let text = described(&select, &Action::Remove, &audience);
        let first = outline.marks.iter().find(|mark| mark.meaning == *meaning);
        let (file, line) = first.map_or(("", 0), |mark| (&*mark.file, mark.line));
        let origin = Origin { file: file.into(), line };
        MaskPlan { name: name.into(), rule: Rule { select, action: Action::Remove }, audience, text, origin }
    };
    outline.meanings().into_iter().filter(|meaning| !named(meaning)).map(plan).collect()
}
