//! Whether policies fit what they can speak of.

use crate::read::{Mistake, Place, Policies, described};
use crate::world::World;
use cedar_policy::{PolicyId, PolicySet, Schema, ValidationError, ValidationMode, ValidationWarning, Validator};

// === impl Policies ===

impl Policies {
    /// Everything in them that does not fit, by the texts that they were read from. Operations that are not there are not
    /// among it: whoever knows their names can say what was meant.
    #[must_use]
    pub fn check(&self, world: &World, texts: &[&str]) -> Vec<Mistake> {
        let schema = match Schema::from_json_value(world.schema()) {
            Ok(schema) => schema,
            Err(error) => return self.all_wrong(&format!("no schema can be made of the operations: {error}")),
        };
        let set = match PolicySet::from_policies(self.policies.iter().cloned()) {
            Ok(set) => set,
            Err(error) => return self.all_wrong(&error.to_string()),
        };
        let result = Validator::new(schema).validate(&set, ValidationMode::Strict);
        let errors = result.validation_errors().filter(|error| !is_unknown_action(error)).map(|error| {
            self.said(error.policy_id(), error, texts, "change the policy so that it fits the operations it is about")
        });
        // A policy with a mistake can never apply; that is no second one.
        let wrong: Vec<&PolicyId> = result.validation_errors().map(ValidationError::policy_id).collect();
        let warnings = result.validation_warnings().filter(|warning| !wrong.contains(&warning.policy_id()));
        let mut mistakes: Vec<Mistake> = errors.collect();
        mistakes.extend(warnings.map(|warning| self.warned(warning, texts)));
        mistakes.sort_by_key(|one| (one.place.file, one.place.start, one.message.clone()));
        // A condition that does not fit several operations is one mistake.
        mistakes.dedup_by(|one, other| one.place == other.place && one.message == other.message);
        mistakes
    }

    fn warned(&self, warning: &ValidationWarning, texts: &[&str]) -> Mistake {
        if !matches!(warning, ValidationWarning::ImpossiblePolicy(_) | ValidationWarning::InvalidActionApplication(_)) {
            return self.said(warning.policy_id(), warning, texts, "write it in letters of one script");
        }
        Mistake {
            place: self.place(warning.policy_id()),
            is_vain: true,
            message: "the policy can never apply".to_owned(),
            help: "remove it, or correct its conditions".to_owned(),
        }
    }

    fn said(&self, id: &PolicyId, error: &dyn miette::Diagnostic, texts: &[&str], help: &str) -> Mistake {
        let place = self.place(id);
        let text = texts.get(place.file).copied().unwrap_or_default();
        let mut mistake = described(error, place.file, text, help);
        if mistake.place.start == mistake.place.end {
            mistake.place = place;
        }
        // The library names a policy by our number for it.
        let ours = format!("for policy `{}`, ", AsRef::<str>::as_ref(id));
        mistake.message = mistake.message.replace(&ours, "");
        mistake
    }

    fn place(&self, id: &PolicyId) -> Place {
        let index = AsRef::<str>::as_ref(id).parse::<usize>().ok();
        let found = index.and_then(|index| self.statements.get(index));
        found.map_or(Place { file: 0, start: 0, end: 0 }, |statement| statement.place)
    }

    fn all_wrong(&self, message: &str) -> Vec<Mistake> {
        let place = self.place(&PolicyId::new("0"));
        let help = "see whether operations or values have names that are not unique".to_owned();
        vec![Mistake { place, is_vain: false, message: message.to_owned(), help }]
    }
}

fn is_unknown_action(error: &ValidationError) -> bool {
    matches!(error, ValidationError::UnrecognizedActionId(_))
}
