//! Tokens that say nothing themselves: what their issuer says is asked once, kept for a while, and believed only where it is clear.

use crate::check::problem;
use crate::dpop;
use crate::identity::{House, now, told};
use crate::issuers::endpoint;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_auth::jwt::SigningKey;
use portcullis_auth::principal::{Demand, Scheme};
use portcullis_auth::revocation::{Revocation, RevokedBy};
use portcullis_config::plan::{Authn, ClientPlan, DemandPlan, IntrospectionPlan};
use portcullis_testkit::FakeUpstream;
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::scratch::Scratch;
use portcullis_types::Secret;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECRET: &str = "s3cret:of/the gateway";

/// What the issuer's server does: an answer, nothing at all, or an answer after a while.
type Mood = Arc<Mutex<(Duration, Option<String>)>>;

pub(crate) fn json_answer(body: &Value) -> String {
    let body = body.to_string();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn good() -> Value {
    json!({ "active": true, "aud": "orders", "sub": "ada", "client_id": "web", "scope": "orders:read", "jti": "o-1",
            "exp": now() + 300 })
}

/// How an issuer's server is asked.
pub(crate) fn asked_at(server: SocketAddr) -> IntrospectionPlan {
    IntrospectionPlan {
        at: endpoint(server, "/introspect?tenant=1"),
        client: ClientPlan::Basic { id: "gate".to_owned(), secret: Secret::new(SECRET.to_owned()) },
        audience_optional: false,
        keep_active: Duration::from_secs(60),
        keep_inactive: Duration::from_secs(60),
        timeout: Duration::from_millis(1_000),
    }
}

struct Provider {
    mood: Mood,
    server: FakeUpstream,
    house: House,
}

impl Provider {
    fn new(schemes: &[Scheme], change: impl FnOnce(&mut IntrospectionPlan)) -> Self {
        let mood: Mood = Arc::new(Mutex::new((Duration::ZERO, Some(json_answer(&good())))));
        let told = Arc::clone(&mood);
        let server = FakeUpstream::with(move |talk| {
            while talk.request().is_some() {
                let (pause, answer) = told.lock().unwrap().clone();
                // SLEEP: a server that takes its time.
                std::thread::sleep(pause);
                match answer {
                    Some(text) => drop(talk.send(text)),
                    None => return,
                }
            }
        });
        let mut plan = asked_at(server.address());
        change(&mut plan);
        let authn = Authn::Demand(Arc::new(DemandPlan {
            demand: Demand::AnyOf { schemes: schemes.to_vec(), anonymous: false },
            issuers: vec!["corp".into()],
            introspection: Some("corp".into()),
            proofs: Default::default(),
            text: "test".to_owned(),
        }));
        let house = House::with(&authn, |whole| {
            whole.workers = NonZeroUsize::new(2);
            whole.identity.issuers[0].introspection = Some(plan);
        });
        Self { mood, server, house }
    }

    fn opaque() -> Self {
        Self::new(&[Scheme::Introspection, Scheme::ApiKey], |_| {})
    }

    fn says(&self, body: &Value) {
        *self.mood.lock().unwrap() = (Duration::ZERO, Some(json_answer(body)));
    }
}

#[test]
fn a_token_is_asked_about_once_and_opens() {
    let provider = Provider::opaque();
    provider.mood.lock().unwrap().0 = Duration::from_millis(300);
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..16).map(|_| scope.spawn(|| provider.house.bearer("opaque-1"))).collect();
        for answer in asking {
            let answer = answer.join().unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(told(&answer, "x-consumer-id"), ["ada"]);
            assert_eq!(told(&answer, "x-authenticated-scope"), ["orders:read"]);
            assert_eq!(told(&answer, "x-credential-id"), ["o-1"]);
            assert_eq!(told(&answer, "authorization"), [""; 0]);
        }
    });
    for _ in 0..20 {
        assert_eq!(provider.house.bearer("opaque-1").status, 200);
    }
    assert_eq!(provider.server.requests(), 1, "questions about one token, whichever cores have met it");
    let asked = provider.server.text();
    assert!(asked.starts_with("POST /introspect?tenant=1 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("authorization: Basic Z2F0ZTpzM2NyZXQlM0FvZiUyRnRoZStnYXRld2F5\r\n"), "{asked}");
    assert!(asked.contains("\r\n\r\ntoken=opaque-1&token_type_hint=access_token"), "{asked}");
    let records = provider.house.gate().records();
    let answer = provider.house.bearer("opaque-1");
    let record = records.of(answer.field("x-request-id").unwrap());
    assert_eq!((record["principal"].as_str(), record["scheme"].as_str()), (Some("ada"), Some("introspection")));
    for secret in ["opaque-1", SECRET, "Z2F0ZTpz"] {
        assert!(!records.text().contains(secret), "{secret} stands in a record");
    }
    let metric = "portcullis_introspections_total{issuer=\"corp\",answer=\"active\"}";
    assert!(provider.house.gate().metric(metric) > 0.5);
}

#[test]
fn a_bad_token_is_refused_and_remembered_for_a_while() {
    let provider = Provider::opaque();
    for (about, body) in [
        ("inactive", json!({ "active": false })),
        ("for others", json!({ "active": true, "aud": "billing", "sub": "ada" })),
        ("for nobody said", json!({ "active": true, "sub": "ada" })),
        ("of another issuer", json!({ "active": true, "aud": "orders", "sub": "ada", "iss": "https://evil.test" })),
        ("over", json!({ "active": true, "aud": "orders", "sub": "ada", "exp": now() - 1 })),
        ("not yet", json!({ "active": true, "aud": "orders", "sub": "ada", "nbf": now() + 3600 })),
        ("of nobody", json!({ "active": true, "aud": "orders" })),
    ] {
        provider.says(&body);
        let token = format!("bad-{}", about.replace(' ', "-"));
        let before = provider.server.requests();
        for _ in 0..6 {
            let answer = provider.house.bearer(&token);
            problem(&answer, 401, "invalid_token", about);
            assert!(answer.all("www-authenticate")[0].contains("error=\"invalid_token\""), "{about}");
        }
        assert_eq!(provider.server.requests(), before + 1, "{about}: it is not asked about each time");
        provider.says(&good());
        assert_eq!(provider.house.bearer(&format!("good-{token}")).status, 200, "a good token after one {about}");
    }
    provider.says(&json!({ "active": true, "aud": "orders", "sub": "ada", "cnf": { "jkt": "x" } }));
    problem(&provider.house.bearer("bound"), 401, "insufficient_binding", "a bound token");
}

#[test]
fn an_answer_that_is_none_opens_nothing() {
    let provider = Provider::opaque();
    let text = |text: &str| Some(text.to_owned());
    let html = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 15\r\n\r\n{\"active\":true}";
    for (about, mood) in [
        ("nothing", (Duration::ZERO, None)),
        ("too late", (Duration::from_millis(1_500), Some(json_answer(&good())))),
        ("unauthorized", (Duration::ZERO, text("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"))),
        ("elsewhere", (Duration::ZERO, text("HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n"))),
        ("a page", (Duration::ZERO, text(html))),
        ("no object", (Duration::ZERO, Some(json_answer(&json!([true]))))),
        ("no boolean", (Duration::ZERO, Some(json_answer(&json!({ "active": "true", "aud": "orders", "sub": "a" }))))),
        ("too much", (Duration::ZERO, Some(json_answer(&json!({ "active": true, "x": "x".repeat(70_000) }))))),
    ] {
        *provider.mood.lock().unwrap() = mood;
        let token = format!("t-{}", about.replace(' ', "-"));
        problem(&provider.house.bearer(&token), 503, "issuer_unavailable", about);
        provider.says(&good());
        eventually("the issuer is asked again", || (provider.house.bearer(&token).status == 200).then_some(()));
    }
    assert!(provider.house.gate().metric("portcullis_introspections_total{issuer=\"corp\",answer=\"failed\"}") > 7.5);
    // What is known already stands while the server is gone.
    *provider.mood.lock().unwrap() = (Duration::ZERO, None);
    (0..8).for_each(|_| assert_eq!(provider.house.bearer("t-nothing").status, 200));
}

#[test]
fn no_answer_outlives_its_token_or_a_revocation() {
    let provider = Provider::opaque();
    let mut short = good();
    short["exp"] = json!(now() + 2);
    provider.says(&short);
    assert_eq!(provider.house.bearer("short").status, 200);
    provider.says(&json!({ "active": false }));
    eventually("it is over", || (provider.house.bearer("short").code() == "invalid_token").then_some(()));
    provider.says(&good());
    assert_eq!(provider.house.bearer("long").status, 200);
    let revocation = Revocation {
        by: RevokedBy::Subject,
        issuer: "https://idp.test".to_owned(),
        name: "ada".to_owned(),
        revoked_at: now() + 1,
        until: u64::MAX,
    };
    provider.house.store().0.revoke_tokens(&[revocation], now()).unwrap();
    eventually("the subject is revoked", || (provider.house.bearer("long").code() == "revoked_token").then_some(()));
}

#[test]
fn each_request_is_asked_about_where_nothing_is_kept() {
    let provider = Provider::new(&[Scheme::Introspection], |plan| plan.keep_active = Duration::ZERO);
    for round in 1..5 {
        assert_eq!(provider.house.bearer("t").status, 200);
        assert_eq!(provider.server.requests(), round);
    }
    provider.says(&json!({ "active": false }));
    problem(&provider.house.bearer("t"), 401, "invalid_token", "withdrawn a moment ago");
}

#[test]
fn a_reload_forgets_no_answer_unless_the_rules_are_others() {
    let provider = Provider::opaque();
    let gate = provider.house.gate();
    assert_eq!(provider.house.bearer("t").status, 200);
    provider.says(&json!({ "active": false }));
    problem(&provider.house.bearer("u"), 401, "invalid_token", "withdrawn");
    let asked = provider.server.requests();
    // Another plan as far as everybody else is concerned.
    let mut plan = gate.plan();
    plan.hash = "other".to_owned();
    gate.handle().reload(plan.clone()).unwrap();
    for _ in 0..8 {
        assert_eq!(provider.house.bearer("t").status, 200);
        problem(&provider.house.bearer("u"), 401, "invalid_token", "withdrawn");
    }
    assert_eq!(provider.server.requests(), asked, "nobody was asked again");
    plan.hash = "stricter".to_owned();
    plan.identity.issuers[0].audiences = vec!["billing".to_owned()];
    gate.handle().reload(plan).unwrap();
    provider.says(&good());
    (0..8)
        .for_each(|_| problem(&provider.house.bearer("t"), 401, "invalid_token", "a token for what it was for before"));
    assert_eq!(provider.server.requests(), asked + 1);
}

#[test]
fn questions_share_a_connection_and_one_that_is_gone_is_made_anew() {
    let provider = Provider::opaque();
    for number in 0..8 {
        assert_eq!(provider.house.bearer(&format!("t{number}")).status, 200);
    }
    // A pause of the machine may make one too old to be used again.
    let connections = provider.server.connections();
    assert!(connections < 8, "{connections} connections for 8 questions");
    *provider.mood.lock().unwrap() = (Duration::ZERO, None);
    problem(&provider.house.bearer("t8"), 503, "issuer_unavailable", "a server that hangs up");
    provider.says(&good());
    assert_eq!(provider.house.bearer("t9").status, 200);
}

#[test]
fn signed_tokens_are_verified_here_and_those_of_strangers_shown_to_nobody() {
    let provider = Provider::new(&[Scheme::Jwt, Scheme::Introspection], |_| {});
    let house = &provider.house;
    assert_eq!(house.bearer(&house.token(|_| {})).status, 200);
    let evil = house.token(|claims| drop(claims.insert("iss".to_owned(), json!("https://evil.test"))));
    problem(&house.bearer(&evil), 401, "invalid_token", "a stranger's token");
    let broken = house.token(|claims| drop(claims.insert("aud".to_owned(), json!("billing"))));
    problem(&house.bearer(&broken), 401, "invalid_token", "the issuer's token for others");
    let (signed, _) =
        house.token(|_| {}).rsplit_once('.').map(|(signed, rest)| (signed.to_owned(), rest.len())).unwrap();
    problem(&house.bearer(&format!("{signed}.")), 401, "invalid_token", "one without a signature");
    assert_eq!(provider.server.requests(), 0, "nobody was asked");
    assert_eq!(house.bearer("opaque").status, 200);
    assert_eq!(provider.server.requests(), 1);
}

/// A token that says nothing itself, and whose issuer says that it is bound to a key.
#[test]
fn what_the_issuer_binds_to_a_key_needs_a_proof() {
    let provider = Provider::opaque();
    let (mine, other) = (dpop::holder(1), dpop::holder(2));
    let mut answer = good();
    answer["cnf"] = json!({ "jkt": mine.id() });
    provider.says(&answer);
    let with = |key: &SigningKey| dpop::with_proof("opaque", &dpop::proof(key, "opaque", |_| {}));
    let first = with(&mine);
    assert_eq!(dpop::ask(&provider.house, &first).status, 200);
    let stolen = "Authorization: Bearer opaque\r\n".to_owned();
    for (about, lines, code) in [
        ("the same proof again", first, "invalid_proof"),
        ("a proof of another key", with(&other), "insufficient_binding"),
        ("as if it were bound to nothing", stolen, "insufficient_binding"),
        (
            "a proof for another token",
            dpop::with_proof("opaque", &dpop::proof(&mine, "other", |_| {})),
            "invalid_proof",
        ),
    ] {
        problem(&dpop::ask(&provider.house, &lines), 401, code, about);
        assert_eq!(dpop::ask(&provider.house, &with(&mine)).status, 200, "after {about}");
    }
    assert_eq!(provider.server.requests(), 1, "all of that was known");
}

#[test]
fn the_gateway_proves_itself_by_its_key_as_well() {
    let scratch = Scratch::new();
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let file = scratch.file("client.pem", &pair.serialize_pem());
    let provider = Provider::new(&[Scheme::Introspection], |plan| {
        plan.client = ClientPlan::PrivateKeyJwt { id: "gate".to_owned(), key_file: file };
    });
    for (token, number) in [("t", 1), ("u", 2)] {
        assert_eq!(provider.house.bearer(token).status, 200);
        assert_eq!(provider.server.requests(), number);
    }
    let asked = provider.server.text();
    let assertions: Vec<&str> = asked.split("client_assertion=").skip(1).collect();
    assert_eq!(assertions.len(), 2, "{asked}");
    let mut ids = Vec::new();
    for assertion in assertions {
        let claims = assertion.split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert_eq!(
            (&claims["iss"], &claims["sub"], &claims["aud"]),
            (&json!("gate"), &json!("gate"), &json!("https://idp.test"))
        );
        assert!(claims["exp"].as_u64().unwrap() > now(), "{claims}");
        ids.push(claims["jti"].as_str().unwrap().to_owned());
    }
    assert_ne!(ids[0], ids[1], "none can be used again");
    assert!(!asked.contains("authorization"), "{asked}");
}

#[test]
fn the_gateway_proves_itself_in_the_body_as_well() {
    let post = |plan: &mut IntrospectionPlan| {
        plan.client = ClientPlan::Post { id: "gate".to_owned(), secret: Secret::new(SECRET.to_owned()) };
    };
    let provider = Provider::new(&[Scheme::Introspection], post);
    assert_eq!(provider.house.bearer("t").status, 200);
    let asked = provider.server.text();
    assert!(asked.ends_with("&client_id=gate&client_secret=s3cret%3Aof%2Fthe+gateway"), "{asked}");
    assert!(!asked.contains("authorization"), "{asked}");
}
