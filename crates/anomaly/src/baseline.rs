//! What is usual by the hour of the day: an average for each, and how far minutes stray from it.

use crate::{DAY, HOUR};

/// How many minutes an average remembers, once it has seen so many: two days of one hour.
const MEMORY: u8 = 120;
/// How many standard deviations are too many. Minutes of a busy day are not independent.
const DEVIATIONS: f32 = 6.0;

/// Averages by hour.
#[derive(Clone, Debug, Default)]
pub(crate) struct Baseline {
    means: [f32; 24],
    /// Minutes that each has seen, no more than it remembers.
    minutes: [u8; 24],
    /// How far minutes stray, relative to what chance alone would do (the index of dispersion); it forgets as well.
    dispersion: f32,
}

// === impl Baseline ===

impl Baseline {
    /// Takes in a minute that has ended.
    pub(crate) fn learn(&mut self, minute: u64, count: f32) {
        let hour = hour(minute);
        let (Some(mean), Some(minutes)) = (self.means.get_mut(hour), self.minutes.get_mut(hour)) else { return };
        let known = f32::from(*minutes);
        let stray = (count - *mean).powi(2) / (*mean + 1.0);
        if known > 0.0 {
            self.dispersion += (stray - self.dispersion) / f32::from(MEMORY);
        }
        let share = 1.0 / (known + 1.0).min(f32::from(MEMORY));
        *mean += (count - *mean) * share;
        *minutes = minutes.saturating_add(1).min(MEMORY);
    }

    /// Takes in minutes in which nothing happened: all after `from` and before `to`.
    pub(crate) fn rest(&mut self, from: u64, to: u64) {
        // What is longer ago than the averages remember is forgotten all the same.
        let from = from.max(to.saturating_sub(4 * DAY));
        let mut minute = from + 1;
        while minute < to {
            // To the end of the hour at once.
            let end = ((minute / HOUR + 1) * HOUR).min(to);
            self.quiet(hour(minute), u8::try_from(end - minute).unwrap_or(u8::MAX));
            minute = end;
        }
    }

    fn quiet(&mut self, hour: usize, count: u8) {
        let (Some(mean), Some(minutes)) = (self.means.get_mut(hour), self.minutes.get_mut(hour)) else { return };
        let known = f32::from(*minutes);
        let total = known + f32::from(count);
        // As if each had been taken in by itself, but for the one step where the memory becomes full.
        let memory = f32::from(MEMORY);
        *mean *= if total <= memory { known / total.max(1.0) } else { (1.0 - 1.0 / memory).powf(f32::from(count)) };
        *minutes = minutes.saturating_add(count).min(MEMORY);
    }

    /// The most that is usual at this time, the hours beside it included, since habits do not look at the clock.
    pub(crate) fn usual(&self, minute: u64) -> f32 {
        around(minute).into_iter().filter_map(|hour| self.means.get(hour)).fold(0.0, |most, mean| most.max(*mean))
    }

    /// What would be too much at this time. `least` is never too much.
    pub(crate) fn bound(&self, minute: u64, least: f32) -> f32 {
        let usual = self.usual(minute);
        let stray = (self.dispersion.max(1.0) * (usual + 1.0)).sqrt();
        (usual + DEVIATIONS * stray).max(3.0 * usual).max(least)
    }

    /// Minutes that are known of this time of day, the hours beside it included.
    pub(crate) fn known(&self, minute: u64) -> u32 {
        around(minute).into_iter().filter_map(|hour| self.minutes.get(hour)).map(|minutes| u32::from(*minutes)).sum()
    }
}

fn hour(minute: u64) -> usize {
    usize::try_from(minute / HOUR % 24).unwrap_or(0)
}

fn around(minute: u64) -> [usize; 3] {
    let hour = hour(minute);
    [(hour + 23) % 24, hour, (hour + 1) % 24]
}
