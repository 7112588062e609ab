//! What an issuer's tokens have to be, and the verdict about one.

use super::algorithm::Algorithm;
use super::check::{Check, JwtError};
use super::jwk::KeySet;
use super::token::{Compact, Token, seconds, text};
use crate::strict_json;
use serde_json::{Map, Value};

// LIMIT: keys that are tried for one token; each costs a verification that an attacker gets for free.
const KEYS_TRIED_MAX: usize = 8;

/// Which kind of token is expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Access tokens of RFC 9068: `typ` is `at+jwt`; `sub`, `client_id`, `iat` and `jti` are required.
    #[default]
    Rfc9068,
    /// ID tokens and tokens of providers that follow OpenID Connect: `typ` is `JWT` or absent.
    Oidc,
    /// Whatever else: any `typ` that does not name another kind of token.
    Legacy,
}

/// The rules for the tokens of one issuer.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Which kind of token is expected.
    pub profile: Profile,
    /// The exact `iss`.
    pub issuer: String,
    /// One of these has to be in `aud`; never empty.
    pub audiences: Vec<String>,
    /// The algorithms that are accepted; never empty.
    pub algorithms: Vec<Algorithm>,
    /// Claims that have to be there, besides those of the profile.
    pub required_claims: Vec<String>,
    /// How far the issuer's clock may be from ours, in seconds; bounded where rules are made.
    pub skew_seconds: u64,
}

/// The outcome of every check that was made, in order; the last one failed unless the token is good.
pub type Report = Vec<(Check, bool)>;

/// Verifies a token against its issuer's rules and keys. `now` is seconds since 1970.
///
/// # Errors
/// The first check that fails.
pub fn verify(text: &str, rules: &Rules, keys: &KeySet, now: u64) -> Result<Token, JwtError> {
    Verifying { rules, keys, now, passed: &mut |_| {} }.run(text)
}

/// Like [`verify`], with every check that was made.
pub fn explain(text: &str, rules: &Rules, keys: &KeySet, now: u64) -> (Report, Result<Token, JwtError>) {
    let mut report = Report::new();
    let outcome = Verifying { rules, keys, now, passed: &mut |check| report.push((check, true)) }.run(text);
    if let Err(JwtError(check)) = &outcome {
        report.push((*check, false));
    }
    (report, outcome)
}

struct Verifying<'a> {
    rules: &'a Rules,
    keys: &'a KeySet,
    now: u64,
    passed: &'a mut dyn FnMut(Check),
}

// === impl Verifying ===

impl Verifying<'_> {
    fn run(&mut self, text: &str) -> Result<Token, JwtError> {
        let compact = Compact::split(text)?;
        for check in [Check::Size, Check::Form, Check::Header] {
            (self.passed)(check);
        }
        let algorithm = self.header(&compact.header)?;
        let claims = strict_json::object(&compact.payload).ok_or(JwtError(Check::Claims))?;
        (self.passed)(Check::Claims);
        // The issuer chooses the keys, so that it is looked at before the signature and believed only after it.
        let issuer = claims.get("iss").and_then(Value::as_str);
        self.check(Check::Issuer, issuer == Some(self.rules.issuer.as_str()))?;
        self.signature(&compact, algorithm)?;
        self.claims(&claims)?;
        Ok(Token { header: compact.header, claims })
    }

    fn check(&mut self, check: Check, holds: bool) -> Result<(), JwtError> {
        if !holds {
            return Err(JwtError(check));
        }
        (self.passed)(check);
        Ok(())
    }

    /// `jku`, `x5u`, `jwk` and `x5c` are not looked at: a token cannot bring its own key.
    fn header(&mut self, header: &Map<String, Value>) -> Result<Algorithm, JwtError> {
        self.check(Check::Critical, !header.contains_key("crit"))?;
        self.check(Check::Compression, !header.contains_key("zip"))?;
        self.check(Check::Encoding, !header.contains_key("b64"))?;
        self.check(Check::Type, type_fits(self.rules.profile, header.get("typ")))?;
        let algorithm = text(header, "alg").and_then(Algorithm::from_name);
        let algorithm = algorithm.ok_or(JwtError(Check::AlgorithmKnown))?;
        (self.passed)(Check::AlgorithmKnown);
        self.check(Check::AlgorithmAllowed, self.rules.algorithms.contains(&algorithm))?;
        Ok(algorithm)
    }

    fn signature(&mut self, compact: &Compact<'_>, algorithm: Algorithm) -> Result<(), JwtError> {
        let kid = match compact.header.get("kid") {
            None => None,
            Some(value) => Some(value.as_str().ok_or(JwtError(Check::KeyFound))?),
        };
        let mut candidates = self.keys.candidates(kid, algorithm).take(KEYS_TRIED_MAX).peekable();
        if candidates.peek().is_none() {
            return Err(JwtError(Check::KeyFound));
        }
        let verified = candidates.any(|key| key.verifies(algorithm, compact.signed, &compact.signature));
        (self.passed)(Check::KeyFound);
        self.check(Check::Signature, verified)
    }

    fn claims(&mut self, claims: &Map<String, Value>) -> Result<(), JwtError> {
        let rules = self.rules;
        self.check(Check::Audience, audience_fits(claims.get("aud"), &rules.audiences))?;
        let (early, late) = (self.now.saturating_sub(rules.skew_seconds), self.now.saturating_add(rules.skew_seconds));
        let time = |name: &str| claims.get(name).map(seconds);
        self.check(Check::Expiry, matches!(time("exp"), Some(Some(exp)) if exp > early))?;
        self.check(Check::NotBefore, time("nbf").is_none() || matches!(time("nbf"), Some(Some(nbf)) if nbf <= late))?;
        let strict = rules.profile == Profile::Rfc9068;
        let issued = match time("iat") {
            Some(Some(iat)) => iat <= late,
            Some(None) => false,
            None => rules.profile == Profile::Legacy,
        };
        self.check(Check::IssuedAt, issued)?;
        let there = |name: &str| text(claims, name).is_some_and(|value| !value.is_empty());
        self.check(Check::Subject, there("sub") || rules.profile == Profile::Legacy)?;
        self.check(Check::Client, !strict || there("client_id"))?;
        self.check(Check::TokenId, !strict || there("jti"))?;
        let complete = rules.required_claims.iter().all(|name| claims.get(name).is_some_and(|value| !value.is_null()));
        self.check(Check::Required, complete)
    }
}

/// Media types are compared without case and with or without `application/` (RFC 7515 section 4.1.9).
fn type_fits(profile: Profile, value: Option<&Value>) -> bool {
    let name = match value {
        None => None,
        Some(Value::String(text)) => {
            let lower = text.to_ascii_lowercase();
            Some(lower.strip_prefix("application/").map_or(lower.clone(), str::to_owned))
        }
        Some(_) => return false,
    };
    match (profile, name.as_deref()) {
        (Profile::Rfc9068, name) => name == Some("at+jwt"),
        (Profile::Oidc, name) => matches!(name, None | Some("jwt")),
        // Tokens made for another purpose say so: taking one for an access token is cross-JWT confusion.
        (Profile::Legacy, name) => matches!(name, None | Some("jwt" | "at+jwt")),
    }
}

pub(crate) fn audience_fits(value: Option<&Value>, wanted: &[String]) -> bool {
    let is_wanted = |name: &Value| name.as_str().is_some_and(|name| wanted.iter().any(|wanted| wanted == name));
    match value {
        Some(Value::Array(names)) => names.iter().all(Value::is_string) && names.iter().any(is_wanted),
        Some(name) => is_wanted(name),
        None => false,
    }
}
