//! Amounts over time, and the zone that calendars go by.

use std::fmt;

use super::quantities::split_unit;
use super::{Period, Raw, Scalar, Size, example};

/// So many in a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) amount: Amount,
    pub(crate) per: Period,
}

/// So many in a calendar period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) amount: Amount,
    pub(crate) per: portcullis_limit::Period,
}

/// A number, perhaps written as a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) units: u64,
    pub(crate) is_size: bool,
}

/// How far clocks are ahead of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeZone {
    pub(crate) offset_min: i16,
}

const PERIODS: [(&str, portcullis_limit::Period); 3] = [
    ("hour", portcullis_limit::Period::Hour),
    ("day", portcullis_limit::Period::Day),
    ("month", portcullis_limit::Period::Month),
];

impl Amount {
    fn parse(text: &str) -> Option<Self> {
        match split_unit(text) {
            (Some(units), "") => Some(Self { units, is_size: false }),
            (Some(_), _) => Some(Self { units: Size::parse(Raw { text, plain: true }).ok()?.bytes, is_size: true }),
            (None, _) => None,
        }
    }
}

impl Scalar for Rate {
    const NAME: &'static str = "Rate";
    const WHAT: &'static str = "a rate";
    const ABOUT: &'static str = "A whole number, or a size where bytes are counted, per length of time: `/s`, `/m`, \
                                 `/h`, `/d`, or `/10s`.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^[0-9]+(B|KiB|MiB|GiB)?/[0-9]*(ms|s|m|h|d)$");
    const EXAMPLES: &'static [&'static str] = &["50/s", "1000/10m", "10MiB/s"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let unclear = || format!("{}; units of time are `ms`, `s`, `m`, `h` and `d`", example::<Self>());
        let (amount, per) = raw.text.split_once('/').ok_or_else(unclear)?;
        let one = per.starts_with(|first: char| !first.is_ascii_digit());
        let per = if one { format!("1{per}") } else { per.to_owned() };
        let amount = Amount::parse(amount).ok_or_else(unclear)?;
        let per = Period::parse(Raw { text: &per, plain: true }).map_err(|_| unclear())?;
        Ok(Self { amount, per })
    }

    fn made_up() -> Self {
        Self { amount: Amount { units: 1, is_size: false }, per: Period::seconds(1) }
    }
}

impl Scalar for Quota {
    const NAME: &'static str = "Quota";
    const WHAT: &'static str = "a quota";
    const ABOUT: &'static str = "A whole number, or a size where bytes are counted, per `hour`, `day` or `month`.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^[0-9]+(B|KiB|MiB|GiB)?/(hour|day|month)$");
    const EXAMPLES: &'static [&'static str] = &["10000/day", "500/hour", "10GiB/month"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let unclear = || format!("{}; periods are `hour`, `day` and `month`", example::<Self>());
        let (amount, period) = raw.text.split_once('/').ok_or_else(unclear)?;
        let found = PERIODS.iter().find(|(name, _)| *name == period);
        match (Amount::parse(amount), found) {
            (Some(amount), Some((_, per))) => Ok(Self { amount, per: *per }),
            (_, _) => Err(unclear()),
        }
    }

    fn made_up() -> Self {
        Self { amount: Amount { units: 1, is_size: false }, per: portcullis_limit::Period::Day }
    }
}

impl Scalar for TimeZone {
    const NAME: &'static str = "TimeZone";
    const WHAT: &'static str = "a time zone";
    const ABOUT: &'static str =
        "`UTC`, or how far it is ahead of UTC: `+02:00`. Rules about summer time are not known.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^(UTC|[+-][0-9]{2}:[0-9]{2})$");
    const EXAMPLES: &'static [&'static str] = &["UTC", "+02:00", "-05:30"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let unclear = || "write `UTC`, or an offset like `+02:00`; names of places are not known here".to_owned();
        if raw.text == "UTC" {
            return Ok(Self { offset_min: 0 });
        }
        let sign = if raw.text.starts_with('-') { -1 } else { 1 };
        let rest = raw.text.strip_prefix(['+', '-']).ok_or_else(unclear)?;
        let two = |text: &str| {
            let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<i16>().ok().filter(|_| digits)
        };
        let (hours, minutes) = rest.split_once(':').ok_or_else(unclear)?;
        let (hours, minutes) = (two(hours).ok_or_else(unclear)?, two(minutes).ok_or_else(unclear)?);
        let offset_min = sign * (hours * 60 + minutes);
        if minutes > 59 || !(-720..=840).contains(&offset_min) {
            return Err("offsets lie between `-12:00` and `+14:00`".to_owned());
        }
        Ok(Self { offset_min })
    }

    fn made_up() -> Self {
        Self { offset_min: 0 }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_size { Size { bytes: self.units }.fmt(formatter) } else { self.units.fmt(formatter) }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = self.per.to_string();
        let digits = per.bytes().take_while(u8::is_ascii_digit).count();
        match per.split_at_checked(digits) {
            Some(("1", unit)) => write!(formatter, "{}/{unit}", self.amount),
            _ => write!(formatter, "{}/{per}", self.amount),
        }
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = PERIODS.iter().find(|(_, period)| *period == self.per).map_or("", |(name, _)| name);
        write!(formatter, "{}/{name}", self.amount)
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.offset_min < 0 { '-' } else { '+' };
        let ahead = self.offset_min.unsigned_abs();
        write!(formatter, "{sign}{:02}:{:02}", ahead / 60, ahead % 60)
    }
}
