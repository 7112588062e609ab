//! The fast path: which rules can't match a value, decided without running them. Every value is looked at once per
//! view; what is left over is confirmed by the interpreter. INVARIANT: a gate may let through what doesn't match,
//! and never the other way round; `equality` in the tests holds it against the interpreter without gates.

mod analysis;
mod bits;
mod build;
mod clauses;
mod fold;
mod literals;
mod memory;
mod scan;
mod spared;
mod sqli;
mod together;
mod views;

use crate::classes::Classes;
use crate::rule::Rule;
use crate::ruleset::TxNames;
use crate::store::{Half, LISTS, List};
use crate::tx::TxValue;
pub(crate) use bits::Bits;
pub(crate) use scan::{Mixer, Scanner};
#[cfg(test)]
pub(crate) use sqli::Words as SqlWords;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use views::sources;

/// A rule of a phase with its gate's number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) rule: u32,
    pub(crate) gate: Option<u16>,
}

/// The rules that look at one half of a list's entries.
#[derive(Debug, Clone, Default)]
struct Interest {
    all: Bits,
    /// Members that single rules name, in lower case, with the rules of `all` included.
    named: Vec<(Box<[u8]>, Bits)>,
}

/// The gates of a rule set.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// Tells sets apart for what workers remember: an address may be used again, this isn't.
    pub(crate) serial: u64,
    /// For each rule its gate's number, while the set is built.
    numbers: Vec<Option<u16>>,
    interests: Vec<[Interest; 2]>,
    /// The rules that a value of this length can match; the last serves all longer ones.
    by_length: Vec<Bits>,
    clauses: clauses::Clauses,
    literals: literals::Literals,
    together: [together::Together; 2],
    sqli: Bits,
    /// What starts an escape that one of those rules decodes: its words may be hidden until then.
    sqli_escapes: Classes,
    words: sqli::Words,
    views: views::Views,
    /// The rules of each phase that are left after constants are folded.
    pub(crate) phases: [Vec<Turn>; 5],
    /// The `tx` variables that are the same for every request, and the texts they hold.
    pub(crate) initial: Vec<TxValue>,
    pub(crate) prelude: Vec<u8>,
    /// What values of known classes can match, by their classes. Asked while routes are compiled, and for no request.
    possible: std::sync::Mutex<std::collections::HashMap<Classes, Bits>>,
}

// === impl Gate ===

impl Gate {
    pub(crate) fn new(rules: &[Rule], phases: &[Vec<u32>; 5], names: &TxNames) -> Self {
        static SERIAL: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        let folded = fold::fold(rules, phases, names);
        let mut gate = build::build(rules, &folded.phases);
        gate.serial = SERIAL.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        for (turns, list) in gate.phases.iter_mut().zip(&folded.phases) {
            // A rule that skips by count counts all, so none of them may be passed over.
            let counts = list.iter().any(|at| rules.get(crate::bytes::index(*at)).is_some_and(|r| r.skip > 0));
            let number = |at: u32| gate.numbers.get(crate::bytes::index(at)).copied().flatten().filter(|_| !counts);
            *turns = list.iter().map(|at| Turn { rule: *at, gate: number(*at) }).collect();
        }
        gate.initial = folded.initial;
        gate.prelude = folded.prelude;
        gate
    }

    pub(crate) fn gated_rules(&self) -> usize {
        self.numbers.iter().flatten().count()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.literals.bytes() + self.together.iter().map(together::Together::bytes).sum::<usize>()
    }

    fn interest(&self, list: List, half: Half) -> Option<&Interest> {
        let [name, value] = self.interests.get(list.at())?;
        Some(if half == Half::Name { name } else { value })
    }
}

// === impl Interest ===

impl Interest {
    fn is_empty(&self) -> bool {
        self.all.is_empty() && self.named.is_empty()
    }

    fn of(&self, name: &[u8]) -> Bits {
        let named = self.named.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map_or(self.all, |(_, bits)| *bits)
    }
}

/// All lists, in order.
pub(crate) const ALL_LISTS: [List; LISTS] = [
    List::ArgsGet,
    List::ArgsPost,
    List::ArgsSize,
    List::Files,
    List::FilesSizes,
    List::FilesSize,
    List::PartHeaders,
    List::MultipartFlags,
    List::Headers,
    List::Cookies,
    List::Filename,
    List::Basename,
    List::Uri,
    List::UriRaw,
    List::Line,
    List::Method,
    List::Protocol,
    List::Body,
    List::BodyLength,
    List::Query,
    List::XmlText,
    List::XmlAttributes,
    List::Processor,
    List::BodyError,
    List::BodyErrorMsg,
    List::ResponseBody,
    List::ResponseHeaders,
    List::ResponseStatus,
    List::ResponseProtocol,
    List::ResponseType,
    List::ResponseLength,
    List::RemoteAddr,
    List::RemotePort,
    List::ServerName,
    List::UniqueId,
    List::Derived,
];
