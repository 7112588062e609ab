//! Who calls, as people write it: what a route demands, issuers of tokens, the store and its API keys.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Dpop, Mtls, Signature, UpstreamTls, defaults};
use crate::scalar::{FileName, Flag, Network, Period, Text};

/// How callers are identified.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Authn {
    /// Nobody may call.
    Refuse,
    /// Anybody may call; the caller is anonymous.
    Public,
    /// Whoever proves himself in one of these ways. A credential that is not good is refused whatever the others are.
    AnyOf(Vec<Means>),
    /// Whoever proves himself in each of these ways; the first one says who calls.
    AllOf(Vec<Means>),
}

/// A way of proving who one is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Means {
    /// A token that an issuer has signed, in `Authorization: Bearer`, or `DPoP` where it is bound to a key.
    Jwt(Jwt),
    /// A token in `Authorization: Bearer` that says nothing itself: its issuer is asked about it (RFC 7662).
    Introspection(Introspected),
    /// An API key of the store.
    ApiKey(ApiKey),
    /// A client certificate on the connection.
    Mtls(Mtls),
    /// A signature over the request (RFC 9421).
    Signature(Signature),
    /// No credential at all. One that is there has to be good.
    Anonymous,
}

/// Tokens that are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Jwt {
    /// Whose tokens, by their names under `issuers`; the token says which one it is of.
    pub(crate) issuers: Vec<Text>,
    /// Whether tokens may, or have to, be bound to a key of their holder.
    #[schemars(extend("default" = "allowed"))]
    pub(crate) dpop: Option<Dpop>,
}

/// Tokens whose issuer is asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Introspected {
    /// Whose tokens, by its name under `issuers`. One only: a token is shown to nobody else.
    pub(crate) issuer: Text,
    /// Whether tokens may, or have to, be bound to a key of their holder.
    #[schemars(extend("default" = "allowed"))]
    pub(crate) dpop: Option<Dpop>,
}

/// API keys that are accepted: those of the store, as far as a key itself is not limited to other APIs or networks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKey {}

/// The embedded store.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Store {
    /// A folder of the gateway's own, which is made if it is not there. It holds the keys of consumers, hashed, and beside
    /// them the key of these hashes: keep a copy of both.
    pub(crate) path: FileName,
}

/// API keys of the store.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeys {
    /// The header field in which a key comes.
    #[schemars(extend("default" = defaults::API_KEY_HEADER))]
    pub(crate) header: Option<Text>,
    /// What every key begins with, so that scanners for leaked secrets know it: 1 to 16 small letters and digits.
    #[schemars(extend("default" = defaults::API_KEY_PREFIX))]
    pub(crate) prefix: Option<Text>,
}

/// What the gateway signs about callers, so that a server behind it need not trust the network: a token of 60 seconds in
/// `X-Identity-Token`, with the name of the API in `aud`. The keys to verify it are at `/jwks.json` of the status listener.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentityToken {
    /// What the gateway calls itself in `iss`.
    pub(crate) issuer: Text,
    /// A PEM file with the key that signs, in PKCS #8 form, P-256 or Ed25519. Without it keys are made beside the store, and
    /// change by themselves.
    pub(crate) key_file: Option<FileName>,
    /// The key that will sign next: it is published already.
    pub(crate) next_key_file: Option<FileName>,
    /// How long each key that is made beside the store signs. The next one is published for as long before.
    #[schemars(extend("default" = defaults::ROTATE_EVERY.to_string()))]
    pub(crate) rotate_every: Option<Period>,
}

/// One issuer of tokens.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issuer {
    /// The exact `iss` of its tokens.
    pub(crate) issuer: Text,
    /// Names by which the APIs here are called in `aud`; one of them has to be there.
    pub(crate) audiences: Vec<Text>,
    /// Which kind of token is expected.
    #[schemars(extend("default" = "rfc9068"))]
    pub(crate) profile: Option<TokenProfile>,
    /// The algorithms that are accepted. By default every asymmetric one; a key works with those of its own type only.
    pub(crate) algorithms: Option<Vec<TokenAlgorithm>>,
    /// Where its keys are, by which signed tokens are verified here.
    pub(crate) jwks: Option<Jwks>,
    /// How it is asked about tokens that say nothing themselves.
    pub(crate) introspection: Option<Introspection>,
    /// How its server is verified, wherever it is asked. By default by the public authorities.
    pub(crate) tls: Option<UpstreamTls>,
    /// Networks that are not public in which its server may be.
    #[schemars(extend("default" = Vec::<String>::new()))]
    pub(crate) networks: Option<Vec<Network>>,
    /// Thumbprints (RFC 7638) of the only keys that are accepted among those that are fetched.
    #[schemars(extend("default" = Vec::<String>::new()))]
    pub(crate) pins: Option<Vec<Text>>,
    /// How long keys that were fetched may be used while the server does not answer. After it, callers get 503.
    #[schemars(extend("default" = defaults::MAX_STALENESS.to_string()))]
    pub(crate) max_staleness: Option<Period>,
    /// How far its clock may be from ours.
    #[schemars(extend("default" = defaults::CLOCK_SKEW.to_string()))]
    pub(crate) clock_skew: Option<Period>,
    /// Claims that have to be there, besides those of the profile.
    #[schemars(extend("default" = Vec::<String>::new()))]
    pub(crate) required_claims: Option<Vec<Text>>,
    /// The claim that holds the roles of the caller; dots lead into objects.
    #[schemars(extend("default" = defaults::ROLES_CLAIM))]
    pub(crate) roles_claim: Option<Text>,
}

/// Where the keys of an issuer are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Jwks {
    /// A file with a key set (RFC 7517). A change of it is taken over.
    File(FileName),
    /// The address of a key set: `https`, or on this machine. It is fetched before it is needed, anew as its cache headers
    /// say, and when a token names a key that is not in it.
    Uri(Text),
    /// Where the issuer says that they are: its metadata (OpenID Connect Discovery, or RFC 8414) is fetched from its `issuer`, which
    /// has to be an address, and has to name exactly this issuer.
    Discovery,
    /// A secret that the issuer shares with the gateway, for one HMAC algorithm. Whoever can verify can sign: prefer public keys.
    Secret(JwksSecret),
}

/// A shared secret.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JwksSecret {
    /// The `kid` of its tokens, if they have one.
    pub(crate) id: Option<Text>,
    /// The one algorithm that it is for.
    pub(crate) algorithm: SecretAlgorithm,
    /// The secret: at least as long as the algorithm's hash. Write it as `{ env: NAME }` or `{ file: PATH }`. It is never shown.
    pub(crate) secret: Text,
}

/// An HMAC algorithm (RFC 7518).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) enum SecretAlgorithm {
    /// HMAC with SHA-256.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
}

/// How an issuer is asked about tokens (RFC 7662). While it does not answer, callers get 503.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Introspection {
    /// The address of its introspection endpoint: `https`, or on this machine.
    pub(crate) uri: Text,
    /// How the gateway proves itself there.
    pub(crate) client: IntrospectionClient,
    /// How long a good answer is believed, though never longer than its token lives: for so long a token that the issuer
    /// has withdrawn still passes. `0s` asks with every request.
    #[schemars(extend("default" = defaults::KEEP_ACTIVE.to_string()))]
    pub(crate) keep_active: Option<Period>,
    /// How long a bad answer is believed.
    #[schemars(extend("default" = defaults::KEEP_INACTIVE.to_string()))]
    pub(crate) keep_inactive: Option<Period>,
    /// After this a question has failed.
    #[schemars(extend("default" = defaults::INTROSPECTION_TIMEOUT.to_string()))]
    pub(crate) timeout: Option<Period>,
    /// Accepts answers that name no audience. Only for issuers that give tokens for these APIs to nobody else: with any
    /// other, a token for another API opens this one.
    #[schemars(extend("default" = false))]
    pub(crate) danger_no_audience: Option<Flag>,
}

/// How the gateway proves itself to an issuer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IntrospectionClient {
    /// `client_secret_basic`: id and secret in `Authorization: Basic`.
    Basic(ClientSecret),
    /// `client_secret_post`: id and secret in the body.
    Post(ClientSecret),
    /// `private_key_jwt`: a statement that is signed with a key of the gateway's own.
    PrivateKeyJwt(ClientKey),
}

/// A client's id and secret.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientSecret {
    /// The client's id at the issuer.
    pub(crate) id: Text,
    /// Its secret; write it as `{ env: NAME }` or `{ file: PATH }`. It is never shown.
    pub(crate) secret: Text,
}

/// A client's id and key.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientKey {
    /// The client's id at the issuer.
    pub(crate) id: Text,
    /// A PEM file with its private key in PKCS #8 form, P-256 or Ed25519.
    pub(crate) key_file: FileName,
}

/// Which kind of token is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenProfile {
    /// Access tokens of RFC 9068: `typ` is `at+jwt`; `sub`, `client_id`, `iat` and `jti` are required.
    Rfc9068,
    /// Tokens of providers that follow OpenID Connect: `typ` is `JWT` or absent.
    Oidc,
    /// Whatever else: any `typ` that does not name another kind of token.
    Legacy,
}

/// A signature algorithm (RFC 7518, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) enum TokenAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA with P-256 and SHA-256.
    ES256,
    /// ECDSA with P-384 and SHA-384.
    ES384,
    /// ECDSA with P-521 and SHA-512.
    ES512,
    /// Ed25519.
    EdDSA,
}
