//! The time of day as text, made once a second: RFC 3339 for records, IMF-fixdate for `Date` (RFC 9110 section 5.6.7).

/// The texts of the current second.
#[derive(Debug, Default)]
pub(crate) struct WallTexts {
    second: u64,
    rfc3339: String,
    imf: String,
}

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// === impl WallTexts ===

impl WallTexts {
    /// Appends `2026-11-23T21:50:00.123Z`.
    pub(crate) fn rfc3339(&mut self, wall_ms: u64, out: &mut Vec<u8>) {
        self.refresh(wall_ms / 1000);
        out.extend_from_slice(self.rfc3339.as_bytes());
        let millis = u16::try_from(wall_ms % 1000).unwrap_or(0);
        let digit = |value: u16| b'0' + u8::try_from(value % 10).unwrap_or(0);
        out.extend_from_slice(&[b'.', digit(millis / 100), digit(millis / 10), digit(millis), b'Z']);
    }

    /// `Mon, 23 Nov 2026 21:50:00 GMT`.
    pub(crate) fn imf(&mut self, wall_ms: u64) -> &str {
        self.refresh(wall_ms / 1000);
        &self.imf
    }

    fn refresh(&mut self, second: u64) {
        if self.second == second && !self.imf.is_empty() {
            return;
        }
        self.second = second;
        let (days, rest) = (second / 86_400, second % 86_400);
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        self.rfc3339 = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        let name = |table: &[&'static str], index: u64| {
            usize::try_from(index).ok().and_then(|index| table.get(index).copied()).unwrap_or("")
        };
        let (weekday, month) = (name(&DAYS, days % 7), name(&MONTHS, month.saturating_sub(1)));
        self.imf = format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT");
    }
}

/// Year, month and day of a day since 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms", 2013).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::WallTexts;

    #[test]
    fn both_texts_agree_with_the_calendar() {
        for (wall_ms, rfc3339, imf) in [
            (0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400_007, "2000-02-29T00:00:00.007Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_795_470_645_123, "2026-11-23T21:50:45.123Z", "Mon, 23 Nov 2026 21:50:45 GMT"),
            (4_102_444_799_999, "2099-12-31T23:59:59.999Z", "Thu, 31 Dec 2099 23:59:59 GMT"),
        ] {
            let (mut texts, mut out) = (WallTexts::default(), Vec::new());
            texts.rfc3339(wall_ms, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), rfc3339);
            assert_eq!(texts.imf(wall_ms), imf);
        }
    }
}
