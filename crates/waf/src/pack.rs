//! The built-in rules, embedded: what runs when no other set is named. Written for JSON APIs.

use crate::diagnostic::Diagnostic;
use crate::loader::Memory;
use crate::ruleset::{Part, RuleSet};
use std::sync::OnceLock;

const RULES: &str = include_str!("../pack/builtin.conf");

/// The built-in rules as a part of a set, to be combined with an exclusions file.
pub fn builtin() -> Part {
    Part::Text { name: "builtin.conf".to_owned(), text: RULES.to_owned() }
}

impl RuleSet {
    /// The built-in rules alone.
    ///
    /// # Errors
    /// Never as shipped: a test loads them.
    pub fn builtin() -> Result<Self, Vec<Diagnostic>> {
        // Compiled once for the whole process: most configurations name no other rules.
        static SET: OnceLock<RuleSet> = OnceLock::new();
        if let Some(set) = SET.get() {
            return Ok(set.clone());
        }
        let set = Self::load(&[builtin()], &Memory::default())?;
        Ok(SET.get_or_init(|| set).clone())
    }
}
