//! Everything that is watched, in tables of a fixed size.

use crate::event::{Event, mix};
use crate::finding::{Finding, Kind, Who};
use crate::pair::Pair;
use crate::sequence::{Steps, Walk};
use crate::spread::Spread;
use crate::subject::{Notice, Subject, minute};
use crate::table::Table;

/// How long the same is not told again about the same, in minutes.
const SILENCE: u64 = 30;

/// How many of each are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Principals.
    pub principals: usize,
    /// Addresses.
    pub addresses: usize,
    /// Principals at operations.
    pub pairs: usize,
}

/// Watches requests.
#[derive(Debug)]
pub struct Watcher {
    principals: Table<Person>,
    addresses: Table<Told<Subject>>,
    pairs: Table<Told<Pair>>,
    steps: Steps,
    spread: Told<Spread>,
    /// The last one there was.
    minute: u64,
}

#[derive(Clone, Debug, Default)]
struct Person {
    subject: Told<Subject>,
    walk: Walk,
}

/// Something, and what was told about it lately.
#[derive(Clone, Debug, Default)]
struct Told<T> {
    of: T,
    kinds: u16,
    until: u64,
}

// === impl Bounds ===

impl Default for Bounds {
    fn default() -> Self {
        Self { principals: 100_000, addresses: 65_536, pairs: 200_000 }
    }
}

// === impl Watcher ===

impl Watcher {
    /// With tables of these sizes, whose memory is taken as they fill.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self {
            principals: Table::new(bounds.principals),
            addresses: Table::new(bounds.addresses),
            pairs: Table::new(bounds.pairs),
            steps: Steps::new(),
            spread: Told::default(),
            minute: 0,
        }
    }

    /// Takes in a request that has ended. Moments that go back count as the last one that went on, by their minute.
    pub fn see(&mut self, event: &Event<'_>, found: &mut dyn FnMut(Finding)) {
        let minute = minute(event.at_ms).max(self.minute);
        self.minute = minute;
        let at_ms = event.at_ms;
        if let Some(address) = self.addresses.of(event.address, minute) {
            let mut tell = teller(found, Who::Address(event.address), at_ms);
            let Told { of, kinds, until } = address;
            of.see(event, minute, false, &mut once(kinds, until, minute, &mut tell));
        }
        if let Some(credential) = event.failed_credential {
            let Told { of, kinds, until } = &mut self.spread;
            if let Some(notice) = of.see(event.address, credential, minute) {
                once(kinds, until, minute, &mut teller(found, Who::Everybody, at_ms))(Kind::Stuffing, notice);
            }
        }
        let Some(name) = event.principal else { return };
        if let Some(person) = self.principals.of(name, minute) {
            let mut tell = teller(found, Who::Principal(name), at_ms);
            let Told { of, kinds, until } = &mut person.subject;
            let mut tell = once(kinds, until, minute, &mut tell);
            of.see(event, minute, true, &mut tell);
            let surprise = event.operation.and_then(|operation| self.steps.see(&mut person.walk, operation, minute));
            if let Some((seen, usual, bound)) = surprise {
                tell(Kind::Sequence, Notice { seen, usual, bound, window_s: 60 });
            }
        }
        let Some(operation) = event.operation else { return };
        if let Some(pair) = self.pairs.of(mix(name ^ mix(operation)), minute) {
            let mut tell = teller(found, Who::PrincipalAt(name, operation), at_ms);
            let Told { of, kinds, until } = pair;
            of.see(event, minute, &mut once(kinds, until, minute, &mut tell));
        }
    }

    /// Bytes of all tables once they are full.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.principals.bytes() + self.addresses.bytes() + self.pairs.bytes() + self.steps.bytes() + size_of::<Self>()
    }
}

fn teller(found: &mut dyn FnMut(Finding), who: Who, at_ms: u64) -> impl FnMut(Kind, Notice) + '_ {
    move |kind, notice| found(finding(kind, who, at_ms, notice))
}

/// Lets each kind through once in a while.
fn once<'a>(
    kinds: &'a mut u16,
    until: &'a mut u64,
    minute: u64,
    tell: &'a mut dyn FnMut(Kind, Notice),
) -> impl FnMut(Kind, Notice) + 'a {
    move |kind, notice| {
        if minute >= *until {
            (*kinds, *until) = (0, minute + SILENCE);
        }
        if *kinds & kind.bit() == 0 {
            *kinds |= kind.bit();
            tell(kind, notice);
        }
    }
}

fn finding(kind: Kind, who: Who, at_ms: u64, notice: Notice) -> Finding {
    let Notice { seen, usual, bound, window_s } = notice;
    Finding { kind, who, at_ms, seen: seen.into(), usual: usual.into(), bound: bound.into(), window_s }
}
