//! Moments as people write them.

use portcullis_types::civil::{Date, Moment};

use super::{Raw, Scalar, example};

/// A moment in UTC; a day alone is its midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct When {
    /// Seconds since 1970.
    pub(crate) unix: i64,
}

impl Scalar for When {
    const NAME: &'static str = "Moment";
    const WHAT: &'static str = "a moment";
    const ABOUT: &'static str = "A day, which is its midnight in UTC, or a moment of RFC 3339 in UTC.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$");
    const EXAMPLES: &'static [&'static str] = &["2026-10-01", "2026-10-01T12:00:00Z"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let (day, time) = raw.text.split_once('T').unwrap_or((raw.text, "00:00:00Z"));
        let shape = || format!("{}, in UTC", example::<Self>());
        let [year, month, day] = numbers(day, '-', [4, 2, 2]).ok_or_else(shape)?;
        let [hour, minute, second] =
            time.strip_suffix('Z').and_then(|time| numbers(time, ':', [2, 2, 2])).ok_or_else(shape)?;
        let date = Date { year, month, day };
        if !date.exists() || hour > 23 || minute > 59 || second > 59 {
            return Err("the calendar has no such moment".to_owned());
        }
        Ok(Self { unix: Moment { date, second: (hour * 60 + minute) * 60 + second }.unix() })
    }

    fn made_up() -> Self {
        Self { unix: 0 }
    }
}

impl std::fmt::Display for When {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}Z", Moment::of_unix(self.unix).rfc3339())
    }
}

/// Three numbers of so many digits each, apart by a mark.
fn numbers(text: &str, mark: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(mark);
    let mut all = [0; 3];
    for (slot, digits) in all.iter_mut().zip(digits) {
        let part = parts.next()?;
        let fits = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        *slot = fits.then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(all)
}
