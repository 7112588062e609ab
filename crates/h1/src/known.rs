//! The field names that the gateway itself has to know, found once while a head is parsed.

macro_rules! known {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// What a field name is to us; every other name is [`Known::Other`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Known {
            $(#[doc = $text] $name,)+
            /// A name that nothing here depends on.
            Other,
        }

        // One bit for each in a set.
        const _: () = assert!((Known::Other as u32) < u128::BITS);

        /// All names with what they are, for the table below.
        const NAMES: &[(&str, Known)] = &[$(($text, Known::$name),)+];
    };
}

known! {
    Accept = "accept",
    AccessControlRequestHeaders = "access-control-request-headers",
    AccessControlRequestMethod = "access-control-request-method",
    Authorization = "authorization",
    ContentSecurityPolicy = "content-security-policy",
    Connection = "connection",
    ContentLength = "content-length",
    ContentType = "content-type",
    Cookie = "cookie",
    Date = "date",
    Expect = "expect",
    CfConnectingIp = "cf-connecting-ip",
    Forwarded = "forwarded",
    FrontEndHttps = "front-end-https",
    GrpcTimeout = "grpc-timeout",
    Host = "host",
    Http2Settings = "http2-settings",
    KeepAlive = "keep-alive",
    Origin = "origin",
    PermissionsPolicy = "permissions-policy",
    ProxyAuthenticate = "proxy-authenticate",
    ProxyAuthenticationInfo = "proxy-authentication-info",
    ProxyAuthorization = "proxy-authorization",
    ProxyConnection = "proxy-connection",
    ProxyStatus = "proxy-status",
    ReferrerPolicy = "referrer-policy",
    SecWebSocketAccept = "sec-websocket-accept",
    SecWebSocketKey = "sec-websocket-key",
    SecWebSocketVersion = "sec-websocket-version",
    Server = "server",
    StrictTransportSecurity = "strict-transport-security",
    Te = "te",
    TrueClientIp = "true-client-ip",
    Traceparent = "traceparent",
    Tracestate = "tracestate",
    Trailer = "trailer",
    TransferEncoding = "transfer-encoding",
    Upgrade = "upgrade",
    UserAgent = "user-agent",
    Via = "via",
    XContentTypeOptions = "x-content-type-options",
    XConsumerId = "x-consumer-id",
    XConsumerUsername = "x-consumer-username",
    XCredentialId = "x-credential-id",
    XAuthenticatedScope = "x-authenticated-scope",
    XIdentityToken = "x-identity-token",
    XClientIp = "x-client-ip",
    XClusterClientIp = "x-cluster-client-ip",
    XForwarded = "x-forwarded",
    XForwardedBy = "x-forwarded-by",
    XForwardedClientCert = "x-forwarded-client-cert",
    XForwardedFor = "x-forwarded-for",
    XForwardedHost = "x-forwarded-host",
    XForwardedPort = "x-forwarded-port",
    XForwardedPrefix = "x-forwarded-prefix",
    XForwardedProto = "x-forwarded-proto",
    XForwardedScheme = "x-forwarded-scheme",
    XForwardedServer = "x-forwarded-server",
    XForwardedSsl = "x-forwarded-ssl",
    XForwardedUri = "x-forwarded-uri",
    XHost = "x-host",
    XHttpMethod = "x-http-method",
    XHttpMethodOverride = "x-http-method-override",
    XMethodOverride = "x-method-override",
    XOriginalForwardedFor = "x-original-forwarded-for",
    XOriginalHost = "x-original-host",
    XOriginalUrl = "x-original-url",
    XRewriteUrl = "x-rewrite-url",
    XScheme = "x-scheme",
    XFrameOptions = "x-frame-options",
    XPoweredBy = "x-powered-by",
    XRealIp = "x-real-ip",
    XRequestId = "x-request-id",
    XAspNetVersion = "x-aspnet-version",
    XAspNetMvcVersion = "x-aspnetmvc-version",
}

/// Below these, other gateways say who calls; an upstream may believe any of them.
const IDENTITY_PREFIXES: [&[u8]; 4] = [b"x-consumer-", b"x-credential-", b"x-authenticated-", b"x-anonymous-"];

/// Whether a name, known or not, claims to say who calls. Every other mark counts as `-`, as in [`Known::imitated_by`].
#[must_use]
pub fn claims_identity(name: &[u8]) -> bool {
    matches!(name.first(), Some(b'x' | b'X')) && IDENTITY_PREFIXES.iter().any(|prefix| begins_as(name, prefix))
}

/// Whether some server takes the name of a field for this one: it is the same, or would be if no mark could be told from another.
#[must_use]
pub fn is_read_as(name: &[u8], other: &[u8]) -> bool {
    name.len() == other.len() && begins_as(name, other)
}

fn begins_as(name: &[u8], prefix: &[u8]) -> bool {
    let is_mark = |byte: &u8| !byte.is_ascii_alphanumeric();
    let same = |(have, want): (&u8, &u8)| have.eq_ignore_ascii_case(want) || (is_mark(have) && is_mark(want));
    name.len() >= prefix.len() && name.iter().zip(prefix).all(same)
}

// LIMIT: names longer than the longest known one need no look-up.
const LENGTH_MAX: usize = 32;
const SLOTS: usize = 256;

/// A name as words to compare with: eight letters at a time, without regard to case.
#[derive(Clone, Copy, Debug)]
struct Entry {
    length: usize,
    known: Known,
    text: Words,
    /// The bit that tells upper from lower case, where there is a letter.
    case: Words,
}

type Words = [u64; LENGTH_MAX / 8];

/// An open-addressing table from a cheap hash of length, first, middle and last letter to the name; an empty slot has
/// length 0.
static TABLE: [Entry; SLOTS] = table();

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time; an overrun would not compile")]
const fn table() -> [Entry; SLOTS] {
    let empty = Entry { length: 0, known: Known::Other, text: [0; LENGTH_MAX / 8], case: [0; LENGTH_MAX / 8] };
    let mut table = [empty; SLOTS];
    let mut index = 0;
    while index < NAMES.len() {
        let name = NAMES[index].0.as_bytes();
        let mut slot = hash(name);
        while table[slot].length != 0 {
            slot = (slot + 1) % SLOTS;
        }
        table[slot].length = name.len();
        table[slot].known = NAMES[index].1;
        let mut at = 0;
        while at < name.len() {
            let shift = at % 8 * 8;
            table[slot].text[at / 8] |= (name[at] as u64) << shift;
            if name[at].is_ascii_lowercase() {
                table[slot].case[at / 8] |= 0x20 << shift;
            }
            at += 1;
        }
        index += 1;
    }
    table
}

/// The bytes of a short name, zeros behind them. No copy first: a call for some bytes costs more than the words.
fn words(name: &[u8]) -> Words {
    let mut words = [0; LENGTH_MAX / 8];
    let (chunks, rest) = name.as_chunks::<8>();
    for (word, chunk) in words.iter_mut().zip(chunks) {
        *word = u64::from_le_bytes(*chunk);
    }
    if let Some(word) = words.get_mut(chunks.len()) {
        *word = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    words
}

#[expect(clippy::indexing_slicing, reason = "all indices are below the length, which is checked to be above zero")]
const fn hash(name: &[u8]) -> usize {
    let length = name.len();
    if length == 0 {
        return 0;
    }
    let first = name[0].to_ascii_lowercase() as usize;
    let middle = name[length / 2].to_ascii_lowercase() as usize;
    let last = name[length - 1].to_ascii_lowercase() as usize;
    (length.wrapping_mul(31) ^ first.wrapping_mul(7) ^ middle.wrapping_mul(13) ^ last.wrapping_mul(53)) % SLOTS
}

// === impl Entry ===

impl Entry {
    fn is(&self, name: &Words) -> bool {
        let mut unlike = 0;
        for ((name, text), case) in name.iter().zip(&self.text).zip(&self.case) {
            unlike |= (name ^ text) & !case;
        }
        unlike == 0
    }
}

// === impl Known ===

impl Known {
    /// What `name` is, without regard to case.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        if name.len() > LENGTH_MAX {
            return Self::Other;
        }
        let (mut slot, words) = (hash(name), words(name));
        // Ends at the first empty slot; the table is never full.
        while let Some(entry) = TABLE.get(slot).filter(|entry| entry.length != 0) {
            if entry.length == name.len() && entry.is(&words) {
                return entry.known;
            }
            slot = (slot + 1) % SLOTS;
        }
        Self::Other
    }

    /// It alone, in a set of names.
    pub(crate) const fn bit(self) -> u128 {
        1 << self as u32
    }

    /// Whether the field speaks about one connection only and is never forwarded (RFC 9110 section 7.6.1).
    #[must_use]
    pub const fn is_hop_by_hop(self) -> bool {
        matches!(
            self,
            Self::Connection
                | Self::KeepAlive
                | Self::ProxyConnection
                | Self::Te
                | Self::Trailer
                | Self::TransferEncoding
                | Self::Upgrade
                | Self::Http2Settings
                | Self::ProxyAuthenticate
                | Self::ProxyAuthenticationInfo
                | Self::ProxyAuthorization
        )
    }

    /// Whether the field states who calls, which only we may tell the upstream.
    #[must_use]
    pub const fn is_identity(self) -> bool {
        matches!(
            self,
            Self::XConsumerId
                | Self::XConsumerUsername
                | Self::XCredentialId
                | Self::XAuthenticatedScope
                | Self::XIdentityToken
        )
    }

    /// Whether the field states where a request came from, which we rebuild.
    #[must_use]
    pub const fn is_provenance(self) -> bool {
        matches!(
            self,
            Self::CfConnectingIp
                | Self::Forwarded
                | Self::FrontEndHttps
                | Self::TrueClientIp
                | Self::XClientIp
                | Self::XClusterClientIp
                | Self::XForwarded
                | Self::XForwardedBy
                | Self::XForwardedClientCert
                | Self::XForwardedFor
                | Self::XForwardedHost
                | Self::XForwardedPort
                | Self::XForwardedPrefix
                | Self::XForwardedProto
                | Self::XForwardedScheme
                | Self::XForwardedServer
                | Self::XForwardedSsl
                | Self::XForwardedUri
                | Self::XHost
                | Self::XOriginalForwardedFor
                | Self::XOriginalHost
                | Self::XRealIp
                | Self::XScheme
        )
    }

    /// Whether the field asks a server to act on another path or method than the one that was routed and judged.
    #[must_use]
    pub const fn is_override(self) -> bool {
        matches!(
            self,
            Self::XHttpMethod
                | Self::XHttpMethodOverride
                | Self::XMethodOverride
                | Self::XOriginalUrl
                | Self::XRewriteUrl
        )
    }

    /// What a server that cannot tell other marks from a hyphen would take `name` for. Names without such marks
    /// imitate nothing.
    #[must_use]
    pub fn imitated_by(name: &[u8]) -> Self {
        if name.len() > LENGTH_MAX || name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-') {
            return Self::Other;
        }
        let mut plain = [b'-'; LENGTH_MAX];
        for (slot, byte) in plain.iter_mut().zip(name) {
            if byte.is_ascii_alphanumeric() {
                *slot = *byte;
            }
        }
        Self::of(plain.get(..name.len()).unwrap_or_default())
    }

    /// Whether a trailer of this name could change what was decided on the head (RFC 9110 section 6.5.1).
    #[must_use]
    pub const fn is_forbidden_in_trailers(self) -> bool {
        self.is_hop_by_hop()
            || self.is_identity()
            || self.is_provenance()
            || self.is_override()
            || matches!(
                self,
                Self::Authorization
                    | Self::ContentLength
                    | Self::ContentType
                    | Self::Cookie
                    | Self::Expect
                    | Self::Host
                    | Self::Origin
                    | Self::XRequestId
                    | Self::Traceparent
                    | Self::Tracestate
            )
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, LENGTH_MAX, NAMES, claims_identity};

    #[test]
    fn claims_of_identity_are_known_by_their_beginning() {
        for name in [
            "X-Consumer-ID",
            "x-consumer-groups",
            "X_Consumer_Custom_ID",
            "X-Authenticated-Userid",
            "X-consumer-",
            "X.Consumer.ID",
        ] {
            assert!(claims_identity(name.as_bytes()), "{name}");
        }
        for name in ["", "X", "X-Consumer", "X-Consumers", "Y-Consumer-ID", "X-Identity"] {
            assert!(!claims_identity(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn every_name_is_found_in_any_case_and_others_are_not() {
        for (text, known) in NAMES {
            assert!(text.len() <= LENGTH_MAX, "{text}");
            assert_eq!(Known::of(text.as_bytes()), *known);
            assert_eq!(Known::of(text.to_ascii_uppercase().as_bytes()), *known);
            assert_eq!(Known::of(format!("{text}x").as_bytes()), Known::Other);
        }
        assert_eq!(Known::of(b""), Known::Other);
        assert_eq!(Known::of(b"x_forwarded_for"), Known::Other);
    }

    #[test]
    fn imitations_are_seen_through() {
        for (name, known) in [
            ("X_Consumer_ID", Known::XConsumerId),
            ("x.consumer.id", Known::XConsumerId),
            ("Transfer_Encoding", Known::TransferEncoding),
            ("content~type", Known::ContentType),
            ("x-consumer-id", Known::Other),
            ("x_custom", Known::Other),
            ("X_Original|URL", Known::XOriginalUrl),
        ] {
            assert_eq!(Known::imitated_by(name.as_bytes()), known, "{name}");
        }
        assert_eq!(Known::imitated_by(&[b'_'; 1000]), Known::Other);
    }
}
