//! A principal at one operation: how often, and which objects.

use crate::DAY;
use crate::baseline::Baseline;
use crate::counts::Different;
use crate::event::{Event, Object};
use crate::finding::Kind;
use crate::subject::Notice;

/// Minutes over which objects are counted.
pub(crate) const OBJECTS_MINUTES: u64 = 2;
/// Objects in a row that are no accident.
const ROW: u16 = 12;
/// The same for a principal that has not called the operation for a day: what it usually does is not known.
const ROW_OF_NEW: u16 = 50;
/// Steps between numbers that count as one after another.
const STEP_MAX: u64 = 16;
/// Different objects in two minutes that are never too many.
const SWEEP_LEAST: f32 = 40.0;
const SWEEP_LEAST_OF_NEW: f32 = 80.0;
/// Requests in a minute that are never too many.
const RATE_LEAST: f32 = 60.0;
/// Minutes of history before it is compared with.
const KNOWN_MIN: u32 = 120;

/// What is known of a principal at an operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pair {
    first: u64,
    minute: u64,
    count: u32,
    rate: Baseline,
    /// Which two minutes the objects belong to.
    window: u64,
    objects: Different,
    /// What is usual of different objects in two minutes in which there were any, and in how many such there were.
    usual_objects: f32,
    windows: u16,
    last: u64,
    step: i64,
    row: u16,
    /// The longest rows of the last days.
    usual_row: f32,
}

// === impl Pair ===

impl Pair {
    /// Takes in a request, and says what is unusual about it.
    pub(crate) fn see(&mut self, event: &Event<'_>, minute: u64, notice: &mut dyn FnMut(Kind, Notice)) {
        self.turn(minute);
        self.count = self.count.saturating_add(1);
        let bound = self.rate.bound(minute, RATE_LEAST);
        if self.rate.known(minute) >= KNOWN_MIN && self.count as f32 > bound {
            let usual = self.rate.usual(minute);
            notice(Kind::Rate, Notice { seen: self.count as f32, usual, bound, window_s: 60 });
        }
        let Some(object) = event.objects.last() else { return };
        self.objects(*object, minute, notice);
    }

    fn objects(&mut self, object: Object, minute: u64, notice: &mut dyn FnMut(Kind, Notice)) {
        let window = minute / OBJECTS_MINUTES;
        if window != self.window {
            self.learn_objects();
            self.window = window;
        }
        self.objects.note(object.mixed());
        if let Object::Number(number) = object {
            self.number(number, notice);
        }
        let different = self.objects.count();
        let bound = self.objects_bound();
        if different > bound {
            let usual = self.usual_objects;
            notice(Kind::Sweep, Notice { seen: different, usual, bound, window_s: OBJECTS_MINUTES * 60 });
        }
    }

    /// Whether numbers follow one another with the same small step.
    fn number(&mut self, number: u64, notice: &mut dyn FnMut(Kind, Notice)) {
        if number == self.last {
            return;
        }
        let near = number.abs_diff(self.last) <= STEP_MAX;
        let distance = i64::try_from(number.abs_diff(self.last)).unwrap_or(i64::MAX);
        let step = if number > self.last { distance } else { -distance };
        if near && step == self.step {
            self.row = self.row.saturating_add(1);
        } else {
            // A job that goes through a list each hour does so for days before it is usual.
            if self.row > ROW {
                self.usual_row += (f32::from(self.row) - self.usual_row) / 8.0;
            }
            self.row = 1;
        }
        (self.last, self.step) = (number, step);
        let bound = f32::from(if self.is_settled() { ROW } else { ROW_OF_NEW }).max(2.0 * self.usual_row);
        if f32::from(self.row) > bound {
            notice(Kind::Sequential, Notice { seen: f32::from(self.row), usual: self.usual_row, bound, window_s: 60 });
        }
    }

    fn is_settled(&self) -> bool {
        self.minute.saturating_sub(self.first) >= DAY
    }

    fn objects_bound(&self) -> f32 {
        (4.0 * self.usual_objects).max(if self.is_settled() { SWEEP_LEAST } else { SWEEP_LEAST_OF_NEW })
    }

    fn learn_objects(&mut self) {
        let different = self.objects.count().min(self.objects_bound());
        if different > 0.0 {
            self.windows = self.windows.saturating_add(1).min(200);
            self.usual_objects += (different - self.usual_objects) / f32::from(self.windows);
        }
        self.objects = Different::default();
    }

    fn turn(&mut self, minute: u64) {
        if minute == self.minute {
            return;
        }
        if self.minute > 0 {
            // What was too much is not learned from, or an attack would become a habit.
            let count = (self.count as f32).min(self.rate.bound(self.minute, RATE_LEAST));
            self.rate.learn(self.minute, count);
            self.rate.rest(self.minute, minute);
        } else {
            self.first = minute;
        }
        (self.minute, self.count) = (minute, 0);
    }
}
