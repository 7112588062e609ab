//! Which hour, day or month it is, at a stated offset from UTC, and when it ends.
//!
//! The proleptic Gregorian calendar, counted from 1970; leap seconds do not exist in Unix time.

#[cfg(test)]
mod tests;

use portcullis_types::civil::Date;

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

const MONTHS_PER_YEAR: i64 = 12;

/// Months since 1970-01 of a day since 1970-01-01.
fn months_of_days(days: u64) -> u64 {
    let date = Date::of_day(i64::try_from(days).unwrap_or(i64::MAX));
    let months = (date.year.saturating_sub(1970)).saturating_mul(MONTHS_PER_YEAR).saturating_add(date.month);
    u64::try_from(months.saturating_sub(1)).unwrap_or(0)
}

/// Days since 1970-01-01 of the first of a month since 1970-01.
fn days_of_months(months: u64) -> u64 {
    let months = i64::try_from(months).unwrap_or(i64::MAX);
    let (years, month) = (months / MONTHS_PER_YEAR, months % MONTHS_PER_YEAR);
    let first = Date { year: years.saturating_add(1970), month: month.saturating_add(1), day: 1 };
    u64::try_from(first.day_number()).unwrap_or(0)
}
