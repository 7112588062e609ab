//! `WWW-Authenticate`: which credentials a route accepts, and what was wrong with the one that came (RFC 6750 section 3,
//! RFC 9449 section 7.1). Every text is ours.

use crate::jwt::Algorithm;
use crate::principal::Scheme;
use portcullis_types::Reason;

/// What a route offers to a caller who is not accepted.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    /// The name of the API.
    pub realm: String,
    /// The methods that it accepts.
    pub schemes: Vec<Scheme>,
    /// The field in which an API key comes.
    pub key_field: String,
    /// The scopes that the operation needs, where that is known.
    pub scopes: Vec<String>,
    /// The algorithms of proofs, where tokens can be bound to keys.
    pub proof_algorithms: Vec<Algorithm>,
    /// Whether only tokens that are bound to keys are accepted.
    pub proofs_only: bool,
    /// The address of the API's metadata (RFC 9728), if there is one.
    pub metadata: Option<String>,
}

/// The values of the `WWW-Authenticate` fields, one challenge each. For 401 there is at least one (RFC 9110 section 15.5.2).
#[must_use]
pub fn challenges(offer: &Offer, reason: Reason) -> Vec<String> {
    let has = |scheme| offer.schemes.contains(&scheme);
    let mut all = Vec::new();
    if has(Scheme::Jwt) || has(Scheme::Introspection) {
        if !offer.proofs_only {
            all.push(bearer(offer, reason));
        }
        if !offer.proof_algorithms.is_empty() {
            all.push(dpop(offer, reason));
        }
    }
    let plain = [
        (Scheme::ApiKey, "ApiKey", Some(("header", offer.key_field.as_str()))),
        (Scheme::Certificate, "ClientCertificate", None),
        (Scheme::Signature, "Signature", None),
    ];
    for (scheme, name, more) in plain {
        if has(scheme) {
            all.push(write(name, [Some(("realm", offer.realm.as_str())), more].into_iter().flatten()));
        }
    }
    if all.is_empty() {
        all.push(write("Bearer", [("realm", offer.realm.as_str())].into_iter()));
    }
    all
}

/// What somebody is told whose token is good and lacks scopes (RFC 6750 section 3.1).
#[must_use]
pub fn scope_challenge(realm: &str, scopes: &[String]) -> String {
    let scopes = scopes.join(" ");
    let parts = [("realm", realm), ("error", "insufficient_scope"), ("scope", scopes.as_str())];
    write("Bearer", parts.into_iter().filter(|(_, value)| !value.is_empty()))
}

fn bearer(offer: &Offer, reason: Reason) -> String {
    // Nothing is said about errors to whoever has not tried (RFC 6750 section 3.1).
    let error = is_token(reason).then_some("invalid_token");
    let scopes = offer.scopes.join(" ");
    let parts = [
        Some(("realm", offer.realm.as_str())),
        error.map(|error| ("error", error)),
        error.map(|_| ("error_description", reason.title())),
        (!scopes.is_empty()).then_some(("scope", scopes.as_str())),
        offer.metadata.as_deref().map(|address| ("resource_metadata", address)),
    ];
    write("Bearer", parts.into_iter().flatten())
}

fn dpop(offer: &Offer, reason: Reason) -> String {
    let told = [
        (Reason::InvalidProof, "invalid_dpop_proof"),
        (Reason::NonceRequired, "use_dpop_nonce"),
        (Reason::InsufficientBinding, "invalid_token"),
    ];
    let error = told.into_iter().find(|(one, _)| *one == reason).map(|(_, error)| error);
    // Where there is no other challenge, this one says it.
    let error = error.or_else(|| (offer.proofs_only && is_token(reason)).then_some("invalid_token"));
    let names: Vec<&str> = offer.proof_algorithms.iter().map(|algorithm| algorithm.name()).collect();
    let algorithms = names.join(" ");
    let parts = [
        Some(("realm", offer.realm.as_str())),
        Some(("algs", algorithms.as_str())),
        error.map(|error| ("error", error)),
        error.map(|_| ("error_description", reason.title())),
        offer.metadata.as_deref().map(|address| ("resource_metadata", address)),
    ];
    write("DPoP", parts.into_iter().flatten())
}

/// Whether a token came that is not good.
fn is_token(reason: Reason) -> bool {
    matches!(reason, Reason::InvalidToken | Reason::ExpiredToken | Reason::RevokedToken | Reason::InsufficientBinding)
}

/// A challenge in quoted strings; what cannot stand in one is left out.
fn write<'a>(scheme: &str, parts: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let quote = |(name, value): (&str, &str)| {
        let value: String = value.chars().filter(|letter| matches!(letter, ' '..='~')).collect();
        format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    };
    let parts: Vec<String> = parts.map(quote).collect();
    format!("{scheme} {}", parts.join(", "))
}
