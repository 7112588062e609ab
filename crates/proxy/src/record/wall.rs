//! The time of day as text, made once a second: RFC 3339 for records, IMF-fixdate for `Date` (RFC 9110 section 5.6.7), the form of
//! web servers' logs.

use portcullis_types::civil::Moment;

/// The texts of the current second.
#[derive(Debug, Default)]
pub(crate) struct WallTexts {
    second: u64,
    rfc3339: String,
    imf: String,
    common: String,
}

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

    /// `23/Nov/2026:21:50:00 +0000`.
    pub(super) fn common(&mut self, wall_ms: u64) -> &str {
        self.refresh(wall_ms / 1000);
        if self.common.is_empty() {
            // Made of the other one, and only where somebody asks: day, month, year and time stand there at their places.
            let part = |from: usize, to: usize| self.imf.get(from..to).unwrap_or_default();
            self.common = format!("{}/{}/{}:{} +0000", part(5, 7), part(8, 11), part(12, 16), part(17, 25));
        }
        &self.common
    }

    fn refresh(&mut self, second: u64) {
        if self.second == second && !self.imf.is_empty() {
            return;
        }
        self.second = second;
        let moment = Moment::of_unix(i64::try_from(second).unwrap_or(i64::MAX));
        (self.rfc3339, self.imf) = (moment.rfc3339(), moment.imf());
        self.common.clear();
    }
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
            let common = texts.common(wall_ms);
            assert_eq!((common.len(), &common[12..20]), (26, &imf[17..25]), "{common}");
        }
    }
}
