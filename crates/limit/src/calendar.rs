//! Which hour, day or month it is, at a stated offset from UTC, and when it ends.
//!
//! The proleptic Gregorian calendar, counted from 1970; leap seconds do not exist in Unix time.

#[cfg(test)]
mod tests;

/// The span over which a quota is given anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// From full hour to full hour.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the first of the next.
    Month,
}

/// LIMIT: the calendar ends in the year 9999; later moments count as its last day.
const UNIX_S_MAX: u64 = 253_402_300_799;
const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 86_400;
const MINUTE_S: u64 = 60;

// === impl Period ===

impl Period {
    /// The period that `unix_s` falls into, as a number that grows by one from each to the next.
    pub(crate) fn index(self, unix_s: u64, offset_min: i16) -> u64 {
        let local_s = local(unix_s, offset_min);
        match self {
            Self::Hour => local_s / HOUR_S,
            Self::Day => local_s / DAY_S,
            Self::Month => months_of_days(local_s / DAY_S),
        }
    }

    /// How many seconds of the period are left at `unix_s`, at least one.
    pub(crate) fn left_s(self, unix_s: u64, offset_min: i16) -> u64 {
        let local_s = local(unix_s, offset_min);
        let end_s = match self {
            Self::Hour => (local_s / HOUR_S).saturating_add(1).saturating_mul(HOUR_S),
            Self::Day => (local_s / DAY_S).saturating_add(1).saturating_mul(DAY_S),
            Self::Month => {
                let next = months_of_days(local_s / DAY_S).saturating_add(1);
                days_of_months(next).saturating_mul(DAY_S)
            }
        };
        end_s.saturating_sub(local_s).max(1)
    }

    /// The longest such period, in seconds.
    pub(crate) const fn seconds(self) -> u64 {
        match self {
            Self::Hour => HOUR_S,
            Self::Day => DAY_S,
            Self::Month => 31 * DAY_S,
        }
    }
}

/// Seconds since 1970 as a wall clock at the offset shows them; nought before that.
fn local(unix_s: u64, offset_min: i16) -> u64 {
    let shift_s = u64::from(offset_min.unsigned_abs()).saturating_mul(MINUTE_S);
    let unix_s = unix_s.min(UNIX_S_MAX);
    if offset_min < 0 { unix_s.saturating_sub(shift_s) } else { unix_s.saturating_add(shift_s) }
}

// Years are counted from March, so that the day that comes and goes is a year's last; and in eras of 400 years, which
// all have the same number of days.
const DAYS_PER_ERA: u64 = 146_097;
/// From 0000-03-01 to 1970-01-01.
const DAYS_BEFORE_1970: u64 = 719_468;
const MONTHS_PER_YEAR: u64 = 12;
/// From 0000-01 to 1970-01.
const MONTHS_BEFORE_1970: u64 = 1970 * MONTHS_PER_YEAR;

/// Months since 1970-01 of a day since 1970-01-01.
fn months_of_days(days: u64) -> u64 {
    let days = days.saturating_add(DAYS_BEFORE_1970);
    let (era, day_of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    // What 4, 100 and 400 years have more than so many times 365 days.
    let leap_days = (day_of_era / 1_460).saturating_add(day_of_era / 146_096).saturating_sub(day_of_era / 36_524);
    let year_of_era = day_of_era.saturating_sub(leap_days) / 365;
    let day_of_year = day_of_era.saturating_sub(days_of_years(year_of_era));
    // Months from March have 31, 30, 31, 30, 31 days, again and again: 153 in five.
    let month_from_march = day_of_year.saturating_mul(5).saturating_add(2) / 153;
    let years = era.saturating_mul(400).saturating_add(year_of_era);
    years
        .saturating_mul(MONTHS_PER_YEAR)
        .saturating_add(month_from_march)
        .saturating_add(2)
        .saturating_sub(MONTHS_BEFORE_1970)
}

/// Days since 1970-01-01 of the first of a month since 1970-01.
fn days_of_months(months: u64) -> u64 {
    let from_march = months.saturating_add(MONTHS_BEFORE_1970).saturating_sub(2);
    let (years, month) = (from_march / MONTHS_PER_YEAR, from_march % MONTHS_PER_YEAR);
    let (era, year_of_era) = (years / 400, years % 400);
    let day_of_year = month.saturating_mul(153).saturating_add(2) / 5;
    let days = era.saturating_mul(DAYS_PER_ERA).saturating_add(days_of_years(year_of_era)).saturating_add(day_of_year);
    days.saturating_sub(DAYS_BEFORE_1970)
}

/// Days in the first `years` years of an era.
fn days_of_years(years: u64) -> u64 {
    years.saturating_mul(365).saturating_add(years / 4).saturating_sub(years / 100)
}
