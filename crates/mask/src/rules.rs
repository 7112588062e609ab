//! What is masked where, compiled once; which rules count for a caller is one number.

use crate::automaton::{Automaton, START, Said, State};
use crate::detect::{Detector, Detectors};
use crate::keys::Keys;
use crate::path::Path;
use portcullis_types::Outline;
use portcullis_types::outline::Meaning;
use std::fmt;

/// LIMIT: rules of one set, so that those which count for a caller are one number.
pub const RULES_MAX: usize = 64;

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it is about.
    pub select: Select,
    /// What happens there.
    pub action: Action,
}

/// What a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Select {
    /// Values at these places.
    Paths(Vec<Path>),
    /// What looks like one of these, in any text or number.
    Detect(Vec<Detector>),
    /// What may leave at all. With one such rule, nothing leaves that none of them grants; the action says nothing.
    Grant(Vec<Path>),
    /// Values that the outline of the document marks so.
    Marked(Vec<Meaning>),
    /// A grant of all that the outline declares.
    Declared,
}

/// What happens to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is left out, with its name. Of what a detector finds, the found part is cut out.
    Remove,
    /// `null` stands for it.
    Null,
    /// This text stands for it.
    Replace(String),
    /// So many characters at its beginning and at its end are shown, and never more than half of them.
    Partial {
        /// At the beginning.
        first: usize,
        /// At the end.
        last: usize,
    },
    /// A keyed hash stands for it.
    Hash,
    /// A token stands for it, from which the key leads back.
    Tokenise,
    /// Something less exact stands for it.
    Generalise(Coarser),
}

/// Less exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coarser {
    /// Of a date, the year.
    Year,
    /// Of a date, year and month.
    Month,
    /// Of a number, the range of this width that it is in.
    Range(u64),
}

/// Why rules cannot be compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulesError {
    /// More than [`RULES_MAX`].
    TooMany,
    /// Paths whose `..` can meet in too many ways.
    TooComplex,
    /// Hashes or tokens without a key.
    NoKeys,
}

/// Which rules of a set count; bit 0 is the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Active(pub u64);

/// Where a document begins: by default as one of which nothing is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start(pub(crate) State);

/// Compiled rules.
#[derive(Debug)]
pub struct Ruleset {
    pub(crate) automaton: Automaton,
    pub(crate) actions: Vec<Action>,
    detectors: Vec<Detectors>,
    pub(crate) masks: u64,
    pub(crate) grants: u64,
    pub(crate) keys: Option<Keys>,
}

// === impl Start ===

impl Default for Start {
    fn default() -> Self {
        Self(START)
    }
}

// === impl Action ===

impl Action {
    /// Of several actions for one value the strictest counts.
    pub(crate) const fn strictness(&self) -> u8 {
        match self {
            Self::Remove => 6,
            Self::Null => 5,
            Self::Replace(_) => 4,
            Self::Hash => 3,
            Self::Tokenise => 2,
            Self::Generalise(_) => 1,
            Self::Partial { .. } => 0,
        }
    }

    /// Whether what it makes depends on what the value is, so that of lists and objects it takes each value.
    pub(crate) const fn looks_inside(&self) -> bool {
        match self {
            Self::Remove | Self::Null | Self::Replace(_) => false,
            Self::Partial { .. } | Self::Hash | Self::Tokenise | Self::Generalise(_) => true,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remove => formatter.write_str("remove"),
            Self::Null => formatter.write_str("null"),
            Self::Replace(text) => write!(formatter, "replace {text:?}"),
            Self::Partial { first: 0, last } => write!(formatter, "last {last}"),
            Self::Partial { first, last: 0 } => write!(formatter, "first {first}"),
            Self::Partial { first, last } => write!(formatter, "first {first} and last {last}"),
            Self::Hash => formatter.write_str("hash"),
            Self::Tokenise => formatter.write_str("tokenise"),
            Self::Generalise(Coarser::Year) => formatter.write_str("year"),
            Self::Generalise(Coarser::Month) => formatter.write_str("month"),
            Self::Generalise(Coarser::Range(width)) => write!(formatter, "range of {width}"),
        }
    }
}

// === impl Ruleset ===

impl Ruleset {
    /// Compiles rules; `keys` are those of hashes and tokens.
    ///
    /// # Errors
    /// More rules or states than there is room for, and hashes or tokens without keys.
    pub fn compile(rules: &[Rule], keys: Option<Keys>) -> Result<Self, RulesError> {
        Self::along(rules, &Outline::default(), keys)
    }

    /// The same for documents of which something is known.
    ///
    /// # Errors
    /// More rules or states than there is room for, and hashes or tokens without keys.
    pub fn along(rules: &[Rule], outline: &Outline, keys: Option<Keys>) -> Result<Self, RulesError> {
        if rules.len() > RULES_MAX {
            return Err(RulesError::TooMany);
        }
        let needs_keys = |rule: &Rule| matches!(rule.action, Action::Hash | Action::Tokenise);
        if keys.is_none() && rules.iter().any(needs_keys) {
            return Err(RulesError::NoKeys);
        }
        let (mut masks, mut grants, mut declared) = (0, 0, 0);
        let (mut paths, mut marks, mut detectors) = (Vec::new(), Vec::new(), Vec::new());
        for (number, rule) in (0_u32..).zip(rules) {
            let bit = 1_u64 << number;
            let mut looked_for = Detectors::default();
            match &rule.select {
                Select::Paths(own) => {
                    masks |= bit;
                    paths.extend(own.iter().map(|path| (number, path)));
                }
                Select::Grant(own) => {
                    grants |= bit;
                    paths.extend(own.iter().map(|path| (number, path)));
                }
                Select::Marked(own) => {
                    masks |= bit;
                    marks.extend(own.iter().map(|meaning| (number, meaning)));
                }
                Select::Declared => {
                    grants |= bit;
                    declared |= bit;
                }
                Select::Detect(own) => looked_for = Detectors::of(own),
            }
            detectors.push(looked_for);
        }
        let automaton = Automaton::build(Said { paths: &paths, outline, marks: &marks, declared });
        let automaton = automaton.ok_or(RulesError::TooComplex)?;
        let actions = rules.iter().map(|rule| rule.action.clone()).collect();
        Ok(Self { automaton, actions, detectors, masks, grants, keys })
    }

    /// Whether anything at all happens where these rules count.
    #[must_use]
    pub const fn is_idle(&self, active: Active) -> bool {
        active.0 == 0 && self.grants == 0
    }

    /// Where to begin with a document whose schema the outline knows by this number; `None` for one that is not declared.
    #[must_use]
    pub fn start(&self, schema: Option<u32>) -> Start {
        Start(self.automaton.start(schema))
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// What is looked for in texts and numbers.
    pub(crate) fn detectors(&self, active: Active) -> Detectors {
        self.of_detectors(active).fold(Detectors::default(), |all, (_, own)| all.and(own))
    }

    /// The strictest of the rules that look for any of this.
    pub(crate) fn rule_of(&self, found: Detectors, active: Active) -> Option<usize> {
        let looking = self.of_detectors(active).filter(|(_, own)| own.meets(found)).map(|(rule, _)| rule);
        self.strictest(looking)
    }

    /// The first of the rules that look for anything.
    pub(crate) fn any_detecting(&self, active: Active) -> Option<usize> {
        self.of_detectors(active).next().map(|(rule, _)| rule)
    }

    fn of_detectors(&self, active: Active) -> impl Iterator<Item = (usize, Detectors)> + '_ {
        let counts = move |rule: &(usize, &Detectors)| active.0 >> rule.0 & 1 == 1 && !rule.1.is_empty();
        self.detectors.iter().enumerate().filter(counts).map(|(rule, own)| (rule, *own))
    }

    /// The strictest of these rules; of equal ones the first.
    pub(crate) fn strictest(&self, rules: impl Iterator<Item = usize>) -> Option<usize> {
        rules
            .fold(None, |best: Option<(usize, u8)>, rule| {
                let strictness = self.actions.get(rule).map_or(u8::MAX, Action::strictness);
                match best {
                    Some((_, least)) if least >= strictness => best,
                    _ => Some((rule, strictness)),
                }
            })
            .map(|(rule, _)| rule)
    }
}

/// The numbers of the bits that are set.
pub(crate) fn bits(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = (set != 0).then(|| usize::try_from(set.trailing_zeros()).unwrap_or_default());
        set &= set.wrapping_sub(1);
        lowest
    })
}
