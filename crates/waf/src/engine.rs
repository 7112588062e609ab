//! Runs rules on values. One interpreter serves the fast path and the yardstick; they differ only in which rules
//! and values the gates leave out before it is asked.

mod evaluate;
mod record;
mod values;

use crate::body::Processor;
use crate::rule::{Outcome, contains};
use crate::ruleset::Program;
use crate::seclang::{EngineMode, Exclusion};
use crate::store::{Span, Store};
use crate::tx::TxStore;
use crate::variable::Var;
use crate::verdict::{Detail, Limit, Match, Refused};
use std::sync::Arc;

/// LIMIT: work that any request may be, in bytes that an expression is tried on; tokenizers, and looking at a view for
/// the first time, count several times. What needs more is refused: a hostile request must not hold a worker.
const WORK: usize = 16 << 20;
/// LIMIT: how much more it may be for each byte of the bodies. Ordinary bodies need a tenth of it.
const WORK_PER_BYTE: usize = 48;
/// LIMIT: how much it may be at most, about a quarter of a second.
const WORK_MOST: usize = 256 << 20;

/// What refuses a message that is more than is looked at: the request of the client, or the response of the server.
const fn too_much(phase: u8) -> Refused {
    let status = if phase <= 2 { 413 } else { 500 };
    Refused { status, rule: 0, limit: Some(Limit::TooMuchWork), drop: false }
}

/// The name of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    None,
    Span(Span),
    Slot(u32),
}

/// A value that a rule looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value {
    pub(crate) var: Var,
    pub(crate) name: Name,
    pub(crate) span: Span,
    /// What the gates found out about it; 0 where they weren't asked.
    pub(crate) mark: u32,
}

/// The state of one request.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) store: Store,
    pub(crate) tx: TxStore,
    pub(crate) engine: EngineMode,
    pub(crate) gated: bool,
    pub(crate) detail: Detail,
    pub(crate) processor: Option<Processor>,
    pub(crate) force_body: bool,
    pub(crate) request_body_access: bool,
    pub(crate) response_body_access: bool,
    pub(crate) matches: Vec<Match>,
    pub(crate) matched_ids: Vec<u64>,
    pub(crate) would_refuse: Option<Refused>,
    pub(crate) evaluations: u64,
    /// Bytes that conditions were tried on.
    work: usize,
    /// Bytes of the bodies.
    pub(crate) body_bytes: usize,
    /// It was more work than it may be, and rules look no further.
    exhausted: bool,
    /// Rules that a `ctl` took out.
    removed: Vec<u64>,
    /// Members that a `ctl` took out of rules.
    exclusions: Vec<(Arc<[u64]>, Arc<Exclusion>)>,
    /// The last match.
    matched: Option<Value>,
    /// The matches of the current link.
    matched_vars: Vec<Value>,
    /// The matches of the link before it in the chain: what `MATCHED_VARS` reads.
    previous_vars: Vec<Value>,
    highest_severity: u8,
    /// What `allow` ended: nothing, the request, or everything.
    allowed: Allowed,
    view: Vec<u8>,
    spare: Vec<u8>,
    argument: Vec<u8>,
    steps: Vec<crate::verdict::Step>,
    /// Values of the link that is evaluated.
    values: Vec<Value>,
    scanner: crate::gate::Scanner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Allowed {
    No,
    Request,
    All,
}

// === impl Machine ===

impl Default for Machine {
    fn default() -> Self {
        Self {
            store: Store::default(),
            tx: TxStore::default(),
            engine: EngineMode::On,
            gated: true,
            detail: Detail::Full,
            processor: None,
            force_body: false,
            request_body_access: true,
            response_body_access: true,
            matches: Vec::new(),
            matched_ids: Vec::new(),
            would_refuse: None,
            evaluations: 0,
            work: 0,
            body_bytes: 0,
            exhausted: false,
            removed: Vec::new(),
            exclusions: Vec::new(),
            matched: None,
            matched_vars: Vec::new(),
            previous_vars: Vec::new(),
            highest_severity: 255,
            allowed: Allowed::No,
            view: Vec::new(),
            spare: Vec::new(),
            argument: Vec::new(),
            steps: Vec::new(),
            values: Vec::new(),
            scanner: crate::gate::Scanner::default(),
        }
    }
}

impl Machine {
    /// Forgets the request before; buffers stay.
    pub(crate) fn reset(&mut self, program: &Program, gated: bool) {
        self.store.clear(program.wanted);
        if gated {
            // The texts of the initial variables are the first bytes of the buffer.
            self.store.intern(&program.gate.prelude);
            self.tx.reset(program.names.len(), &program.gate.initial);
        } else {
            self.tx.reset(program.names.len(), &[]);
        }
        self.scanner.reset(program.gate.serial);
        self.engine = program.settings.engine;
        self.gated = gated;
        self.detail = Detail::Full;
        self.processor = None;
        self.force_body = false;
        self.matches.clear();
        self.matched_ids.clear();
        self.would_refuse = None;
        self.evaluations = 0;
        self.work = 0;
        self.body_bytes = 0;
        self.exhausted = false;
        self.removed.clear();
        self.exclusions.clear();
        self.matched = None;
        self.matched_vars.clear();
        self.previous_vars.clear();
        self.highest_severity = 255;
        self.allowed = Allowed::No;
        self.steps.clear();
        self.values.clear();
    }

    /// Runs the rules of a phase in order; says what refuses the message.
    pub(crate) fn run(&mut self, program: &Program, phase: u8) -> Option<Refused> {
        if self.exhausted || self.engine == EngineMode::Off || (self.allowed == Allowed::All && phase < 5) {
            return None;
        }
        if self.allowed == Allowed::Request && phase <= 2 {
            return None;
        }
        let most = WORK.saturating_add(self.body_bytes.saturating_mul(WORK_PER_BYTE)).min(WORK_MOST);
        if self.gated {
            self.scanner.scan(&program.gate, &mut self.store, most.saturating_sub(self.work));
            // What a scan that ended early hasn't seen may match any rule, so none may be passed over for it.
            if self.work.saturating_add(self.scanner.work) > most {
                return self.too_much(phase);
            }
        }
        let phases = if self.gated { &program.gate.phases } else { &program.turns };
        let mut from = 0u32;
        let mut skip = 0u32;
        for turn in phases.get(usize::from(phase) - 1)? {
            let gate = turn.gate;
            // Rules that count what they skip have no gates in their phase, so that nothing is left out of the count.
            if gate.is_some_and(|number| !self.scanner.may_match(number)) {
                continue;
            }
            let at = turn.rule;
            if at < from || contains(&self.removed, crate::bytes::index(at)) {
                continue;
            }
            if skip > 0 {
                skip -= 1;
                continue;
            }
            if self.gated && self.work.saturating_add(self.scanner.work) > most {
                return self.too_much(phase);
            }
            let Some(rule) = program.rules.get(crate::bytes::index(at)) else { continue };
            if !self.rule(program, rule, at, gate) {
                continue;
            }
            skip = rule.skip;
            if let Some(to) = rule.skip_to {
                from = to;
            }
            if self.engine == EngineMode::Off {
                return None;
            }
            match self.outcome(rule.outcome, rule.info.id, phase) {
                std::ops::ControlFlow::Continue(()) => {}
                std::ops::ControlFlow::Break(refused) => return refused,
            }
        }
        None
    }

    /// Ends the inspection: nobody looks any further, and a request that may be refused is.
    fn too_much(&mut self, phase: u8) -> Option<Refused> {
        self.exhausted = true;
        self.would_refuse.get_or_insert(too_much(phase));
        (self.engine == EngineMode::On && phase < 5).then_some(too_much(phase))
    }

    /// Whether rules are asked about what is still to come.
    pub(crate) fn looks_on(&self) -> bool {
        !self.exhausted && self.engine != EngineMode::Off && self.allowed != Allowed::All
    }

    /// Hands what a worker keeps to another machine, and drops what no rule about responses reads.
    pub(crate) fn rest(&mut self, program: &Program, worker: &mut Machine) {
        std::mem::swap(&mut self.scanner, &mut worker.scanner);
        self.scanner.take_marks(&mut worker.scanner);
        self.store.keep_only(program.wanted_later, self.tx.spans());
        self.matched = None;
        for buffer in [&mut self.view, &mut self.spare, &mut self.argument] {
            *buffer = Vec::new();
        }
        self.matched_vars = Vec::new();
        self.previous_vars = Vec::new();
        self.values = Vec::new();
    }

    /// Takes what a worker keeps.
    pub(crate) fn wake(&mut self, program: &Program, worker: &mut Machine) {
        worker.scanner.reset(program.gate.serial);
        worker.scanner.take_marks(&mut self.scanner);
        std::mem::swap(&mut self.scanner, &mut worker.scanner);
    }

    /// Uses what is known of fields beforehand, if it is known for these rules.
    pub(crate) fn spare(&mut self, program: &Program, spared: &Arc<crate::spared::Spared>) {
        self.scanner.spared = (spared.serial == program.gate.serial).then(|| Arc::clone(spared));
    }

    /// Whether rules have a say in what becomes of the request: no exception has let it pass.
    pub(crate) fn is_asked(&self) -> bool {
        self.engine != EngineMode::Off && self.allowed == Allowed::No
    }

    fn outcome(&mut self, outcome: Outcome, id: u64, phase: u8) -> std::ops::ControlFlow<Option<Refused>> {
        use std::ops::ControlFlow::{Break, Continue};
        let refused = match outcome {
            Outcome::Pass => return Continue(()),
            Outcome::Deny { status } => Refused { status, rule: id, limit: None, drop: false },
            Outcome::Drop => Refused { status: 403, rule: id, limit: None, drop: true },
            Outcome::Allow | Outcome::AllowPhase | Outcome::AllowRequest if self.engine != EngineMode::On => {
                return Continue(());
            }
            Outcome::AllowPhase => return Break(None),
            Outcome::Allow => {
                self.allowed = Allowed::All;
                return Break(None);
            }
            Outcome::AllowRequest => {
                self.allowed = Allowed::Request;
                return Break(None);
            }
        };
        self.would_refuse.get_or_insert(refused);
        if self.engine == EngineMode::On && phase < 5 { Break(Some(refused)) } else { Continue(()) }
    }
}
