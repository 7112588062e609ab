//! Which rules a value can match at all whose bytes are known beforehand: what a contract says about a field, as byte
//! classes. INVARIANT: as for every gate, a rule that any such value matches is among them; a value is held to its classes
//! before this is used, so that a wrong promise costs time and hides nothing.

use super::views::{self, Views};
use super::{Bits, Gate};
use crate::classes::{self, Classes};
use crate::store::{Half, List};

/// LIMIT: sets of classes whose rules are remembered, while routes are compiled.
const KNOWN: usize = 4096;

// === impl Gate ===

impl Gate {
    /// The gated rules that a value may match that has no other classes than these, in any view.
    pub(crate) fn possible(&self, allowed: Classes) -> Bits {
        if let Some(known) = self.known().get(&allowed) {
            return *known;
        }
        let found = self.find_possible(allowed);
        let mut known = self.known();
        if known.len() < KNOWN {
            known.insert(allowed, found);
        }
        found
    }

    fn known(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<Classes, Bits>> {
        self.possible.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn find_possible(&self, allowed: Classes) -> Bits {
        let every = self.by_length.last().copied().unwrap_or(Bits::NONE);
        let mut rules = self.clauses.loose(allowed, &every);
        // What is the identity for all of these classes is so for fewer of them.
        let step = self.views.step(Views::ROOT, views::changes(allowed));
        let changed = step.next.iter().fold(Bits::NONE, |mut all, (_, _, below)| {
            all.or(below);
            all
        });
        // Rules that see nothing but the value itself, case aside.
        let alone = rules.and(&step.rules).without(&changed);
        let mut here = self.literals.possible(self.clauses.exact(allowed, alone), allowed);
        for (at, together) in self.together.iter().enumerate() {
            let folded = if at == 1 { allowed & !classes::UPPER } else { allowed };
            here = together.possible(here, folded, at == 1);
        }
        if !self.words.possible_of(allowed) {
            here = here.without(&self.sqli);
            if allowed & self.sqli_escapes == 0 {
                rules = rules.without(&self.sqli);
            }
        }
        let mut out = rules.and(&changed);
        out.or(&here);
        out
    }

    /// How many rules look at values of this list, and how many of them are among `rules`.
    pub(crate) fn looks(&self, list: List, name: &[u8], rules: &Bits) -> (usize, usize) {
        let interest = self.interest(list, Half::Value).map_or(Bits::NONE, |interest| interest.of(name));
        (interest.count(), interest.and(rules).count())
    }
}
