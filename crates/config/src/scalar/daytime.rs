//! Times of day.

use super::{Raw, Scalar, example};

/// A time of day, to the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DayTime {
    pub(crate) minutes: u16,
}

/// The end of the day, which a time may be.
const DAY_MINUTES: u16 = 24 * 60;

impl Scalar for DayTime {
    const NAME: &'static str = "DayTime";
    const WHAT: &'static str = "a time of day";
    const ABOUT: &'static str = "A time of day in UTC from `00:00` to `24:00`.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^[0-2][0-9]:[0-5][0-9]$");
    const EXAMPLES: &'static [&'static str] = &["08:00", "17:30", "24:00"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let two = |text: &str| {
            let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u16>().ok().filter(|_| plain)
        };
        let parts = raw.text.split_once(':').and_then(|(hours, minutes)| Some((two(hours)?, two(minutes)?)));
        let Some((hours, minutes)) = parts.filter(|(_, minutes)| *minutes < 60) else {
            return Err(example::<Self>());
        };
        let minutes = hours * 60 + minutes;
        if minutes > DAY_MINUTES {
            return Err("a day ends at `24:00`".to_owned());
        }
        Ok(Self { minutes })
    }

    fn made_up() -> Self {
        Self { minutes: 0 }
    }
}
