//! The answer of an introspection endpoint, read strictly: what is not clearly a yes is no yes.

use crate::jwt::{Token, audience_fits, seconds};
use crate::strict_json;
use serde_json::{Map, Value};
use std::fmt;

// LIMIT: bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What an active token has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerRules {
    /// The exact `iss`, where the answer names one.
    pub issuer: String,
    /// One of these has to be in `aud`; never empty.
    pub audiences: Vec<String>,
    /// Whether an answer without `aud` is good: only for issuers that bind tokens to whoever asks.
    pub audience_optional: bool,
    /// How far the issuer's clock may be from ours, in seconds.
    pub skew_seconds: u64,
}

/// What the issuer says about a token.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is good, until this second at most; `None` where the issuer does not say.
    Active(Token, Option<u64>),
    /// It is not, or not for us.
    Inactive(&'static str),
}

/// An answer from which nothing follows. It counts as no answer: 503, not 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFault {
    /// Another status than 200, and no error about the token: the issuer did not accept the question.
    Status,
    /// Another media type than `application/json`.
    MediaType,
    /// Larger than its limit.
    TooLarge,
    /// Not one JSON object without repeated members, or without `active`.
    Malformed,
}

// === impl Answer ===

impl Answer {
    /// Reads an answer.
    ///
    /// # Errors
    /// Why nothing follows from it.
    pub fn parse(
        status: u16,
        media_type: Option<&str>,
        body: &[u8],
        rules: &AnswerRules,
        now: u64,
    ) -> Result<Self, AnswerFault> {
        if status == 400 && refuses_the_token(body) {
            return Ok(Self::Inactive("the issuer does not take it for a token that it can be asked about"));
        }
        if status != 200 {
            return Err(AnswerFault::Status);
        }
        let essence = media_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(AnswerFault::MediaType);
        }
        if body.len() > ANSWER_BYTES_MAX {
            return Err(AnswerFault::TooLarge);
        }
        let claims = strict_json::object(body).ok_or(AnswerFault::Malformed)?;
        match claims.get("active") {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => return Ok(Self::Inactive("the issuer says that it is not active")),
            Some(_) | None => return Err(AnswerFault::Malformed),
        }
        Ok(judge(&claims, rules, now).map_or_else(Self::Inactive, |until| Self::Active(token(claims), until)))
    }
}

/// RFC 7662 section 2.2 knows no error about a token, and servers give one all the same for what looks like another kind of
/// token. Taken for an outage, it would let anybody who makes such tokens up close the door to everybody else.
fn refuses_the_token(body: &[u8]) -> bool {
    let error = (body.len() <= ANSWER_BYTES_MAX).then(|| strict_json::object(body)).flatten();
    let code = error.as_ref().and_then(|error| error.get("error")).and_then(Value::as_str);
    matches!(code, Some("invalid_request" | "invalid_token" | "unsupported_token_type"))
}

fn token(claims: Map<String, Value>) -> Token {
    Token { header: Map::new(), claims }
}

/// The end of a good token, or why it is none. A member that is there has to be right, whatever its type.
fn judge(claims: &Map<String, Value>, rules: &AnswerRules, now: u64) -> Result<Option<u64>, &'static str> {
    if claims.get("iss").is_some_and(|issuer| issuer.as_str() != Some(&rules.issuer)) {
        return Err("it is another issuer's");
    }
    let audience = claims.get("aud");
    if !audience_fits(audience, &rules.audiences) && (audience.is_some() || !rules.audience_optional) {
        return Err("its audience is another one");
    }
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => seconds(value).map(Some).ok_or("a time in it is none"),
    };
    let (exp, nbf, iat) = (time("exp")?, time("nbf")?, time("iat")?);
    let late = now.saturating_add(rules.skew_seconds);
    if exp.is_some_and(|exp| exp <= now) {
        return Err("it has expired");
    }
    if nbf.is_some_and(|nbf| nbf > late) || iat.is_some_and(|iat| iat > late) {
        return Err("it is not valid yet");
    }
    let texts = ["sub", "client_id", "username", "scope", "jti", "token_type"];
    if texts.iter().any(|name| claims.get(*name).is_some_and(|value| !value.is_string())) {
        return Err("a member that is a text elsewhere is none");
    }
    Ok(exp)
}

// === impl AnswerFault ===

impl fmt::Display for AnswerFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Status => "the introspection endpoint did not answer with 200",
            Self::MediaType => "the introspection answer is not application/json",
            Self::TooLarge => "the introspection answer is larger than 64 KiB",
            Self::Malformed => "the introspection answer is not a JSON object with `active`",
        })
    }
}

impl std::error::Error for AnswerFault {}
