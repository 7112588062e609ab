//! Deadlines of connections: a number to compare with, swept ten times a second.
//!
//! A connection sets its deadline several times a request, so that setting one must cost nothing; that it fires up
//! to a tenth of a second late is no harm for limits of seconds.

use crate::gateway::Life;
use portcullis_types::Millis;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

/// How often the worker looks for deadlines that have passed.
pub(crate) const SWEEP_EVERY: Duration = Duration::from_millis(100);

/// What happens to connections between two messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Closing {
    /// They rest.
    #[default]
    No,
    /// Those that can be told before they end are told; others rest.
    Gently,
    /// They end.
    AtOnce,
}

/// What a connection does that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// It has something to do.
    No,
    /// It is between two messages, so that it may end at any time.
    Idle,
    /// The same, and its other side hears of the end in time, however it comes.
    Told,
}

/// All deadlines of a worker.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    entries: RefCell<Vec<Weak<Entry>>>,
    now: Cell<Millis>,
    closing: Cell<Closing>,
    cut: Cell<bool>,
}

/// One deadline. Dropping it takes it off the worker's list at the next sweep.
#[derive(Debug)]
pub(crate) struct Timer(Rc<Entry>);

#[derive(Debug)]
struct Entry {
    due: Cell<Millis>,
    rest: Cell<Rest>,
    /// The listener that a client's connection belongs to.
    life: Option<Arc<Life>>,
    waker: RefCell<Option<Waker>>,
}

/// The deadline of what has none.
pub(crate) const NEVER: Millis = Millis::MAX;

// === impl Timers ===

impl Timers {
    /// A deadline that is not set.
    pub(crate) fn timer(&self) -> Timer {
        self.enter(None)
    }

    /// A deadline that is not set, of a connection that ends with its listener.
    pub(crate) fn timer_of(&self, life: &Arc<Life>) -> Timer {
        self.enter(Some(Arc::clone(life)))
    }

    fn enter(&self, life: Option<Arc<Life>>) -> Timer {
        let entry =
            Rc::new(Entry { due: Cell::new(NEVER), rest: Cell::new(Rest::No), life, waker: RefCell::new(None) });
        self.entries.borrow_mut().push(Rc::downgrade(&entry));
        Timer(entry)
    }

    /// Wakes every task whose deadline has passed; `now` is what deadlines are compared with until the next sweep.
    pub(crate) fn sweep(&self, now: Millis) {
        self.now.set(now);
        self.entries.borrow_mut().retain(|weak| {
            let Some(entry) = weak.upgrade() else { return false };
            if entry.has_passed(self)
                && let Some(waker) = entry.waker.borrow_mut().take()
            {
                waker.wake();
            }
            true
        });
    }

    /// Whether idle connections end with the next sweep.
    pub(crate) fn close(&self, closing: Closing) {
        self.closing.set(closing);
    }

    /// Lets every deadline pass with the next sweep, for a worker whose own time is up.
    pub(crate) fn cut(&self) {
        self.cut.set(true);
    }

    /// Milliseconds at the last sweep.
    pub(crate) fn now(&self) -> Millis {
        self.now.get()
    }

    /// The moment that is `after` from now. Now may be as late as the next sweep: a deadline is never early.
    pub(crate) fn after(&self, after: Duration) -> Millis {
        let after = Millis::try_from((after + SWEEP_EVERY).as_millis()).unwrap_or(NEVER);
        self.now().saturating_add(after)
    }
}

// === impl Entry ===

impl Entry {
    fn has_passed(&self, timers: &Timers) -> bool {
        self.due.get() <= timers.now() || self.is_cut(timers)
    }

    /// Whether it is over for what it belongs to, whatever the deadline is.
    fn is_cut(&self, timers: &Timers) -> bool {
        let (rest, closing) = (self.rest.get(), timers.closing.get());
        let ends = |life: &Arc<Life>| life.is_ending() && (rest != Rest::No || life.has_ended(timers.now()));
        let closes = match rest {
            Rest::No => false,
            Rest::Idle => closing == Closing::AtOnce,
            Rest::Told => closing != Closing::No,
        };
        timers.cut.get() || closes || self.life.as_ref().is_some_and(ends)
    }
}

impl Entry {
    fn wake_unless(&self, over: bool, context: &Context<'_>) -> bool {
        if !over {
            let mut waker = self.waker.borrow_mut();
            if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                *waker = Some(context.waker().clone());
            }
        }
        over
    }
}

// === impl Timer ===

impl Timer {
    /// Sets the deadline `after` from now.
    pub(crate) fn set(&self, timers: &Timers, after: Duration) {
        self.0.due.set(timers.after(after));
        self.0.rest.set(Rest::No);
    }

    /// Sets the deadline to a moment that [`Timers::after`] gave.
    pub(crate) fn set_at(&self, due: Millis) {
        self.0.due.set(due);
        self.0.rest.set(Rest::No);
    }

    /// Sets the deadline of a connection between two messages, which also ends when the worker closes.
    pub(crate) fn set_idle(&self, timers: &Timers, after: Duration) {
        self.set(timers, after);
        self.0.rest.set(Rest::Idle);
    }

    /// The same for a connection whose other side is told before it ends.
    pub(crate) fn set_told(&self, timers: &Timers, after: Duration) {
        self.set(timers, after);
        self.0.rest.set(Rest::Told);
    }

    /// Sets the deadline to a moment that [`Timers::after`] gave, or to when the worker closes.
    pub(crate) fn set_idle_at(&self, due: Millis) {
        self.set_at(due);
        self.0.rest.set(Rest::Idle);
    }

    /// Takes the deadline away.
    pub(crate) fn clear(&self) {
        self.0.due.set(NEVER);
        self.0.rest.set(Rest::No);
    }

    /// Whether the deadline has passed. If not, the task is woken when it does.
    pub(crate) fn expired(&self, timers: &Timers, context: &Context<'_>) -> bool {
        let passed = self.0.has_passed(timers);
        self.0.wake_unless(passed, context)
    }

    /// Whether the listener or the worker behind the connection has come to its end, whatever the deadline is. If not,
    /// the task is woken when it does.
    pub(crate) fn is_cut(&self, timers: &Timers, context: &Context<'_>) -> bool {
        let cut = self.0.is_cut(timers);
        self.0.wake_unless(cut, context)
    }
}
