//! Rules as they run: defaults applied, names numbered, references resolved.

use crate::body::Processor;
use crate::operator::Operator;
use crate::seclang::{Exclusion, Selector};
use crate::store::{List, sources};
use crate::template::Template;
use crate::transform::Transform;
use crate::variable::Var;
use std::sync::Arc;

/// What describes a rule in records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInfo {
    /// The rule's number.
    pub id: u64,
    /// The file it stands in.
    pub file: String,
    /// The line it starts on.
    pub line: u32,
    /// The phase it runs in, 1 to 5.
    pub phase: u8,
    /// 0 (emergency) to 7 (debug), if the rule has one.
    pub severity: Option<u8>,
    /// Its tags in order.
    pub tags: Vec<String>,
    /// The version of the set it belongs to.
    pub ver: Option<String>,
    /// The revision.
    pub rev: Option<String>,
    /// The message as it is written, three dots for each macro: nothing of a client's is in it.
    pub msg: String,
}

/// What a match of the whole rule does to the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Pass,
    Deny { status: u16 },
    Drop,
    Allow,
    AllowPhase,
    AllowRequest,
}

/// A variable that a rule looks at.
#[derive(Debug, Clone)]
pub(crate) struct CompiledTarget {
    pub(crate) var: Var,
    pub(crate) selector: Selector,
    pub(crate) count: bool,
    /// The number of the `tx` variable, where one is named.
    pub(crate) slot: Option<u32>,
    pub(crate) sources: &'static [(List, crate::store::Half)],
}

/// One `setvar`, names numbered where they are constant.
#[derive(Debug, Clone)]
pub(crate) enum TxName {
    Slot(u32),
    Dynamic(Template),
}

/// How a `tx` variable changes.
#[derive(Debug, Clone)]
pub(crate) enum TxChange {
    Set(Template),
    Add(Template),
    Subtract(Template),
    Unset,
}

/// One `ctl`, rules resolved to their positions.
#[derive(Debug, Clone)]
pub(crate) enum Control {
    Engine(crate::seclang::EngineMode),
    Processor(Processor),
    ForceBody(bool),
    RequestBodyAccess(bool),
    ResponseBodyAccess(bool),
    /// Accepted and without effect: the record is the gateway's.
    Audit,
    Remove(Arc<[u64]>),
    RemoveTarget {
        rules: Arc<[u64]>,
        exclusion: Arc<Exclusion>,
    },
}

/// One condition of a rule with what it does when it holds.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) targets: Vec<CompiledTarget>,
    pub(crate) exclusions: Vec<Exclusion>,
    /// None: the link holds without looking at anything.
    pub(crate) operator: Option<Operator>,
    pub(crate) negated: bool,
    pub(crate) transforms: Vec<Transform>,
    pub(crate) capture: bool,
    pub(crate) multi_match: bool,
    pub(crate) changes: Vec<(TxName, TxChange)>,
    pub(crate) controls: Vec<Control>,
    /// As written, for `explain`.
    pub(crate) text: Arc<str>,
}

/// A rule with its chain.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) info: Arc<RuleInfo>,
    pub(crate) links: Vec<Link>,
    pub(crate) outcome: Outcome,
    pub(crate) log: bool,
    pub(crate) msg: Option<Template>,
    pub(crate) log_data: Option<Template>,
    pub(crate) skip: u32,
    /// The position at which evaluation goes on.
    pub(crate) skip_to: Option<u32>,
}

// === impl CompiledTarget ===

impl CompiledTarget {
    pub(crate) fn new(target: &crate::seclang::Target, slot: Option<u32>) -> Self {
        Self {
            var: target.var,
            selector: target.selector.clone(),
            count: target.count,
            slot,
            sources: sources(target.var),
        }
    }
}

/// A set of rules by position.
pub(crate) fn contains(set: &[u64], at: usize) -> bool {
    set.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
}

/// Adds a position to a set that is long enough.
pub(crate) fn insert(set: &mut [u64], at: usize) {
    if let Some(word) = set.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}
