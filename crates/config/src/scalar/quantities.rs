//! Durations, sizes, numbers and yes or no. Ranges are checked later, where the setting is known.

use std::fmt;
use std::time::Duration;

use super::{Raw, Scalar, example};

/// A length of time, in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Period {
    millis: u64,
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size {
    pub(crate) bytes: u64,
}

/// A whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Count(pub(crate) u64);

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) bool);

/// Largest unit first, so that a value is printed in the largest that fits.
const TIME_UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
const SIZE_UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl Period {
    pub(crate) const fn seconds(seconds: u64) -> Self {
        Self { millis: seconds * 1_000 }
    }

    pub(crate) const fn millis(millis: u64) -> Self {
        Self { millis }
    }

    pub(crate) const fn as_millis(self) -> u64 {
        self.millis
    }

    pub(crate) fn duration(self) -> Duration {
        Duration::from_millis(self.millis)
    }
}

impl Size {
    pub(crate) const fn kib(count: u64) -> Self {
        Self { bytes: count << 10 }
    }

    pub(crate) const fn mib(count: u64) -> Self {
        Self { bytes: count << 20 }
    }
}

impl Scalar for Period {
    const NAME: &'static str = "Duration";
    const WHAT: &'static str = "a duration";
    const ABOUT: &'static str = "A whole number with a unit: `ms`, `s`, `m`, `h` or `d`.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^[0-9]+(ms|s|m|h|d)$");
    const EXAMPLES: &'static [&'static str] = &["30s", "500ms", "5m", "1h"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let (number, unit) = split_unit(raw.text);
        if number.is_some() && unit.is_empty() {
            return Err("add a unit: `ms`, `s`, `m`, `h` or `d`".to_owned());
        }
        let factor = TIME_UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
        match (number, factor) {
            (Some(number), Some(factor)) => match number.checked_mul(factor) {
                Some(millis) => Ok(Self { millis }),
                None => Err("that is longer than any clock can count".to_owned()),
            },
            _ => Err(format!("{}; units are `ms`, `s`, `m`, `h` and `d`", example::<Self>())),
        }
    }

    fn made_up() -> Self {
        Self::seconds(1)
    }
}

impl Scalar for Size {
    const NAME: &'static str = "Size";
    const WHAT: &'static str = "a size";
    const ABOUT: &'static str = "A whole number of bytes with a unit: `B`, `KiB`, `MiB` or `GiB`.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^[0-9]+(B|KiB|MiB|GiB)$");
    const EXAMPLES: &'static [&'static str] = &["64KiB", "10MiB", "512B"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let (number, unit) = split_unit(raw.text);
        if number.is_some() && unit.is_empty() {
            return Err("add a unit: `B`, `KiB`, `MiB` or `GiB`".to_owned());
        }
        let factor = SIZE_UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
        match (number, factor) {
            (Some(number), Some(factor)) => match number.checked_mul(factor) {
                Some(bytes) => Ok(Self { bytes }),
                None => Err("that is more than any machine holds".to_owned()),
            },
            _ => Err(format!("{}; units are `B`, `KiB`, `MiB` and `GiB`", example::<Self>())),
        }
    }

    fn made_up() -> Self {
        Self::kib(1)
    }
}

impl Scalar for Count {
    const NAME: &'static str = "Count";
    const WHAT: &'static str = "a whole number";
    const ABOUT: &'static str = "A whole number, from 0.";
    const JSON_TYPE: &'static str = "integer";
    const PATTERN: Option<&'static str> = None;
    const EXAMPLES: &'static [&'static str] = &["100"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        if !raw.plain {
            return Err("remove the quotes".to_owned());
        }
        digits(raw.text).map(Self).ok_or_else(|| "digits only, without a leading zero".to_owned())
    }

    fn made_up() -> Self {
        Self(1)
    }
}

impl Scalar for Flag {
    const NAME: &'static str = "Flag";
    const WHAT: &'static str = "`true` or `false`";
    const ABOUT: &'static str = "`true` or `false`.";
    const JSON_TYPE: &'static str = "boolean";
    const PATTERN: Option<&'static str> = None;
    const EXAMPLES: &'static [&'static str] = &["true", "false"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        match (raw.text, raw.plain) {
            ("true", true) => Ok(Self(true)),
            ("false", true) => Ok(Self(false)),
            ("true" | "false", false) => Err("remove the quotes".to_owned()),
            _ => Err("write `true` or `false`".to_owned()),
        }
    }

    fn made_up() -> Self {
        Self(false)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_in_units(formatter, self.millis, &TIME_UNITS)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_in_units(formatter, self.bytes, &SIZE_UNITS)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

fn write_in_units(formatter: &mut fmt::Formatter<'_>, value: u64, units: &[(&str, u64)]) -> fmt::Result {
    for (name, factor) in units {
        if value >= *factor && value.is_multiple_of(*factor) {
            return write!(formatter, "{}{name}", value / factor);
        }
    }
    // Only zero is left; it is the same in every unit.
    write!(formatter, "{value}{}", units.last().map_or("", |(name, _)| name.trim_start_matches('m')))
}

/// The number at the front, if it is one, and what follows it.
pub(super) fn split_unit(text: &str) -> (Option<u64>, &str) {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end).unwrap_or((text, ""));
    (digits(number), unit)
}

/// A number without sign, blanks or a leading zero: `010` is ten to some and eight to others.
fn digits(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = is_number && (text == "0" || !text.starts_with('0'));
    if is_plain { text.parse().ok() } else { None }
}
