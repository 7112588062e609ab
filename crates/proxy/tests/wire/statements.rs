//! What the gateway signs about callers: no client can write it, each API gets its own, and its keys are published before they sign.

use crate::identity::{House, either, now, told};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_config::plan::{Authn, StatementKeys, StatementPlan};
use portcullis_testkit::gateway;
use serde_json::Value;
use std::time::Duration;

fn house(keys: StatementKeys) -> House {
    House::with(&either(), |plan| {
        plan.identity.statement = Some(StatementPlan { issuer: "https://gate.test".to_owned(), keys });
    })
}

fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Verifies the signature with a published key, as an API would.
fn verified(token: &str, keys: &str) -> bool {
    let set: Value = serde_json::from_str(keys).unwrap();
    let kid = part(token, 0)["kid"].clone();
    let Some(key) = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid) else { return false };
    let x = URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let key = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, x);
    key.verify(signed.as_bytes(), &signature).is_ok()
}

#[test]
fn the_server_is_told_who_calls_and_nobody_else_can_say_it() {
    let house = house(StatementKeys::Store(Duration::from_secs(3600)));
    let token = house.token(|_| {});
    let answer = house.ask(&format!(
        "Authorization: Bearer {token}\r\nX-Identity-Token: forged\r\nx_identity_token: forged\r\n\
         Connection: x-identity-token\r\n"
    ));
    let statements = told(&answer, "x-identity-token");
    let [statement] = statements.as_slice() else { panic!("{statements:?}") };
    assert!(!answer.text().contains("forged"), "{}", answer.text());
    assert_eq!(part(statement, 0)["typ"], "identity+jwt");
    let claims = part(statement, 1);
    let wanted =
        [("iss", "https://gate.test"), ("aud", "api"), ("sub", "ada"), ("method", "jwt"), ("credential", "t-1")];
    for (name, value) in wanted {
        assert_eq!(claims[name], value, "{claims}");
    }
    assert_eq!(
        (&claims["scope"], &claims["original_issuer"]),
        (&"orders:read orders:write".into(), &"https://idp.test".into())
    );
    assert_eq!(claims["jti"].as_str(), answer.field("x-request-id"));
    let (issued, until) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
    assert!(until == issued + 60 && issued.abs_diff(now()) < 5, "{claims}");
    let published = house.gate().handle().identity_keys().unwrap();
    assert!(verified(statement, &published), "{published}");
    assert!(!published.contains("\"d\""), "{published}");
    let set: Value = serde_json::from_str(&published).unwrap();
    assert_eq!(set["keys"].as_array().unwrap().len(), 2, "the next key is known before it signs");
    // It is no access token here.
    assert_eq!(house.bearer(statement).code(), "invalid_token");
    assert!(!house.gate().records().text().contains(statement.as_str()));
}

#[test]
fn where_nobody_is_identified_nothing_is_said() {
    let house = House::with(&either(), |plan| gateway::each_route(plan, |route| route.authn = Authn::Public));
    let forged = "X-Identity-Token: forged\r\nX-Identity_Token: forged\r\nConnection: x-identity-token, close\r\n";
    let answer = house.ask(forged);
    assert_eq!(answer.status, 200);
    assert!(!answer.text().to_ascii_lowercase().contains("identity"), "{}", answer.text());
    assert!(house.gate().handle().identity_keys().is_none());
}

#[test]
fn a_key_of_a_file_changes_with_a_reload_and_the_old_one_is_still_published() {
    let scratch = portcullis_testkit::scratch::Scratch::new();
    let file = |name: &str| {
        let key =
            aws_lc_rs::signature::Ed25519KeyPair::generate_pkcs8v1(&aws_lc_rs::rand::SystemRandom::new()).unwrap();
        let text = base64::engine::general_purpose::STANDARD.encode(key.as_ref());
        scratch.file(name, &format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"))
    };
    let (one, two) = (file("one.pem"), file("two.pem"));
    let house = House::with(&either(), |plan| {
        let keys = StatementKeys::File { current: one.clone(), next: Some(two.clone()) };
        plan.identity.statement = Some(StatementPlan { issuer: "https://gate.test".to_owned(), keys });
    });
    let statement = || told(&house.bearer(&house.token(|_| {})), "x-identity-token").remove(0);
    let (first, early) = (statement(), house.gate().handle().identity_keys().unwrap());
    let mut plan = house.gate().plan();
    let keys = StatementKeys::File { current: two, next: None };
    plan.identity.statement = Some(StatementPlan { issuer: "https://gate.test".to_owned(), keys });
    house.gate().handle().reload(plan.clone()).unwrap();
    let second = statement();
    assert_ne!(part(&first, 0)["kid"], part(&second, 0)["kid"]);
    assert!(verified(&second, &early), "whoever fetched the set before knows the key");
    assert!(verified(&first, &house.gate().handle().identity_keys().unwrap()), "the old one is still published");
    let missing = StatementKeys::File { current: "missing.pem".into(), next: None };
    plan.identity.statement = Some(StatementPlan { issuer: "https://gate.test".to_owned(), keys: missing });
    assert!(house.gate().handle().reload(plan).is_err());
    assert_eq!(part(&statement(), 0)["kid"], part(&second, 0)["kid"], "what cannot be read changes nothing");
}
