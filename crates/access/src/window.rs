//! Times of the week at which a rule holds, in UTC, so that no machine's time zone decides about access.

use std::fmt;

const DAY_MINUTES: u16 = 24 * 60;

/// A time of day on some days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    days: u8,
    from_minutes: u16,
    to_minutes: u16,
}

// === impl Window ===

impl Window {
    /// Days from Monday (0) to Sunday (6), none standing for all; from this minute of the day up to, without, that one. An
    /// end that is not after its beginning belongs to the next day.
    #[must_use]
    pub fn new(days: &[u8], from_minutes: u16, to_minutes: u16) -> Self {
        let named = days.iter().filter(|day| **day < 7).fold(0, |all: u8, day| all | 1 << day);
        let days = if days.is_empty() { 0x7f } else { named };
        Self { days, from_minutes: from_minutes.min(DAY_MINUTES), to_minutes: to_minutes.min(DAY_MINUTES) }
    }

    /// Whether the time, in seconds since 1970, lies in it.
    #[must_use]
    pub fn contains(&self, seconds: u64) -> bool {
        let minute = u16::try_from(seconds % 86_400 / 60).unwrap_or(0);
        // The first of January 1970 was a Thursday.
        let today = u8::try_from((seconds / 86_400 + 3) % 7).unwrap_or(0);
        let yesterday = (today + 6) % 7;
        let is_on = |day: u8| self.days & 1 << day != 0;
        if self.from_minutes < self.to_minutes {
            return is_on(today) && (self.from_minutes..self.to_minutes).contains(&minute);
        }
        (is_on(today) && minute >= self.from_minutes) || (is_on(yesterday) && minute < self.to_minutes)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let is_on = |day: usize| self.days & 1 << day != 0;
        let days: Vec<&str> = NAMES.iter().enumerate().filter(|(day, _)| is_on(*day)).map(|(_, name)| *name).collect();
        if days.len() < NAMES.len() {
            write!(formatter, "{} ", days.join(","))?;
        }
        let (from, to) = (self.from_minutes, self.to_minutes);
        write!(formatter, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn times_of_the_week() {
        // Friday, the 27th of November 2026, 00:00.
        const FRIDAY: u64 = 1_795_737_600;
        let at = |day: u64, hour: u64, minute: u64| FRIDAY + day * 86_400 + hour * 3600 + minute * 60;
        let office = Window::new(&[0, 1, 2, 3, 4], 8 * 60, 18 * 60);
        let night = Window::new(&[4], 22 * 60, 6 * 60);
        let whole = Window::new(&[], 0, 24 * 60);
        for (window, time, inside) in [
            (office, at(0, 8, 0), true),
            (office, at(0, 7, 59), false),
            (office, at(0, 17, 59), true),
            (office, at(0, 18, 0), false),
            (office, at(1, 12, 0), false),
            (office, at(3, 12, 0), true),
            (night, at(0, 21, 59), false),
            (night, at(0, 22, 0), true),
            (night, at(1, 5, 59), true),
            (night, at(1, 6, 0), false),
            (night, at(1, 23, 0), false),
            (night, at(0, 1, 0), false),
            (whole, at(5, 23, 59), true),
        ] {
            assert_eq!(window.contains(time), inside, "{window:?} at {time}");
        }
        assert_eq!(office.to_string(), "mon,tue,wed,thu,fri 08:00-18:00");
        assert_eq!([night.to_string(), whole.to_string()], ["fri 22:00-06:00", "00:00-24:00"]);
    }
}
