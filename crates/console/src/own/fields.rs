//! What somebody has typed or ticked, held to what it may be.

use super::Stay;
use crate::problem::Problem;
use portcullis_config::plan::OfferPlan;

// LIMIT: characters of an application's name, and of a longer text.
pub(super) const NAME_CHARS_MAX: usize = 60;
pub(super) const TEXT_CHARS_MAX: usize = 300;
pub(super) const DAY_SECONDS: u64 = 24 * 60 * 60;
pub(super) const HOUR_SECONDS: u64 = 60 * 60;

/// Letters that change how others are shown, or are not shown themselves: with them one name looks like another.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// What a key is to be.
pub(super) struct Wanted {
    pub(super) apis: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) lasts_s: u64,
}

// === impl Stay ===

impl Stay<'_> {
    /// A text of one line.
    pub(super) fn line(&self, name: &str, chars_max: usize) -> Result<String, Problem> {
        let text = self.sent.value(name).unwrap_or_default().trim();
        if text.chars().count() > chars_max {
            return Err(Problem::unclear(format!("`{name}` has more than {chars_max} characters")));
        }
        if text.chars().any(is_hidden) {
            return Err(Problem::unclear(format!("`{name}` has characters that cannot be seen")));
        }
        Ok(text.to_owned())
    }

    /// What was ticked, each of what may be.
    fn ticked(&self, name: &str, offered: &[&str]) -> Result<Vec<String>, Problem> {
        let mut all: Vec<String> = Vec::new();
        for value in self.sent.values(name) {
            if !offered.contains(&value) {
                return Err(Problem::forbidden(format!("your plan has no such {name}")));
            }
            if !all.iter().any(|have| have == value) {
                all.push(value.to_owned());
            }
        }
        Ok(all)
    }

    /// A whole number of a unit, at most so many seconds; those without a number.
    pub(super) fn seconds(&self, name: &str, unit: u64, most: u64) -> Result<u64, Problem> {
        let text = self.sent.value(name).unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(most);
        }
        let number: u64 = text.parse().map_err(|_| Problem::unclear(format!("`{name}` is no whole number")))?;
        let seconds = number.saturating_mul(unit);
        if seconds > most {
            return Err(Problem::forbidden(format!("your plan allows at most {} for `{name}`", most / unit)));
        }
        Ok(seconds)
    }

    /// The key that somebody wants, within what his plan has.
    pub(super) fn wanted(&self, offer: &OfferPlan) -> Result<Wanted, Problem> {
        let apis = self.ticked("api", &offer.apis.iter().map(|name| &**name).collect::<Vec<_>>())?;
        // A key without APIs would be one for all of them.
        if apis.is_empty() {
            return Err(Problem::unclear("a key is for one API at least; tick one"));
        }
        let scopes = self.ticked("scope", &offer.scopes.iter().map(String::as_str).collect::<Vec<_>>())?;
        let lasts_s = self.seconds("days", DAY_SECONDS, offer.expires.as_secs())?;
        if lasts_s == 0 {
            return Err(Problem::unclear("a key lasts for one day at least"));
        }
        Ok(Wanted { apis, scopes, lasts_s })
    }
}
