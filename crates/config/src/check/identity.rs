//! Who calls: issuers that can be believed, keys that can be read, and demands that can be met.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use portcullis_auth::key::{ENTROPY_BYTES, KeyText};
use portcullis_auth::principal::{Demand, Scheme};
use portcullis_auth::{Algorithm, KeySet, Profile};

use super::layers::Level;
use super::{Check, client_auth, signature};
use crate::diagnostic::closest;
use crate::diagnostic::{Diagnostic, quote};
use crate::file::{
    Api, Authn as Written, Dpop, File, Issuer, Jwks, Lockable, Means, TokenAlgorithm, TokenProfile, defaults,
};
use crate::plan::{Authn, DemandPlan, IdentityPlan, IssuerPlan, JwksPlan, ProofDemand, RoutePlan, VersionPlan};
use crate::scalar::{FileName, Period, Text};
use crate::tree::At;

/// Not before the next refresh can have come, with room for some that fail.
pub(super) const LEAST_STALENESS: Period = Period::seconds(60);
pub(super) const MAX_STALENESS: Period = Period::seconds(30 * 24 * 60 * 60);
const MAX_CLOCK_SKEW: Period = Period::seconds(300);
/// LIMIT: bytes of a key set.
pub(super) const MAX_JWKS_BYTES: u64 = 1024 * 1024;
/// LIMIT: issuers, and names in each list of one.
const MAX_ISSUERS: usize = 64;
const MAX_LIST: usize = 64;
/// Fields that cannot hold an API key: they mean something else, or never reach the gateway whole.
const OTHER_FIELDS: [&str; 14] = [
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-request-id",
];

/// What demands may speak of, and what they have spoken of.
#[derive(Debug, Default)]
pub(crate) struct Named {
    issuers: Vec<String>,
    /// Issuers whose tokens cannot be verified, and those that cannot be asked.
    without_keys: HashSet<String>,
    pub(super) silent: HashSet<String>,
    pub(super) store: bool,
    /// Whether several gateways share one.
    pub(super) shared_store: bool,
    pub(super) used: HashSet<String>,
    /// Issuers that are asked.
    pub(super) asked: HashSet<String>,
    pub(super) keys_used: bool,
    pub(super) proofs_used: bool,
    /// Whether certificates of clients say who calls.
    pub(super) certificates_used: bool,
    /// Who signs, and whose signatures are accepted somewhere.
    pub(super) signers: Vec<String>,
    pub(super) signing: HashSet<String>,
}

impl Check<'_> {
    /// The sections that demands speak of; to be called before any demand is read.
    pub(super) fn identity(&mut self, file: &File, root: &At<'_>) -> IdentityPlan {
        let (key_field, key_prefix) = self.api_keys(file, root);
        let section = root.key("issuers");
        let written = file.issuers.iter().flatten();
        self.named.issuers = written.clone().map(|(name, _)| name.clone()).collect();
        let without = |is_there: fn(&Issuer) -> bool| {
            let lacking = written.clone().filter(|(_, issuer)| !is_there(issuer));
            lacking.map(|(name, _)| name.clone()).collect::<HashSet<_>>()
        };
        self.named.without_keys = without(|issuer| issuer.jwks.is_some());
        self.named.silent = without(|issuer| issuer.introspection.is_some());
        self.named.store = file.store.is_some() || root.key("store").is_tainted();
        if self.named.issuers.len() > MAX_ISSUERS {
            let diagnostic =
                Diagnostic::new("too-large", section.name_span(), format!("more than {MAX_ISSUERS} issuers"));
            self.reject(&section, diagnostic);
        }
        let issuers: Vec<IssuerPlan> =
            written.map(|(name, issuer)| self.issuer(name, issuer, &section.key(name))).collect();
        for (index, issuer) in issuers.iter().enumerate() {
            let same = |other: &&IssuerPlan| other.issuer == issuer.issuer;
            if let Some(first) = issuers.iter().take(index).find(same) {
                let at = section.key(&issuer.name);
                let place = at.key("issuer");
                let other = section.key(&first.name);
                let message = format!("{} is the `issuer` of two issuers", self.shown(&place, &issuer.issuer));
                let diagnostic = self
                    .wrong(&place, "duplicate", message)
                    .also(other.key("issuer").span(), "first here")
                    .help("a token chooses its issuer by `iss`; give one issuer all audiences");
                self.reject(&place, diagnostic);
            }
        }
        let (statement, proofs) = (self.statement(file, root), self.proofs(file, root));
        IdentityPlan {
            store: self.store(file, root),
            key_field,
            key_prefix,
            issuers,
            statement,
            signers: self.signers(file, root),
            proofs,
        }
    }

    fn store(&mut self, file: &File, root: &At<'_>) -> Option<PathBuf> {
        let store = file.store.as_ref()?;
        let section = root.key("store");
        let at = section.key("path");
        let path = self.locate(&at, &store.path);
        let above = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if above.is_some_and(|folder| !self.environment.is_folder(folder)) {
            let message = format!("the folder above {} does not exist", self.shown(&at, &store.path.0));
            let diagnostic = self.wrong(&at, "missing-folder", message).help("create it, or choose another");
            self.reject(&at, diagnostic);
        }
        Some(path)
    }

    fn api_keys(&mut self, file: &File, root: &At<'_>) -> (String, String) {
        let section = root.key("api_keys");
        let written = file.api_keys.as_ref();
        let header = written.and_then(|keys| keys.header.as_ref()).map_or(defaults::API_KEY_HEADER, |text| &text.0);
        let prefix = written.and_then(|keys| keys.prefix.as_ref()).map_or(defaults::API_KEY_PREFIX, |text| &text.0);
        let field = header.to_ascii_lowercase();
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let at = section.key("header");
        if !field.bytes().all(letter) || field.len() > 64 {
            let message = format!("{} is not the name of a header field", self.shown(&at, header));
            let diagnostic = self.wrong(&at, "bad-header", message).help("use letters, digits and `-`");
            self.reject(&at, diagnostic);
        } else if OTHER_FIELDS.contains(&field.as_str()) || ours(&field) {
            let message = format!("{} cannot hold an API key", self.shown(&at, header));
            let diagnostic =
                self.wrong(&at, "bad-header", message).help("the field has another meaning; use `X-API-Key`");
            self.reject(&at, diagnostic);
        }
        if KeyText::mint(prefix, &[0; ENTROPY_BYTES]).is_err() {
            let at = section.key("prefix");
            let message = format!("{} cannot be what keys begin with", self.shown(&at, prefix));
            let diagnostic = self.wrong(&at, "bad-name", message).help("use 1 to 16 small letters and digits");
            self.reject(&at, diagnostic);
        }
        (field, prefix.to_owned())
    }

    fn issuer(&mut self, name: &str, written: &Issuer, at: &At<'_>) -> IssuerPlan {
        self.name(at, name, "an issuer");
        if written.audiences.is_empty() {
            let list = at.key("audiences");
            let diagnostic = Diagnostic::new("empty-list", list.name_span(), "tokens for anybody would be accepted")
                .help("write the name by which tokens call this API: `audiences: [orders]`");
            self.reject(&list, diagnostic);
        }
        let algorithms = written.algorithms.as_deref();
        if algorithms.is_some_and(<[TokenAlgorithm]>::is_empty) {
            let list = at.key("algorithms");
            let diagnostic = Diagnostic::new("empty-list", list.name_span(), "no algorithm is accepted")
                .help("name some, such as `[ES256, RS256]`, or remove the list");
            self.reject(&list, diagnostic);
        }
        for (key, length) in [
            ("audiences", written.audiences.len()),
            ("required_claims", written.required_claims.as_ref().map_or(0, Vec::len)),
        ] {
            if length > MAX_LIST {
                let list = at.key(key);
                self.reject(
                    &list,
                    Diagnostic::new("too-large", list.name_span(), format!("more than {MAX_LIST} names")),
                );
            }
        }
        self.idle_settings(written, at);
        let skew = written.clock_skew.unwrap_or(defaults::CLOCK_SKEW);
        let algorithms: Vec<Algorithm> = algorithms.map_or_else(
            || super::introspection::algorithms_of(written.jwks.as_ref()),
            |list| list.iter().map(|algorithm| algorithm_of(*algorithm)).collect(),
        );
        IssuerPlan {
            name: Arc::from(name),
            issuer: written.issuer.0.clone(),
            audiences: texts(&written.audiences),
            profile: match written.profile.unwrap_or(TokenProfile::Rfc9068) {
                TokenProfile::Rfc9068 => Profile::Rfc9068,
                TokenProfile::Oidc => Profile::Oidc,
                TokenProfile::Legacy => Profile::Legacy,
            },
            jwks: self.jwks(written, at, &algorithms),
            introspection: self.introspection(written, at),
            algorithms,
            clock_skew: self.period(&at.key("clock_skew"), skew, (Period::seconds(0), MAX_CLOCK_SKEW)),
            required_claims: written.required_claims.as_deref().map(texts).unwrap_or_default(),
            roles_claim: written.roles_claim.as_ref().map_or(defaults::ROLES_CLAIM, |claim| &claim.0).to_owned(),
        }
    }

    fn jwks(&mut self, written: &Issuer, at: &At<'_>, algorithms: &[Algorithm]) -> Option<JwksPlan> {
        let section = at.key("jwks");
        match written.jwks.as_ref()? {
            Jwks::File(name) => Some(JwksPlan::File(self.jwks_file(name, &section.key("file"), algorithms))),
            Jwks::Uri(text) => Some(JwksPlan::Address(self.remote(written, at, Some(text)))),
            Jwks::Discovery => Some(JwksPlan::Address(self.remote(written, at, None))),
            Jwks::Secret(secret) => Some(self.shared_secret(secret, &section.key("secret"))),
        }
    }

    /// A key set that can be read, and in which there is a key for an algorithm that is accepted.
    pub(super) fn jwks_file(&mut self, name: &FileName, at: &At<'_>, algorithms: &[Algorithm]) -> PathBuf {
        let path = self.locate(at, name);
        self.watch(&path);
        if at.is_tainted() {
            return path;
        }
        let shown = self.shown(at, &name.0);
        let problem = match self.environment.read(&path, MAX_JWKS_BYTES) {
            Err(why) => Some(("unreadable-file", format!("{shown} cannot be read: {why}"))),
            Ok(bytes) => match KeySet::from_json(&bytes) {
                Err(_) => Some(("not-a-key-set", format!("{shown} is not a key set"))),
                Ok(keys) => {
                    let usable = keys.iter().any(|key| algorithms.iter().any(|algorithm| key.allows(*algorithm)));
                    (!usable).then(|| ("no-key", format!("{shown} holds no key for an algorithm that is accepted")))
                }
            },
        };
        if let Some((code, message)) = problem {
            let diagnostic = self.wrong(at, code, message);
            self.reject(at, diagnostic.help("a key set is `{\"keys\": [...]}` with public keys (RFC 7517)"));
        }
        path
    }

    /// What one level demands.
    pub(super) fn authn(&mut self, level: &Level<'_>) {
        let Some(written) = level.authn().cloned() else { return };
        let (means, all) = match &written {
            Written::Public | Written::Refuse => return,
            Written::AnyOf(means) => (means, false),
            Written::AllOf(means) => (means, true),
        };
        level.with(Lockable::Authn, |at| {
            let list = at.key(if all { "all_of" } else { "any_of" });
            self.means(means, &list, all);
        });
    }

    fn means(&mut self, means: &[Means], list: &At<'_>, all: bool) {
        let mut seen: Vec<&'static str> = Vec::new();
        for (index, one) in means.iter().enumerate() {
            let at = list.index(index);
            let name = match one {
                Means::Jwt(jwt) => {
                    let inner = at.key("jwt");
                    self.issuers_of(&jwt.issuers, &inner.key("issuers"));
                    self.named.proofs_used |= jwt.dpop != Some(Dpop::Off);
                    "jwt"
                }
                Means::Introspection(one) => {
                    self.introspected(&one.issuer, &at.key("introspection").key("issuer"));
                    self.named.proofs_used |= one.dpop != Some(Dpop::Off);
                    "introspection"
                }
                Means::ApiKey(_) => {
                    self.named.keys_used = true;
                    if !self.named.store {
                        let diagnostic = self
                            .wrong(&at, "no-store", "there is no store that could hold API keys")
                            .help("add `store: { path: ./portcullis-data }`");
                        self.reject(&at, diagnostic);
                    }
                    "api_key"
                }
                Means::Mtls(mtls) => {
                    self.mtls(mtls, &at.key("mtls"));
                    "mtls"
                }
                Means::Signature(signature) => {
                    self.signature(signature, &at.key("signature"));
                    "signature"
                }
                Means::Anonymous => {
                    if all {
                        let diagnostic = self.wrong(&at, "contradiction", "`anonymous` cannot be demanded");
                        self.reject(&at, diagnostic.help("remove it, or write `any_of`"));
                    }
                    "anonymous"
                }
            };
            if seen.contains(&name) {
                let diagnostic = self.wrong(&at, "duplicate", format!("`{name}` stands twice"));
                self.reject(&at, diagnostic.help("name it once; `jwt` takes a list of issuers"));
            }
            seen.push(name);
        }
        if all && ["jwt", "introspection"].iter().all(|name| seen.contains(name)) {
            let message = "no token is both signed and explained: `jwt` and `introspection` cannot both be demanded";
            let diagnostic = Diagnostic::new("contradiction", list.name_span(), message);
            self.reject(list, diagnostic.help("remove one of them, or write `any_of`"));
        }
        if seen.iter().all(|name| *name == "anonymous") {
            let diagnostic = Diagnostic::new("empty-list", list.name_span(), "there is no way to prove who one is")
                .help("write `[{ jwt: { issuers: [...] } }]` or `[{ api_key: {} }]`, or `authn: public` for everybody");
            self.reject(list, diagnostic);
        }
    }

    fn issuers_of(&mut self, issuers: &[Text], list: &At<'_>) {
        if issuers.is_empty() {
            let diagnostic = Diagnostic::new("empty-list", list.name_span(), "no issuer is accepted")
                .help("name issuers of the section `issuers`");
            self.reject(list, diagnostic);
        }
        for (index, name) in issuers.iter().enumerate() {
            let at = list.index(index);
            if self.known_issuer(name, &at) && self.named.without_keys.contains(&name.0) {
                let message =
                    format!("the issuer {} has no `jwks`, so that none of its tokens can be verified", quote(&name.0));
                let diagnostic = self.wrong(&at, "no-keys", message);
                self.reject(&at, diagnostic.help("add `jwks` to it, or write `introspection: { issuer: … }` here"));
            }
        }
    }

    /// Whether there is an issuer of this name; it counts as used.
    pub(super) fn known_issuer(&mut self, name: &Text, at: &At<'_>) -> bool {
        if self.named.issuers.contains(&name.0) {
            self.named.used.insert(name.0.clone());
            return true;
        }
        let message = format!("there is no issuer {}", self.shown(at, &name.0));
        let known: Vec<&str> = self.named.issuers.iter().map(String::as_str).collect();
        let help = match closest(&name.0, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "add it to the section `issuers`".to_owned(),
        };
        // What was meant is used, so that one slip is one mistake.
        self.named.used.extend(closest(&name.0, known.iter().copied()).map(str::to_owned));
        let diagnostic = self.wrong(at, "unknown-issuer", message).help(help);
        self.reject(at, diagnostic);
        false
    }

    /// Whether servers get credentials; where no route identifies anybody, there is nothing to keep from them.
    pub(super) fn forward_credential(&mut self, api: &Api, at: &At<'_>, versions: &[VersionPlan]) -> bool {
        let Some(flag) = api.forward_credential else { return false };
        let demands = |route: &RoutePlan| matches!(route.authn, Authn::Demand(_));
        if !versions.iter().flat_map(|version| &version.routes).any(demands) {
            let at = at.key("forward_credential");
            let message = "`forward_credential` has no effect, because no route of the API demands a credential";
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message).help("remove it");
            self.reject(&at, diagnostic);
        }
        flag.0
    }

    /// What is there for nothing; to be called after every demand has been read.
    pub(super) fn unused(&mut self, file: &File, root: &At<'_>) {
        if self.incomplete || root.key("apis").is_tainted() {
            return;
        }
        self.unused_proofs(file, root);
        self.unused_signers(file, root);
        self.unused_client_auth(file, root, !self.named.used.is_empty());
        self.statement_unused(file, root);
        let section = root.key("issuers");
        for (name, issuer) in file.issuers.iter().flatten() {
            if self.named.used.contains(name) && issuer.introspection.is_some() && !self.named.asked.contains(name) {
                let named = section.key(name);
                let at = named.key("introspection");
                let message = "`introspection` has no effect, because no `authn` demands it";
                let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
                let help =
                    format!("write `introspection: {{ issuer: {name} }}` where callers are identified, or remove it");
                self.reject(&at, diagnostic.help(help));
            }
            if !self.named.used.contains(name) {
                let at = section.key(name);
                let message = format!("the issuer {} has no effect, because no `authn` names it", quote(name));
                let diagnostic = Diagnostic::new("no-effect", at.name_span(), message)
                    .help(format!("write `authn: {{ any_of: [{{ jwt: {{ issuers: [{name}] }} }}] }}`, or remove it"));
                self.reject(&at, diagnostic);
            }
        }
        // A store always has an effect: it holds the audit log, which every gateway with one writes.
        if file.api_keys.is_some() && !self.named.keys_used {
            let at = root.key("api_keys");
            let message = "`api_keys` has no effect, because no `authn` takes API keys";
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message)
                .help("write `authn: { any_of: [{ api_key: {} }] }`, or remove it");
            self.reject(&at, diagnostic);
        }
    }
}

impl Written {
    /// As it is shown: `jwt (corp) or api_key`.
    pub(crate) fn text(&self) -> String {
        let (means, word) = match self {
            Self::Public => return "public".to_owned(),
            Self::Refuse => return "refuse".to_owned(),
            Self::AnyOf(means) => (means, " or "),
            Self::AllOf(means) => (means, " and "),
        };
        let texts = means.iter().map(|one| match one {
            Means::Jwt(jwt) => format!("jwt ({}{})", texts(&jwt.issuers).join(", "), required(jwt.dpop)),
            Means::Introspection(one) => format!("introspection ({}{})", one.issuer.0, required(one.dpop)),
            Means::ApiKey(_) => "api_key".to_owned(),
            Means::Mtls(_) => "mtls".to_owned(),
            Means::Signature(one) => format!("signature ({})", texts(&one.signers).join(", ")),
            Means::Anonymous => "anonymous".to_owned(),
        });
        texts.collect::<Vec<_>>().join(word)
    }
}

fn required(dpop: Option<Dpop>) -> &'static str {
    if dpop == Some(Dpop::Required) { "; dpop" } else { "" }
}

/// What a demand means. One that is not sound was reported.
pub(super) fn plan_of(written: &Written) -> Authn {
    let (means, all) = match written {
        Written::Public => return Authn::Public,
        Written::Refuse => return Authn::Refuse,
        Written::AnyOf(means) => (means, false),
        Written::AllOf(means) => (means, true),
    };
    let (mut schemes, mut issuers, mut anonymous) = (Vec::new(), Vec::new(), false);
    let mut introspection = None;
    let mut proofs = ProofDemand::default();
    for one in means {
        match one {
            Means::Jwt(jwt) => {
                schemes.push(Scheme::Jwt);
                proofs.dpop = jwt.dpop.map_or(proofs.dpop, Into::into);
                issuers.extend(jwt.issuers.iter().map(|name| Arc::from(name.0.as_str())));
            }
            Means::Introspection(one) => {
                schemes.push(Scheme::Introspection);
                proofs.introspected = one.dpop.map_or(proofs.introspected, Into::into);
                introspection = Some(Arc::from(one.issuer.0.as_str()));
            }
            Means::ApiKey(_) => schemes.push(Scheme::ApiKey),
            Means::Mtls(mtls) => {
                schemes.push(Scheme::Certificate);
                proofs.certificate_names = client_auth::rules_of(mtls);
            }
            Means::Signature(one) => {
                schemes.push(Scheme::Signature);
                proofs.signature = Some(Arc::new(signature::demand_of(one)));
            }
            Means::Anonymous => anonymous = true,
        }
    }
    let demand = if all { Demand::AllOf(schemes) } else { Demand::AnyOf { schemes, anonymous } };
    Authn::Demand(Arc::new(DemandPlan { demand, issuers, introspection, proofs, text: written.text() }))
}

/// Names that the gateway writes or removes itself.
fn ours(field: &str) -> bool {
    [
        "x-consumer",
        "x-credential",
        "x-authenticated",
        "x-identity",
        "x-forwarded",
        "proxy-",
        "sec-",
        "content-",
        "access-",
    ]
    .iter()
    .any(|beginning| field.starts_with(beginning))
}

fn texts(list: &[Text]) -> Vec<String> {
    list.iter().map(|text| text.0.clone()).collect()
}

pub(super) fn algorithm_of(written: TokenAlgorithm) -> Algorithm {
    match written {
        TokenAlgorithm::RS256 => Algorithm::Rs256,
        TokenAlgorithm::RS384 => Algorithm::Rs384,
        TokenAlgorithm::RS512 => Algorithm::Rs512,
        TokenAlgorithm::PS256 => Algorithm::Ps256,
        TokenAlgorithm::PS384 => Algorithm::Ps384,
        TokenAlgorithm::PS512 => Algorithm::Ps512,
        TokenAlgorithm::ES256 => Algorithm::Es256,
        TokenAlgorithm::ES384 => Algorithm::Es384,
        TokenAlgorithm::ES512 => Algorithm::Es512,
        TokenAlgorithm::EdDSA => Algorithm::EdDsa,
    }
}
