//! Keys of issuers at addresses: rotation, tokens that name keys nobody has, and a server that dies.

use crate::check::problem;
use crate::identity::{House, claims, either};
use portcullis_auth::jwt::SigningKey;
use portcullis_config::plan::{Endpoint, JwksPlan, RemoteJwks, UpstreamTlsPlan};
use portcullis_testkit::FakeUpstream;
use portcullis_testkit::deadline::eventually;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the issuer's server answers; nothing while it is dead.
type Answer = Arc<Mutex<Option<String>>>;

fn set(keys: &[&SigningKey]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| key.public_jwk()).collect();
    let body = json!({ "keys": keys }).to_string();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn server(answer: &Answer) -> FakeUpstream {
    let answer = Arc::clone(answer);
    FakeUpstream::with(move |talk| {
        while talk.request().is_some() {
            match answer.lock().unwrap().clone() {
                Some(text) => drop(talk.send(text)),
                None => return,
            }
        }
    })
}

pub(crate) fn endpoint(server: SocketAddr, target: &str) -> Endpoint {
    Endpoint {
        secure: false,
        host: server.ip().to_string(),
        port: server.port(),
        target: target.to_owned(),
        tls: UpstreamTlsPlan::default(),
        networks: Vec::new(),
    }
}

fn house(server: SocketAddr, max_staleness: Duration) -> House {
    House::with(&either(), |plan| {
        plan.identity.issuers[0].jwks = Some(JwksPlan::Address(RemoteJwks {
            at: endpoint(server, "/jwks"),
            discovery: None,
            pins: Vec::new(),
            max_staleness,
        }));
    })
}

fn ready(house: &House) {
    eventually("the keys are there", || (house.bearer(&house.token(|_| {})).status == 200).then_some(()));
}

#[test]
fn a_new_key_opens_with_its_first_token_and_made_up_ones_cost_little() {
    let old = SigningKey::from_seed(&[7; 32]).unwrap();
    let new = SigningKey::from_seed(&[8; 32]).unwrap();
    let answer: Answer = Arc::new(Mutex::new(Some(set(&[&old]))));
    let server = server(&answer);
    let house = house(server.address(), Duration::from_secs(3600));
    ready(&house);
    *answer.lock().unwrap() = Some(set(&[&old, &new]));
    let token = new.sign("at+jwt", &claims(), false).unwrap();
    assert_eq!(house.bearer(&token).status, 200, "the first token of a new key");
    assert_eq!(house.bearer(&house.token(|_| {})).status, 200, "the old key still opens");
    let before = server.requests();
    for seed in 100..130 {
        let stranger = SigningKey::from_seed(&[seed; 32]).unwrap();
        let token = stranger.sign("at+jwt", &claims(), false).unwrap();
        problem(&house.bearer(&token), 401, "invalid_token", "a key that nobody has");
    }
    assert!(server.requests() <= before + 1, "{} fetches for made-up keys", server.requests() - before);
    assert!(house.gate().metric("portcullis_issuer_keys{issuer=\"corp\"}") > 1.5);
}

#[test]
fn a_dead_server_closes_the_door_in_time_and_opens_it_again() {
    let key = SigningKey::from_seed(&[7; 32]).unwrap();
    let answer: Answer = Arc::new(Mutex::new(Some(set(&[&key]))));
    let server = server(&answer);
    let house = house(server.address(), Duration::from_secs(3));
    ready(&house);
    let token = house.token(|_| {});
    *answer.lock().unwrap() = None;
    assert_eq!(house.bearer(&token).status, 200, "what was fetched still stands");
    eventually("the keys are too old", || (house.bearer(&token).code() == "issuer_unavailable").then_some(()));
    let refused = house.bearer(&token);
    problem(&refused, 503, "issuer_unavailable", "a token that was verified before");
    problem(
        &house.bearer(&house.token(|claims| drop(claims.insert("jti".to_owned(), json!("n"))))),
        503,
        "issuer_unavailable",
        "a new one",
    );
    assert!(house.gate().metric("portcullis_issuer_fetch_failures_total{issuer=\"corp\"}") > 0.5);
    *answer.lock().unwrap() = Some(set(&[&key]));
    eventually("the server is back", || (house.bearer(&token).status == 200).then_some(()));
}

#[test]
fn nothing_opens_before_the_first_keys_and_with_what_is_no_key_set() {
    let gone = house(FakeUpstream::nobody(), Duration::from_secs(60));
    problem(&gone.bearer(&gone.token(|_| {})), 503, "issuer_unavailable", "no server");
    for body in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n",
    ] {
        let server = server(&Arc::new(Mutex::new(Some(body.to_owned()))));
        let house = house(server.address(), Duration::from_secs(60));
        eventually("it was asked", || {
            (house.gate().metric("portcullis_issuer_fetch_failures_total{issuer=\"corp\"}") > 0.5).then_some(())
        });
        problem(&house.bearer(&house.token(|_| {})), 503, "issuer_unavailable", body);
    }
}

#[test]
fn a_token_that_comes_before_the_keys_waits_for_them() {
    let key = SigningKey::from_seed(&[7; 32]).unwrap();
    let text = set(&[&key]);
    let server = FakeUpstream::with(move |talk| {
        while talk.request().is_some() {
            // SLEEP: a server that takes its time, so that the token is there first.
            std::thread::sleep(Duration::from_millis(700));
            if !talk.send(&text) {
                return;
            }
        }
    });
    let house = house(server.address(), Duration::from_secs(3600));
    assert_eq!(house.bearer(&house.token(|_| {})).status, 200, "the first token of all");
    assert_eq!(server.requests(), 1);
}

fn answer(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// A gateway that asks an issuer at a server of its own where its keys are, and a token of that issuer.
fn discovering(server: SocketAddr, pins: Vec<[u8; 32]>) -> (House, String) {
    let issuer = format!("http://{server}");
    let house = House::with(&either(), |plan| {
        plan.identity.issuers[0].issuer.clone_from(&issuer);
        plan.identity.issuers[0].jwks = Some(JwksPlan::Address(RemoteJwks {
            at: endpoint(server, "/"),
            discovery: Some(issuer.clone()),
            pins,
            max_staleness: Duration::from_secs(3600),
        }));
    });
    let token = house.token(|claims| drop(claims.insert("iss".to_owned(), json!(issuer))));
    (house, token)
}

#[test]
fn an_issuer_says_where_its_keys_are_and_only_for_itself() {
    let key = SigningKey::from_seed(&[7; 32]).unwrap();
    for place in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        for (about, issuer, keys, status) in [
            ("itself", "", "/keys", 200),
            ("another issuer", "x", "/keys", 503),
            ("an address inside", "", "http://169.254.169.254/keys", 503),
        ] {
            let slot: Arc<Mutex<Option<SocketAddr>>> = Arc::default();
            let (known, keys, text) = (Arc::clone(&slot), keys.to_owned(), set(&[&key]));
            let server = FakeUpstream::with(move |talk| {
                while let Some(heard) = talk.request() {
                    let head = String::from_utf8_lossy(&heard.head).into_owned();
                    let asked = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    let own = format!("http://{}", known.lock().unwrap().unwrap());
                    let uri = if keys.starts_with('/') { format!("{own}{keys}") } else { keys.clone() };
                    let metadata = json!({ "issuer": format!("{own}{issuer}"), "jwks_uri": uri }).to_string();
                    let told = match asked.as_str() {
                        path if path == place => answer(&metadata),
                        "/keys" => text.clone(),
                        _ => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned(),
                    };
                    if !talk.send(told) {
                        return;
                    }
                }
            });
            *slot.lock().unwrap() = Some(server.address());
            let (house, token) = discovering(server.address(), Vec::new());
            assert_eq!(house.bearer(&token).status, status, "{place} about {about}");
        }
    }
}

#[test]
fn only_pinned_keys_open() {
    let (pinned, other) = (SigningKey::from_seed(&[7; 32]).unwrap(), SigningKey::from_seed(&[8; 32]).unwrap());
    let server = server(&Arc::new(Mutex::new(Some(set(&[&pinned, &other])))));
    let pin = portcullis_auth::jwt::thumbprint_of(pinned.id()).unwrap();
    let house = House::with(&either(), |plan| {
        let at = endpoint(server.address(), "/jwks");
        let max_staleness = Duration::from_secs(3600);
        plan.identity.issuers[0].jwks =
            Some(JwksPlan::Address(RemoteJwks { at, discovery: None, pins: vec![pin], max_staleness }));
    });
    ready(&house);
    let stranger = other.sign("at+jwt", &claims(), false).unwrap();
    problem(&house.bearer(&stranger), 401, "invalid_token", "a published key that is not pinned");
    assert_eq!(house.bearer(&house.token(|_| {})).status, 200);
}

#[test]
fn a_shared_secret_verifies_its_one_algorithm() {
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    let house = House::with(&either(), |plan| {
        let issuer = &mut plan.identity.issuers[0];
        let (algorithm, secret) = (portcullis_auth::Algorithm::Hs256, portcullis_types::Secret::new(SECRET.to_owned()));
        issuer.jwks = Some(JwksPlan::Secret { id: None, algorithm, secret });
        issuer.algorithms = vec![algorithm];
    });
    let encode = |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bytes);
    let signed = |alg: &str, secret: &str| {
        let head = encode(format!(r#"{{"typ":"at+jwt","alg":"{alg}"}}"#).as_bytes());
        let text = format!("{head}.{}", encode(serde_json::Value::Object(claims()).to_string().as_bytes()));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
        let tag = aws_lc_rs::hmac::sign(&key, text.as_bytes());
        format!("{text}.{}", encode(tag.as_ref()))
    };
    assert_eq!(house.bearer(&signed("HS256", SECRET)).status, 200);
    for (about, token) in [
        ("another secret", signed("HS256", "0123456789abcdef0123456789abcdeX")),
        ("another algorithm", signed("HS512", SECRET)),
        ("a public key's algorithm", house.token(|_| {})),
        ("an empty secret", signed("HS256", "")),
    ] {
        problem(&house.bearer(&token), 401, "invalid_token", about);
    }
}
