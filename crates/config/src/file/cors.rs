//! The `cors` section as people write it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::defaults;
use crate::scalar::{Flag, Method, PageOrigin, Period, Text};

/// Which pages of other origins may read what the API answers (the Fetch standard, section 3.2). Preflights are answered by the
/// gateway; what the server says about origins is left out. Without it, browsers let no other origin read an answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cors {
    /// The origins, as browsers state them; `https://*.example.com` for every host below a domain, `["*"]` for any page.
    pub(crate) origins: Vec<PageOrigin>,
    /// Methods that pages may use. By default those that routes answer.
    pub(crate) methods: Option<Vec<Method>>,
    /// Request fields that pages may set beside those that every page may. By default `Authorization`, `Content-Type`, `DPoP` and the
    /// field of API keys.
    pub(crate) headers: Option<Vec<Text>>,
    /// Fields of answers that pages may read beside those that every page may. By default what the gateway itself says:
    /// `X-Request-ID`, `Retry-After`, `RateLimit`, `RateLimit-Policy`, `WWW-Authenticate`, `Deprecation`, `Sunset` and `Link`,
    /// and `DPoP-Nonce` where proofs need nonces.
    pub(crate) expose: Option<Vec<Text>>,
    /// Whether browsers may send cookies and client certificates along.
    #[schemars(extend("default" = false))]
    pub(crate) credentials: Option<Flag>,
    /// How long browsers may remember the answer to a preflight.
    #[schemars(extend("default" = defaults::CORS_MAX_AGE.to_string()))]
    pub(crate) max_age: Option<Period>,
    /// Whether public pages may call an API in a private network (Private Network Access).
    #[schemars(extend("default" = false))]
    pub(crate) private_network: Option<Flag>,
}
