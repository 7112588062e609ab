//! The question to an introspection endpoint, and how the gateway proves itself with it.

use crate::jwt::{SignError, SigningKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portcullis_types::Secret;
use serde_json::json;

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long an assertion of ours is good.
const ASSERTION_SECONDS: u64 = 60;

/// How the gateway proves itself to an issuer (RFC 6749 section 2.3, OpenID Connect Core section 9).
#[derive(Debug)]
pub enum Client {
    /// `client_secret_basic`.
    Basic {
        /// The client's id.
        id: String,
        /// Its secret.
        secret: Secret,
    },
    /// `client_secret_post`.
    Post {
        /// The client's id.
        id: String,
        /// Its secret.
        secret: Secret,
    },
    /// `private_key_jwt`.
    PrivateKeyJwt {
        /// The client's id.
        id: String,
        /// Its key.
        key: SigningKey,
        /// For whom the assertion is: the issuer.
        audience: String,
    },
}

/// What is sent, by POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The `Authorization` field, where there is one.
    pub authorization: Option<Secret>,
    /// The body, `application/x-www-form-urlencoded`. The token is in it, so that it is a secret.
    pub body: Secret,
}

// === impl Client ===

impl Client {
    /// Asks about a token. `unique` is a random text for the assertion's id.
    ///
    /// # Errors
    /// When the key refuses to sign.
    pub fn ask(&self, token: &str, now: u64, unique: &str) -> Result<Question, SignError> {
        let mut body = format!("token={}&token_type_hint=access_token", form(token));
        let mut authorization = None;
        match self {
            Self::Basic { id, secret } => {
                let pair = format!("{}:{}", form(id), form(secret.expose()));
                authorization = Some(Secret::new(format!("Basic {}", STANDARD.encode(pair))));
            }
            Self::Post { id, secret } => {
                body.push_str(&format!("&client_id={}&client_secret={}", form(id), form(secret.expose())));
            }
            Self::PrivateKeyJwt { id, key, audience } => {
                let claims = json!({
                    "iss": id, "sub": id, "aud": audience, "jti": unique, "iat": now,
                    "exp": now.saturating_add(ASSERTION_SECONDS),
                });
                let assertion = key.sign("JWT", claims.as_object().ok_or(SignError)?, false)?;
                let (id, kind) = (form(id), form(ASSERTION));
                body.push_str(&format!("&client_id={id}&client_assertion_type={kind}&client_assertion={assertion}"));
            }
        }
        Ok(Question { authorization, body: Secret::new(body) })
    }
}

/// The form encoding, which RFC 6749 section 2.3.1 also wants inside of `Basic`.
fn form(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'*' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
