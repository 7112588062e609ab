//! Dates of the Gregorian calendar from days since 1970-01-01 and back (Howard Hinnant, "chrono-compatible low-level date
//! algorithms", 2013), and the moments of HTTP as text. Leap seconds do not exist in Unix time.

const DAY_S: i64 = 86_400;
const DAYS_PER_ERA: i64 = 146_097;
/// From 0000-03-01, the first day of an era of 400 years, to 1970-01-01.
const DAYS_BEFORE_1970: i64 = 719_468;
/// LIMIT: days are counted as far as four-digit years go, and as far back.
const DAYS_MAX: i64 = 2_932_896;

/// LIMIT: the same for dates, so that no sum overflows.
const YEAR_MAX: i64 = 100_000;

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// The year.
    pub year: i64,
    /// From 1 to 12.
    pub month: i64,
    /// From 1.
    pub day: i64,
}

/// A second of a day of the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The day.
    pub date: Date,
    /// Seconds since its midnight.
    pub second: i64,
}

// === impl Date ===

impl Date {
    /// The date of a day since 1970-01-01; what is beyond the year 9999 counts as its last day.
    #[must_use]
    pub const fn of_day(days: i64) -> Self {
        let days = if days > DAYS_MAX {
            DAYS_MAX
        } else if days < -DAYS_MAX {
            -DAYS_MAX
        } else {
            days
        };
        let shifted = days + DAYS_BEFORE_1970;
        let (era, of_era) = (shifted.div_euclid(DAYS_PER_ERA), shifted.rem_euclid(DAYS_PER_ERA));
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Months from March have 31, 30, 31, 30, 31 days, again and again: 153 in five.
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        Self { year, month, day }
    }

    /// Days since 1970-01-01; years beyond the hundred thousandth count as that one.
    #[must_use]
    pub const fn day_number(self) -> i64 {
        let year = if self.year > YEAR_MAX {
            YEAR_MAX
        } else if self.year < -YEAR_MAX {
            -YEAR_MAX
        } else {
            self.year
        };
        let year = if self.month <= 2 { year - 1 } else { year };
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let day_of_year = (153 * ((self.month + 9) % 12) + 2) / 5 + self.day - 1;
        era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - DAYS_BEFORE_1970
    }

    /// Whether the calendar has such a day.
    #[must_use]
    pub fn exists(self) -> bool {
        (0..=9999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && self.day >= 1
            && Self::of_day(self.day_number()) == self
    }
}

// === impl Moment ===

impl Moment {
    /// From seconds since 1970.
    #[must_use]
    pub const fn of_unix(seconds: i64) -> Self {
        Self { date: Date::of_day(seconds.div_euclid(DAY_S)), second: seconds.rem_euclid(DAY_S) }
    }

    /// Seconds since 1970, as clocks and stores have them, as a date and a time.
    #[must_use]
    pub fn told(seconds: u64) -> String {
        Self::of_unix(i64::try_from(seconds).unwrap_or(i64::MAX)).rfc3339()
    }

    /// Seconds since 1970.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.date.day_number() * DAY_S + self.second
    }

    /// Hour, minute and second.
    #[must_use]
    pub const fn clock(self) -> (i64, i64, i64) {
        (self.second / 3600, self.second / 60 % 60, self.second % 60)
    }

    /// `Mon, 23 Nov 2026 21:50:00 GMT` (IMF-fixdate, RFC 9110 section 5.6.7).
    #[must_use]
    pub fn imf(self) -> String {
        let name = |table: &[&'static str], index: i64| {
            usize::try_from(index).ok().and_then(|index| table.get(index).copied()).unwrap_or("")
        };
        let Date { year, month, day } = self.date;
        let (hour, minute, second) = self.clock();
        let weekday = name(&WEEKDAYS, self.date.day_number().rem_euclid(7));
        let month = name(&MONTHS, month - 1);
        format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
    }

    /// `2026-11-23T21:50:00`: date and time of RFC 3339, whose zone the reader has to be told.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let Date { year, month, day } = self.date;
        let (hour, minute, second) = self.clock();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::{DAYS_MAX, Date, Moment};

    #[test]
    fn every_day_has_one_date_and_back() {
        let mut before = Date::of_day(-DAYS_MAX);
        for day in (1 - DAYS_MAX)..=DAYS_MAX {
            let date = Date::of_day(day);
            assert!(date > before, "{day}: {date:?} after {before:?}");
            assert_eq!(date.day_number(), day);
            before = date;
        }
        assert_eq!(before, Date { year: 9999, month: 12, day: 31 });
        assert_eq!(Date::of_day(i64::MAX), before);
    }

    #[test]
    fn days_that_the_calendar_has() {
        for (year, month, day, exists) in [
            (2024, 2, 29, true),
            (2026, 2, 29, false),
            (1900, 2, 29, false),
            (2000, 2, 29, true),
            (2026, 4, 31, false),
            (2026, 0, 1, false),
            (2026, 13, 1, false),
            (2026, 1, 0, false),
            (9999, 12, 31, true),
            (10_000, 1, 1, false),
        ] {
            assert_eq!(Date { year, month, day }.exists(), exists, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn moments_are_told_as_http_and_records_tell_them() {
        for (seconds, rfc3339, imf) in [
            (0, "1970-01-01T00:00:00", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400, "2000-02-29T00:00:00", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_795_470_645, "2026-11-23T21:50:45", "Mon, 23 Nov 2026 21:50:45 GMT"),
            (4_102_444_799, "2099-12-31T23:59:59", "Thu, 31 Dec 2099 23:59:59 GMT"),
            (-1, "1969-12-31T23:59:59", "Wed, 31 Dec 1969 23:59:59 GMT"),
        ] {
            let moment = Moment::of_unix(seconds);
            assert_eq!((moment.rfc3339().as_str(), moment.imf().as_str(), moment.unix()), (rfc3339, imf, seconds));
        }
    }
}
