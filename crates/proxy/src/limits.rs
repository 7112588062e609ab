//! What callers may ask for: the accounts of every limit, and how a request is charged to them.
//!
//! The arithmetic is `portcullis-limit`'s. Accounts outlive a reload that leaves their limit as it is; what a worker holds of
//! them in advance is its own, so that most requests touch nothing that another worker writes.

mod book;
mod charged;
mod rules;

pub(crate) use book::{Book, Books, Shelf};
pub(crate) use charged::Charged;
pub(crate) use rules::{Compiler, RouteLimits};

use crate::pipeline::route::Routed;
use portcullis_limit::{Ask, KeyHasher, Limiter, Moment, Unit, Verdict};
use portcullis_types::{Reason, Refusal, Stage};
use rules::Limit;
use std::cell::RefCell;
use std::sync::Arc;

/// What one worker charges with, under one snapshot. Its memory is used again, so that a decision allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct Drawer {
    limiter: Limiter,
    asks: Vec<Ask>,
    verdict: Verdict,
}

/// Everything that a charge needs, at one moment.
pub(crate) struct Till<'a> {
    pub(crate) drawer: &'a RefCell<Drawer>,
    pub(crate) hasher: &'a KeyHasher,
    pub(crate) books: &'a Books,
    pub(crate) now: Moment,
}

// === impl Drawer ===

impl Drawer {
    pub(crate) fn new(books: &[Arc<Book>]) -> Self {
        Self { limiter: Limiter::new(ledgers(books)), ..Self::default() }
    }

    /// The drawer for the next snapshot. Requests under way go on with this one, exactly.
    pub(crate) fn succeeded_by(&mut self, books: &[Arc<Book>]) -> Self {
        Self { limiter: self.limiter.succeeded_by(ledgers(books)), ..Self::default() }
    }

    /// Charges what only the end of a request could tell.
    pub(crate) fn settle(&mut self, charged: &mut Charged, bytes: u64, now: Moment) {
        for ask in charged.owing.drain(..) {
            // One was charged to get in.
            self.limiter.charge_after(&Ask { units: bytes.saturating_sub(ask.units), ..ask }, now);
        }
    }
}

fn ledgers(books: &[Arc<Book>]) -> Vec<Arc<portcullis_limit::Ledger>> {
    books.iter().map(|book| Arc::clone(&book.ledger)).collect()
}

// === impl Till ===

impl Till<'_> {
    /// Charges a request to all of these limits or to none, and notes what they say.
    pub(crate) fn charge(
        &self,
        limits: &[Arc<Limit>],
        cost: u64,
        stage: Stage,
        routed: &mut Routed<'_>,
    ) -> Result<(), Refusal> {
        let mut drawer = self.drawer.borrow_mut();
        let Drawer { limiter, asks, verdict } = &mut *drawer;
        asks.clear();
        for limit in limits.iter().filter(|limit| !limit.exempts(routed.request.client.address)) {
            let key = limit.key(self.hasher, routed);
            for place in limit.places(routed.record.caller.as_deref()) {
                let unit = self.books.get(*place).map(|book| book.ledger.policy().unit());
                let units = if unit == Some(Unit::Cost) { cost } else { 1 };
                asks.push(Ask { policy: *place, key, units });
            }
        }
        if asks.is_empty() {
            return Ok(());
        }
        limiter.charge(asks, self.now, verdict);
        let charged = &mut *routed.charged;
        charged.tell(self.books, &verdict.decisions);
        for decision in verdict.decisions.iter().filter(|decision| !decision.has_room) {
            let Some(book) = self.books.get(decision.policy) else { continue };
            book.count_short();
            let noted = if decision.shadow { &mut routed.record.limit_observed } else { &mut routed.record.limit };
            noted.get_or_insert(decision.policy);
        }
        if verdict.admitted {
            charged.hold(self.books, verdict.permits.drain(..));
            let in_bytes = |ask: &&Ask| {
                let unit = self.books.get(ask.policy).map(|book| book.ledger.policy().unit());
                unit == Some(Unit::ContentBytes)
            };
            charged.owing.extend(asks.iter().filter(in_bytes).copied());
            return Ok(());
        }
        let wait_s = verdict.retry_after_s().unwrap_or(1);
        let violated: Vec<String> = limiter.violated(verdict).map(str::to_owned).collect();
        let private = format!("over {}", violated.join(", "));
        let refusal = Refusal::new(stage, Reason::QuotaExceeded, "the budget for such requests is spent");
        Err(refusal.private(private).header("retry-after", wait_s.to_string()).violating(violated))
    }
}
