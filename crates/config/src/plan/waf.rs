//! How requests are looked at for attacks, checked.

use portcullis_waf::{Diagnostic, Memory, Part, RuleSet};
use std::fmt;
use std::sync::Arc;

/// LIMIT: mistakes of rules that are told at once.
const MISTAKES_SHOWN_MAX: usize = 5;

/// What is done about attacks, and by which rules. Nothing is done where there is no such plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WafPlan {
    /// Whether attacks are refused, or only noted.
    pub enforces: bool,
    /// The rules; routes that name the same share one set.
    pub rules: Arc<WafRulesPlan>,
}

/// Rules, ready to be used. Two are equal if they were made from the same texts.
#[derive(Clone)]
pub struct WafRulesPlan {
    /// The compiled set.
    pub set: RuleSet,
    /// What it was made from: `builtin; paranoia 2`.
    pub text: String,
    /// Digest of all texts.
    pub(crate) digest: blake3::Hash,
}

impl WafRulesPlan {
    /// The rules that the gateway brings along, as they are. Nothing if they cannot be loaded, which a test rules out.
    #[must_use]
    pub fn builtin() -> Option<Arc<Self>> {
        let set = RuleSet::builtin().ok()?;
        Some(Arc::new(Self { set, text: "builtin".to_owned(), digest: blake3::hash(b"builtin") }))
    }
}

impl WafRulesPlan {
    /// Rules that came as one text, by the name that messages call them.
    ///
    /// # Errors
    /// The first things that are wrong with them, with their lines.
    pub fn of_text(name: &str, text: &str) -> Result<Arc<Self>, String> {
        let parts = [Part::Text { name: name.to_owned(), text: text.to_owned() }];
        let set = RuleSet::load(&parts, &Memory::default()).map_err(|mistakes| {
            let shown = |mistake: &Diagnostic| format!("line {}: {}", mistake.line, mistake.message);
            mistakes.iter().take(MISTAKES_SHOWN_MAX).map(shown).collect::<Vec<_>>().join("; ")
        })?;
        Ok(Arc::new(Self { set, text: name.to_owned(), digest: blake3::hash(text.as_bytes()) }))
    }
}

impl PartialEq for WafRulesPlan {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest && self.text == other.text
    }
}

impl Eq for WafRulesPlan {}

impl fmt::Debug for WafRulesPlan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The set itself is megabytes of tables.
        formatter.debug_struct("WafRulesPlan").field("text", &self.text).finish_non_exhaustive()
    }
}
