//! One request on its way through the five phases: fills the values, runs the rules of the phase, gives the verdict.

mod head;
mod response;

use crate::body::{self, Processor};
use crate::engine::Machine;
use crate::message::RequestHead;
use crate::ruleset::{Program, RuleSet};
use crate::seclang::EngineMode;
use crate::store::List;
use crate::tx::TxKey;
use crate::verdict::{Detail, Limit, Match, Refused, Scores, Verdict};
pub use response::Paused;
use std::sync::Arc;

/// LIMIT: bytes of a request's body that are inspected, unless a rule file or the caller states another bound.
const BODY_BYTES: usize = 1 << 20;
/// What rules are told of a request that they don't see whole, if the body doesn't say it better.
const UNSEEN: &str = "more arguments or cookies, or more inside values, than is looked at";

/// Buffers of a finished request, to be used by the next one.
#[derive(Debug, Default)]
pub struct Scratch {
    machine: Box<Machine>,
}

/// The inspection of one request and its response.
///
/// Phases are called in order: `request_head`, `request_body` (also for an empty body), `response_head`,
/// `response_body`, `finish`. Each may be left out from the end. While the response is waited for, `pause` gives the
/// buffers back.
#[derive(Debug)]
pub struct Transaction {
    program: Arc<Program>,
    machine: Box<Machine>,
    content_type: Vec<u8>,
    body_limit: usize,
    body_error: bool,
    /// Whether everything was looked at: all arguments and cookies, the body to its end, and all that values hold inside.
    whole: bool,
    response_inspected: bool,
    verdict: Verdict,
}

// === impl Transaction ===

impl Transaction {
    pub(crate) fn new(rules: &RuleSet, scratch: Scratch) -> Self {
        let program = Arc::clone(&rules.program);
        let mut machine = scratch.machine;
        machine.reset(&program, true);
        Self {
            program,
            machine,
            content_type: Vec::new(),
            body_limit: BODY_BYTES,
            body_error: false,
            whole: true,
            response_inspected: false,
            verdict: Verdict::Pass,
        }
    }

    /// How much to keep of each match; everything but the steps if not called.
    #[must_use]
    pub fn with_detail(mut self, detail: Detail) -> Self {
        self.machine.detail = detail;
        self
    }

    /// Runs every rule on every value, without gates: the yardstick that the fast path is held against.
    #[must_use]
    pub fn ungated(mut self) -> Self {
        let (detail, engine) = (self.machine.detail, self.machine.engine);
        self.machine.reset(&self.program, false);
        (self.machine.detail, self.machine.engine) = (detail, engine);
        self
    }

    /// Looks only, whatever mode the rule files name: matches are recorded and nothing is refused.
    #[must_use]
    pub fn observing(mut self) -> Self {
        self.machine.engine = EngineMode::DetectionOnly;
        self
    }

    /// Uses what is known of fields beforehand. Without effect if it was made for another set.
    #[must_use]
    pub fn sparing(mut self, spared: &Arc<crate::spared::Spared>) -> Self {
        self.machine.spare(&self.program, spared);
        self
    }

    /// Takes bodies of up to `bytes` where no rule file states a limit: the caller has bounded them.
    #[must_use]
    pub fn with_body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Refuses what speaks against the message, whatever mode the rule files name.
    #[must_use]
    pub fn enforcing(mut self) -> Self {
        self.machine.engine = EngineMode::On;
        self
    }

    /// Phase 1: the request's head.
    pub fn request_head(&mut self, head: &RequestHead<'_>) -> Verdict {
        let separator = self.program.settings.separator;
        let arguments = self.program.settings.arguments;
        (self.content_type, self.whole) = head::request(&mut self.machine.store, head, separator, arguments);
        if let Some(processor) = Processor::for_type(&self.content_type) {
            self.machine.processor = Some(processor);
            self.machine.store.set_bytes(List::Processor, processor.name().as_bytes());
        } else {
            self.machine.store.set_bytes(List::Processor, b"");
        }
        self.machine.request_body_access = self.program.settings.request_body;
        self.machine.response_body_access = self.program.settings.response_body;
        let store = &mut self.machine.store;
        let limits = self.program.settings.body_limits();
        for list in [List::ArgsGet, List::Cookies] {
            self.whole &= body::derived::arguments(store, list, limits);
        }
        self.sizes();
        self.run(1);
        self.unless_whole()
    }

    /// Phase 2: the request's body, empty if there is none.
    pub fn request_body(&mut self, body: &[u8]) -> Verdict {
        if self.verdict.is_refused() {
            return self.verdict;
        }
        let settings = &self.program.settings;
        let mut body = body;
        let limit = settings.request_body_limit.unwrap_or(self.body_limit);
        if body.len() > limit {
            if !settings.request_body_partial && self.limit(Limit::BodyTooLong, 413).is_refused() {
                return self.verdict;
            }
            body = crate::bytes::sub(body, 0, limit);
        }
        self.machine.body_bytes = body.len();
        if self.machine.request_body_access {
            self.read_body(body);
        } else if !self.whole {
            self.note_error(UNSEEN);
        }
        self.sizes();
        self.run(2);
        if self.body_error && self.whole && !self.program.judges_body_errors {
            self.refuse_unless(Limit::BodyUnreadable, 400);
        }
        self.unless_whole()
    }

    /// Refuses what wasn't looked at whole, if no rule has refused it: rules can't, for what they don't see.
    fn unless_whole(&mut self) -> Verdict {
        if !self.whole {
            self.refuse_unless(Limit::TooMuchWork, 413);
        }
        self.verdict
    }

    /// Refuses what rules can't judge, unless they have refused it, or have let all pass.
    fn refuse_unless(&mut self, limit: Limit, status: u16) {
        if !self.verdict.is_refused() && self.machine.is_asked() {
            self.limit(limit, status);
        }
    }

    /// Lets rules know that the message isn't what it claims to be, or is more than they see; nothing if it is in order.
    fn note_error(&mut self, error: &str) {
        self.body_error = !error.is_empty();
        let store = &mut self.machine.store;
        store.set_bytes(List::BodyError, if self.body_error { b"1" } else { b"0" });
        store.set_bytes(List::BodyErrorMsg, error.as_bytes());
    }

    fn read_body(&mut self, body: &[u8]) {
        let settings = &self.program.settings;
        let limits = settings.body_limits();
        let machine = &mut self.machine;
        machine.store.set_number(List::BodyLength, body.len());
        let processor = machine.processor;
        let name = processor.map_or("", Processor::name);
        machine.store.set_bytes(List::Processor, name.as_bytes());
        let mut error = String::new();
        if let Some(processor) = processor
            && !body.is_empty()
            && let Err(unread) =
                body::read(processor, body, &self.content_type, limits, settings.separator, &mut machine.store)
        {
            error = unread.why;
            self.whole &= !unread.is_cut;
        }
        self.whole &= body::derived::body(&mut machine.store, body, (processor, &self.content_type), limits);
        self.whole &= body::derived::arguments(&mut machine.store, List::ArgsPost, limits);
        if !self.whole && error.is_empty() {
            error = UNSEEN.to_owned();
        }
        self.note_error(&error);
        let machine = &mut self.machine;
        // A body that a processor took apart is looked at in its parts; one that it couldn't read, as a whole.
        let whole = match processor {
            None => machine.force_body,
            Some(Processor::UrlEncoded) => true,
            Some(Processor::Json | Processor::Multipart | Processor::Xml) => self.body_error || machine.force_body,
        };
        if whole && !body.is_empty() {
            machine.store.set_bytes(List::Body, body);
        } else {
            machine.store.set_bytes(List::Body, b"");
        }
    }

    /// The sums that rules compare with limits.
    fn sizes(&mut self) {
        let store = &mut self.machine.store;
        if !store.wants(List::ArgsSize) && !store.wants(List::FilesSize) {
            return;
        }
        let both = store.list(List::ArgsGet).iter().chain(store.list(List::ArgsPost));
        let size = both.map(|e| e.name.len() + e.value.len()).sum();
        store.set_number(List::ArgsSize, size);
        if store.list(List::FilesSize).is_empty() {
            store.set_number(List::FilesSize, 0);
        }
    }

    /// Whether what speaks against the message refuses it: not where rules only look, or a `ctl` says that they do.
    pub fn refuses(&self) -> bool {
        self.machine.engine == EngineMode::On
    }

    /// Phase 5: rules that only record. Refuses nothing.
    pub fn finish(&mut self) {
        let [.., last] = &self.program.turns;
        if last.is_empty() {
            return;
        }
        let verdict = self.verdict;
        self.run(5);
        self.verdict = verdict;
    }

    fn run(&mut self, phase: u8) -> Verdict {
        if let Some(refused) = self.machine.run(&self.program, phase)
            && phase < 5
        {
            self.verdict = Verdict::Refuse(refused);
        }
        self.verdict
    }

    /// Refuses the message for a limit, or notes that it would be.
    fn limit(&mut self, limit: Limit, status: u16) -> Verdict {
        if self.machine.engine != EngineMode::Off {
            let refused = Refused { status, rule: 0, limit: Some(limit), drop: false };
            self.machine.would_refuse.get_or_insert(refused);
            if self.machine.engine == EngineMode::On {
                self.verdict = Verdict::Refuse(refused);
            }
        }
        self.verdict
    }

    /// Whether the body isn't what its content type says. A gateway may refuse such a body; rules see it whole.
    pub fn has_body_error(&self) -> bool {
        self.body_error
    }

    /// The verdict so far.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// What would have been refused if the engine weren't only looking.
    pub fn would_refuse(&self) -> Option<Refused> {
        self.machine.would_refuse
    }

    /// The rules that matched and are to be recorded, in order. LIMIT: the first 256.
    pub fn matches(&self) -> &[Match] {
        &self.machine.matches
    }

    /// The numbers of all rules that matched and are to be recorded, once per match.
    pub fn matched_ids(&self) -> &[u64] {
        &self.machine.matched_ids
    }

    /// The anomaly scores.
    pub fn scores(&self) -> Scores {
        let [inbound, outbound, detected_inbound, detected_outbound] =
            self.program.scores.map(|slot| slot.map_or(0, |slot| self.machine.number(TxKey::Slot(slot))));
        Scores { inbound, outbound, detected_inbound, detected_outbound }
    }

    /// A `tx` variable as a number, 0 if it isn't set; `name` in lower case.
    pub fn number(&self, name: &str) -> i64 {
        let slot = self.program.names.find(name.as_bytes());
        slot.map_or(0, |slot| self.machine.number(TxKey::Slot(slot)))
    }

    /// How often a condition was tried on a value: what a benchmark counts to know that rules ran.
    pub fn evaluations(&self) -> u64 {
        self.machine.evaluations
    }

    /// The buffers, for the next request.
    pub fn into_scratch(self) -> Scratch {
        Scratch { machine: self.machine }
    }
}

#[cfg(test)]
mod tests;
