//! What callers may ask for: the accounts of every limit, and how a request is charged to them.
//!
//! The arithmetic is `portcullis-limit`'s. Accounts outlive a reload that leaves their limit as it is; what a worker holds of
//! them in advance is its own, so that most requests touch nothing that another worker writes.

mod book;
mod charged;
mod costs;
mod rules;
mod shared;

pub(crate) use book::{Book, Books, Shelf};
pub(crate) use charged::Charged;
pub(crate) use costs::{Hidden, is_hidden};
pub(crate) use rules::{Compiler, RouteLimits};
pub(crate) use shared::{SharedStore, hasher};

use crate::pipeline::route::Routed;
use portcullis_limit::{Ask, Decision, KeyHasher, Limiter, Moment, Supply, Unit, Verdict};
use portcullis_types::{Reason, Refusal, Stage};
use rules::Limit;
use shared::{Asked, Question, What};
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
    /// Present where gateways share a store.
    pub(crate) store: Option<&'a SharedStore>,
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

    /// What the last charge left, for operators: `per_address 199 of 200`.
    pub(crate) fn left(&self, books: &Books) -> String {
        let one = |decision: &Decision| {
            let name = books.get(decision.policy)?.ledger.policy().name();
            Some(format!("{name} {} of {}", decision.remaining, decision.limit))
        };
        self.verdict.decisions.iter().filter_map(one).collect::<Vec<_>>().join(", ")
    }

    /// Charges what only the end of a request could tell: its bytes.
    pub(crate) fn settle(&mut self, charged: &mut Charged, bytes: u64, keepers: Keepers<'_>, now: Moment) {
        for ask in charged.owing.drain(..) {
            let counts_bytes =
                keepers.0.get(ask.policy).map(|book| book.ledger.policy().unit()) == Some(Unit::ContentBytes);
            // One was charged to get in. What an answer cost, no answer has told.
            let more = if counts_bytes { bytes.saturating_sub(ask.units) } else { 0 };
            self.owe(&ask, more, keepers, now);
        }
    }

    /// Charges what has been spent on top of what was asked for.
    fn owe(&mut self, ask: &Ask, units: u64, (books, store): Keepers<'_>, now: Moment) {
        if units == 0 {
            return;
        }
        let missing = self.limiter.charge_after(&Ask { units, ..*ask }, now);
        if missing > 0
            && let (Some(store), Some(book)) = (store, books.get(ask.policy))
        {
            store.tell(vec![Asked { book: Arc::clone(book), key: ask.key, what: What::Spent(missing) }]);
        }
    }
}

/// Where accounts are kept.
pub(crate) type Keepers<'k> = (&'k Books, Option<&'k SharedStore>);

fn ledgers(books: &[Arc<Book>]) -> Vec<Arc<portcullis_limit::Ledger>> {
    books.iter().map(|book| Arc::clone(&book.ledger)).collect()
}

// === impl Till ===

impl Till<'_> {
    /// Charges a request to all of these limits or to none, and notes what they say. What only the shared store can tell comes
    /// back as questions; nothing was charged then, and `told` brings the answers.
    pub(crate) fn charge(
        &self,
        limits: &[Arc<Limit>],
        (cost, stage): (u64, Stage),
        routed: &mut Routed<'_>,
        told: &[(usize, Supply)],
    ) -> Result<Vec<Question>, Refusal> {
        let mut drawer = self.drawer.borrow_mut();
        let Drawer { limiter, asks, verdict } = &mut *drawer;
        asks.clear();
        for limit in limits.iter().filter(|limit| !limit.exempts(routed.request.client.address)) {
            let key = limit.key(self.hasher, routed);
            for place in limit.places(routed.record.caller.as_deref()) {
                let unit = self.books.get(*place).map(|book| book.ledger.policy().unit());
                let units = if unit == Some(Unit::Cost) { cost } else { 1 };
                let supply = told.iter().find(|(of, _)| of == place).map_or(Supply::Here, |(_, supply)| *supply);
                asks.push(Ask { policy: *place, key, units, supply });
            }
        }
        if asks.is_empty() {
            return Ok(Vec::new());
        }
        limiter.charge(asks, self.now, verdict);
        if !verdict.missing.is_empty() {
            // What it would pay to ask for soon goes along, or it would be a second call.
            let needed = self.questions(&verdict.missing).map(|(ask, book)| question(ask, book, Some(ask.units)));
            let soon = self.questions(&verdict.low).map(|(ask, book)| question(ask, book, None));
            return Ok(needed.chain(soon).collect());
        }
        if let Some(store) = self.store.filter(|_| !verdict.low.is_empty()) {
            let more = |(ask, book): (&Ask, Arc<Book>)| Asked { book, key: ask.key, what: What::More };
            store.tell(self.questions(&verdict.low).map(more).collect());
        }
        self.decided(&mut drawer, stage, routed)
    }

    fn questions<'a>(&'a self, asks: &'a [Ask]) -> impl Iterator<Item = (&'a Ask, Arc<Book>)> {
        asks.iter().filter_map(|ask| Some((ask, Arc::clone(self.books.get(ask.policy)?))))
    }

    fn decided(&self, drawer: &mut Drawer, stage: Stage, routed: &mut Routed<'_>) -> Result<Vec<Question>, Refusal> {
        let Drawer { limiter, asks, verdict } = drawer;
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
            let told_later = |ask: &&Ask| self.books.get(ask.policy).is_some_and(|book| book.is_told_later());
            charged.owing.extend(asks.iter().filter(told_later).copied());
            return Ok(Vec::new());
        }
        let wait_s = verdict.retry_after_s().unwrap_or(1);
        let violated: Vec<String> = limiter.violated(verdict).map(str::to_owned).collect();
        let private = format!("over {}", violated.join(", "));
        let refusal = Refusal::new(stage, Reason::QuotaExceeded, "the budget for such requests is spent");
        Err(refusal.private(private).header("retry-after", wait_s.to_string()).violating(violated))
    }
}

/// Charges a request, after asking the shared store where nobody here can tell. `till` is the till of the moment.
pub(crate) async fn charge<'t>(
    till: impl Fn() -> Till<'t>,
    limits: &[Arc<Limit>],
    of: (u64, Stage),
    routed: &mut Routed<'_>,
) -> Result<(), Refusal> {
    let now = till();
    let questions = now.charge(limits, of, routed, &[])?;
    if questions.is_empty() {
        return Ok(());
    }
    // In memory of its own, so that the usual way does not carry its size.
    let told = match now.store {
        Some(store) => Box::pin(store.ask(questions)).await,
        None => questions.iter().map(|question| (question.place, Supply::Unanswered)).collect(),
    };
    let left = till().charge(limits, of, routed, &told)?;
    if left.is_empty() {
        return Ok(());
    }
    // Nobody is asked twice for one request.
    Err(undecided(of.1))
}

/// The same where there is nobody to ask.
pub(crate) fn charge_at_once<'t>(
    till: impl Fn() -> Till<'t>,
    limits: &[Arc<Limit>],
    of: (u64, Stage),
    routed: &mut Routed<'_>,
) -> Result<(), Refusal> {
    let left = till().charge(limits, of, routed, &[])?;
    if left.is_empty() { Ok(()) } else { Err(undecided(of.1)) }
}

fn question(ask: &Ask, book: Arc<Book>, units: Option<u64>) -> Question {
    Question { place: ask.policy, book, key: ask.key, units }
}

/// What cannot be decided is refused.
fn undecided(stage: Stage) -> Refusal {
    let refusal = Refusal::new(stage, Reason::QuotaExceeded, "the budget for such requests cannot be told");
    refusal.header("retry-after", "1".to_owned())
}
