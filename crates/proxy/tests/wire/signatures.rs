//! Requests that are signed: what a signature has to cover, that it opens once, and bodies that are not the signed ones.

use crate::check::problem;
use crate::http2::peer::Peer;
use crate::identity::{House, now, told};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use portcullis_auth::jwt::SigningKey;
use portcullis_auth::principal::{Demand, Scheme};
use portcullis_auth::signature::SignatureRules;
use portcullis_config::plan::{Authn, DemandPlan, ProofDemand, SignatureDemand, SignerKeys, SignerPlan};
use portcullis_testkit::scratch::Scratch;
use portcullis_testkit::{Answer, Client};
use portcullis_types::Secret;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// What is shared with one of them.
const SHARED: &str = "of the tests: thirty-two bytes and more";

static NONCES: AtomicU32 = AtomicU32::new(0);
/// The largest body that is held back here.
const HELD: u64 = 100_000;

struct Site {
    house: House,
    shop: SigningKey,
    other: SigningKey,
    _scratch: Scratch,
}

fn site(tag: Option<&str>) -> Site {
    let scratch = Scratch::new();
    let (shop, other) = (SigningKey::from_seed(&[1; 32]).unwrap(), SigningKey::from_seed(&[2; 32]).unwrap());
    let rules = SignatureRules {
        required: vec!["\"@method\"".to_owned(), "\"@target-uri\"".to_owned()],
        window_seconds: 60,
        skew_seconds: 10,
        nonce: true,
        tag: tag.map(str::to_owned),
    };
    let signature = SignatureDemand { signers: vec!["shop".into(), "hook".into()], rules, body_bytes: HELD };
    let authn = Authn::Demand(Arc::new(DemandPlan {
        demand: Demand::AnyOf { schemes: vec![Scheme::Signature, Scheme::ApiKey], anonymous: false },
        issuers: Vec::new(),
        introspection: None,
        proofs: ProofDemand { signature: Some(Arc::new(signature)), ..ProofDemand::default() },
        text: "test".to_owned(),
    }));
    let house = House::with(&authn, |plan| {
        let signer = |name: &str, key: &SigningKey| SignerPlan {
            name: name.into(),
            keys: SignerKeys::File(
                scratch.file(&format!("{name}.json"), &json!({ "keys": [key.public_jwk()] }).to_string()),
            ),
            scopes: vec!["orders:read".to_owned()],
            roles: Vec::new(),
        };
        let hook = SignerPlan {
            keys: SignerKeys::Secret { id: "hook-1".to_owned(), secret: Secret::new(SHARED.to_owned()) },
            ..signer("hook", &shop)
        };
        plan.identity.signers = vec![signer("shop", &shop), signer("other", &other), hook];
    });
    Site { house, shop, other, _scratch: scratch }
}

fn digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body)))
}

/// What is signed, each with its value.
fn parts(method: &str, digest: Option<&str>) -> Vec<(&'static str, String)> {
    let mut parts = vec![("@method", method.to_owned()), ("@target-uri", "http://api.test/a?x=1".to_owned())];
    parts.extend(digest.map(|digest| ("content-digest", digest.to_owned())));
    parts
}

fn parameters(key: &SigningKey) -> String {
    let nonce = NONCES.fetch_add(1, Ordering::Relaxed);
    format!(";created={};keyid=\"{}\";alg=\"ed25519\";nonce=\"n-{nonce}\"", now(), key.id())
}

/// What a signature says that it covers, and what is signed.
fn signed(parts: &[(&str, String)], parameters: &str) -> (String, String) {
    let names: Vec<String> = parts.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let line = format!("({}){parameters}", names.join(" "));
    let mut base: String = parts.iter().map(|(name, value)| format!("\"{name}\": {value}\n")).collect();
    base.push_str(&format!("\"@signature-params\": {line}"));
    (line, base)
}

fn sign(key: &SigningKey, parts: &[(&str, String)], parameters: &str) -> [(&'static str, String); 2] {
    let (line, base) = signed(parts, parameters);
    let signature = STANDARD.encode(key.signature(base.as_bytes()).unwrap());
    [("signature-input", format!("sig={line}")), ("signature", format!("sig=:{signature}:"))]
}

/// The same with a shared secret.
fn sign_shared(secret: &str, parts: &[(&str, String)], parameters: &str) -> [(&'static str, String); 2] {
    let (line, base) = signed(parts, parameters);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, base.as_bytes()));
    [("signature-input", format!("sig={line}")), ("signature", format!("sig=:{signature}:"))]
}

fn lines(fields: &[(&str, String)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect()
}

impl Site {
    fn send(&self, method: &str, fields: &str, body: &[u8]) -> Answer {
        let address = self.house.fresh_address();
        let head = format!("{method} /a?x=1 HTTP/1.1\r\nHost: api.test\r\nX-Forwarded-For: {address}\r\n{fields}\r\n");
        Client::connect(self.house.gate().address()).ask([head.as_bytes(), body].concat())
    }

    fn good(&self) -> String {
        lines(&sign(&self.shop, &parts("GET", None), &parameters(&self.shop)))
    }

    fn works(&self, after: &str) {
        assert_eq!(self.send("GET", &self.good(), b"").status, 200, "a good signature after {after}");
    }
}

#[test]
fn a_signature_opens_once() {
    let site = site(None);
    let good = site.good();
    let answer = site.send("GET", &good, b"");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(told(&answer, "x-consumer-id"), ["shop"]);
    assert_eq!(told(&answer, "x-credential-id"), [site.shop.id()]);
    assert_eq!(told(&answer, "x-authenticated-scope"), ["orders:read"]);
    assert!(told(&answer, "signature").is_empty() && told(&answer, "signature-input").is_empty(), "{}", answer.text());
    let record = site.house.gate().records().of(answer.field("x-request-id").unwrap());
    assert_eq!(record["scheme"], "signature", "{record}");
    problem(&site.send("GET", &good, b""), 401, "invalid_signature", "used before");
    let nothing = site.send("GET", "", b"");
    problem(&nothing, 401, "missing_credential", "none");
    assert!(nothing.all("www-authenticate").iter().any(|one| one.starts_with("Signature ")));
    site.works("those");
}

#[test]
fn a_shared_secret_signs_as_well_and_only_its_own_algorithm() {
    let site = site(None);
    let named = |alg: &str| {
        let nonce = NONCES.fetch_add(1, Ordering::Relaxed);
        format!(";created={};keyid=\"hook-1\";alg=\"{alg}\";nonce=\"n-{nonce}\"", now())
    };
    let good = lines(&sign_shared(SHARED, &parts("GET", None), &named("hmac-sha256")));
    let answer = site.send("GET", &good, b"");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(told(&answer, "x-consumer-id"), ["hook"]);
    assert_eq!(told(&answer, "x-credential-id"), ["hook-1"]);
    // The public key of the other one, as everybody knows it, is no secret either.
    let public = parameters(&site.shop).replace("ed25519", "hmac-sha256");
    for (about, fields) in [
        ("used before", good.clone()),
        (
            "another secret",
            lines(&sign_shared(&SHARED.replace("two", "six"), &parts("GET", None), &named("hmac-sha256"))),
        ),
        ("for another request", lines(&sign_shared(SHARED, &parts("POST", None), &named("hmac-sha256")))),
        ("by another algorithm's name", lines(&sign_shared(SHARED, &parts("GET", None), &named("ed25519")))),
        ("a key pair under the secret's name", lines(&sign(&site.shop, &parts("GET", None), &named("ed25519")))),
        ("a secret under a key pair's name", lines(&sign_shared(SHARED, &parts("GET", None), &public))),
    ] {
        problem(&site.send("GET", &fields, b""), 401, "invalid_signature", about);
        site.works(about);
    }
}

#[test]
fn what_is_no_good_signature_is_refused() {
    let site = site(None);
    let (shop, other, get) = (&site.shop, &site.other, parts("GET", None));
    let at = |seconds: i64, rest: &str| format!(";created={}{rest}", now().saturating_add_signed(seconds));
    let named = |rest: &str| format!(";keyid=\"{}\"{rest}", shop.id());
    let changed = |name: &str, value: &str| {
        let mut parts = parts("GET", None);
        parts.iter_mut().filter(|(have, _)| *have == name).for_each(|(_, have)| *have = value.to_owned());
        parts
    };
    let two = {
        let (one, another) = (sign(shop, &get, &parameters(shop)), sign(shop, &get, &parameters(shop)));
        lines(&one) + &lines(&another).replace("sig=", "sig2=")
    };
    let stranger = SigningKey::from_seed(&[9; 32]).unwrap();
    for (about, fields, status, code) in [
        ("with another key", lines(&sign(other, &get, &parameters(shop))), 401, "invalid_signature"),
        ("of a signer who is not accepted", lines(&sign(other, &get, &parameters(other))), 401, "invalid_signature"),
        ("of nobody", lines(&sign(&stranger, &get, &parameters(&stranger))), 401, "invalid_signature"),
        (
            "for another method",
            lines(&sign(shop, &changed("@method", "POST"), &parameters(shop))),
            401,
            "invalid_signature",
        ),
        (
            "for another query",
            lines(&sign(shop, &changed("@target-uri", "http://api.test/a?x=2"), &parameters(shop))),
            401,
            "invalid_signature",
        ),
        (
            "for another scheme",
            lines(&sign(shop, &changed("@target-uri", "https://api.test/a?x=1"), &parameters(shop))),
            401,
            "invalid_signature",
        ),
        ("over too little", lines(&sign(shop, &get[..1], &parameters(shop))), 401, "invalid_signature"),
        ("too old", lines(&sign(shop, &get, &at(-70, &named(";nonce=\"a\"")))), 401, "invalid_signature"),
        ("from the future", lines(&sign(shop, &get, &at(60, &named(";nonce=\"b\"")))), 401, "invalid_signature"),
        ("without a time", lines(&sign(shop, &get, &named(";nonce=\"c\""))), 401, "invalid_signature"),
        ("without a nonce", lines(&sign(shop, &get, &at(0, &named("")))), 401, "invalid_signature"),
        ("without a key", lines(&sign(shop, &get, &at(0, ";nonce=\"d\""))), 401, "invalid_signature"),
        ("of two", two, 400, "ambiguous_credential"),
        ("in half", lines(&sign(shop, &get, &parameters(shop))[..1]), 401, "invalid_signature"),
        ("in the other half", lines(&sign(shop, &get, &parameters(shop))[1..]), 401, "invalid_signature"),
        ("of no form", "Signature-Input: x\r\nSignature: x\r\n".to_owned(), 401, "invalid_signature"),
    ] {
        problem(&site.send("GET", &fields, b""), status, code, about);
        site.works(about);
    }
    let key = site.house.known_key();
    let with_key = format!("X-API-Key: {}\r\n", key.reveal());
    assert_eq!(site.send("GET", &with_key, b"").status, 200);
    let bad = lines(&sign(other, &get, &parameters(shop)));
    problem(&site.send("GET", &(with_key + &bad), b""), 401, "invalid_signature", "a bad one beside a good key");
}

#[test]
fn a_tag_passes_over_signatures_for_others() {
    let site = site(Some("orders"));
    let tagged = |tag: &str| {
        let parameters = format!("{};tag=\"{tag}\"", parameters(&site.shop));
        lines(&sign(&site.shop, &parts("GET", None), &parameters))
    };
    assert_eq!(site.send("GET", &tagged("orders"), b"").status, 200);
    problem(&site.send("GET", &tagged("other"), b""), 401, "missing_credential", "a signature for somebody else");
}

#[test]
fn a_body_goes_on_only_if_it_is_the_signed_one() {
    let site = site(None);
    let post = |digest: &str| {
        let mut fields = sign(&site.shop, &parts("POST", Some(digest)), &parameters(&site.shop)).to_vec();
        fields.push(("content-digest", digest.to_owned()));
        lines(&fields)
    };
    let length = |body: &[u8]| format!("Content-Length: {}\r\n", body.len());
    let chunked = |body: &[u8]| [format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n0\r\n\r\n"].concat();
    for size in [1, 100, 20_000, 100_000] {
        let body = vec![b'x'; size];
        let answer = site.send("POST", &(post(&digest(&body)) + &length(&body)), &body);
        assert!(answer.status == 200 && answer.body.ends_with(&body), "{size}: {}", answer.status);
        let fields = post(&digest(&body)) + "Transfer-Encoding: chunked\r\n";
        let answer = site.send("POST", &fields, &chunked(&body));
        // In however many chunks it goes on.
        let text = answer.text();
        let chunks = text.split("\r\n").filter(|line| !line.is_empty() && line.bytes().all(|byte| byte == b'x'));
        let sum: usize = chunks.map(str::len).sum();
        assert_eq!((answer.status, sum), (200, size));
    }
    let empty = site.send("POST", &(post(&digest(b"")) + "Transfer-Encoding: chunked\r\n"), b"0\r\n\r\n");
    assert_eq!(empty.status, 200, "an empty body in chunks");
    let before = site.house.upstream_requests();
    let (hello, large) = (b"hello", vec![b'x'; usize::try_from(HELD).unwrap() + 1]);
    let uncovered = lines(&sign(&site.shop, &parts("POST", None), &parameters(&site.shop)));
    for (about, fields, body, status, code) in [
        ("another body", post(&digest(b"other")) + &length(hello), hello.to_vec(), 400, "digest_mismatch"),
        (
            "another body in chunks",
            post(&digest(b"other")) + "Transfer-Encoding: chunked\r\n",
            chunked(hello),
            400,
            "digest_mismatch",
        ),
        ("an unknown digest", post("md5=:eA==:") + &length(hello), hello.to_vec(), 400, "digest_mismatch"),
        ("no digest", uncovered.clone() + &length(hello), hello.to_vec(), 401, "invalid_signature"),
        (
            "a digest that is not signed",
            uncovered + &format!("Content-Digest: {}\r\n", digest(hello)) + &length(hello),
            hello.to_vec(),
            401,
            "invalid_signature",
        ),
        ("more than is held", post(&digest(&large)) + &length(&large), large.clone(), 413, "body_too_large"),
        (
            "more than is held, in chunks",
            post(&digest(&large)) + "Transfer-Encoding: chunked\r\n",
            chunked(&large),
            413,
            "body_too_large",
        ),
    ] {
        problem(&site.send("POST", &fields, &body), status, code, about);
    }
    assert_eq!(site.house.upstream_requests(), before, "nothing of them reached the server");
    site.works("bodies");
}

/// A request behind the refused one is not read as its body, nor the other way round.
#[test]
fn a_refused_body_takes_its_connection_along() {
    let site = site(None);
    let digest = digest(b"other");
    let mut fields = sign(&site.shop, &parts("POST", Some(&digest)), &parameters(&site.shop)).to_vec();
    fields.push(("content-digest", digest));
    let head = format!("POST /a?x=1 HTTP/1.1\r\nHost: api.test\r\nContent-Length: 5\r\n{}\r\nhello", lines(&fields));
    let mut client = Client::connect(site.house.gate().address());
    let answer = client.ask(head + "GET /a?x=1 HTTP/1.1\r\nHost: api.test\r\n\r\n");
    problem(&answer, 400, "digest_mismatch", "another body");
    assert!(answer.says_close());
    client.expect_end();
}

#[test]
fn all_of_it_holds_over_http2() {
    let site = site(None);
    let mut peer = Peer::connect(site.house.gate().address());
    let mut post = |signed: &[u8], sent: &[u8]| {
        let digest = digest(signed);
        let mut fields = sign(&site.shop, &parts("POST", Some(&digest)), &parameters(&site.shop)).to_vec();
        fields.push(("content-digest", digest));
        fields.push(("x-forwarded-for", site.house.fresh_address()));
        let mut request = Request::post("http://api.test/a?x=1");
        for (name, value) in fields {
            request = request.header(name, value);
        }
        let got = peer.ask(request.body(()).unwrap(), sent);
        let problem = serde_json::from_slice::<serde_json::Value>(&got.body).unwrap_or_default();
        (got.status, problem["code"].as_str().unwrap_or_default().to_owned(), got.text())
    };
    for size in [1, 70_000] {
        let body = vec![b'y'; size];
        let (status, _, text) = post(&body, &body);
        assert!(status == 200 && text.matches('y').count() >= size, "{size}: {status}");
    }
    let before = site.house.upstream_requests();
    assert_eq!(post(b"other", b"hello").1, "digest_mismatch");
    let large = vec![b'x'; usize::try_from(HELD).unwrap() + 1];
    assert_eq!(post(&large, &large).1, "body_too_large");
    assert_eq!(site.house.upstream_requests(), before);
    assert_eq!(post(b"hello", b"hello").0, 200);
}
