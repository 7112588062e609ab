//! Places of issuers that the gateway asks, and how it asks them about tokens.

use portcullis_auth::Algorithm;
use portcullis_auth::jwt::{VerifyingKey, thumbprint_of};
use portcullis_auth::web::WebAddress;
use portcullis_types::Secret;

use super::Check;
use super::certificates::Pem;
use super::identity::{LEAST_STALENESS, MAX_STALENESS};
use crate::diagnostic::{Diagnostic, quote};
use crate::file::{
    Introspection, IntrospectionClient, Issuer, Jwks, JwksSecret, SecretAlgorithm, UpstreamTls, defaults,
};
use crate::plan::{ClientPlan, Endpoint, IntrospectionPlan, JwksPlan, RemoteJwks};
use crate::scalar::{Network, Period, Text};
use crate::tree::At;

const LONGEST_KEPT: Period = Period::seconds(60 * 60);
const LEAST_TIMEOUT: Period = Period::millis(100);
const LONGEST_TIMEOUT: Period = Period::seconds(30);

impl Check<'_> {
    /// What an issuer is asked about its tokens.
    pub(super) fn introspection(&mut self, written: &Issuer, at: &At<'_>) -> Option<IntrospectionPlan> {
        let asked: &Introspection = written.introspection.as_ref()?;
        let section = at.key("introspection");
        let place = self.issuer_endpoint(&asked.uri, written, (at, &section.key("uri")), "answers from");
        let kept = (Period::seconds(0), LONGEST_KEPT);
        let (active, inactive) = (asked.keep_active, asked.keep_inactive);
        let (active, inactive) = (active.unwrap_or(defaults::KEEP_ACTIVE), inactive.unwrap_or(defaults::KEEP_INACTIVE));
        let timeout = asked.timeout.unwrap_or(defaults::INTROSPECTION_TIMEOUT);
        let audience_optional = asked.danger_no_audience.is_some_and(|flag| flag.0);
        if audience_optional {
            self.danger(&section.key("danger_no_audience"), "tokens that name no audience are accepted");
        }
        Some(IntrospectionPlan {
            at: place,
            client: self.client(&asked.client, &section.key("client")),
            audience_optional,
            keep_active: self.period(&section.key("keep_active"), active, kept),
            keep_inactive: self.period(&section.key("keep_inactive"), inactive, kept),
            timeout: self.period(&section.key("timeout"), timeout, (LEAST_TIMEOUT, LONGEST_TIMEOUT)),
        })
    }

    fn client(&mut self, written: &IntrospectionClient, at: &At<'_>) -> ClientPlan {
        let secret = |text: &Text| Secret::new(text.0.trim_end_matches(['\r', '\n']).to_owned());
        match written {
            IntrospectionClient::Basic(pair) => {
                self.filled(&pair.secret, &at.key("basic").key("secret"));
                ClientPlan::Basic { id: pair.id.0.clone(), secret: secret(&pair.secret) }
            }
            IntrospectionClient::Post(pair) => {
                self.filled(&pair.secret, &at.key("post").key("secret"));
                ClientPlan::Post { id: pair.id.0.clone(), secret: secret(&pair.secret) }
            }
            IntrospectionClient::PrivateKeyJwt(own) => {
                let key_file = self.pem(&at.key("private_key_jwt").key("key_file"), &own.key_file, Pem::Key);
                ClientPlan::PrivateKeyJwt { id: own.id.0.clone(), key_file }
            }
        }
    }

    fn filled(&mut self, secret: &Text, at: &At<'_>) {
        if secret.0.trim().is_empty() {
            let diagnostic = self.wrong(at, "empty", "the secret is empty");
            self.reject(at, diagnostic.help("write it as `{ env: NAME }` or `{ file: PATH }`"));
        }
    }

    /// The issuer that is asked about tokens of a route.
    pub(super) fn introspected(&mut self, issuer: &Text, at: &At<'_>) {
        if !self.known_issuer(issuer, at) {
            return;
        }
        self.named.asked.insert(issuer.0.clone());
        if self.named.silent.contains(&issuer.0) {
            let message = format!("the issuer {} has no `introspection`, so that it cannot be asked", quote(&issuer.0));
            let diagnostic = self.wrong(at, "no-introspection", message);
            self.reject(at, diagnostic.help("add `introspection: { uri: …, client: … }` to it"));
        }
    }

    /// Settings of an issuer that would do nothing.
    pub(super) fn idle_settings(&mut self, written: &Issuer, at: &At<'_>) {
        if written.jwks.is_none() && written.introspection.is_none() {
            let diagnostic = Diagnostic::new("no-keys", at.name_span(), "no token of this issuer could be believed")
                .help("add `jwks`, with its keys, or `introspection`, to ask it");
            self.reject(at, diagnostic);
            return;
        }
        let fetched = matches!(written.jwks, Some(Jwks::Uri(_) | Jwks::Discovery));
        let mut idle = vec![];
        if !fetched {
            idle.push(("max_staleness", written.max_staleness.is_some(), "no keys are fetched"));
            idle.push(("pins", written.pins.is_some(), "no keys are fetched"));
            if written.introspection.is_none() {
                idle.push(("tls", written.tls.is_some(), "nothing is fetched"));
                idle.push(("networks", written.networks.is_some(), "nothing is fetched"));
            }
        }
        if matches!(written.jwks, Some(Jwks::Secret(_))) {
            idle.push(("algorithms", written.algorithms.is_some(), "the secret names the only one"));
        }
        if written.jwks.is_none() {
            let why = "no token is verified without `jwks`";
            idle.push(("profile", written.profile.is_some(), why));
            idle.push(("algorithms", written.algorithms.is_some(), why));
            idle.push(("required_claims", written.required_claims.is_some(), why));
        }
        for (key, _, why) in idle.into_iter().filter(|(_, is_written, _)| *is_written) {
            let at = at.key(key);
            let diagnostic =
                Diagnostic::new("no-effect", at.name_span(), format!("`{key}` has no effect, because {why}"));
            let help = "write `jwks: { uri: \"https://…\" }`, or remove it";
            self.reject(&at, diagnostic.help(help));
        }
        let secure = |text: &Text| WebAddress::parse(&text.0).is_none_or(|address| address.secure);
        let keys = match &written.jwks {
            Some(Jwks::Uri(text)) => secure(text),
            Some(Jwks::Discovery) => secure(&written.issuer),
            Some(Jwks::File(_) | Jwks::Secret(_)) | None => false,
        };
        let answers = written.introspection.as_ref().is_some_and(|asked| secure(&asked.uri));
        if written.tls.is_some() && (fetched || written.introspection.is_some()) && !keys && !answers {
            let at = at.key("tls");
            let message = "`tls` has no effect, because no address of this issuer begins with `https://`";
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
            self.reject(&at, diagnostic.help("write the address as `https://…`, or remove `tls`"));
        }
    }

    /// Keys that are fetched, from an address or from where the issuer says.
    pub(super) fn remote(&mut self, written: &Issuer, at: &At<'_>, uri: Option<&Text>) -> RemoteJwks {
        let staleness = written.max_staleness.unwrap_or(defaults::MAX_STALENESS);
        let max_staleness = self.period(&at.key("max_staleness"), staleness, (LEAST_STALENESS, MAX_STALENESS));
        let section = at.key("jwks");
        let place = match uri {
            Some(text) => self.issuer_endpoint(text, written, (at, &section.key("uri")), "keys from"),
            None => self.issuer_endpoint(&written.issuer, written, (at, &at.key("issuer")), "the metadata of"),
        };
        if uri.is_none() && WebAddress::parse(&written.issuer.0).is_some_and(|address| address.has_query) {
            let at = at.key("issuer");
            let message = format!("{} has a query, so that it has no metadata", self.shown(&at, &written.issuer.0));
            let diagnostic = self.wrong(&at, "bad-address", message);
            self.reject(&at, diagnostic.help("write `jwks: { uri: … }`"));
        }
        let (list, mut pins) = (at.key("pins"), Vec::new());
        for (index, text) in written.pins.iter().flatten().enumerate() {
            let at = list.index(index);
            match thumbprint_of(&text.0) {
                Some(pin) => pins.push(pin),
                None => {
                    let message = format!("{} is not the thumbprint of a key", self.shown(&at, &text.0));
                    let diagnostic = self.wrong(&at, "bad-value", message);
                    self.reject(&at, diagnostic.help("it is 43 letters of base64url (RFC 7638, SHA-256)"));
                }
            }
        }
        if written.pins.as_ref().is_some_and(Vec::is_empty) {
            let diagnostic = Diagnostic::new("empty-list", list.name_span(), "no key is accepted");
            self.reject(&list, diagnostic.help("name thumbprints of keys, or remove the list"));
        }
        let discovery = uri.is_none().then(|| written.issuer.0.clone());
        RemoteJwks { at: place, discovery, pins, max_staleness }
    }

    /// A secret that is shared with an issuer.
    pub(super) fn shared_secret(&mut self, written: &JwksSecret, at: &At<'_>) -> JwksPlan {
        let algorithm = algorithm_of(written.algorithm);
        let text = written.secret.0.trim_end_matches(['\r', '\n']);
        if VerifyingKey::secret(None, algorithm, text.as_bytes().to_vec()).is_err() {
            let at = at.key("secret");
            let message = format!("the secret is too short for {}", algorithm.name());
            let diagnostic = self.wrong(&at, "weak-secret", message);
            self.reject(&at, diagnostic.help("use at least 32 random bytes for HS256, 48 for HS384, 64 for HS512"));
        }
        let id = written.id.as_ref().map(|id| id.0.clone());
        JwksPlan::Secret { id, algorithm, secret: Secret::new(text.to_owned()) }
    }

    /// A place of an issuer that is asked.
    fn issuer_endpoint(
        &mut self,
        text: &Text,
        written: &Issuer,
        (issuer, at): (&At<'_>, &At<'_>),
        what: &str,
    ) -> Endpoint {
        let tls = (written.tls.as_ref(), &issuer.key("tls"));
        self.endpoint(text, tls, written.networks.as_deref(), at, what)
    }

    /// An address that may be asked: over verified TLS, or on this machine.
    pub(super) fn endpoint(
        &mut self,
        text: &Text,
        (tls, tls_at): (Option<&UpstreamTls>, &At<'_>),
        networks: Option<&[Network]>,
        at: &At<'_>,
        what: &str,
    ) -> Endpoint {
        let parsed = WebAddress::parse(&text.0).filter(|address| !address.has_fragment);
        let shown = self.shown(at, &text.0);
        match &parsed {
            None => {
                let diagnostic = self.wrong(at, "bad-address", format!("{shown} is not a web address"));
                self.reject(at, diagnostic.help("write it like `https://idp.example.com/path`"));
            }
            Some(address) if !address.secure && !address.is_loopback() => {
                let message = format!("{what} {shown} could be anybody's, because nothing is encrypted");
                let diagnostic = self.wrong(at, "plaintext", message).help("write it as `https://…`");
                self.reject(at, diagnostic);
            }
            Some(_) => {}
        }
        let tls = tls.map(|tls| self.tls_towards(tls, tls_at)).unwrap_or_default();
        let networks = networks.into_iter().flatten().filter_map(|network| network.0.to_string().parse().ok());
        let rest = text.0.split_once("://").map_or("", |(_, rest)| rest);
        let target = rest.find(['/', '?']).and_then(|at| rest.get(at..)).unwrap_or("/");
        Endpoint {
            secure: parsed.as_ref().is_none_or(|address| address.secure),
            host: parsed.as_ref().map(|address| address.host.clone()).unwrap_or_default(),
            port: parsed.as_ref().map_or(443, |address| address.port),
            target: if target.starts_with('/') { target.to_owned() } else { format!("/{target}") },
            tls,
            networks: networks.collect(),
        }
    }
}

/// The algorithms of an issuer that names none: the one of its secret, or all for which there are public keys.
pub(super) fn algorithms_of(jwks: Option<&Jwks>) -> Vec<Algorithm> {
    match jwks {
        Some(Jwks::Secret(secret)) => vec![algorithm_of(secret.algorithm)],
        Some(Jwks::File(_) | Jwks::Uri(_) | Jwks::Discovery) | None => {
            Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric()).collect()
        }
    }
}

const fn algorithm_of(written: SecretAlgorithm) -> Algorithm {
    match written {
        SecretAlgorithm::HS256 => Algorithm::Hs256,
        SecretAlgorithm::HS384 => Algorithm::Hs384,
        SecretAlgorithm::HS512 => Algorithm::Hs512,
    }
}
