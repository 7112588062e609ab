//! Who calls: keys and tokens that open, everything else that does not, and what the server behind is told.

use crate::check::problem;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_auth::jwt::SigningKey;
use portcullis_auth::key::{ENTROPY_BYTES, KeyRecord, KeyText};
use portcullis_auth::principal::{Demand, Scheme};
use portcullis_auth::revocation::{Revocation, RevokedBy};
use portcullis_auth::{Algorithm, Profile};
use portcullis_config::plan::{Authn, DemandPlan, IssuerPlan, JwksPlan, Plan, ProofDemand};
use portcullis_store::{Home, Store};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::scratch::Scratch;
use portcullis_testkit::{Answer, Client, FakeUpstream, suite};
use portcullis_types::Network;
use serde_json::{Map, Value, json};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

const ISSUER: &str = "https://idp.test";

/// A gateway that demands, with what its callers need.
pub(crate) struct House {
    scratch: Scratch,
    upstream: FakeUpstream,
    gate: Option<Gatehouse>,
    pub(crate) signer: SigningKey,
    callers: AtomicU32,
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn demand(demand: Demand) -> Authn {
    Authn::Demand(Arc::new(DemandPlan {
        demand,
        issuers: vec!["corp".into()],
        introspection: None,
        proofs: ProofDemand::default(),
        text: "test".to_owned(),
    }))
}

fn any_of(schemes: &[Scheme], anonymous: bool) -> Authn {
    demand(Demand::AnyOf { schemes: schemes.to_vec(), anonymous })
}

pub(crate) fn either() -> Authn {
    any_of(&[Scheme::Jwt, Scheme::ApiKey], false)
}

impl House {
    fn new(authn: &Authn) -> Self {
        Self::with(authn, |_| {})
    }

    pub(crate) fn with(authn: &Authn, change: impl FnOnce(&mut Plan)) -> Self {
        let (scratch, upstream) = (Scratch::new(), FakeUpstream::echoing());
        let signer = SigningKey::from_seed(&[7; 32]).unwrap();
        let jwks = scratch.file("jwks.json", &json!({ "keys": [signer.public_jwk()] }).to_string());
        let gate = Gatehouse::with(upstream.address(), |plan| {
            plan.listeners[0].provenance.trusted = vec![Network::parse("127.0.0.0/8").unwrap()];
            plan.identity.store = Some(scratch.path().join("data"));
            plan.identity.issuers = vec![IssuerPlan {
                name: "corp".into(),
                issuer: ISSUER.to_owned(),
                audiences: vec!["orders".to_owned()],
                profile: Profile::Rfc9068,
                algorithms: Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric()).collect(),
                jwks: Some(JwksPlan::File(jwks)),
                introspection: None,
                clock_skew: Duration::from_secs(5),
                required_claims: Vec::new(),
                roles_claim: "roles".to_owned(),
            }];
            gateway::limit(plan, |limits| limits.head_bytes = 64 * 1024);
            gateway::each_route(plan, |route| route.authn = authn.clone());
            change(plan);
        });
        Self { scratch, upstream, gate: Some(gate), signer, callers: AtomicU32::new(0) }
    }

    pub(crate) fn gate(&self) -> &Gatehouse {
        self.gate.as_ref().unwrap()
    }

    pub(crate) fn upstream_requests(&self) -> usize {
        self.upstream.requests()
    }

    /// The store as another process has it.
    pub(crate) fn store(&self) -> (Store, portcullis_auth::key::Peppers) {
        Home::new(self.scratch.path().join("data")).open([0; 32]).unwrap()
    }

    pub(crate) fn key(&self, change: impl FnOnce(&mut KeyRecord)) -> KeyText {
        let mut entropy = [0; ENTROPY_BYTES];
        aws_lc_rs::rand::fill(&mut entropy).unwrap();
        let key = KeyText::mint("pk", &entropy).unwrap();
        let (store, peppers) = self.store();
        let mut record = KeyRecord::new(&key, peppers.current(), "shop", now());
        change(&mut record);
        store.create([record]).unwrap();
        key
    }

    /// A key that opens already. Nothing reaches the server: a body that is too large is refused, but not to strangers.
    pub(crate) fn known_key(&self) -> KeyText {
        let key = self.key(|_| {});
        let line = format!("X-API-Key: {}\r\nContent-Length: 999999999\r\n", key.reveal());
        eventually("the key is known", || (self.ask(&line).status == 413).then_some(()));
        key
    }

    /// An address that nobody has called from, so that failures of one attack do not close the door for the next.
    pub(crate) fn fresh_address(&self) -> String {
        let number = self.callers.fetch_add(1, Ordering::Relaxed);
        format!("10.{}.{}.{}", number >> 16, number >> 8 & 255, number & 255)
    }

    fn ask_from(&self, address: &str, target: &str, lines: &str) -> Answer {
        let request = format!("GET {target} HTTP/1.1\r\nHost: api.test\r\nX-Forwarded-For: {address}\r\n{lines}\r\n");
        Client::connect(self.gate().address()).ask(request)
    }

    pub(crate) fn ask(&self, lines: &str) -> Answer {
        self.ask_from(&self.fresh_address(), "/", lines)
    }

    pub(crate) fn bearer(&self, token: &str) -> Answer {
        self.ask(&format!("Authorization: Bearer {token}\r\n"))
    }

    pub(crate) fn token(&self, change: impl FnOnce(&mut Map<String, Value>)) -> String {
        let mut claims = claims();
        change(&mut claims);
        self.signer.sign("at+jwt", &claims, false).unwrap()
    }

    fn good_token_works(&self, after: &str) {
        assert_eq!(self.bearer(&self.token(|_| {})).status, 200, "a good token after {after}");
    }

    /// Refused, and nothing of it reached the server.
    fn refused(&self, lines: &str, status: u16, code: &str, about: &str) -> Answer {
        let before = self.upstream.requests();
        let answer = self.ask(lines);
        problem(&answer, status, code, about);
        assert_eq!(self.upstream.requests(), before, "{about}");
        answer
    }
}

pub(crate) fn claims() -> Map<String, Value> {
    let claims = json!({
        "iss": ISSUER, "aud": "orders", "sub": "ada", "client_id": "web", "jti": "t-1", "iat": now(), "exp": now() + 300,
        "scope": "orders:read orders:write",
    });
    claims.as_object().unwrap().clone()
}

fn encode(value: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(value)
}

/// A token whose header and payload are exactly these, signed with this key.
fn raw(signer: &SigningKey, header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", encode(header), encode(payload));
    let signature = signer.signature(signed.as_bytes()).unwrap();
    format!("{signed}.{}", encode(signature))
}

/// The values of a field that the server got.
pub(crate) fn told(answer: &Answer, name: &str) -> Vec<String> {
    let text = answer.text();
    let lines = text.split("\r\n").filter_map(|line| line.split_once(": "));
    lines.filter(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).collect()
}

#[test]
fn a_key_opens_and_the_server_is_told_whose_it_is_and_not_the_key() {
    let house = House::new(&either());
    let key = house.key(|record| {
        record.username = "The Shop".to_owned();
        record.scopes = vec!["orders:read".to_owned()];
    });
    let line = format!(
        "X-API-Key: {}\r\nX-Consumer-ID: root\r\nX-Authenticated-Scope: all\r\nConnection: x-consumer-id\r\n",
        key.reveal()
    );
    let answer = eventually("the key is known", || Some(house.ask(&line)).filter(|answer| answer.status == 200));
    assert_eq!(told(&answer, "x-consumer-id"), ["shop"]);
    assert_eq!(told(&answer, "x-consumer-username"), ["The%20Shop"]);
    assert_eq!(told(&answer, "x-credential-id"), [key.id()]);
    assert_eq!(told(&answer, "x-authenticated-scope"), ["orders:read"]);
    assert_eq!(told(&answer, "x-api-key"), [""; 0]);
    let record = house.gate().records().of(answer.field("x-request-id").unwrap());
    for (member, value) in
        [("principal", "shop"), ("credential", key.id()), ("scheme", "api_key"), ("identify", "demand")]
    {
        assert_eq!(record[member], value, "{record}");
    }
    let (store, _) = house.store();
    eventually("its use is noted", || store.key(key.number()).unwrap().last_used_at);
    assert!(!house.gate().records().text().contains(secret(&key)), "the secret stands in a record");
}

#[test]
fn a_revoked_key_opens_nothing_on_any_worker() {
    let house = House::with(&either(), |plan| plan.workers = NonZeroUsize::new(4));
    let key = house.key(|_| {});
    let line = format!("X-API-Key: {}\r\n", key.reveal());
    eventually("the key is known", || (house.ask(&line).status == 200).then_some(()));
    house.store().0.revoke(&[key.number()], now()).unwrap();
    eventually("the key is revoked", || (house.ask(&line).status == 401).then_some(()));
    for _ in 0..20 {
        let answer = house.refused(&line, 401, "invalid_api_key", "a revoked key");
        let algorithms = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA";
        let dpop = format!("DPoP realm=\"api\", algs=\"{algorithms}\"");
        assert_eq!(
            answer.all("www-authenticate"),
            ["Bearer realm=\"api\"", dpop.as_str(), "ApiKey realm=\"api\", header=\"x-api-key\""]
        );
    }
    house.good_token_works("a revoked key");
}

#[test]
fn keys_that_open_nothing() {
    let house = House::new(&either());
    let good = house.key(|_| {});
    let expired = house.key(|record| record.expires_at = Some(now() - 1));
    let elsewhere = house.key(|record| record.apis = vec!["other".to_owned()]);
    let far = house.key(|record| record.networks = vec!["192.0.2.0/24".parse().unwrap()]);
    let stranger = KeyText::mint("pk", &[9; ENTROPY_BYTES]).unwrap();
    let text = good.reveal().to_owned();
    eventually("the key is known", || (house.ask(&format!("X-API-Key: {text}\r\n")).status == 200).then_some(()));
    let mut wrong = text.clone();
    wrong.replace_range(20..21, if &text[20..21] == "a" { "b" } else { "a" });
    let lines = |value: &str| format!("X-API-Key: {value}\r\n");
    for (about, lines, status, code) in [
        ("expired", lines(expired.reveal()), 401, "invalid_api_key"),
        ("for another API", lines(elsewhere.reveal()), 401, "invalid_api_key"),
        ("for another network", lines(far.reveal()), 401, "invalid_api_key"),
        ("of nobody", lines(stranger.reveal()), 401, "invalid_api_key"),
        ("with a typing error", lines(&wrong), 401, "invalid_api_key"),
        ("empty", lines(""), 401, "invalid_api_key"),
        ("quoted", lines(&format!("\"{text}\"")), 401, "invalid_api_key"),
        ("two in one", lines(&format!("{text}, {text}")), 401, "invalid_api_key"),
        ("twice", lines(&text).repeat(2), 400, "ambiguous_credential"),
        ("as a token", format!("Authorization: Bearer {text}\r\n"), 401, "invalid_token"),
        ("beside a bad token", format!("{}Authorization: Bearer a.b.c\r\n", lines(&text)), 401, "invalid_token"),
        ("under a name with a line", format!("X_API_Key: {text}\r\n"), 401, "missing_credential"),
        ("missing", String::new(), 401, "missing_credential"),
    ] {
        house.refused(&lines, status, code, about);
        assert_eq!(house.ask(&format!("X-API-Key: {text}\r\n")).status, 200, "a good key after one {about}");
    }
    for query in [format!("x={text}"), format!("api_key={text}"), "a=1&access_token=x".to_owned()] {
        let before = house.upstream.requests();
        let answer = house.ask_from(&house.fresh_address(), &format!("/?{query}"), &lines(&text));
        problem(&answer, 400, "credential_in_query", &query);
        assert_eq!(house.upstream.requests(), before, "{query}");
    }
    let records = house.gate().records();
    eventually("the exposed key is named", || {
        records.text().contains(&format!("the key {} is exposed", good.id())).then_some(())
    });
    assert!(!records.text().contains(secret(&good)), "the secret stands in a record");
}

#[test]
fn a_token_opens_and_is_not_passed_on() {
    let house = House::new(&either());
    for round in 0..3 {
        let token = house.token(|claims| drop(claims.insert("sub".to_owned(), json!("a\r\nX-Consumer-ID: root"))));
        let answer = house.bearer(&token);
        assert_eq!(answer.status, 200, "round {round}");
        assert_eq!(told(&answer, "x-consumer-id"), ["a%0D%0AX-Consumer-ID:%20root"]);
        assert_eq!(told(&answer, "x-authenticated-scope"), ["orders:read orders:write"]);
        assert_eq!(told(&answer, "x-credential-id"), ["t-1"]);
        assert_eq!(told(&answer, "authorization"), [""; 0]);
    }
    assert_eq!(house.ask(&format!("authorization: BEARER {}\r\n", house.token(|_| {}))).status, 200);
    assert!(house.gate().records().wait_for(4).len() >= 4);
    let signature = house.token(|_| {}).rsplit_once('.').unwrap().1.to_owned();
    assert!(!house.gate().records().text().contains(&signature));
    let open = House::with(&either(), |plan| plan.apis[0].forward_credential = true);
    let token = open.token(|_| {});
    assert_eq!(told(&open.bearer(&token), "authorization"), [format!("Bearer {token}")]);
}

#[expect(clippy::too_many_lines, reason = "a table of attacks")]
/// Tokens of which none may open anything, each with what is wrong with it.
fn attacks(house: &House) -> Vec<(String, String)> {
    let signer = &house.signer;
    let id = signer.id();
    let body = Value::Object(claims()).to_string();
    let header = |more: &str| format!(r#"{{"typ":"at+jwt","alg":"EdDSA","kid":"{id}"{more}}}"#);
    let good = raw(signer, &header(""), &body);
    assert_eq!(house.bearer(&good).status, 200, "the attacks begin at a good token");
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (head, payload) = signed.split_once('.').unwrap();
    let stranger = SigningKey::from_seed(&[8; 32]).unwrap();
    let mut attacks: Vec<(String, String)> = Vec::new();
    let mut add = |about: &str, token: String| attacks.push((about.to_owned(), token));
    for none in ["none", "None", "NONE", "nOnE"] {
        let head = encode(format!(r#"{{"typ":"at+jwt","alg":"{none}"}}"#));
        add(none, format!("{head}.{payload}."));
        add("none with the signature", format!("{head}.{payload}.{signature}"));
    }
    for alg in ["HS256", "RS256", "PS256", "ES256", "ES384", "eddsa", "Ed448", "", "EdDSA "] {
        add(alg, raw(signer, &header("").replace("EdDSA", alg), &body));
    }
    for more in [
        r#","crit":["exp"]"#,
        r#","crit":[]"#,
        r#","b64":false"#,
        r#","b64":true"#,
        r#","zip":"DEF""#,
        r#","alg":"EdDSA""#,
        r#","kid":"x""#,
    ] {
        add(more, raw(signer, &header(more), &body));
    }
    for kid in [r#""../../dev/null""#, r#""' OR '1'='1""#, r#""""#, "1", "null", "[]", r#""x""#] {
        add(&format!("kid {kid}"), raw(signer, &header("").replace(&format!("\"{id}\""), kid), &body));
    }
    for typ in ["JWT", "dpop+jwt", "logout+jwt", "id_token", "at+jwt;x", ""] {
        add(&format!("typ {typ}"), raw(signer, &header("").replace("at+jwt", typ), &body));
    }
    let own = stranger.public_jwk();
    add("another key", raw(&stranger, &header(""), &body));
    add("an embedded key", raw(&stranger, &header(&format!(r#","jwk":{own}"#)), &body));
    add("a spoofed set", raw(&stranger, &header(r#","jku":"https://evil.test/jwks""#), &body));
    add("a spoofed certificate", raw(&stranger, &header(r#","x5u":"https://evil.test/c","x5c":["AA=="]"#), &body));
    for (name, value) in [
        ("iss", json!("https://evil.test")),
        ("iss", json!([ISSUER])),
        ("iss", json!("https://idp.test/")),
        ("aud", json!("billing")),
        ("aud", json!([])),
        ("aud", json!({ "orders": true })),
        ("exp", json!("9999999999")),
        ("exp", json!(-1)),
        ("exp", Value::Null),
        ("nbf", json!(now() + 3600)),
        ("nbf", json!("0")),
        ("iat", json!(now() + 3600)),
        ("iat", Value::Null),
        ("sub", json!("")),
        ("sub", json!(1)),
        ("client_id", Value::Null),
        ("jti", json!("")),
    ] {
        add(&format!("{name} {value}"), house.token(|claims| drop(claims.insert(name.to_owned(), value))));
    }
    for name in ["iss", "aud", "exp", "iat", "sub", "client_id", "jti"] {
        add(&format!("without {name}"), house.token(|claims| drop(claims.remove(name))));
    }
    let other = encode(body.replace("ada", "eve"));
    add("another payload", format!("{head}.{other}.{signature}"));
    add("no signature", format!("{head}.{payload}."));
    add("a blank signature", format!("{head}.{payload}.{}", encode([0; 64])));
    add("a short signature", format!("{head}.{payload}.{}", &signature[..40]));
    add("two parts", format!("{head}.{payload}"));
    add("five parts", format!("{good}.{payload}.{signature}"));
    add("padding", format!("{good}=="));
    add("two payloads in one", raw(signer, &header(""), &body.replacen('{', r#"{"sub":"eve","#, 1)));
    add("a list", raw(signer, &header(""), "[]"));
    add("no JSON", raw(signer, &header(""), "sub=ada"));
    add("too long", raw(signer, &header(""), &body.replace("ada", &"a".repeat(13_000))));
    attacks
}

#[test]
fn tokens_that_open_nothing() {
    let house = House::new(&either());
    let good = house.token(|_| {});
    let attacks = attacks(&house);
    assert!(attacks.len() >= 60, "{}", attacks.len());
    for (about, token) in &attacks {
        let before = house.upstream.requests();
        let answer = house.bearer(token);
        let refused = (answer.status, answer.code());
        assert!([401].contains(&refused.0), "{about}: {refused:?}");
        assert!(["invalid_token", "expired_token"].contains(&refused.1.as_str()), "{about}: {refused:?}");
        assert_eq!(house.upstream.requests(), before, "{about}");
        assert!(answer.all("www-authenticate")[0].contains("error=\"invalid_token\""), "{about}");
        house.good_token_works(about);
    }
    let expired = house.token(|claims| drop(claims.insert("exp".to_owned(), json!(now() - 60))));
    house.refused(&format!("Authorization: Bearer {expired}\r\n"), 401, "expired_token", "expired");
    let bound = house.token(|claims| drop(claims.insert("cnf".to_owned(), json!({ "jkt": "x" }))));
    house.refused(&format!("Authorization: Bearer {bound}\r\n"), 401, "insufficient_binding", "a bound token");
    for (lines, status, code) in [
        (format!("Authorization: Bearer {good}\r\n").repeat(2), 400, "ambiguous_credential"),
        (format!("Authorization: Bearer {good}, Bearer {good}\r\n"), 401, "invalid_token"),
        (format!("Authorization: DPoP {good}\r\n"), 401, "insufficient_binding"),
        (format!("Authorization: Basic {good}\r\n"), 401, "invalid_token"),
        (format!("Authorization: {good}\r\n"), 401, "invalid_token"),
        ("Authorization:\r\n".to_owned(), 401, "invalid_token"),
        (format!("X-API-Key: {good}\r\n"), 401, "invalid_api_key"),
        (format!("Cookie: access_token={good}\r\n"), 401, "missing_credential"),
        (format!("Proxy-Authorization: Bearer {good}\r\n"), 401, "missing_credential"),
        (format!("X-Identity-Token: {good}\r\nX-Consumer-ID: ada\r\n"), 401, "missing_credential"),
    ] {
        house.refused(&lines, status, code, &lines);
        house.good_token_works(&lines);
    }
}

#[test]
fn every_bad_signature_of_wycheproof_is_refused() {
    let house = House::new(&either());
    let path = suite::folder("jose").join("wycheproof_json_web_signature.json");
    let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let groups = document["testGroups"].as_array().unwrap();
    let vectors = groups.iter().flat_map(|group| group["tests"].as_array().unwrap());
    let mut count = 0;
    for vector in vectors.filter(|vector| vector["result"] == "invalid") {
        let Some(jws) = vector["jws"].as_str() else { continue };
        let answer = house.bearer(jws);
        assert_eq!(answer.status, 401, "{}", vector["tcId"]);
        count += 1;
    }
    assert_eq!((count, house.upstream.requests()), (355, 0));
    house.good_token_works("all of them");
}

#[test]
fn a_revoked_token_opens_nothing_even_where_it_was_just_verified() {
    let house = House::new(&either());
    let (token, other) =
        (house.token(|_| {}), house.token(|claims| drop(claims.insert("jti".to_owned(), json!("t-2")))));
    assert_eq!((house.bearer(&token).status, house.bearer(&other).status), (200, 200));
    let revocation = Revocation {
        by: RevokedBy::TokenId,
        issuer: ISSUER.to_owned(),
        name: "t-1".to_owned(),
        revoked_at: now(),
        until: u64::MAX,
    };
    house.store().0.revoke_tokens(&[revocation], now()).unwrap();
    eventually("the token is revoked", || (house.bearer(&token).code() == "revoked_token").then_some(()));
    assert_eq!(house.bearer(&other).status, 200);
}

#[test]
fn whoever_fails_too_often_waits_and_nobody_else() {
    let house = House::new(&either());
    let mut codes = Vec::new();
    for _ in 0..14 {
        codes.push(house.ask_from("10.9.9.9", "/", "Authorization: Bearer a.b.c\r\n").code());
    }
    assert_eq!(codes[..10], ["invalid_token"; 10]);
    assert_eq!(codes[11], "too_many_failures", "{codes:?}");
    let good = format!("Authorization: Bearer {}\r\n", house.token(|_| {}));
    let answer = house.ask_from("10.9.9.9", "/", &good);
    problem(&answer, 429, "too_many_failures", "a good token from there");
    assert!(answer.field("retry-after").is_some_and(|value| value.parse::<u64>().is_ok_and(|seconds| seconds > 0)));
    assert_eq!(house.ask_from("10.9.9.8", "/", &good).status, 200);
    problem(&house.ask_from("10.9.9.9", "/", ""), 401, "missing_credential", "no credential is no attempt");
}

#[test]
fn methods_together() {
    let anonymous = House::new(&any_of(&[Scheme::Jwt], true));
    let answer = anonymous.ask("X-Consumer-ID: root\r\n");
    assert_eq!((answer.status, told(&answer, "x-consumer-id").len()), (200, 0), "nobody in particular");
    anonymous.refused("Authorization: Bearer a.b.c\r\n", 401, "invalid_token", "a bad credential is not nobody");
    let both = House::new(&demand(Demand::AllOf(vec![Scheme::ApiKey, Scheme::Jwt])));
    let key = both.key(|_| {});
    let (key, token) =
        (format!("X-API-Key: {}\r\n", key.reveal()), format!("Authorization: Bearer {}\r\n", both.token(|_| {})));
    let answer =
        eventually("both open", || Some(both.ask(&format!("{key}{token}"))).filter(|answer| answer.status == 200));
    assert_eq!(told(&answer, "x-consumer-id"), ["shop"], "the first method says who calls");
    both.refused(&key, 401, "missing_credential", "the key alone");
    both.refused(&token, 401, "missing_credential", "the token alone");
    let keys = House::new(&any_of(&[Scheme::ApiKey], false));
    keys.refused(&token, 401, "missing_credential", "a token where keys are demanded");
}

/// The part of a key that nobody else may see.
fn secret(key: &KeyText) -> &str {
    key.reveal().split('_').nth(2).unwrap()
}

#[test]
fn a_claim_chooses_the_same_server_each_time() {
    let names = ["a", "b", "c"];
    let servers =
        names.map(|name| FakeUpstream::answering(format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{name}")));
    let house = House::with(&either(), |plan| {
        gateway::each_upstream(plan, |upstream| {
            upstream.targets = servers.iter().map(|server| gateway::target(server.address())).collect();
            upstream.pool.balance = portcullis_config::plan::Balance::Claim("tenant".to_owned());
        });
    });
    let mut seen = std::collections::BTreeSet::new();
    for tenant in 0..12 {
        let tenant = if tenant % 2 == 0 { json!(format!("tenant-{tenant}")) } else { json!(tenant) };
        // Another token each time: what counts is the claim.
        let served: Vec<String> = (0..4)
            .map(|round| {
                let token = house.token(|claims| {
                    claims.insert("tenant".to_owned(), tenant.clone());
                    claims.insert("jti".to_owned(), json!(format!("{tenant}-{round}")));
                });
                house.bearer(&token).text()
            })
            .collect();
        assert!(served.iter().all(|name| *name == served[0]), "{tenant}: {served:?}");
        seen.insert(served[0].clone());
    }
    assert!(seen.len() > 1, "all tenants go to {seen:?}");
}
