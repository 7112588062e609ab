//! A rule set: loads rule files, applies removals and updates, resolves references, or says everything that is wrong.

mod compile;
mod names;
mod parse;
mod reads;

use crate::diagnostic::Diagnostic;
use crate::loader::Source;
use crate::rule::{Rule, RuleInfo};
use crate::transaction::Transaction;
pub(crate) use names::TxNames;
use std::sync::Arc;

/// The types of responses' bodies that are looked at, unless a rule file names others.
const RESPONSE_TYPES: [&str; 6] =
    ["text/plain", "text/html", "text/xml", "application/json", "application/problem+json", "application/xml"];

/// What to load, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A rule file; `*` and `?` in its last part mean several.
    File(String),
    /// A rule file of exceptions: its rules run before those of the parts after it, its removals and updates count for
    /// the rules of all parts.
    Exclusions(String),
    /// Rules given as text, with a name for messages.
    Text {
        /// What messages call it.
        name: String,
        /// The rules.
        text: String,
    },
}

/// Settings of the engine, as the rule files leave them.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) engine: crate::seclang::EngineMode,
    pub(crate) request_body: bool,
    /// Where a rule file states it.
    pub(crate) request_body_limit: Option<usize>,
    pub(crate) request_body_partial: bool,
    pub(crate) json_depth: usize,
    pub(crate) arguments: usize,
    pub(crate) response_body: bool,
    pub(crate) response_body_types: Vec<String>,
    pub(crate) response_body_limit: usize,
    pub(crate) response_body_partial: bool,
    pub(crate) separator: u8,
}

// === impl Settings ===

impl Settings {
    pub(crate) fn body_limits(&self) -> crate::body::BodyLimits {
        crate::body::BodyLimits { arguments: self.arguments, json_depth: self.json_depth }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: crate::seclang::EngineMode::On,
            request_body: true,
            request_body_limit: None,
            request_body_partial: false,
            // LIMIT: nesting of a JSON body.
            json_depth: 64,
            // LIMIT: arguments of a request.
            arguments: 1000,
            response_body: true,
            response_body_types: RESPONSE_TYPES.map(str::to_owned).to_vec(),
            // LIMIT: response bytes that are inspected; the rest passes unseen.
            response_body_limit: 512 << 10,
            response_body_partial: true,
            separator: b'&',
        }
    }
}

/// The compiled rules.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) rules: Vec<Rule>,
    /// Positions of the rules of each phase, in order.
    pub(crate) turns: [Vec<crate::gate::Turn>; 5],
    /// The lists of values that any rule reads.
    pub(crate) wanted: crate::store::Wanted,
    /// Those that rules of phases 3 to 5 read.
    pub(crate) wanted_later: crate::store::Wanted,
    /// Whether a rule says what becomes of bodies that aren't what they claim to be, or one was taken out that did.
    pub(crate) judges_body_errors: bool,
    /// The variables that hold the scores, in the order of `Scores`.
    pub(crate) scores: [Option<u32>; 4],
    pub(crate) names: TxNames,
    pub(crate) settings: Settings,
    pub(crate) gate: crate::gate::Gate,
}

/// A loaded rule set. Cheap to clone; shared by all requests.
#[derive(Debug, Clone)]
pub struct RuleSet {
    pub(crate) program: Arc<Program>,
    notes: Arc<[Diagnostic]>,
}

/// How many rules a set has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rules and unconditional actions.
    pub rules: usize,
    /// Further conditions of chained rules.
    pub links: usize,
    /// Rules by phase.
    pub by_phase: [usize; 5],
    /// Rules that the gates can leave out for most values.
    pub gated: usize,
}

/// Which bodies of responses are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseBodies<'r> {
    /// Their media types.
    pub types: &'r [String],
    /// Bytes, decoded.
    pub limit: usize,
    /// Whether the rest of a longer one goes on unseen; if not, it is refused.
    pub partial: bool,
}

// === impl RuleSet ===

impl RuleSet {
    /// Loads the parts in order.
    ///
    /// # Errors
    /// Everything that is wrong with them, by file and line.
    pub fn load(parts: &[Part], source: &dyn Source) -> Result<Self, Vec<Diagnostic>> {
        let (parsed, mut errors) = parse::parse(parts, source);
        let compiled = compile::compile(parsed, source, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let (program, notes) = compiled;
        Ok(Self { program: Arc::new(program), notes: notes.into() })
    }

    /// What is worth knowing about the files: directives without effect here, removals that remove nothing.
    pub fn notes(&self) -> &[Diagnostic] {
        &self.notes
    }

    /// Tells loaded sets apart: no other set of this process has or had it.
    pub fn serial(&self) -> u64 {
        self.program.gate.serial
    }

    /// Whether any rule looks at responses; if not, a transaction is over with its request.
    pub fn inspects_responses(&self) -> bool {
        let [_, _, head, body, _] = &self.program.turns;
        !head.is_empty() || !body.is_empty()
    }

    /// Which bodies of responses rules look at; none where no rule reads them, or the rule files say so.
    pub fn response_bodies(&self) -> Option<ResponseBodies<'_>> {
        let settings = &self.program.settings;
        let reads = settings.response_body && self.program.wanted.has(crate::store::List::ResponseBody);
        reads.then_some(ResponseBodies {
            types: &settings.response_body_types,
            limit: settings.response_body_limit,
            partial: settings.response_body_partial,
        })
    }

    /// What these promises about fields spare the rules.
    pub fn spared(&self, promises: &[crate::spared::Promise<'_>]) -> crate::spared::Spared {
        crate::spared::Spared::new(&self.program.gate, promises)
    }

    /// How many rules there are.
    pub fn counts(&self) -> Counts {
        let rules = &self.program.rules;
        Counts {
            rules: rules.len(),
            links: rules.iter().map(|r| r.links.len().saturating_sub(1)).sum(),
            by_phase: std::array::from_fn(|i| self.program.turns.get(i).map_or(0, Vec::len)),
            gated: self.program.gate.gated_rules(),
        }
    }

    /// Every rule's description, in order.
    pub fn rules(&self) -> impl Iterator<Item = &RuleInfo> {
        self.program.rules.iter().map(|rule| rule.info.as_ref())
    }

    /// The memory of the tables that the gates need, in bytes.
    pub fn gate_bytes(&self) -> usize {
        self.program.gate.bytes()
    }

    /// Starts inspecting a request.
    pub fn transaction(&self) -> Transaction {
        Transaction::new(self, crate::transaction::Scratch::default())
    }

    /// Starts inspecting a request with the buffers of an earlier one.
    pub fn transaction_with(&self, scratch: crate::transaction::Scratch) -> Transaction {
        Transaction::new(self, scratch)
    }
}

#[cfg(test)]
mod tests;
