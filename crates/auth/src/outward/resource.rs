//! The metadata of an API as a protected resource (RFC 9728): from it a client learns where to get tokens.

use crate::jwt::Algorithm;
use serde_json::{Map, Value, json};

/// What an API says about itself.
#[derive(Clone, Debug, Default)]
pub struct Resource {
    /// Its address, exactly as tokens and clients name it.
    pub resource: String,
    /// A name for people.
    pub name: Option<String>,
    /// The issuers whose tokens it accepts.
    pub authorization_servers: Vec<String>,
    /// The scopes that its operations use.
    pub scopes: Vec<String>,
    /// The algorithms of proofs, where it accepts them.
    pub proof_algorithms: Vec<Algorithm>,
    /// Whether tokens have to be bound to a key.
    pub proof_required: bool,
    /// Whether tokens can be bound to certificates.
    pub certificate_bound: bool,
}

// === impl Resource ===

impl Resource {
    /// The path under which the metadata of an API with this base path lies (section 3.1).
    #[must_use]
    pub fn path(base_path: &str) -> String {
        format!("/.well-known/oauth-protected-resource{}", base_path.trim_end_matches('/'))
    }

    /// The document. Members that would be empty are left out (section 3.2).
    #[must_use]
    pub fn document(&self) -> Value {
        let mut out = Map::new();
        let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
        put("resource", json!(self.resource));
        if let Some(name) = &self.name {
            put("resource_name", json!(name));
        }
        if !self.authorization_servers.is_empty() {
            put("authorization_servers", json!(self.authorization_servers));
        }
        if !self.scopes.is_empty() {
            put("scopes_supported", json!(self.scopes));
        }
        put("bearer_methods_supported", json!(["header"]));
        if !self.proof_algorithms.is_empty() {
            let names: Vec<&str> = self.proof_algorithms.iter().map(|algorithm| algorithm.name()).collect();
            put("dpop_signing_alg_values_supported", json!(names));
            put("dpop_bound_access_tokens_required", json!(self.proof_required));
        }
        if self.certificate_bound {
            put("tls_client_certificate_bound_access_tokens", json!(true));
        }
        Value::Object(out)
    }
}
