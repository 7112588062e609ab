//! Which rules a value's byte classes allow: each rule needs one class of each of its clauses. Kept by class, so
//! that a value costs one OR per class it has, whatever the number of rules.

use super::Bits;
use crate::classes::{self, Classes};

/// How many clauses of a rule are looked at: the most telling ones.
const LEVELS: usize = 4;

/// The clauses of all rules.
#[derive(Debug, Default)]
pub(super) struct Clauses {
    levels: [Level; LEVELS],
}

#[derive(Debug)]
struct Level {
    /// The rules whose clause has the class.
    by_class: [Bits; 64],
    /// The rules that have no clause at this level.
    none: Bits,
}

/// What a set of classes allows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    /// The rules that may match a view with exactly these classes.
    pub(super) exact: Bits,
    /// The rules that may match a view made from it by transformations that only take away, or turn something
    /// into a space, or a backslash into a slash.
    pub(super) loose: Bits,
}

impl Default for Level {
    fn default() -> Self {
        Self { by_class: [Bits::NONE; 64], none: Bits::NONE }
    }
}

// === impl Clauses ===

impl Clauses {
    pub(super) fn add(&mut self, rule: usize, clauses: &[Classes]) {
        for (at, level) in self.levels.iter_mut().enumerate() {
            let Some(clause) = clauses.get(at) else {
                level.none.insert(rule);
                continue;
            };
            for (bit, rules) in level.by_class.iter_mut().enumerate() {
                if clause >> bit & 1 == 1 {
                    rules.insert(rule);
                }
            }
        }
    }

    pub(super) fn allowed(&self, mask: Classes) -> Allowed {
        let mut extra = classes::SPACE & !mask;
        if mask & classes::of(b"\\") != 0 {
            extra |= classes::of(b"/") & !mask;
        }
        let mut out: Option<Allowed> = None;
        for level in &self.levels {
            let mut exact = level.none;
            level.union(mask, &mut exact);
            let mut loose = exact;
            level.union(extra, &mut loose);
            out = Some(match out {
                None => Allowed { exact, loose },
                Some(before) => Allowed { exact: before.exact.and(&exact), loose: before.loose.and(&loose) },
            });
        }
        out.unwrap_or(Allowed { exact: Bits::NONE, loose: Bits::NONE })
    }
}

// === impl Level ===

impl Level {
    fn union(&self, mask: Classes, out: &mut Bits) {
        let mut rest = mask;
        while rest != 0 {
            let bit = crate::bytes::index(rest.trailing_zeros());
            rest &= rest - 1;
            if let Some(rules) = self.by_class.get(bit) {
                out.or(rules);
            }
        }
    }
}
