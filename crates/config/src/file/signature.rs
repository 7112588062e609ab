//! Requests that are signed, as people write it: whose signatures, and what they have to cover.

use schemars::JsonSchema;
use serde::Deserialize;

use super::defaults;
use crate::scalar::{FileName, Flag, Period, Size, Text};

/// Somebody who signs requests (RFC 9421). His name here is who calls.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signer {
    /// A file with a key set (RFC 7517): public keys, Ed25519, P-256 or RSA. The `kid` of one is the `keyid` of a signature. A
    /// change of the file is taken over.
    pub(crate) jwks_file: Option<FileName>,
    /// A secret that is shared with him, for `hmac-sha256`, instead of a file. Whoever can verify can sign: prefer public keys.
    pub(crate) hmac: Option<SignerSecret>,
    /// What he may do.
    #[schemars(extend("default" = Vec::<String>::new()))]
    pub(crate) scopes: Option<Vec<Text>>,
    /// As whom.
    #[schemars(extend("default" = Vec::<String>::new()))]
    pub(crate) roles: Option<Vec<Text>>,
}

/// A secret that is shared with whoever signs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignerSecret {
    /// The `keyid` of its signatures.
    pub(crate) id: Text,
    /// The secret: at least 32 bytes. Write it as `{ env: NAME }` or `{ file: PATH }`. It is never shown.
    pub(crate) secret: Text,
}

/// Signatures that are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signature {
    /// Whose, by their names under `signers`.
    pub(crate) signers: Vec<Text>,
    /// What a signature has to cover: derived components such as `@method`, and names of fields. Where there is a body,
    /// `content-digest` is one of them anyway.
    #[schemars(extend("default" = defaults::SIGNED_COMPONENTS))]
    pub(crate) components: Option<Vec<Text>>,
    /// How old a signature may be.
    #[schemars(extend("default" = defaults::PROOF_WINDOW.to_string()))]
    pub(crate) window: Option<Period>,
    /// Whether it needs a nonce, so that nobody can send the same request again.
    #[schemars(extend("default" = true))]
    pub(crate) nonce: Option<Flag>,
    /// The `tag` of signatures that are looked at; others are passed over. By default there has to be one signature only.
    pub(crate) tag: Option<Text>,
    /// The largest body, which is held back until its digest is known to be right. A larger one is refused.
    #[schemars(extend("default" = defaults::DIGEST_BYTES.to_string()))]
    pub(crate) body_bytes: Option<Size>,
}
