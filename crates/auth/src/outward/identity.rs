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

/// Signs statements with keys of the gateway's own, each from a moment on.
///
/// The next key is published long before it signs, so that no API ever meets a signature whose key it cannot have.
#[derive(Debug)]
pub struct IdentityTokens {
    issuer: String,
    /// In the order in which they sign; never empty.
    keys: Vec<(u64, SigningKey)>,
    retired: Vec<(Value, u64)>,
}

// === impl IdentityTokens ===

impl IdentityTokens {
    /// Signs as `issuer`, with each key from its second on; the first one signs whatever the time is. `None` without a key.
    #[must_use]
    pub fn new(issuer: String, mut keys: Vec<(u64, SigningKey)>) -> Option<Self> {
        keys.sort_by_key(|(from, _)| *from);
        (!keys.is_empty()).then_some(Self { issuer, keys, retired: Vec::new() })
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
        self.current(now).ok_or(SignError)?.sign("identity+jwt", &claims, false)
    }

    fn current(&self, now: u64) -> Option<&SigningKey> {
        let begun = self.keys.iter().rev().find(|(from, _)| *from <= now);
        begun.or(self.keys.first()).map(|(_, key)| key)
    }

    /// Goes on publishing the keys of those whose place it takes, for as long as their statements may be looked at.
    pub fn inherit(&mut self, before: &Self, now: u64) {
        let known = |id: Option<&Value>, keys: &[(u64, SigningKey)]| {
            keys.iter().any(|(_, key)| id.and_then(Value::as_str) == Some(key.id()))
        };
        let until = now.saturating_add(RETIRED_SECONDS);
        let theirs = before.keys.iter().map(|(_, key)| (key.public_jwk().clone(), until));
        let all = before.retired.iter().cloned().chain(theirs);
        self.retired = all.filter(|(jwk, until)| *until > now && !known(jwk.get("kid"), &self.keys)).collect();
        let excess = self.retired.len().saturating_sub(RETIRED_MAX);
        self.retired.drain(..excess);
    }

    /// The ids of its keys.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|(_, key)| key.id())
    }

    /// The published key set (RFC 7517): what signs, what will, and what has signed lately.
    #[must_use]
    pub fn key_set(&self, now: u64) -> Value {
        let successors = self.keys.iter().skip(1).map(|(from, _)| Some(*from)).chain([None]);
        let ours = self.keys.iter().zip(successors);
        let ours = ours.filter(|(_, next)| next.is_none_or(|next| next.saturating_add(RETIRED_SECONDS) > now));
        let retired = self.retired.iter().filter(|(_, until)| *until > now).map(|(jwk, _)| jwk);
        let keys = ours.map(|((_, key), _)| key.public_jwk()).chain(retired);
        json!({ "keys": keys.collect::<Vec<_>>() })
    }
}
