//! Every check of a token, for whoever asks why it is refused: passed, failed, or never reached, and what the token says.

use super::check::Check;
use super::jwk::KeySet;
use super::rules::{Report, Rules, explain};
use super::token::{Compact, Token};
use crate::strict_json;
use serde_json::{Map, Value};

// LIMIT: letters of a value that are shown.
const SHOWN_LETTERS_MAX: usize = 200;

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not; the token is refused for it.
    Failed,
    /// An earlier one failed.
    NotReached,
}

/// One check with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which one.
    pub check: Check,
    /// What became of it.
    pub outcome: Outcome,
    /// What the token says about it, where it says something; not believed, only shown.
    pub says: Option<String>,
}

/// All about a token.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Whose rules it was held against, by position among those given; `None` where there are none.
    pub issuer: Option<usize>,
    /// Every check, in order.
    pub lines: Vec<Line>,
    /// The token, if it is good.
    pub token: Option<Token>,
}

/// The `iss` that a token claims: it chooses the rules, and is believed only when a signature has been verified by them.
#[must_use]
pub fn claimed_issuer(text: &str) -> Option<String> {
    let compact = Compact::split(text).ok()?;
    strict_json::object(&compact.payload)?.get("iss")?.as_str().map(str::to_owned)
}

/// Explains a token to the rules of the issuer that it names, or, where none fits, to the first ones.
#[must_use]
pub fn explanation(text: &str, issuers: &[(&Rules, &KeySet)], now: u64) -> Explanation {
    let claimed = claimed_issuer(text);
    let named = issuers.iter().position(|(rules, _)| Some(&rules.issuer) == claimed.as_ref());
    let issuer = named.or((!issuers.is_empty()).then_some(0));
    let (report, token) = match issuer.and_then(|at| issuers.get(at)) {
        Some((rules, keys)) => {
            let (report, outcome) = explain(text, rules, keys, now);
            (report, outcome.ok())
        }
        None => (vec![(Check::Issuer, false)], None),
    };
    let said = Said::of(text);
    let line = |check: &Check| Line { check: *check, outcome: outcome_of(&report, *check), says: said.about(*check) };
    Explanation { issuer, lines: Check::ALL.iter().map(line).collect(), token }
}

fn outcome_of(report: &Report, check: Check) -> Outcome {
    match report.iter().find(|(made, _)| *made == check) {
        Some((_, true)) => Outcome::Passed,
        Some((_, false)) => Outcome::Failed,
        None => Outcome::NotReached,
    }
}

/// What a token says, as far as it can be read at all.
struct Said {
    bytes: usize,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

// === impl Said ===

impl Said {
    fn of(text: &str) -> Self {
        let compact = Compact::split(text).ok();
        let claims = compact.as_ref().and_then(|compact| strict_json::object(&compact.payload)).unwrap_or_default();
        Self { bytes: text.len(), header: compact.map(|compact| compact.header).unwrap_or_default(), claims }
    }

    fn about(&self, check: Check) -> Option<String> {
        let (map, name) = match check {
            Check::Size => return Some(format!("{} bytes", self.bytes)),
            Check::Form | Check::Header | Check::Claims | Check::Signature | Check::Required => return None,
            Check::Critical => (&self.header, "crit"),
            Check::Compression => (&self.header, "zip"),
            Check::Encoding => (&self.header, "b64"),
            Check::Type => (&self.header, "typ"),
            Check::AlgorithmKnown | Check::AlgorithmAllowed => (&self.header, "alg"),
            Check::KeyFound => (&self.header, "kid"),
            Check::Issuer => (&self.claims, "iss"),
            Check::Audience => (&self.claims, "aud"),
            Check::Expiry => (&self.claims, "exp"),
            Check::NotBefore => (&self.claims, "nbf"),
            Check::IssuedAt => (&self.claims, "iat"),
            Check::Subject => (&self.claims, "sub"),
            Check::Client => (&self.claims, "client_id"),
            Check::TokenId => (&self.claims, "jti"),
        };
        // JSON escapes control characters, so that a terminal shows text and nothing else.
        let value = map.get(name)?.to_string();
        Some(format!("{name}: {}", value.chars().take(SHOWN_LETTERS_MAX).collect::<String>()))
    }
}
