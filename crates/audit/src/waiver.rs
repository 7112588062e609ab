//! Findings that are let be, with a reason and until a day.

use portcullis_types::civil::{Date, Moment};
use serde_json::Value;
use std::fmt;

/// LIMIT: waivers of one file.
const WAIVERS_MAX: usize = 1_000;

/// A finding that is let be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// Of which rule.
    pub rule: String,
    /// Where; everywhere if nothing is named.
    pub place: Option<String>,
    /// Why.
    pub reason: String,
    /// Seconds since 1970 from when it does not count any more.
    pub until: u64,
}

/// What is wrong with a file of waivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaiverError(String);

// === impl Waiver ===

impl Waiver {
    pub(crate) fn is_about(&self, rule: &str, place: &str) -> bool {
        self.rule == rule && self.place.as_deref().is_none_or(|own| own == place)
    }
}

/// Reads waivers: `[{ "rule": "PC0701", "place": "orders", "reason": "…", "until": "2027-03-31" }]`.
///
/// # Errors
/// The first entry that is not one, or is about a rule that does not exist.
pub fn waivers(text: &str) -> Result<Vec<Waiver>, WaiverError> {
    let wrong = |text: String| WaiverError(text);
    let value: Value = serde_json::from_str(text).map_err(|error| wrong(format!("it is not JSON: {error}")))?;
    let entries = value.as_array().ok_or_else(|| wrong("it is not a list".to_owned()))?;
    if entries.len() > WAIVERS_MAX {
        return Err(wrong(format!("it has more than {WAIVERS_MAX} entries")));
    }
    entries
        .iter()
        .enumerate()
        .map(|(at, entry)| waiver(entry).map_err(|why| wrong(format!("entry {}: {why}", at + 1))))
        .collect()
}

fn waiver(entry: &Value) -> Result<Waiver, String> {
    let members = entry.as_object().ok_or("it is not an object")?;
    if let Some(name) = members.keys().find(|name| !["rule", "place", "reason", "until"].contains(&name.as_str())) {
        return Err(format!("`{name}` is unknown; there are rule, place, reason and until"));
    }
    let text = |name: &str| members.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let rule = text("rule").ok_or("`rule` is missing")?;
    if !crate::rules().any(|known| known.id == rule) {
        return Err(format!("there is no rule `{rule}`; `portcullis audit --list` has them"));
    }
    let until = text("until").and_then(day).ok_or("`until` is not a day like 2027-03-31")?;
    let reason = text("reason").ok_or("`reason` is missing: say why it is let be")?;
    Ok(Waiver { rule: rule.to_owned(), place: text("place").map(str::to_owned), reason: reason.to_owned(), until })
}

fn day(text: &str) -> Option<u64> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse().ok());
    let date = Date { year: parts.next()??, month: parts.next()??, day: parts.next()?? };
    // The day itself counts.
    let end = Moment { date, second: 0 }.unix() + 86_400;
    date.exists().then(|| u64::try_from(end).ok()).flatten()
}

impl fmt::Display for WaiverError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for WaiverError {}
