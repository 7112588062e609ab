//! `X-Identity-Token`: a signed statement of who calls, so that an API need not trust the network it is reached over.

use crate::jwt::{SignError, SigningKey};
use crate::principal::Principal;
use serde_json::{Map, Value, json};

/// How long a statement is good, in seconds.
const LIFETIME_SECONDS: u64 = 60;
/// How long the key of before stays published: its last statement's life, and room for clocks and caches.
const RETIRED_SECONDS: u64 = 3600;
// LIMIT: keys of before that are published.
const RETIRED_MAX: usize = 8;

/// Signs statements with a key of the gateway's own.
///
/// The next key is published long before it signs, so that no API ever meets a signature whose key it cannot have.
#[derive(Debug)]
pub struct IdentityTokens {
    issuer: String,
    current: SigningKey,
    next: SigningKey,
    retired: Vec<(Value, u64)>,
}

// === impl IdentityTokens ===

impl IdentityTokens {
    /// Signs as `issuer`, with `current` now and with `next` after the first rotation.
    #[must_use]
    pub const fn new(issuer: String, current: SigningKey, next: SigningKey) -> Self {
        Self { issuer, current, next, retired: Vec::new() }
    }

    /// Who calls, said to the API `audience`. `unique` is the request's id.
    ///
    /// # Errors
    /// When the key refuses to sign; then the request is not forwarded.
    pub fn issue(&self, principal: &Principal, audience: &str, unique: &str, now: u64) -> Result<String, SignError> {
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        put("iss", json!(self.issuer));
        put("aud", json!(audience));
        put("sub", json!(principal.id));
        put("iat", json!(now));
        put("exp", json!(now.saturating_add(LIFETIME_SECONDS)));
        put("jti", json!(unique));
        put("method", json!(principal.scheme.code()));
        put("credential", json!(principal.credential));
        put("scope", json!(principal.scopes.join(" ")));
        put("roles", json!(principal.roles));
        if let Some(name) = &principal.username {
            put("username", json!(name));
        }
        if let Some(issuer) = &principal.issuer {
            put("original_issuer", json!(issuer));
        }
        self.current.sign("identity+jwt", &claims, false)
    }

    /// Turns the keys: the next one signs, `fresh` is published as the one after it.
    pub fn rotate(&mut self, fresh: SigningKey, now: u64) {
        let next = std::mem::replace(&mut self.next, fresh);
        let before = std::mem::replace(&mut self.current, next);
        self.retired.retain(|(_, until)| *until > now);
        if self.retired.len() >= RETIRED_MAX {
            self.retired.remove(0);
        }
        self.retired.push((before.public_jwk().clone(), now.saturating_add(RETIRED_SECONDS)));
    }

    /// The published key set (RFC 7517).
    #[must_use]
    pub fn key_set(&self, now: u64) -> Value {
        let retired = self.retired.iter().filter(|(_, until)| *until > now).map(|(jwk, _)| jwk);
        let keys = [self.current.public_jwk(), self.next.public_jwk()].into_iter().chain(retired);
        json!({ "keys": keys.collect::<Vec<_>>() })
    }
}
