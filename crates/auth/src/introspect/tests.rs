//! Introspection in rows: the question, the answer, and what is kept of it.

use super::{Answer, AnswerFault, AnswerRules, Ask, Client, Dated, IntrospectionPolicy, Introspections, Moment};
use crate::jwt::{KeySet, Profile, Rules, SigningKey, verify};
use portcullis_types::Secret;
use serde_json::json;

const NOW: u64 = 1_800_000_000;

fn rules() -> AnswerRules {
    AnswerRules {
        issuer: "https://idp.example.com".to_owned(),
        audiences: vec!["orders".to_owned()],
        audience_optional: false,
        skew_seconds: 30,
    }
}

fn at(seconds: u64) -> Moment {
    Moment { wall: NOW + seconds, millis: seconds * 1000 }
}

/// A good answer of this many seconds after the beginning.
fn active(exp: Option<u64>, seconds: u64) -> Option<Dated> {
    let exp = exp.map_or(String::new(), |exp| format!(r#","exp":{exp}"#));
    let body = format!(r#"{{"active":true,"aud":"orders"{exp}}}"#);
    let answer = Answer::parse(200, Some("application/json"), body.as_bytes(), &rules(), NOW).unwrap();
    Some(IntrospectionPolicy::default().dated(answer, NOW + seconds))
}

fn is_good(ask: &Ask) -> bool {
    matches!(ask, Ask::Known(Dated { token: Some(_), .. }))
}

fn is_bad(ask: &Ask) -> bool {
    matches!(ask, Ask::Known(Dated { token: None, .. }))
}

fn ask(all: &mut Introspections, token: &str, generation: u64, now: Moment) -> Ask {
    let digest = all.digest(token);
    all.ask(digest, generation, now)
}

#[test]
fn the_question_proves_the_client() {
    let secret = || Secret::new("s&e=c:r et".to_owned());
    let basic = Client::Basic { id: "a b".to_owned(), secret: secret() }.ask("t+o/k", NOW, "x").unwrap();
    assert_eq!(basic.body.expose(), "token=t%2Bo%2Fk&token_type_hint=access_token");
    // base64 of a+b:s%26e%3Dc%3Ar+et
    assert_eq!(basic.authorization.unwrap().expose(), "Basic YStiOnMlMjZlJTNEYyUzQXIrZXQ=");
    let post = Client::Post { id: "a".to_owned(), secret: secret() }.ask("t", NOW, "x").unwrap();
    assert_eq!(post.authorization, None);
    assert!(post.body.expose().ends_with("&client_id=a&client_secret=s%26e%3Dc%3Ar+et"));
    assert_eq!(format!("{post:?}"), "Question { authorization: None, body: (secret) }");
    let key = SigningKey::from_seed(&[5; 32]).unwrap();
    let set = json!({ "keys": [key.public_jwk()] }).to_string();
    let client = Client::PrivateKeyJwt { id: "gw".to_owned(), key, audience: "https://idp.example.com".to_owned() };
    let asked = client.ask("t", NOW, "unique-1").unwrap();
    let assertion = asked.body.expose().rsplit_once("client_assertion=").unwrap().1;
    let expected = Rules {
        profile: Profile::Oidc,
        issuer: "gw".to_owned(),
        audiences: vec!["https://idp.example.com".to_owned()],
        algorithms: vec![crate::Algorithm::EdDsa],
        required_claims: vec!["jti".to_owned()],
        skew_seconds: 0,
    };
    let token = verify(assertion, &expected, &KeySet::from_json(set.as_bytes()).unwrap(), NOW).unwrap();
    assert_eq!((token.text("sub"), token.seconds("exp")), (Some("gw"), Some(NOW + 60)));
}

#[test]
fn answers_and_what_follows() {
    let check =
        |body: &str| Answer::parse(200, Some("application/json; charset=utf-8"), body.as_bytes(), &rules(), NOW);
    for (body, good) in [
        (r#"{"active":true,"aud":"orders"}"#, true),
        (r#"{"active":true,"aud":["x","orders"],"iss":"https://idp.example.com","exp":1800000001,"sub":"a"}"#, true),
        (r#"{"active":false}"#, false),
        (r#"{"active":false,"aud":"orders"}"#, false),
        (r#"{"active":true}"#, false),
        (r#"{"active":true,"aud":"billing"}"#, false),
        (r#"{"active":true,"aud":["orders",1]}"#, false),
        (r#"{"active":true,"aud":"orders","iss":"https://evil.example"}"#, false),
        (r#"{"active":true,"aud":"orders","iss":null}"#, false),
        (r#"{"active":true,"aud":"orders","exp":1800000000}"#, false),
        (r#"{"active":true,"aud":"orders","exp":"1900000000"}"#, false),
        (r#"{"active":true,"aud":"orders","exp":null}"#, false),
        (r#"{"active":true,"aud":"orders","nbf":1800000031}"#, false),
        (r#"{"active":true,"aud":"orders","iat":1800000031}"#, false),
        (r#"{"active":true,"aud":"orders","sub":1}"#, false),
        (r#"{"active":true,"aud":"orders","scope":["a"]}"#, false),
    ] {
        assert_eq!(matches!(check(body), Ok(Answer::Active(..))), good, "{body}");
        assert!(check(body).is_ok(), "{body}");
    }
    for body in [
        "",
        "true",
        "{}",
        "[]",
        r#"{"active":"true"}"#,
        r#"{"active":1}"#,
        r#"{"active":null}"#,
        r#"{"active":false,"active":true}"#,
        r#"{"active":true} x"#,
    ] {
        assert_eq!(check(body), Err(AnswerFault::Malformed), "{body}");
    }
    let good = br#"{"active":true,"aud":"orders"}"#;
    let parse = |status, kind, body: &[u8]| Answer::parse(status, kind, body, &rules(), NOW).err();
    assert_eq!(parse(401, Some("application/json"), good), Some(AnswerFault::Status));
    assert_eq!(parse(204, Some("application/json"), good), Some(AnswerFault::Status));
    assert_eq!(parse(200, None, good), Some(AnswerFault::MediaType));
    assert_eq!(parse(200, Some("text/html"), good), Some(AnswerFault::MediaType));
    assert_eq!(parse(200, Some("application/json"), &[b' '; 65_537]), Some(AnswerFault::TooLarge));
    for error in ["invalid_request", "invalid_token", "unsupported_token_type"] {
        let body = format!(r#"{{"error":"{error}","active":true,"aud":"orders"}}"#);
        let answer = Answer::parse(400, Some("application/json"), body.as_bytes(), &rules(), NOW);
        assert!(matches!(answer, Ok(Answer::Inactive(_))), "{error}");
        assert_eq!(parse(403, Some("application/json"), body.as_bytes()), Some(AnswerFault::Status), "{error}");
    }
    for body in [r#"{"error":"invalid_client"}"#, r#"{"active":true,"aud":"orders"}"#, "", "{}", "[]", r#"{"error":1}"#]
    {
        assert_eq!(parse(400, Some("application/json"), body.as_bytes()), Some(AnswerFault::Status), "{body}");
    }
    let optional = AnswerRules { audience_optional: true, ..rules() };
    let check = |body: &str| Answer::parse(200, Some("application/json"), body.as_bytes(), &optional, NOW);
    assert!(matches!(check(r#"{"active":true}"#), Ok(Answer::Active(..))));
    assert!(matches!(check(r#"{"active":true,"aud":"billing"}"#), Ok(Answer::Inactive(_))));
}

#[test]
fn a_token_is_asked_about_once_and_kept_no_longer_than_it_lives() {
    let all = &mut Introspections::new(IntrospectionPolicy::default(), [1; 32]);
    let Ask::Send(flight) = ask(all, "t", 0, at(0)) else { panic!("nothing is known") };
    assert_eq!(ask(all, "t", 0, at(1)), Ask::Await(flight));
    assert!(matches!(ask(all, "u", 0, at(1)), Ask::Send(_)));
    assert!(is_good(&all.landed(flight, active(Some(NOW + 20), 2), at(2))));
    assert_eq!(all.landed(flight, active(None, 2), at(2)), Ask::Unavailable, "an answer counts once");
    assert!(is_good(&ask(all, "t", 0, at(19))));
    let Ask::Send(flight) = ask(all, "t", 0, at(20)) else { panic!("it has expired") };
    all.landed(flight, active(None, 20), at(20));
    assert!(is_good(&ask(all, "t", 0, at(79))));
    assert!(matches!(ask(all, "t", 0, at(80)), Ask::Send(_)), "without an end it is kept for a minute");
}

#[test]
fn an_answer_that_is_handed_on_counts_no_longer() {
    let [one, other] = &mut [0, 1].map(|_| Introspections::new(IntrospectionPolicy::default(), [1; 32]));
    for (token, answer, last) in [
        ("good", active(None, 0), 59),
        ("short", active(Some(NOW + 20), 0), 19),
        ("bad", Some(IntrospectionPolicy::default().dated(Answer::Inactive(""), NOW)), 9),
    ] {
        let Ask::Send(flight) = ask(one, token, 0, at(0)) else { panic!("{token}") };
        one.landed(flight, answer, at(0));
        let Ask::Known(known) = ask(one, token, 0, at(last - 1)) else { panic!("{token}") };
        let Ask::Send(flight) = ask(other, token, 0, at(last)) else { panic!("{token}") };
        other.landed(flight, Some(known), at(last));
        assert!(matches!(ask(other, token, 0, at(last)), Ask::Known(_)), "{token}");
        assert!(matches!(ask(other, token, 0, at(last + 1)), Ask::Send(_)), "{token}");
    }
}

#[test]
fn bad_answers_are_kept_shortly_and_push_no_good_one_out() {
    let policy = IntrospectionPolicy { inactive_max: 64, active_max: 64, ..IntrospectionPolicy::default() };
    let all = &mut Introspections::new(policy, [1; 32]);
    let Ask::Send(flight) = ask(all, "good", 0, at(0)) else { panic!() };
    all.landed(flight, active(None, 0), at(0));
    for number in 0..1000 {
        let Ask::Send(flight) = ask(all, &number.to_string(), 0, at(0)) else { panic!("{number}") };
        assert!(is_bad(&all.landed(flight, Some(policy.dated(Answer::Inactive(""), NOW)), at(0))));
        assert!(is_bad(&ask(all, &number.to_string(), 0, at(9))));
    }
    assert!(all.len().1 <= 64);
    assert!(is_good(&ask(all, "good", 0, at(9))));
    assert!(matches!(ask(all, "999", 0, at(10)), Ask::Send(_)));
}

#[test]
fn nobody_passes_while_the_issuer_is_silent() {
    let all = &mut Introspections::new(IntrospectionPolicy::default(), [1; 32]);
    for number in 0..5 {
        let Ask::Send(flight) = ask(all, &number.to_string(), 0, at(0)) else { panic!("{number}") };
        assert_eq!(all.landed(flight, None, at(0)), Ask::Unavailable);
    }
    assert_eq!(ask(all, "x", 0, at(0)), Ask::Unavailable, "it is left alone");
    let Ask::Send(flight) = ask(all, "x", 0, at(1)) else { panic!("it is asked again") };
    all.landed(flight, active(None, 1), at(1));
    assert!(matches!(ask(all, "y", 0, at(1)), Ask::Send(_)));
    // A question that nobody answers is given up.
    assert!(matches!(ask(all, "y", 0, at(3)), Ask::Await(_)));
    assert!(matches!(ask(all, "y", 0, at(4)), Ask::Send(_)));
}

#[test]
fn questions_at_once_are_bounded_and_a_revocation_ends_all_knowledge() {
    let all =
        &mut Introspections::new(IntrospectionPolicy { flights_max: 3, ..IntrospectionPolicy::default() }, [1; 32]);
    let flights: Vec<Ask> = (0..4).map(|number| ask(all, &number.to_string(), 0, at(0))).collect();
    assert_eq!(flights.iter().filter(|ask| matches!(ask, Ask::Send(_))).count(), 3);
    assert_eq!(flights[3], Ask::Unavailable);
    let (Ask::Send(flight), Ask::Send(later)) = (flights[0].clone(), flights[1].clone()) else { panic!() };
    all.landed(later, active(None, 0), at(0));
    assert!(is_good(&ask(all, "1", 0, at(0))));
    assert!(matches!(ask(all, "0", 1, at(0)), Ask::Send(_)), "another generation");
    assert!(matches!(ask(all, "1", 1, at(0)), Ask::Send(_)), "an answer of before the revocation");
    assert_eq!(all.landed(flight, active(None, 0), at(0)), Ask::Unavailable, "an answer of before");
    assert!(matches!(ask(all, "0", 1, at(0)), Ask::Await(_)));
    assert!(
        matches!(ask(all, "0", 0, at(0)), Ask::Await(_)),
        "a core that has not heard of it yet brings nothing back"
    );
}
