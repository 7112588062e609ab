//! Tokens that are bound to a key: good only with a fresh proof for this one request, known token or not.

use crate::check::problem;
use crate::http2::peer::Peer;
use crate::identity::{House, now, told};
use http::Request;
use portcullis_auth::jwt::SigningKey;
use portcullis_auth::principal::{Demand, Scheme};
use portcullis_config::plan::{Authn, CorsPlan, DemandPlan, Dpop, Plan, ProofDemand};
use portcullis_testkit::{Answer, Client};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

static IDS: AtomicU32 = AtomicU32::new(0);

fn demand(dpop: Dpop) -> Authn {
    let demand = Demand::AnyOf { schemes: vec![Scheme::Jwt], anonymous: false };
    let issuers = vec!["corp".into()];
    let proofs = ProofDemand { dpop, ..ProofDemand::default() };
    Authn::Demand(Arc::new(DemandPlan { demand, issuers, introspection: None, proofs, text: "test".to_owned() }))
}

fn house(dpop: Dpop, change: impl FnOnce(&mut Plan)) -> House {
    House::with(&demand(dpop), change)
}

/// A key of a caller.
pub(crate) fn holder(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

/// A new token that is bound to a key.
fn bound(house: &House, to: &SigningKey) -> String {
    house.token(|claims| {
        claims.insert("jti".to_owned(), json!(format!("t-{}", IDS.fetch_add(1, Ordering::Relaxed))));
        claims.insert("cnf".to_owned(), json!({ "jkt": to.id() }));
    })
}

/// What a good proof says.
fn proof_claims(token: &str) -> Map<String, Value> {
    use base64::Engine as _;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    let hash = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hash);
    let id = IDS.fetch_add(1, Ordering::Relaxed);
    let claims =
        json!({ "jti": format!("p-{id}"), "htm": "GET", "htu": "http://api.test/a", "iat": now(), "ath": hash });
    claims.as_object().unwrap().clone()
}

pub(crate) fn proof(key: &SigningKey, token: &str, change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let mut claims = proof_claims(token);
    change(&mut claims);
    key.sign("dpop+jwt", &claims, true).unwrap()
}

pub(crate) fn ask(house: &House, lines: &str) -> Answer {
    let address = house.fresh_address();
    let request = format!("GET /a?x=1 HTTP/1.1\r\nHost: api.test\r\nX-Forwarded-For: {address}\r\n{lines}\r\n");
    Client::connect(house.gate().address()).ask(request)
}

pub(crate) fn with_proof(token: &str, proof: &str) -> String {
    format!("Authorization: DPoP {token}\r\nDPoP: {proof}\r\n")
}

#[test]
fn a_proof_opens_once_and_the_server_sees_neither_it_nor_the_token() {
    let house = house(Dpop::Allowed, |_| {});
    let key = holder(1);
    let token = bound(&house, &key);
    let first = proof(&key, &token, |_| {});
    let answer = ask(&house, &with_proof(&token, &first));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(told(&answer, "x-consumer-id"), ["ada"]);
    assert!(told(&answer, "dpop").is_empty() && told(&answer, "authorization").is_empty(), "{}", answer.text());
    problem(&ask(&house, &with_proof(&token, &first)), 401, "invalid_proof", "used before");
    for round in 0..5 {
        let another = proof(&key, &token, |_| {});
        assert_eq!(ask(&house, &with_proof(&token, &another)).status, 200, "round {round}");
    }
    assert_eq!(house.bearer(&house.token(|_| {})).status, 200, "a token without a binding is a bearer token");
    let text = house.gate().records().text();
    assert!(!text.contains(&first) && !text.contains(&token), "a record holds a credential");
}

/// Ways to show a token of `key` that is bound to it, none of which is good, with what is said about each.
#[expect(clippy::type_complexity, clippy::too_many_lines, reason = "a table of rows")]
fn attacks() -> Vec<(&'static str, &'static str, Box<dyn Fn(&SigningKey, &str) -> String>)> {
    fn changed(change: fn(&mut Map<String, Value>)) -> Box<dyn Fn(&SigningKey, &str) -> String> {
        Box::new(move |key, token| with_proof(token, &proof(key, token, change)))
    }
    fn set(name: &'static str, value: Value) -> Box<dyn Fn(&SigningKey, &str) -> String> {
        Box::new(move |key, token| {
            with_proof(token, &proof(key, token, |claims| drop(claims.insert(name.to_owned(), value.clone()))))
        })
    }
    let at = |seconds: i64| json!(now().saturating_add_signed(seconds));
    vec![
        ("as Bearer", "insufficient_binding", Box::new(|_, token| format!("Authorization: Bearer {token}\r\n"))),
        (
            "as Bearer with a good proof",
            "insufficient_binding",
            Box::new(|key, token| format!("Authorization: Bearer {token}\r\nDPoP: {}\r\n", proof(key, token, |_| {}))),
        ),
        ("without a proof", "insufficient_binding", Box::new(|_, token| format!("Authorization: DPoP {token}\r\n"))),
        (
            "with two proofs",
            "invalid_proof",
            Box::new(|key, token| {
                let more = format!("DPoP: {}\r\n", proof(key, token, |_| {}));
                with_proof(token, &proof(key, token, |_| {})) + &more
            }),
        ),
        (
            "with two proofs in one line",
            "invalid_proof",
            Box::new(|key, token| {
                let both = format!("{}, {}", proof(key, token, |_| {}), proof(key, token, |_| {}));
                with_proof(token, &both)
            }),
        ),
        (
            "with a proof of another key",
            "insufficient_binding",
            Box::new(|_, token| with_proof(token, &proof(&holder(99), token, |_| {}))),
        ),
        ("for another method", "invalid_proof", set("htm", json!("POST"))),
        ("for another path", "invalid_proof", set("htu", json!("http://api.test/b"))),
        ("for another host", "invalid_proof", set("htu", json!("http://other.test/a"))),
        ("for another scheme", "invalid_proof", set("htu", json!("https://api.test/a"))),
        ("for another port", "invalid_proof", set("htu", json!("http://api.test:81/a"))),
        ("for a path with dots", "invalid_proof", set("htu", json!("http://api.test/b/../a"))),
        ("for another token", "invalid_proof", set("ath", json!("x".repeat(43)))),
        ("from yesterday", "invalid_proof", set("iat", at(-86_400))),
        ("older than the window", "invalid_proof", set("iat", at(-70))),
        ("from the future", "invalid_proof", set("iat", at(60))),
        ("without an id", "invalid_proof", changed(|claims| drop(claims.remove("jti")))),
        ("without a method", "invalid_proof", changed(|claims| drop(claims.remove("htm")))),
        ("without an address", "invalid_proof", changed(|claims| drop(claims.remove("htu")))),
        ("without a time", "invalid_proof", changed(|claims| drop(claims.remove("iat")))),
        ("without the token's hash", "invalid_proof", changed(|claims| drop(claims.remove("ath")))),
        (
            "of another type",
            "invalid_proof",
            Box::new(|key, token| with_proof(token, &key.sign("JWT", &proof_claims(token), true).unwrap())),
        ),
        (
            "without its key",
            "invalid_proof",
            Box::new(|key, token| with_proof(token, &key.sign("dpop+jwt", &proof_claims(token), false).unwrap())),
        ),
        (
            "with a broken signature",
            "invalid_proof",
            Box::new(|key, token| {
                let good = proof(key, token, |_| {});
                let (signed, _) = good.rsplit_once('.').unwrap();
                with_proof(token, &format!("{signed}.{}", "A".repeat(86)))
            }),
        ),
        ("with no text", "invalid_proof", Box::new(|_, token| with_proof(token, "x"))),
    ]
}

/// Each attack meets a token that nobody has seen, and one that every look but the first finds among the verified ones:
/// what was remembered says the same as what was looked at anew.
#[test]
fn what_is_no_good_proof_is_refused_whether_the_token_is_known_or_not() {
    let house = house(Dpop::Allowed, |_| {});
    let key = holder(1);
    let known = bound(&house, &key);
    assert_eq!(ask(&house, &with_proof(&known, &proof(&key, &known, |_| {}))).status, 200);
    for (about, code, show) in attacks() {
        for (token, kind) in [(bound(&house, &key), "new"), (known.clone(), "known")] {
            let answer = ask(&house, &show(&key, &token));
            problem(&answer, 401, code, &format!("{about}, a {kind} token"));
            let challenges = answer.all("www-authenticate");
            assert!(challenges.iter().any(|one| one.starts_with("DPoP ") && one.contains("algs=\"")), "{challenges:?}");
            assert!(challenges.iter().any(|one| one.starts_with("Bearer ")), "{challenges:?}");
        }
        assert_eq!(ask(&house, &with_proof(&known, &proof(&key, &known, |_| {}))).status, 200, "after {about}");
    }
    let plain = house.token(|_| {});
    let answer = ask(&house, &with_proof(&plain, &proof(&key, &plain, |_| {})));
    problem(&answer, 401, "insufficient_binding", "a proof cannot bind a token that is not");
    for cnf in [json!({}), json!({ "kid": "x" }), json!("x"), json!({ "jkt": key.id(), "jwk": {} })] {
        let strange = house.token(|claims| drop(claims.insert("cnf".to_owned(), cnf.clone())));
        let answer = ask(&house, &with_proof(&strange, &proof(&key, &strange, |_| {})));
        problem(&answer, 401, "insufficient_binding", &cnf.to_string());
        problem(&house.bearer(&strange), 401, "insufficient_binding", &cnf.to_string());
    }
}

#[test]
fn a_route_can_insist_on_proofs_or_take_none() {
    let (strict, off, key) = (house(Dpop::Required, |_| {}), house(Dpop::Off, |_| {}), holder(1));
    let answer = strict.bearer(&strict.token(|_| {}));
    problem(&answer, 401, "insufficient_binding", "an unbound token where they have to be bound");
    let challenges = answer.all("www-authenticate");
    assert!(challenges.len() == 1 && challenges[0].starts_with("DPoP ") && challenges[0].contains("invalid_token"));
    let token = bound(&strict, &key);
    assert_eq!(ask(&strict, &with_proof(&token, &proof(&key, &token, |_| {}))).status, 200);
    for lines in [with_proof(&token, &proof(&key, &token, |_| {})), format!("Authorization: Bearer {token}\r\n")] {
        let answer = ask(&off, &lines);
        problem(&answer, 401, "insufficient_binding", &lines);
        assert!(answer.all("www-authenticate").iter().all(|one| one.starts_with("Bearer ")));
    }
    assert_eq!(off.bearer(&off.token(|_| {})).status, 200);
}

#[test]
fn a_nonce_of_ours_can_be_asked_for_and_outlives_a_reload() {
    let house = house(Dpop::Allowed, |plan| plan.identity.proofs.nonce = true);
    let key = holder(1);
    let token = bound(&house, &key);
    let answer = ask(&house, &with_proof(&token, &proof(&key, &token, |_| {})));
    problem(&answer, 401, "nonce_required", "no nonce");
    let challenge = answer.all("www-authenticate").join("\n");
    assert!(challenge.contains("error=\"use_dpop_nonce\""), "{challenge}");
    let nonce = answer.field("dpop-nonce").unwrap().to_owned();
    let with_nonce = |nonce: &str| {
        let proof = proof(&key, &token, |claims| drop(claims.insert("nonce".to_owned(), json!(nonce))));
        ask(&house, &with_proof(&token, &proof))
    };
    assert_eq!(with_nonce(&nonce).status, 200);
    assert_eq!(with_nonce(&nonce).status, 200, "it is no id: another proof may have the same");
    for wrong in ["", "x", &nonce[1..]] {
        problem(&with_nonce(wrong), 401, "nonce_required", wrong);
    }
    house.gate().handle().reload(house.gate().plan()).unwrap();
    assert_eq!(with_nonce(&nonce).status, 200, "after a reload");
}

#[test]
fn pages_may_read_the_nonce_that_they_need() {
    for nonce in [true, false] {
        let house = house(Dpop::Allowed, |plan| {
            plan.identity.proofs.nonce = nonce;
            plan.apis[0].cors = Some(Arc::new(CorsPlan::default()));
        });
        let answer = ask(&house, "Origin: https://page.test\r\n");
        problem(&answer, 401, "missing_credential", "no token");
        let exposed = answer.field("access-control-expose-headers").unwrap();
        assert_eq!(exposed.split(", ").any(|name| name == "dpop-nonce"), nonce, "{exposed}");
    }
}

#[test]
fn proofs_that_nobody_can_remember_are_not_accepted() {
    let house = house(Dpop::Allowed, |plan| plan.identity.proofs.remembered = 4);
    let key = holder(1);
    let token = bound(&house, &key);
    let statuses: Vec<u16> =
        (0..40).map(|_| ask(&house, &with_proof(&token, &proof(&key, &token, |_| {}))).status).collect();
    assert!(statuses.iter().all(|status| matches!(status, 200 | 503)), "{statuses:?}");
    assert!(statuses.iter().filter(|status| **status == 200).count() >= 4, "{statuses:?}");
    let answer = ask(&house, &with_proof(&token, &proof(&key, &token, |_| {})));
    problem(&answer, 503, "identity_overloaded", "the table is full");
    assert_eq!(house.bearer(&house.token(|_| {})).status, 200, "others are served");
}

#[test]
fn the_address_of_a_proof_is_the_one_that_the_client_knows() {
    let house = house(Dpop::Allowed, |_| {});
    let key = holder(1);
    let token = bound(&house, &key);
    let row = |htu: &str, target: &str, more: &str| {
        let proof = proof(&key, &token, |claims| drop(claims.insert("htu".to_owned(), json!(htu))));
        let lines = with_proof(&token, &proof);
        let request = format!("GET {target} HTTP/1.1\r\n{more}{lines}\r\n");
        Client::connect(house.gate().address()).ask(request).status
    };
    for (htu, target, more, status) in [
        (
            "https://api.test/a",
            "/a",
            "Host: api.test\r\nX-Forwarded-For: 10.9.0.1\r\nX-Forwarded-Proto: https\r\n",
            200,
        ),
        ("http://api.test/a", "/a", "Host: api.test\r\nX-Forwarded-For: 10.9.0.2\r\nX-Forwarded-Proto: https\r\n", 401),
        ("HTTP://API.test:80/a?y=2#z", "/a?x", "Host: api.test\r\n", 200),
        ("http://api.test:8080/a", "/a", "Host: API.test:8080\r\n", 200),
        ("http://api.test/%61/%c3%a9", "/a/%C3%A9", "Host: api.test\r\n", 200),
        ("http://api.test/a", "/b/../a", "Host: api.test\r\n", 200),
        ("http://api.test/a", "http://api.test/a", "Host: api.test\r\n", 200),
        ("http://api.test/a/", "/a", "Host: api.test\r\n", 401),
    ] {
        assert_eq!(row(htu, target, more), status, "{htu} for {target} {more:?}");
    }
}

#[test]
fn all_of_it_holds_over_http2() {
    let house = house(Dpop::Allowed, |_| {});
    let key = holder(1);
    let mut peer = Peer::connect(house.gate().address());
    let mut ask = |token: &str, proofs: &[&str], scheme: &str| {
        let mut request = Request::get("http://api.test/a").header("authorization", format!("{scheme} {token}"));
        request = request.header("x-forwarded-for", house.fresh_address());
        for proof in proofs {
            request = request.header("dpop", *proof);
        }
        let got = peer.ask(request.body(()).unwrap(), b"");
        let code = serde_json::from_slice::<Value>(&got.body).ok();
        (got.status, code.and_then(|problem| problem["code"].as_str().map(str::to_owned)))
    };
    let token = bound(&house, &key);
    let first = proof(&key, &token, |_| {});
    assert_eq!(ask(&token, &[&first], "DPoP").0, 200);
    let other = proof(&key, &token, |claims| drop(claims.insert("htu".to_owned(), json!("http://api.test/b"))));
    let fresh = || proof(&key, &token, |_| {});
    for (proofs, scheme, code) in [
        (vec![first.as_str()], "DPoP", "invalid_proof"),
        (vec![&other], "DPoP", "invalid_proof"),
        (vec![&fresh(), &fresh()], "DPoP", "invalid_proof"),
        (vec![], "DPoP", "insufficient_binding"),
        (vec![&fresh()], "Bearer", "insufficient_binding"),
    ] {
        assert_eq!(ask(&token, &proofs, scheme), (401, Some(code.to_owned())), "{proofs:?}");
    }
    assert_eq!(ask(&token, &[&fresh()], "DPoP").0, 200);
}
