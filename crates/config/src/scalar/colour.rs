//! Colours as people write them.

use super::{Raw, Scalar, example};

/// A colour of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour(pub(crate) [u8; 3]);

impl Scalar for Colour {
    const NAME: &'static str = "Colour";
    const WHAT: &'static str = "a colour";
    const ABOUT: &'static str = "Red, green and blue, two hexadecimal digits each.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^#[0-9a-fA-F]{6}$");
    const EXAMPLES: &'static [&'static str] = &["#0b5cad", "#79b8ff"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let digits = raw.text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii());
        let part = |digits: &str, from: usize| u8::from_str_radix(digits.get(from..from + 2)?, 16).ok();
        let parts = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let colour = parts.and_then(|digits| Some([part(digits, 0)?, part(digits, 2)?, part(digits, 4)?]));
        colour.map(Self).ok_or_else(|| format!("{}, in quotes", example::<Self>()))
    }

    fn made_up() -> Self {
        Self([11, 92, 173])
    }
}

impl Colour {
    /// How far it stands out from another one (WCAG 2.2, contrast ratio), in hundredths: 100 to 2100.
    pub(crate) fn contrast(self, other: Self) -> u32 {
        let (one, two) = (self.luminance(), other.luminance());
        let (light, dark) = (one.max(two), one.min(two));
        (light + 500) * 100 / (dark + 500)
    }

    /// The relative luminance, in parts of ten thousand.
    fn luminance(self) -> u32 {
        let [red, green, blue] = self.0.map(linear);
        (2126 * red + 7152 * green + 722 * blue) / 10_000
    }
}

/// The light of a part, in parts of ten thousand.
fn linear(part: u8) -> u32 {
    let part = f64::from(part) / 255.0;
    let light = if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) };
    // Of the 10,001 steps, the last one not above it.
    (0..=10_000_u32).rev().find(|step| f64::from(*step) <= light * 10_000.0).unwrap_or(0)
}

impl std::fmt::Display for Colour {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [red, green, blue] = self.0;
        write!(formatter, "#{red:02x}{green:02x}{blue:02x}")
    }
}
