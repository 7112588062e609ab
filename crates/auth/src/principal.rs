//! Who calls, and what several methods of proving it come to together.

use crate::jwt::{Token, seconds, text};
use crate::revocation::TokenNames;
use portcullis_types::Reason;
use serde_json::{Map, Value};
use std::fmt;
use std::rc::Rc;

/// A method by which a caller proves who he is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// An API key of the gateway.
    ApiKey,
    /// A signed token of an issuer.
    Jwt,
    /// A token that its issuer explains.
    Introspection,
    /// A client certificate.
    Certificate,
    /// A signature over the request.
    Signature,
}

/// A caller who has proved who he is.
#[derive(Clone, Debug, PartialEq)]
pub struct Principal {
    /// How.
    pub scheme: Scheme,
    /// Who it is: the consumer's id, or the token's subject.
    pub id: String,
    /// The name, where there is one.
    pub username: Option<String>,
    /// Which credential it was; never a secret.
    pub credential: String,
    /// Which issuer vouches for it, where one does.
    pub issuer: Option<String>,
    /// What he may do.
    pub scopes: Vec<String>,
    /// As whom.
    pub roles: Vec<String>,
    /// The claims of the token, where there is one.
    pub claims: Map<String, Value>,
    /// When the credential ends, in seconds since 1970: what lives longer than a request has to be ended then.
    pub expires_at: Option<u64>,
}

/// Why a credential is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the caller is told.
    pub reason: Reason,
    /// What the record says besides.
    pub detail: &'static str,
}

/// What one method found in a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// No credential of this kind.
    Absent,
    /// A good one.
    Proved(Rc<Principal>),
    /// One that is not good, or that nobody can judge now.
    Failed(Failure),
}

/// What a route demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// One of these methods; where `anonymous` is set, also none.
    AnyOf {
        /// The methods, the preferred one first; never empty.
        schemes: Vec<Scheme>,
        /// Whether a request without any credential passes.
        anonymous: bool,
    },
    /// Each of these methods; the first one says who calls. Never empty.
    AllOf(Vec<Scheme>),
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Somebody.
    Caller {
        /// Who, with his rights. Rights of several credentials are not added up.
        principal: Rc<Principal>,
        /// What else was proved.
        also: Vec<Rc<Principal>>,
    },
    /// Nobody in particular, where that is allowed.
    Anonymous,
    /// Not accepted.
    Refused(Failure),
}

// === impl Scheme ===

impl Scheme {
    /// Every scheme.
    pub const ALL: [Self; 5] = [Self::ApiKey, Self::Jwt, Self::Introspection, Self::Certificate, Self::Signature];

    /// The stable name in records and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::Jwt => "jwt",
            Self::Introspection => "introspection",
            Self::Certificate => "mtls",
            Self::Signature => "signature",
        }
    }
}

// === impl Principal ===

impl Principal {
    /// Who a verified token speaks of: its subject, or the client itself where it has none; nobody without either.
    ///
    /// Scopes are those of `scope` (RFC 9068) or of `scp`. Roles are in the claim of this name, or, where there is none, in
    /// the one that a path with dots leads to. A claim of another form than texts gives no rights.
    #[must_use]
    pub fn of_token(scheme: Scheme, token: &Token, roles_claim: &str) -> Option<Self> {
        let claims = &token.claims;
        let id = ["sub", "client_id"].iter().find_map(|name| token.text(name).filter(|id| !id.is_empty()))?;
        let path = || {
            roles_claim.split('.').try_fold(None, |at: Option<&Value>, name| {
                let next = at.map_or_else(|| claims.get(name), |value| value.get(name));
                next.map(Some)
            })
        };
        let roles = claims.get(roles_claim).or_else(|| path().flatten());
        Some(Self {
            scheme,
            id: id.to_owned(),
            username: ["preferred_username", "username"].iter().find_map(|name| token.text(name)).map(str::to_owned),
            credential: token.text("jti").unwrap_or_default().to_owned(),
            issuer: token.text("iss").map(str::to_owned),
            scopes: texts(claims.get("scope").or_else(|| claims.get("scp"))),
            roles: texts(roles),
            claims: claims.clone(),
            expires_at: token.seconds("exp"),
        })
    }
}

impl Principal {
    /// By what a token that said this can have been revoked.
    #[must_use]
    pub fn token_names(&self) -> TokenNames<'_> {
        TokenNames {
            issuer: self.issuer.as_deref().unwrap_or_default(),
            token_id: text(&self.claims, "jti"),
            subject: text(&self.claims, "sub"),
            session: text(&self.claims, "sid"),
            issued_at: self.claims.get("iat").and_then(seconds),
        }
    }

    /// Whether the token works only together with a certificate (RFC 8705 section 3.1).
    #[must_use]
    pub fn is_bound_to_certificate(&self) -> bool {
        self.claims.get("cnf").is_some_and(|bound| bound.get("x5t#S256").is_some())
    }

    /// A claim that is a text or a number, as text.
    #[must_use]
    pub fn plain_claim(&self, name: &str) -> Option<String> {
        match self.claims.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// Texts in a list, or in one text between blanks.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => text.split(' ').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
        Some(Value::Array(items)) => {
            let all: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
            all.unwrap_or_default()
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
    }
}

// === impl Demand ===

impl Demand {
    /// Judges what the methods found. `look` is asked once for each method that is demanded, and for no other.
    ///
    /// One credential that fails is a refusal, whatever the others are and even where none is needed: whoever shows a bad
    /// credential is not nobody.
    pub fn judge(&self, mut look: impl FnMut(Scheme) -> Outcome) -> Verdict {
        let (schemes, anonymous, all) = match self {
            Self::AnyOf { schemes, anonymous } => (schemes, *anonymous, false),
            Self::AllOf(schemes) => (schemes, false, true),
        };
        let (mut proved, mut failure, mut absent) = (Vec::new(), None, false);
        for scheme in schemes {
            match look(*scheme) {
                Outcome::Absent => absent = true,
                Outcome::Proved(principal) => proved.push(principal),
                Outcome::Failed(one) => failure = failure.or(Some(one)),
            }
        }
        if let Some(failure) = failure {
            return Verdict::Refused(failure);
        }
        let missing = Failure { reason: Reason::MissingCredential, detail: "no credential of a demanded method" };
        if (all && absent) || (proved.is_empty() && !anonymous) {
            return Verdict::Refused(missing);
        }
        let mut proved = proved.into_iter();
        match proved.next() {
            Some(principal) => Verdict::Caller { principal, also: proved.collect() },
            None => Verdict::Anonymous,
        }
    }
}

// === impl Failure ===

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.reason.code(), self.detail)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::{Demand, Failure, Outcome, Principal, Scheme, Verdict};
    use portcullis_types::Reason;
    use serde_json::json;
    use std::rc::Rc;

    fn principal(scheme: Scheme) -> Principal {
        Principal {
            scheme,
            id: scheme.code().to_owned(),
            username: None,
            credential: String::new(),
            issuer: None,
            scopes: Vec::new(),
            roles: Vec::new(),
            claims: serde_json::Map::new(),
            expires_at: None,
        }
    }

    /// `+` proved, `-` failed, `0` absent, `!` nobody can judge.
    fn judge(demand: &Demand, found: &str) -> String {
        let mut found = found.chars();
        let verdict = demand.judge(|scheme| match found.next() {
            Some('+') => Outcome::Proved(Rc::new(principal(scheme))),
            Some('-') => Outcome::Failed(Failure { reason: Reason::InvalidToken, detail: "" }),
            Some('!') => Outcome::Failed(Failure { reason: Reason::IssuerUnavailable, detail: "" }),
            _ => Outcome::Absent,
        });
        match verdict {
            Verdict::Caller { principal, also } => format!("{} +{}", principal.id, also.len()),
            Verdict::Anonymous => "anonymous".to_owned(),
            Verdict::Refused(failure) => failure.reason.code().to_owned(),
        }
    }

    #[test]
    fn who_a_token_speaks_of() {
        let of = |claims: serde_json::Value, roles: &str| {
            let claims = claims.as_object().unwrap().clone();
            let token = crate::jwt::Token { header: serde_json::Map::new(), claims };
            let principal = Principal::of_token(Scheme::Jwt, &token, roles)?;
            Some(format!("{} [{}] [{}]", principal.id, principal.scopes.join(","), principal.roles.join(",")))
        };
        for (claims, roles, expected) in [
            (json!({ "sub": "ada", "scope": "a  b", "roles": ["x", "y"] }), "roles", Some("ada [a,b] [x,y]")),
            (json!({ "client_id": "app", "scp": ["a"], "roles": "x y" }), "roles", Some("app [a] [x,y]")),
            (json!({ "sub": "", "client_id": "app" }), "roles", Some("app [] []")),
            (json!({ "sub": "a", "realm": { "roles": ["x"] } }), "realm.roles", Some("a [] [x]")),
            (json!({ "sub": "a", "https://x.example/roles": ["x"] }), "https://x.example/roles", Some("a [] [x]")),
            (json!({ "sub": "a", "scope": ["a", 1], "roles": [["x"]] }), "roles", Some("a [] []")),
            (json!({ "sub": "a", "scope": true, "roles": { "x": 1 } }), "roles", Some("a [] []")),
            (json!({ "sub": "a", "realm": "x" }), "realm.roles", Some("a [] []")),
            (json!({ "sub": 1 }), "roles", None),
            (json!({}), "roles", None),
        ] {
            assert_eq!(of(claims.clone(), roles).as_deref(), expected, "{claims}");
        }
    }

    #[test]
    fn every_combination_of_two_methods() {
        let any = Demand::AnyOf { schemes: vec![Scheme::Jwt, Scheme::ApiKey], anonymous: false };
        let open = Demand::AnyOf { schemes: vec![Scheme::Jwt, Scheme::ApiKey], anonymous: true };
        let all = Demand::AllOf(vec![Scheme::Jwt, Scheme::ApiKey]);
        for (found, of_any, of_open, of_all) in [
            ("00", "missing_credential", "anonymous", "missing_credential"),
            ("+0", "jwt +0", "jwt +0", "missing_credential"),
            ("0+", "api_key +0", "api_key +0", "missing_credential"),
            ("++", "jwt +1", "jwt +1", "jwt +1"),
            ("-0", "invalid_token", "invalid_token", "invalid_token"),
            ("0-", "invalid_token", "invalid_token", "invalid_token"),
            ("+-", "invalid_token", "invalid_token", "invalid_token"),
            ("-+", "invalid_token", "invalid_token", "invalid_token"),
            ("--", "invalid_token", "invalid_token", "invalid_token"),
            ("!0", "issuer_unavailable", "issuer_unavailable", "issuer_unavailable"),
            ("+!", "issuer_unavailable", "issuer_unavailable", "issuer_unavailable"),
        ] {
            assert_eq!(judge(&any, found), of_any, "any of, {found}");
            assert_eq!(judge(&open, found), of_open, "any of or nobody, {found}");
            assert_eq!(judge(&all, found), of_all, "all of, {found}");
        }
        // What does not load from a file is closed all the same.
        assert_eq!(judge(&Demand::AllOf(Vec::new()), ""), "missing_credential");
    }
}
