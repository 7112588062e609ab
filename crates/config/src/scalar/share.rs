//! A part of a whole.

use super::{Raw, Scalar, example};

/// A percentage, in millionths: to a ten-thousandth of a per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Share {
    pub(crate) millionths: u32,
}

/// Millionths in one per cent.
const PER_CENT: u32 = 10_000;

impl Scalar for Share {
    const NAME: &'static str = "Share";
    const WHAT: &'static str = "a percentage";
    const ABOUT: &'static str = "A part of a whole from `0%` to `100%`, with at most four decimals.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^[0-9]{1,3}(\\.[0-9]{1,4})?%$");
    const EXAMPLES: &'static [&'static str] = &["10%", "0.5%", "100%"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let Some(number) = raw.text.strip_suffix('%') else {
            return Err(format!("{}; it ends with `%`", example::<Self>()));
        };
        let (whole, decimals) = match number.split_once('.') {
            Some((whole, decimals)) if (1..=4).contains(&decimals.len()) => (whole, decimals),
            Some(_) => return Err("use one to four decimals".to_owned()),
            None => (number, ""),
        };
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 3 || !are_digits(whole) || !are_digits(decimals) {
            return Err(example::<Self>());
        }
        let whole: u32 = whole.parse().map_err(|_| example::<Self>())?;
        let part: u32 = format!("{decimals:0<4}").parse().map_err(|_| example::<Self>())?;
        let millionths = whole * PER_CENT + part;
        if millionths > 100 * PER_CENT {
            return Err("there is no more than `100%`".to_owned());
        }
        Ok(Self { millionths })
    }

    fn made_up() -> Self {
        Self { millionths: 100 * PER_CENT }
    }
}
