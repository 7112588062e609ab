//! The closed set of reasons for which a request is not served: status, code, title and page of each.
//!
//! A new reason is one row here; the wire, the records, the metrics and the pages all follow.

/// What a reason's page says. Every text is fixed, so that nothing a client sent can appear in it.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// What it means.
    pub meaning: &'static str,
    /// What the caller can do.
    pub caller: &'static str,
    /// What the operator can look at.
    pub operator: &'static str,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $status:literal $code:literal $title:literal {
        $meaning:literal, $caller:literal, $operator:literal $(,)?
    })+) => {
        /// Why a request was not served.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $($(#[$doc])* $name,)+ }

        impl Reason {
            /// Every reason, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The stable code in problems, records and metrics.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The HTTP status of the answer.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// The title of the problem (RFC 9457 section 3.1.3), the same for every occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// What the page behind the problem's `type` says.
            #[must_use]
            pub const fn page(self) -> Page {
                match self {
                    $(Self::$name => Page { meaning: $meaning, caller: $caller, operator: $operator },)+
                }
            }
        }
    };
}

reasons! {
    /// The request line or a header line breaks the grammar of HTTP/1.1.
    MalformedHead = 400 "malformed_head" "The request is not well-formed HTTP" {
        "The request line or a header line breaks the grammar of HTTP/1.1 (RFC 9112): a stray control character, a bare line feed, a blank before a colon, a folded line, an unknown form of the version. Such messages are read differently by different servers, so none of it was forwarded and the connection was closed.",
        "Send the request with a maintained HTTP client. Look for line breaks or control characters in the header values that you set.",
        "The record's private detail names the rule. A burst from one address is a scan.",
    }
    /// Two answers are possible to where the body ends.
    AmbiguousFraming = 400 "ambiguous_framing" "The length of the request's body is ambiguous" {
        "The message says in more than one way, or in a way that servers read differently, where its body ends: Content-Length beside Transfer-Encoding, several lengths, a length that is not a plain number, a transfer coding other than chunked. This is how requests are smuggled past a gateway, so it is always refused.",
        "Send either one plain Content-Length or Transfer-Encoding: chunked, never both.",
        "Treat it as an attack unless one of your own clients or an intermediary in front of the gateway is known to do it.",
    }
    /// The body's chunks break the grammar.
    MalformedBody = 400 "malformed_body" "The body of the request is not well-formed" {
        "The chunks of the body break the grammar of RFC 9112 section 7.1: a size with a sign or blanks, a missing line end, trailers that would change what was already decided.",
        "Send the body with a maintained HTTP client.",
        "The record's private detail names the rule. The upstream saw at most a body that broke off, never a complete request.",
    }
    /// Host is missing, doubled, malformed or unlike the target.
    InvalidHost = 400 "invalid_host" "The Host of the request is missing or ambiguous" {
        "An HTTP/1.1 request has exactly one Host field, and it must agree with the target where the target names a host as well.",
        "Send exactly one Host field with the name of the API.",
        "Health checks without a Host field are the usual innocent cause.",
    }
    /// A trusted proxy says something about the client that cannot be read.
    MalformedForwarding = 400 "malformed_forwarding" "Where the request comes from cannot be told" {
        "A proxy that the gateway trusts sent Forwarded, X-Forwarded-For or X-Forwarded-Proto in a form that is not theirs, or two of them that name different clients. Limits and records need one client, so nothing is guessed.",
        "If you sent one of these fields yourself, leave it out. Otherwise tell the operator of the API.",
        "The record's private detail names the rule. Let the proxy write exactly one of Forwarded and X-Forwarded-For, and remove the other one when a client sends it.",
    }
    /// The target has no canonical form.
    MalformedTarget = 400 "malformed_target" "The target of the request is malformed" {
        "The path or query cannot be brought into one canonical form: a broken percent-encoding, a control character, bytes that are not UTF-8, a fragment, or a path that climbs above the root.",
        "Percent-encode the path and the query as RFC 3986 says.",
        "The record's private detail names the rule.",
    }
    /// The target means different things to different servers.
    AmbiguousTarget = 400 "ambiguous_target" "The target of the request is ambiguous" {
        "The path holds something that servers read differently: an encoded slash, a backslash, a dot segment with parameters, or a path parameter where the API declares none. Access control must see the same path as the upstream, so it is refused.",
        "Do not put slashes, backslashes or semicolons into path segments; pass such values in the query or the body.",
        "An API that really uses path parameters can allow them with `allow_path_parameters: true`.",
    }
    /// HTTP was spoken to a TLS port.
    PlaintextOnTls = 400 "plaintext_on_tls" "This port speaks HTTPS only" {
        "The client spoke unencrypted HTTP to a port that speaks TLS. There is no redirect, because what was already sent in the clear must not be forgotten silently.",
        "Use https:// and treat a credential that you sent as exposed: replace it.",
        "Find the client by its address in the log; its credentials crossed the network unencrypted.",
    }
    /// An expectation other than 100-continue.
    UnknownExpectation = 417 "unknown_expectation" "The expectation cannot be met" {
        "The Expect field asks for something other than 100-continue.",
        "Leave the Expect field out.",
        "Nothing to do.",
    }
    /// The head is larger than its limit.
    HeadTooLarge = 431 "head_too_large" "The header section is too large" {
        "The request line and header fields together, or their number, exceed the listener's limit.",
        "Send fewer or shorter header fields; cookies are the usual cause.",
        "`limits.head_bytes` and `limits.headers` of the listener.",
    }
    /// The target is longer than its limit.
    TargetTooLong = 414 "target_too_long" "The target of the request is too long" {
        "The path and query together exceed the listener's limit.",
        "Send large inputs in the body.",
        "`limits.target_bytes` of the listener.",
    }
    /// A version of HTTP that is not spoken here.
    UnsupportedVersion = 505 "unsupported_version" "This version of HTTP is not supported" {
        "The request line names a version other than HTTP/1.0 or HTTP/1.1.",
        "Use HTTP/1.1.",
        "Nothing to do.",
    }
    /// A method that is never forwarded.
    MethodNotImplemented = 501 "method_not_implemented" "This method is not supported" {
        "CONNECT would turn the gateway into a tunnel and TRACE would echo credentials; neither is forwarded to any API.",
        "Use another method.",
        "A burst of these is a scan for open proxies.",
    }
    /// The head did not arrive in time.
    HeadTimeout = 408 "head_timeout" "The request did not arrive in time" {
        "The request's head was not complete when its time was up.",
        "Send the request again; check the connection.",
        "`limits.head_timeout` of the listener. Many at once from few addresses are a slow-head attack.",
    }
    /// The body stalled.
    BodyTimeout = 408 "body_timeout" "The body of the request did not arrive in time" {
        "The body made no progress for longer than the listener allows.",
        "Send the request again; check the connection.",
        "`limits.body_idle_timeout` of the listener. Many at once from few addresses are a slow-body attack.",
    }
    /// The body came too slowly.
    BodyTooSlow = 408 "body_too_slow" "The body of the request arrived too slowly" {
        "The body kept coming, but with fewer bytes a second than the listener asks for on average.",
        "Send the request again over a better connection, or in smaller parts.",
        "`limits.body_rate` and `limits.rate_grace` of the listener. Many at once from few addresses are a slow-body attack.",
    }
    /// The body is larger than its limit.
    BodyTooLarge = 413 "body_too_large" "The body of the request is too large" {
        "The body exceeds what this operation accepts.",
        "Send less, or in several requests.",
        "`body_bytes` of the route, its API or the defaults; `effective-policy` names the line.",
    }
    /// A content coding that cannot be undone here.
    UnknownCoding = 415 "unknown_coding" "The content coding of the body is not known" {
        "This operation looks into the body of a request, and Content-Encoding names a coding that the gateway cannot undo, or more than two of them. What cannot be read is not passed on.",
        "Send the body without a content coding, or in one that Accept-Encoding of the answer names.",
        "Nothing to do, unless a client of yours needs the coding.",
    }
    /// A body that calls itself gRPC, where nobody said that such come.
    GrpcNotDeclared = 415 "grpc_not_declared" "This operation takes no gRPC" {
        "The request says that it is a call of gRPC, whose body cannot be looked into while it goes on, and this operation does not take such.",
        "Send the media type that the operation takes; calls of gRPC go to operations that are made for them.",
        "Where they are meant to come, write `grpc: true` at the route. Their bodies are then not looked into.",
    }
    /// The content coding of the body is broken.
    MalformedCoding = 400 "malformed_coding" "The content coding of the body is malformed" {
        "The bytes of the body are not what Content-Encoding calls for: they break off, go on after the end, or their check does not fit. Programs read such bodies in different ways.",
        "Compress the body with a maintained library, in one member, or send it as it is.",
        "The record's private detail names the rule.",
    }
    /// The body is too large once its content coding is undone.
    BodyInflated = 413 "body_inflated" "The body of the request is too large once it is decompressed" {
        "The body is small as it is sent and large once its content coding is undone: larger than this operation accepts, or out of proportion.",
        "Send less, or send it without a content coding.",
        "`bodies.decoded_bytes` of the route, its API or the defaults. A body of which one byte becomes more than a hundred is an attack unless you know the client.",
    }
    /// The gateway holds as many bodies as it may.
    NoRoomForBody = 503 "no_room_for_body" "The gateway has no room for the body at the moment" {
        "This operation looks into the body of a request, which the gateway has to hold for that, and it holds as much as it may.",
        "Send the request again after the time in Retry-After.",
        "`bodies.held_bytes` and `bodies.decoded_bytes` bound one body; 256 MiB is what each worker holds in all. Many slow uploads at once have the same effect as an attack.",
    }
    /// The request breaks its contract: a parameter, a field, or the form of the body.
    InvalidRequest = 400 "invalid_request" "The request does not fit the contract of the API" {
        "A parameter of the path, the query, a header field or a cookie, or the form of the body, is not what the API's contract declares, or is not declared at all. `errors` lists all reasons, each with its place and the keyword of the contract.",
        "Compare the request with the API's contract at the places that `errors` names.",
        "The record's private detail has the first reasons. `validation` of the API has switches for what the contract leaves out; `request: report` lets everything pass and records it.",
    }
    /// The media type of the body is not declared.
    UnsupportedMediaType = 415 "unsupported_media_type" "The media type of the body is not supported" {
        "The contract of the API does not declare a body of this media type for this operation, or the request does not say which it is.",
        "Send the body as one of the media types that the contract declares, and say so in Content-Type.",
        "The record's private detail has the reason. `validation.undeclared_media_types` lets other media types through unread.",
    }
    /// The body breaks its schema.
    InvalidBody = 422 "invalid_body" "The body does not fit the contract of the API" {
        "The body is well-formed, and is not what its schema in the API's contract describes: a member is missing, is of another type, is out of bounds, is not declared, or is not for callers to set. `errors` lists all reasons, each with a JSON Pointer and the keyword of the contract.",
        "Compare the body with the API's contract at the places that `errors` names.",
        "The record's private detail has the first reasons. Members that no schema speaks of are refused, which stops mass assignment; `validation.open_objects` lets them through.",
    }
    /// An operation of GraphQL asks for more than it may.
    GraphqlLimit = 400 "graphql_limit" "The operation of GraphQL asks for too much" {
        "The document is a good one, and asks for more than this API lets one request ask for: fields within each other, fields that are called something else, fields altogether, their cost, operations in one request, or the schema. `errors` names each limit and what was counted. Fragments count wherever they are used.",
        "Ask for less at once: fewer fields, smaller pages, fewer operations. The schema is in the documentation of the API.",
        "The record's private detail names the limits. `graphql` of the route sets them. The same shapes from one caller again and again are a probe.",
    }
    /// The server's answer breaks its contract.
    InvalidAnswer = 502 "invalid_answer" "The API gave an answer that its contract does not promise" {
        "The answer of the server behind this API is not what the API's contract declares, so that it was not passed on: it could hold what nobody was meant to see.",
        "Tell the operator of the API, with the request id.",
        "The record's private detail has the first reasons. `validation: { response: report }` lets such answers pass and records them.",
    }
    /// The body says that it is JSON, and is none that programs agree about.
    MalformedJson = 400 "malformed_json" "The body is not well-formed JSON" {
        "The body says that it is JSON, and it breaks the grammar of RFC 8259, has a member twice, is not UTF-8, or is beyond a bound on depth or size. Programs read such bodies in different ways, so it was not passed on.",
        "Send JSON that a maintained library has written; do not repeat the names of members.",
        "The record's private detail names the rule and the byte. `bodies.json` of the route, its API or the defaults has the bounds.",
    }
    /// No API answers to this host and path.
    RouteNotFound = 404 "route_not_found" "There is no such resource" {
        "No API of this gateway answers to this host and path. What an API does not declare does not exist here.",
        "Check the host name, the path and the version.",
        "`portcullis routes` lists what exists; `portcullis explain` shows how a request is matched.",
    }
    /// The path exists with other methods.
    MethodNotAllowed = 405 "method_not_allowed" "This resource does not support the method" {
        "The path exists, with other methods. The Allow field lists them.",
        "Use one of the methods in Allow.",
        "`portcullis routes` lists the methods of each path.",
    }
    /// The route is closed by configuration.
    RouteClosed = 403 "route_closed" "This operation is closed" {
        "The operation is declared, but nobody may call it (`authn: refuse`).",
        "Ask the operator of the API.",
        "`portcullis effective-policy` names the line that closes it.",
    }
    /// No rule lets this caller do this.
    Forbidden = 403 "forbidden" "The caller may not do this" {
        "The caller is known, and the rules of the operation do not allow this to somebody with his roles, scopes and claims.",
        "Ask the operator of the API for the right to do this; another attempt with the same credential has the same end.",
        "The record has the rule, or that none allows it, and the line that says so. `portcullis access matrix` shows who may do what, `portcullis explain` decides about one request.",
    }
    /// The token is good and lacks scopes.
    InsufficientScope = 403 "insufficient_scope" "The access token lacks a scope" {
        "The caller would be allowed to do this if the access token, or the API key, had more scopes.",
        "Get a token with the scopes that WWW-Authenticate names, or a key that has them.",
        "The record has the line of the rule. Scopes of tokens are given by their issuer, those of keys by `portcullis keys create --scope`.",
    }
    /// The caller may do this, but not here.
    ForbiddenHere = 403 "forbidden_here" "The caller may not do this here" {
        "The rules of the operation allow this to the caller, but not with this object, or not from this network or at this time: the object belongs to somebody else or to another tenant, or, where ownership is learned from answers, no answer has shown its id to this caller.",
        "Ask for what is yours. Values that stand twice, or in a form that servers read in different ways, count as somebody else's.",
        "The record has the rule and its line. Many of these for one caller are a sign that somebody tries other people's ids.",
    }
    /// The caller may do this, but not set this field.
    ForbiddenField = 403 "forbidden_field" "The caller may not set a field of the body" {
        "The rules of the operation allow this to the caller, but not with what the body sets: a field that only some callers may set, or a body of which nobody can tell what it sets.",
        "Leave out the fields that `errors` names. Where it names none, send JSON, with no name twice in whatever case.",
        "The record has the rule and its line (`authz.protected_fields`). Nothing was left out, and nothing was forwarded.",
    }
    /// The route wants a credential and there is none.
    MissingCredential = 401 "missing_credential" "A credential is required" {
        "This operation is not open to everybody, and the request carries none of the credentials by which callers of this API prove who they are.",
        "Send a credential as the WWW-Authenticate fields of the answer say. Credentials belong into header fields, never into the address.",
        "`portcullis effective-policy` names the methods that the route accepts and the line that says so.",
    }
    /// An API key that opens nothing here.
    InvalidApiKey = 401 "invalid_api_key" "The API key is not accepted" {
        "The API key is malformed, unknown, revoked, expired, or not for this API or this network. Which of these it is stands in the gateway's log only.",
        "Check that the whole key is sent, without blanks or quotes. If it is, ask the operator of the API for a new one, with the request id.",
        "The record's private detail names the cause and the key's id; `portcullis keys list` shows its state.",
    }
    /// A token that fails a check.
    InvalidToken = 401 "invalid_token" "The access token is not accepted" {
        "The access token is malformed, not signed with a key of a trusted issuer, not for this API, or not yet valid.",
        "Get a new token for this API from its issuer; check that the audience is this API.",
        "The record's private detail names the check that failed; `portcullis jwt explain` lists all of them.",
    }
    /// A good token whose time is over.
    ExpiredToken = 401 "expired_token" "The access token has expired" {
        "The access token was good, and its time is over.",
        "Get a new token; refresh tokens before they expire.",
        "Many at once point to a clock that is wrong, here or at the issuer.",
    }
    /// A good token that was revoked.
    RevokedToken = 401 "revoked_token" "The access token was revoked" {
        "The access token was good, and it, its subject or its session was revoked before it expired.",
        "Log in again.",
        "The list of revocations shows which one it was.",
    }
    /// A proof of possession that fails a check.
    InvalidProof = 401 "invalid_proof" "The proof of possession is not accepted" {
        "The DPoP proof (RFC 9449) is malformed, not signed with its key, too old, used before, or made for another method, address or token.",
        "Make a new proof for every request: method and address exactly as they are sent, the current time, a fresh id, the hash of the access token.",
        "The record's private detail names the check that failed. A proof used twice from two addresses is a stolen one.",
    }
    /// A proof without a nonce of ours.
    NonceRequired = 401 "nonce_required" "The proof of possession needs a nonce" {
        "This API wants proofs that carry a nonce of the gateway (RFC 9449 section 9), and this one carries none, or an old one.",
        "Put the value of the answer's DPoP-Nonce field into the proof and send the request again.",
        "Every client meets this once in a while; one that meets it with every request ignores the nonce.",
    }
    /// A bound token without what it is bound to.
    InsufficientBinding = 401 "insufficient_binding" "The access token is bound to its holder" {
        "The access token is bound to a key or a certificate, and the request does not prove that its sender has it. A bound token that comes as a plain bearer token is treated as stolen.",
        "Send the token with the scheme DPoP and a proof, or over a connection with the client certificate that it was issued to.",
        "The record's private detail says what was missing. Treat it as theft unless one of your clients is known to do it.",
    }
    /// A client certificate that identifies nobody.
    InvalidCertificate = 401 "invalid_certificate" "The client certificate is not accepted" {
        "The client certificate holds no name by which callers of this API are known, or was revoked.",
        "Use the certificate that was issued to you for this API.",
        "The record's private detail names the rule; the API's settings say which name of a certificate counts.",
    }
    /// A request signature that fails a check.
    InvalidSignature = 401 "invalid_signature" "The signature of the request is not accepted" {
        "The HTTP message signature (RFC 9421) is malformed, made with an unknown key, too old, used before, does not cover what it has to, or does not fit the request.",
        "Sign every component that the API requires, exactly as it is sent, with the current time and a fresh nonce.",
        "The record's private detail names the check that failed. An intermediary that changes header fields breaks signatures.",
    }
    /// A body that is not the one that was announced.
    DigestMismatch = 400 "digest_mismatch" "The body does not fit its digest" {
        "The Content-Digest field (RFC 9530) is malformed, has no algorithm that is accepted here, or names another body than the one that came.",
        "Compute the digest over exactly the bytes that are sent, with sha-256 or sha-512.",
        "An intermediary that changes bodies, compression included, breaks digests.",
    }
    /// A credential in the address.
    CredentialInQuery = 400 "credential_in_query" "Credentials do not belong into the address" {
        "The query string holds a credential. Addresses end up in logs, histories and referrers, so that it counts as exposed, and it is never accepted there.",
        "Send the credential in its header field, and replace the one that you sent.",
        "The record names the key by its id, never the secret: rotate or revoke it.",
    }
    /// Several credentials where there can be one.
    AmbiguousCredential = 400 "ambiguous_credential" "It is ambiguous who is calling" {
        "The same credential field stands several times, or holds several credentials. Servers pick different ones, so that none is picked here.",
        "Send each credential once.",
        "Treat it as an attack unless one of your own clients is known to do it.",
    }
    /// Nobody can tell whether a credential is good.
    IssuerUnavailable = 503 "issuer_unavailable" "The credential cannot be checked at the moment" {
        "The server that vouches for this credential did not answer, and what was known of it is too old to be relied on. What cannot be checked is refused.",
        "Try again later. The credential may well be good.",
        "The metrics of the issuer show the age of its keys and its failures; check its address, its certificate and its state.",
    }
    /// A table in which identity is remembered is full.
    IdentityOverloaded = 503 "identity_overloaded" "The credential cannot be checked at the moment" {
        "The gateway has no room to remember that this proof was used, so that a replay could not be told from it. What cannot be checked is refused.",
        "Try again in a minute.",
        "More proofs arrive at once than the gateway was sized for; raise the number of proofs that it remembers.",
    }
    /// Too many attempts failed.
    TooManyFailures = 429 "too_many_failures" "Too many attempts have failed" {
        "Too many credentials that are not good came from this address, or were tried for this key, so that nothing is checked for a while. Each further failure makes the wait longer.",
        "Wait for as long as Retry-After says, then send a good credential.",
        "Look for a client with an old credential, or for somebody who guesses.",
    }
    /// What somebody does is unusual.
    AbnormalUsage = 429 "abnormal_usage" "Such use is unusual and has been paused" {
        "What this caller or address has done lately is unlike what it does otherwise, such as asking for one object after another, so that its requests are refused for a while.",
        "Wait for as long as Retry-After says. If this is how your program has to work, ask whoever runs the API to expect it.",
        "`portcullis findings show` has the numbers; `findings pardon` takes it back. `anomalies.detectors` says how far each kind of finding leads.",
    }
    /// A limit has no room.
    QuotaExceeded = 429 "quota_exceeded" "The limit for such requests is reached" {
        "A limit on requests of this address, caller or operation has no room for this one. Every answer of a limited operation says in RateLimit how much is left and in RateLimit-Policy what the limits are; `violated-policies` names those that were reached.",
        "Wait for as long as Retry-After says, and send requests more slowly.",
        "The record names the limit and the line that sets it; `portcullis_limit_exceeded_total` counts by limit. `mode: observe` shows what a limit would refuse before it does.",
    }
    /// The client asked a host other than the one its TLS session was made for.
    MisdirectedRequest = 421 "misdirected_request" "This connection is not for that host" {
        "The TLS session was made for one host name and the request asks for another one that this listener serves with another certificate.",
        "Open a new connection for this host.",
        "Usually a client that reuses connections across hosts too eagerly.",
    }
    /// A page of this origin may not open a WebSocket.
    OriginRefused = 403 "origin_refused" "Pages of this origin may not call" {
        "Browsers let any page open a WebSocket to any host, with the visitor's cookies, so that the server has to check the Origin that they state. The origin of this page is not among those that the operation allows, or none was stated where one is required.",
        "Call from a page of an origin that the API allows.",
        "`websocket.origins` of the route lists who may; `require_origin` says whether a client must state one.",
    }
    /// The request asks for a version that the API does not have.
    VersionUnknown = 404 "version_unknown" "The API has no such version" {
        "The API has versions, and the request names none of them, or several at once; or it names none at all and no version answers by default. The detail says which versions there are and where a request names one.",
        "Name one of the versions that the detail lists.",
        "`version_by` of the API says where a request names its version, and `default` of a version that it answers those that name none.",
    }
    /// The media types that the request accepts name a version that the API does not have.
    VersionNotAcceptable = 406 "version_not_acceptable" "The API has no such version" {
        "The version of this API is named by a parameter of the media types in `Accept`, and the request names none that there is, or several at once; or it names none at all and no version answers by default.",
        "Name one of the versions that the detail lists, in every media type of `Accept` the same.",
        "`version_by` of the API says which parameter it is, and `default` of a version that it answers those that name none.",
    }
    /// The version has come to its end.
    VersionGone = 410 "version_gone" "This version of the API is no longer served" {
        "The version that the request asks for had been announced to end, and its day has come. It will not come back.",
        "Use the version that the `Link` field of the answer names, or ask the operator of the API.",
        "`sunset_at` of the version says when it ends; the record names the route, and the access log who still calls it.",
    }
    /// The version answers, for an announced time, as if it had come to its end.
    VersionBrownout = 410 "version_brownout" "This version of the API will soon be gone" {
        "The version that the request asks for will come to its end. So that nobody is surprised, it is not served at times that were announced; this is one of them, and `Retry-After` says when it is over.",
        "Move to the version that the `Link` field of the answer names before the day that `Sunset` says.",
        "`brownouts` of the version lists the times; `sunset_at` the end.",
    }
    /// A page of another origin may not call as its preflight says.
    PreflightRefused = 403 "preflight_refused" "Pages of this origin may not call like this" {
        "Before a page of another origin calls, its browser asks whether it may: with this method, these request headers, from this origin, into this network. One of them is not allowed; the detail says which.",
        "Call from an origin that the API allows, with the methods and headers that it allows.",
        "`cors` of the API lists `origins`, `methods` and `headers`; `private_network` opens a private network to public pages.",
    }
    /// The operation is not served over WebSocket.
    WebSocketClosed = 403 "websocket_closed" "This operation is not served over WebSocket" {
        "The request asks to go on as WebSocket, and the operation does not declare that it does.",
        "Check the path; ask the operator of the API.",
        "A route serves WebSocket where it says `websocket: { origins: [...] }`.",
    }
    /// The WebSocket handshake is malformed.
    WebSocketHandshake = 400 "websocket_handshake" "The handshake of WebSocket is malformed" {
        "The request asks to go on as WebSocket, and its Sec-WebSocket-Key is missing, stands twice or is not 16 bytes in base64 (RFC 6455 section 4.1).",
        "Connect with a maintained WebSocket client.",
        "Nothing to do; the client is broken or is a scanner.",
    }
    /// Another version of WebSocket.
    WebSocketVersion = 426 "websocket_version" "This version of WebSocket is not supported" {
        "The request asks for a version of WebSocket other than 13, the one of RFC 6455. The Sec-WebSocket-Version field of the answer names it.",
        "Connect with a maintained WebSocket client.",
        "Nothing to do.",
    }
    /// Rules found an attack in the request.
    AttackRefused = 403 "attack_refused" "The request looks like an attack" {
        "Something in the request has the form of an attack: a statement of SQL, a script, a command, a path that leaves its folder or the like. None of it was forwarded. What was found is not said here, because it would tell attackers how to go on.",
        "Send the request without what looks like an attack. If it is none, tell the operator of the API its id.",
        "The record with this id has the rules that matched, on what, and the score. `waf.exclusions` names a file of exceptions; `waf: { mode: observe }` lets everything pass and notes it.",
    }
    /// The request is more than rules can look at.
    InspectionLimit = 413 "inspection_limit" "The request is more than can be inspected" {
        "Requests to this operation are looked at for attacks, and this one is longer or has more parts than is looked at. What was not looked at is not forwarded.",
        "Send less at a time.",
        "The record says which limit it was. A route for uploads can say `waf: { mode: off }`.",
    }
    /// The body cannot be read as what it says it is, so that rules cannot judge it.
    UnreadableBody = 400 "unreadable_body" "The body of the request is not what it says it is" {
        "Bodies of requests to this operation are looked at for attacks, and this one cannot be read as its content type says: broken JSON or XML, parts without a boundary or the like. What cannot be read cannot be judged, so that none of it was forwarded.",
        "Send a body of the type that Content-Type names.",
        "The record's private detail says that no rule was about it. A rule about `REQBODY_ERROR` in the file of `waf.exclusions` decides otherwise.",
    }
    /// A virtual patch is about the request.
    PatchRefused = 403 "patch_refused" "Requests of this form are not served" {
        "A weakness of this API is known, and until it is mended requests of the form that reaches it are refused. None of it was forwarded. Which form that is, is not said here.",
        "Ask the operator of the API for another way, with the request id.",
        "The record with this id has the patch and its reason. `portcullis feed status` shows the bundle it came with; `portcullis feed observe` lets such requests pass and notes them, `portcullis feed rollback` goes back to the bundle before.",
    }
    /// Rules found in the answer what must not leave.
    AnswerRefused = 502 "answer_refused" "The API gave an answer that gives too much away" {
        "Something in the answer of the server behind this API has the form of what nobody outside is meant to see: an error of a database, source text, a listing of a folder or the like. None of it was passed on. What was found is not said here.",
        "Tell the operator of the API, with the request id.",
        "The record with this id has the rules that matched, and on what. `waf.exclusions` names a file of exceptions; `waf: { mode: observe }` lets everything pass and notes it.",
    }
    /// The answer is one that rules cannot look into.
    AnswerUninspected = 502 "answer_uninspected" "The API gave an answer that cannot be inspected" {
        "Answers of this operation are looked at before they leave, and this one is longer than is looked at, or in a form in which nobody can look into it. What was not looked at is not passed on.",
        "Tell the operator of the API, with the request id.",
        "The record's private detail says why. `SecResponseBodyLimit`, `SecResponseBodyLimitAction` and `SecResponseBodyMimeType` in a file of rules say which answers are looked into, and how far.",
    }
    /// No target of the upstream could be reached.
    UpstreamUnreachable = 502 "upstream_unreachable" "The API cannot be reached" {
        "No server behind this API accepted a connection.",
        "Try again later.",
        "The record's private detail has the target and the system's error.",
    }
    /// Checks found every target down.
    UpstreamUnhealthy = 503 "upstream_unhealthy" "The API is down" {
        "The gateway checks the servers behind this API, and none of them is well. Requests are refused at once instead of being kept waiting.",
        "Try again later, not before the time in Retry-After.",
        "`portcullis_upstream_targets` counts targets by state; the last failure of each stands in the status of upstreams. `upstream.health` has the rules.",
    }
    /// Every target is at its limit.
    UpstreamBusy = 503 "upstream_busy" "The API is busy" {
        "Every server behind this API handles as many requests as it may, and this one could not wait, or waited in vain.",
        "Try again after the time in Retry-After, and more slowly.",
        "`upstream.connections` is the limit of a target, `upstream.queue` says how many requests wait and how long.",
    }
    /// The upstream is relieved: its breaker is open, or it has as many requests as it bears.
    ReducedCapacity = 503 "reduced_capacity" "The API takes fewer requests than usual" {
        "The servers behind this API fail or have become slow, so that the gateway sends them fewer requests than usual, or none for a while.",
        "Try again after the time in Retry-After, and more slowly.",
        "`portcullis_upstream_refused_total` counts by `breaker` and `adaptive`; `portcullis_upstream_breakers_open` and `portcullis_upstream_room` say how it stands. `upstream.breaker` and `upstream.adaptive` have the rules, `priority` of a route who is refused first.",
    }
    /// The upstream's certificate or handshake failed.
    UpstreamTls = 502 "upstream_tls" "The API cannot be reached securely" {
        "The TLS handshake with the server behind this API failed. Its certificate is always verified.",
        "Try again later.",
        "The record's private detail names the failure. `upstream.tls.ca_file` and `server_name` say what to trust.",
    }
    /// The upstream took too long.
    UpstreamTimeout = 504 "upstream_timeout" "The API did not answer in time" {
        "The server behind this API did not answer within the time it is given.",
        "Try again later; do not repeat a request that is not idempotent without checking whether it took effect.",
        "`upstream.timeout`, `connect_timeout` and `first_byte_timeout`; the record says which one it was.",
    }
    /// The upstream closed the connection early.
    UpstreamClosed = 502 "upstream_closed" "The API broke off" {
        "The server behind this API closed the connection before its answer was complete.",
        "Try again later; do not repeat a request that is not idempotent without checking whether it took effect.",
        "Look at the upstream's log at the time of the record; a crash or a restart is the usual cause.",
    }
    /// The upstream's answer is not well-formed.
    UpstreamMalformed = 502 "upstream_malformed" "The API gave an answer that cannot be passed on" {
        "The answer of the server behind this API is not well-formed HTTP, so that passing it on would be unsafe.",
        "Tell the operator of the API, with the request id.",
        "The record's private detail names the rule that the answer broke.",
    }
    /// The upstream's answer has to be masked, and cannot be read.
    AnswerUnreadable = 502 "answer_unreadable" "The API gave an answer that cannot be passed on" {
        "Values in answers of this operation are not for every caller, and this answer is of a type, or in a form, in which they cannot be found. What cannot be looked at is not passed on.",
        "Tell the operator of the API, with the request id.",
        "The record's private detail says what could not be read. Rules of `mask` need answers in JSON, documents of JSON on lines or server-sent events, whole, in UTF-8, and in a coding that is known.",
    }
    /// The upstream gave an error that says too much.
    UpstreamError = 502 "upstream_error" "The API reported an error" {
        "The server behind this API reported an error. What it said about it is not for callers; the status of this answer is the server's.",
        "Try again later if the status begins with 5; else check the request. Tell the operator of the API the request id.",
        "The record's private detail holds what the server said, without what looks like a secret, and what gave it away. `errors` of the route says what becomes of errors.",
    }
    /// An invariant of ours did not hold.
    Internal = 500 "internal" "The gateway failed" {
        "The gateway could not decide, and what cannot be decided is refused.",
        "Tell the operator of the API, with the request id.",
        "This is a bug of Portcullis. Please report it with the record of this request.",
    }
}

// === impl Reason ===

impl Reason {
    /// The reason with this code, if there is one.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_snake_case_and_found_again() {
        let mut seen = HashSet::new();
        for reason in Reason::ALL {
            let code = reason.code();
            assert!(seen.insert(code), "{code} stands twice");
            assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
            assert_eq!(Reason::from_code(code), Some(*reason));
        }
    }

    #[test]
    fn every_reason_is_an_error_with_a_whole_page() {
        for reason in Reason::ALL {
            assert!((400..600).contains(&reason.status()), "{}", reason.code());
            let page = reason.page();
            for text in [page.meaning, page.caller, page.operator] {
                assert!(text.ends_with('.'), "{}: {text}", reason.code());
            }
        }
    }
}
