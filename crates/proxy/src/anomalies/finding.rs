//! Findings as they are told and kept: with names instead of numbers.

use portcullis_anomaly::Step;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

// LIMIT: findings that are remembered.
pub(super) const REMEMBERED_MAX: usize = 1_000;

/// Something unusual.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingFacts {
    /// When it was noticed, in milliseconds since 1970.
    pub at_ms: u64,
    /// What is unusual: `sequential_ids`.
    pub kind: String,
    /// Who vouches for the caller; empty without an issuer, and for an address.
    pub issuer: String,
    /// The caller, if it is about one.
    pub caller: String,
    /// The address, if it is about one; else from where the request came that made the finding.
    pub address: String,
    /// Whether it is about the address, and not about the caller.
    pub is_of_address: bool,
    /// The operation, if it is about one.
    pub operation: String,
    /// What was seen, what is usual, and what it would have taken, in the unit of the kind.
    pub numbers: [f64; 3],
    /// Over how many seconds.
    pub window_s: u64,
    /// What follows: `observe`, `slow`, `refuse`, `block`.
    pub step: String,
    /// The country or network that is new, where a file says what it is: `DE`, `AS64500`.
    pub place: String,
}

/// The last ones. Locked by the judge and by operators, never by a request.
#[derive(Debug, Default)]
pub(super) struct Findings(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// With the numbers that they are about.
    last: VecDeque<(u64, FindingFacts)>,
    /// How many there were in all.
    count: u64,
}

// === impl Findings ===

impl Findings {
    /// Adds one, about a number.
    pub(super) fn add(&self, name: u64, finding: FindingFacts) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.last.len() >= REMEMBERED_MAX {
            all.last.pop_front();
        }
        all.last.push_back((name, finding));
        all.count += 1;
    }

    pub(super) fn all(&self) -> Vec<FindingFacts> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.last.iter().map(|(_, finding)| finding.clone()).collect()
    }

    /// How many there were in all, and those that came after so many, as far as they are remembered.
    pub(super) fn since(&self, count: u64) -> (u64, Vec<FindingFacts>) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = usize::try_from(all.count.saturating_sub(count)).unwrap_or(usize::MAX);
        let known = all.last.len().saturating_sub(fresh);
        (all.count, all.last.iter().skip(known).map(|(_, finding)| finding.clone()).collect())
    }

    /// The numbers of whoever is called so.
    pub(super) fn names_of(&self, who: &str) -> Vec<u64> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_called = |finding: &FindingFacts| match finding.is_of_address {
            true => finding.address == who,
            false => finding.caller == who && !who.is_empty(),
        };
        let mut names: Vec<u64> =
            all.last.iter().filter(|(_, finding)| is_called(finding)).map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

// === impl FindingFacts ===

impl FindingFacts {
    /// As one value, whose form does not change.
    #[must_use]
    pub fn json(&self) -> Value {
        let [seen, usual, bound] = self.numbers;
        json!({
            "at_ms": self.at_ms,
            "kind": self.kind,
            "about": if self.is_of_address { "address" } else if self.caller.is_empty() { "everybody" } else { "caller" },
            "issuer": self.issuer,
            "caller": self.caller,
            "address": self.address,
            "operation": self.operation,
            "seen": seen,
            "usual": usual,
            "bound": bound,
            "window_s": self.window_s,
            "step": self.step,
            "place": self.place,
        })
    }

    /// What [`FindingFacts::json`] wrote; `None` if it is anything else.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        let number = |name: &str| value.get(name)?.as_f64();
        let step = text("step")?;
        Step::ALL.iter().find(|one| one.name() == step)?;
        Some(Self {
            at_ms: value.get("at_ms")?.as_u64()?,
            kind: text("kind")?,
            issuer: text("issuer")?,
            caller: text("caller")?,
            address: text("address")?,
            is_of_address: text("about")? == "address",
            operation: text("operation")?,
            numbers: [number("seen")?, number("usual")?, number("bound")?],
            window_s: value.get("window_s")?.as_u64()?,
            step,
            // Those that were kept before there were files have none.
            place: text("place").unwrap_or_default(),
        })
    }
}
