//! Requests that are signed: signers with keys, and rules that can be met.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_auth::jwt::VerifyingKey;
use portcullis_auth::signature::SignatureRules;
use portcullis_auth::{Algorithm, KeySet};
use portcullis_types::Secret;

use super::Check;
use super::identity::MAX_JWKS_BYTES;
use crate::diagnostic::{Diagnostic, closest, quote};
use crate::file::{File, Signature, Signer, SignerSecret, defaults};
use crate::plan::{SignatureDemand, SignerKeys, SignerPlan};
use crate::scalar::{Period, Size, Text};
use crate::tree::At;

/// LIMIT: signers, and components of a signature.
const MAX_SIGNERS: usize = 1000;
const MAX_COMPONENTS: usize = 64;
const LEAST_WINDOW: Period = Period::seconds(5);
const MAX_WINDOW: Period = Period::seconds(60 * 60);
/// LIMIT: bytes of a body that is held back.
const MAX_BODY: Size = Size::mib(64);
/// The algorithms of RFC 9421 that are read here, as their keys know them.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Ps512];
/// Derived components without parameters (RFC 9421 section 2.2).
const DERIVED: [&str; 7] = ["@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query"];

impl Check<'_> {
    /// The section `signers`; to be called before any demand is read.
    pub(super) fn signers(&mut self, file: &File, root: &At<'_>) -> Vec<SignerPlan> {
        let section = root.key("signers");
        let written = file.signers.iter().flatten();
        self.named.signers = written.clone().map(|(name, _)| name.clone()).collect();
        if self.named.signers.len() > MAX_SIGNERS {
            let message = format!("more than {MAX_SIGNERS} signers");
            self.reject(&section, Diagnostic::new("too-large", section.name_span(), message));
        }
        let texts = |list: Option<&Vec<Text>>| list.into_iter().flatten().map(|text| text.0.clone()).collect();
        let plans = written.map(|(name, signer)| {
            let at = section.key(name);
            self.name(&at, name, "a signer");
            SignerPlan {
                name: Arc::from(name.as_str()),
                keys: self.signer_keys(signer, &at),
                scopes: texts(signer.scopes.as_ref()),
                roles: texts(signer.roles.as_ref()),
            }
        });
        plans.collect()
    }

    /// By what somebody signs: keys of a file or a secret, and not both, or nobody could say which of them counts.
    fn signer_keys(&mut self, written: &Signer, at: &At<'_>) -> SignerKeys {
        let help = "write `jwks_file: PATH` with public keys, or `hmac: { id: …, secret: { env: NAME } }`";
        match (&written.jwks_file, &written.hmac) {
            (Some(name), None) => {
                let at = at.key("jwks_file");
                let file = self.jwks_file(name, &at, &ALGORITHMS);
                self.keys_are_named(&file, &at);
                SignerKeys::File(file)
            }
            (None, Some(hmac)) => self.signer_secret(hmac, &at.key("hmac")),
            (Some(_), Some(_)) => {
                let at = at.key("hmac");
                let diagnostic =
                    Diagnostic::new("conflict", at.name_span(), "`jwks_file` says already by what he signs");
                self.reject(&at, diagnostic.help(help));
                SignerKeys::File(PathBuf::new())
            }
            (None, None) => {
                let diagnostic = Diagnostic::new("missing", at.name_span(), "nothing says by what he signs");
                self.reject(at, diagnostic.help(help));
                SignerKeys::File(PathBuf::new())
            }
        }
    }

    /// A signature names its key, so that one without a name is of no use.
    fn keys_are_named(&mut self, file: &Path, at: &At<'_>) {
        let read = self.environment.read(file, MAX_JWKS_BYTES).ok();
        let Some(keys) = read.and_then(|bytes| KeySet::from_json(&bytes).ok()) else { return };
        let nameless = |key: &VerifyingKey| key.id().is_none() && ALGORITHMS.iter().any(|one| key.allows(*one));
        if keys.iter().any(nameless) {
            let message = "a key in it has no `kid`, so that no signature can name it".to_owned();
            let diagnostic = self.wrong(at, "key-without-kid", message);
            self.reject(at, diagnostic.help("give each key a `kid`: the `keyid` of the signatures that it makes"));
        }
    }

    fn signer_secret(&mut self, written: &SignerSecret, at: &At<'_>) -> SignerKeys {
        let text = written.secret.0.trim_end_matches(['\r', '\n']);
        if VerifyingKey::secret(None, Algorithm::Hs256, text.as_bytes().to_vec()).is_err() {
            let at = at.key("secret");
            let diagnostic = self.wrong(&at, "weak-secret", "the secret is too short for hmac-sha256".to_owned());
            self.reject(&at, diagnostic.help("use at least 32 random bytes"));
        }
        SignerKeys::Secret { id: written.id.0.clone(), secret: Secret::new(text.to_owned()) }
    }

    /// What one demand says about signatures; `at` is the method.
    pub(super) fn signature(&mut self, written: &Signature, at: &At<'_>) {
        self.named.proofs_used = true;
        let list = at.key("signers");
        if written.signers.is_empty() {
            let diagnostic = Diagnostic::new("empty-list", list.name_span(), "no signer is accepted")
                .help("name signers of the section `signers`");
            self.reject(&list, diagnostic);
        }
        for (index, name) in written.signers.iter().enumerate() {
            let at = list.index(index);
            let known = closest(&name.0, self.named.signers.iter().map(String::as_str)).map(str::to_owned);
            self.named.signing.extend(known.clone());
            if self.named.signers.contains(&name.0) {
                self.named.signing.insert(name.0.clone());
                continue;
            }
            let help =
                known.map_or("add it to the section `signers`".to_owned(), |known| format!("did you mean `{known}`?"));
            let message = format!("there is no signer {}", self.shown(&at, &name.0));
            let diagnostic = self.wrong(&at, "unknown-signer", message).help(help);
            self.reject(&at, diagnostic);
        }
        self.components(written.components.as_deref().unwrap_or_default(), &at.key("components"));
        let window = written.window.unwrap_or(defaults::PROOF_WINDOW);
        self.period(&at.key("window"), window, (LEAST_WINDOW, MAX_WINDOW));
        let body = written.body_bytes.unwrap_or(defaults::DIGEST_BYTES);
        self.size(&at.key("body_bytes"), body, (0, MAX_BODY.bytes));
    }

    fn components(&mut self, written: &[Text], list: &At<'_>) {
        if written.len() > MAX_COMPONENTS {
            let message = format!("more than {MAX_COMPONENTS} components");
            self.reject(list, Diagnostic::new("too-large", list.name_span(), message));
        }
        for (index, name) in written.iter().enumerate() {
            let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            let is_field = !name.0.is_empty() && name.0.bytes().all(letter);
            if !is_field && !DERIVED.contains(&name.0.as_str()) {
                let at = list.index(index);
                let message = format!("{} is no component that can be demanded", self.shown(&at, &name.0));
                let diagnostic = self.wrong(&at, "bad-component", message);
                self.reject(
                    &at,
                    diagnostic.help(format!("use {}, or the name of a field in small letters", DERIVED.join(", "))),
                );
            }
        }
    }

    /// Signers for nothing; to be called after every demand has been read.
    pub(super) fn unused_signers(&mut self, file: &File, root: &At<'_>) {
        let section = root.key("signers");
        for name in file.signers.iter().flatten().map(|(name, _)| name) {
            if !self.named.signing.contains(name) {
                let at = section.key(name);
                let message = format!("the signer {} has no effect, because no `authn` names him", quote(name));
                let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
                let help =
                    format!("write `authn: {{ any_of: [{{ signature: {{ signers: [{name}] }} }}] }}`, or remove it");
                self.reject(&at, diagnostic.help(help));
            }
        }
    }
}

/// What is demanded of signatures. How far clocks may be apart is said with proofs.
pub(super) fn demand_of(written: &Signature) -> SignatureDemand {
    let components = written.components.as_ref().map(|list| list.iter().map(|text| text.0.as_str()).collect());
    let components: Vec<&str> = components.unwrap_or(defaults::SIGNED_COMPONENTS.to_vec());
    SignatureDemand {
        signers: written.signers.iter().map(|name| Arc::from(name.0.as_str())).collect(),
        rules: SignatureRules {
            required: components.into_iter().map(|name| format!("\"{name}\"")).collect(),
            window_seconds: written.window.unwrap_or(defaults::PROOF_WINDOW).as_millis() / 1000,
            skew_seconds: defaults::PROOF_SKEW.as_millis() / 1000,
            nonce: written.nonce.is_none_or(|flag| flag.0),
            tag: written.tag.as_ref().map(|tag| tag.0.clone()),
        },
        body_bytes: written.body_bytes.unwrap_or(defaults::DIGEST_BYTES).bytes,
    }
}
