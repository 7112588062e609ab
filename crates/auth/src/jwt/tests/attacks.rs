//! Tokens that must be refused, each by the check that is made for it.

use super::{HEADER, NOW, SECRET, claims, encode, setting, signed, signed_parts};
use crate::jwt::{Algorithm, Check, JwkError, JwtError, KeySet, Profile, Rules, VerifyingKey, explain, verify};

fn refused(text: &str) -> Option<Check> {
    let (rules, keys) = setting();
    verify(text, &rules, &keys, NOW).err().map(|JwtError(check)| check)
}

#[test]
fn a_good_token_passes_every_check_in_order() {
    let (rules, keys) = setting();
    let (report, outcome) = explain(&signed(HEADER, &claims("")), &rules, &keys, NOW);
    assert!(outcome.is_ok());
    assert_eq!(report.iter().map(|(check, _)| *check).collect::<Vec<_>>(), Check::ALL);
    assert!(report.iter().all(|(_, passed)| *passed));
}

#[test]
fn headers_that_are_refused_and_by_which_check() {
    for (header, check) in [
        (r#"{"alg":"none","typ":"at+jwt"}"#, Check::AlgorithmKnown),
        (r#"{"alg":"None","typ":"at+jwt"}"#, Check::AlgorithmKnown),
        (r#"{"alg":"NONE","typ":"at+jwt"}"#, Check::AlgorithmKnown),
        (r#"{"alg":"nOnE","typ":"at+jwt"}"#, Check::AlgorithmKnown),
        (r#"{"alg":"","typ":"at+jwt"}"#, Check::AlgorithmKnown),
        (r#"{"typ":"at+jwt"}"#, Check::AlgorithmKnown),
        (r#"{"alg":null,"typ":"at+jwt"}"#, Check::AlgorithmKnown),
        (r#"{"alg":["HS256"],"typ":"at+jwt"}"#, Check::AlgorithmKnown),
        (r#"{"alg":"hs256","typ":"at+jwt"}"#, Check::AlgorithmKnown),
        (r#"{"alg":"HS256 ","typ":"at+jwt"}"#, Check::AlgorithmKnown),
        (r#"{"alg":"A256GCM","typ":"at+jwt"}"#, Check::AlgorithmKnown),
        (r#"{"alg":"HS512","typ":"at+jwt"}"#, Check::AlgorithmAllowed),
        (r#"{"alg":"RS256","typ":"at+jwt"}"#, Check::AlgorithmAllowed),
        (r#"{"alg":"HS256","typ":"at+jwt","crit":["exp"]}"#, Check::Critical),
        (r#"{"alg":"HS256","typ":"at+jwt","crit":[]}"#, Check::Critical),
        (r#"{"alg":"HS256","typ":"at+jwt","b64":false,"crit":["b64"]}"#, Check::Critical),
        (r#"{"alg":"HS256","typ":"at+jwt","b64":false}"#, Check::Encoding),
        (r#"{"alg":"HS256","typ":"at+jwt","zip":"DEF"}"#, Check::Compression),
        (r#"{"alg":"HS256"}"#, Check::Type),
        (r#"{"alg":"HS256","typ":"JWT"}"#, Check::Type),
        (r#"{"alg":"HS256","typ":"id+jwt"}"#, Check::Type),
        (r#"{"alg":"HS256","typ":"dpop+jwt"}"#, Check::Type),
        (r#"{"alg":"HS256","typ":"secevent+jwt"}"#, Check::Type),
        (r#"{"alg":"HS256","typ":"logout+jwt"}"#, Check::Type),
        (r#"{"alg":"HS256","typ":["at+jwt"]}"#, Check::Type),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":"k2"}"#, Check::KeyFound),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":""}"#, Check::KeyFound),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":1}"#, Check::KeyFound),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":"../../dev/null"}"#, Check::KeyFound),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":"k1' OR '1'='1"}"#, Check::KeyFound),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":"|id"}"#, Check::KeyFound),
        (r#"{"alg":"HS256","alg":"HS256","typ":"at+jwt"}"#, Check::Header),
        (r#"{"alg":"none","alg":"HS256","typ":"at+jwt"}"#, Check::Header),
        (r#"["HS256"]"#, Check::Header),
        (r#"{"alg":"HS256","typ":"at+jwt"} x"#, Check::Header),
        ("", Check::Header),
    ] {
        assert_eq!(refused(&signed(header, &claims(""))), Some(check), "{header}");
    }
}

#[test]
fn a_key_that_the_token_brings_along_is_not_looked_at() {
    for member in [
        r#""jwk":{"kty":"oct","k":"AAAA"}"#,
        r#""jku":"https://evil.example/jwks""#,
        r#""x5u":"https://evil.example/cert""#,
        r#""x5c":["MIIB"]"#,
    ] {
        let header = format!(r#"{{"alg":"HS256","typ":"at+jwt",{member}}}"#);
        let body = format!("{}.{}", encode(&header), encode(&claims("")));
        assert_eq!(refused(&format!("{body}.{}", encode("forged"))), Some(Check::Signature), "{member}");
        assert_eq!(refused(&signed(&header, &claims(""))), None, "{member}");
    }
}

#[test]
fn claims_that_are_refused_and_by_which_check() {
    for (change, check) in [
        (r#""iss":"https://evil.example""#, Check::Issuer),
        (r#""iss":"https://idp.example.com/""#, Check::Issuer),
        (r#""iss":["https://idp.example.com"]"#, Check::Issuer),
        (r#""iss":-"#, Check::Issuer),
        (r#""aud":"billing""#, Check::Audience),
        (r#""aud":["billing"]"#, Check::Audience),
        (r#""aud":[]"#, Check::Audience),
        (r#""aud":["orders",1]"#, Check::Audience),
        (r#""aud":"orders2""#, Check::Audience),
        (r#""aud":{"orders":1}"#, Check::Audience),
        (r#""aud":-"#, Check::Audience),
        (r#""exp":-"#, Check::Expiry),
        (r#""exp":1799999970"#, Check::Expiry),
        (r#""exp":0"#, Check::Expiry),
        (r#""exp":null"#, Check::Expiry),
        (r#""exp":"1800000600""#, Check::Expiry),
        (r#""exp":-1800000600"#, Check::Expiry),
        (r#""exp":1e300"#, Check::Expiry),
        (r#""nbf":1800000031"#, Check::NotBefore),
        (r#""nbf":"soon""#, Check::NotBefore),
        (r#""nbf":null"#, Check::NotBefore),
        (r#""iat":1800000031"#, Check::IssuedAt),
        (r#""iat":-"#, Check::IssuedAt),
        (r#""iat":"1""#, Check::IssuedAt),
        (r#""sub":-"#, Check::Subject),
        (r#""sub":"""#, Check::Subject),
        (r#""sub":1"#, Check::Subject),
        (r#""client_id":-"#, Check::Client),
        (r#""jti":-"#, Check::TokenId),
    ] {
        assert_eq!(refused(&signed(HEADER, &claims(change))), Some(check), "{change}");
    }
    let twice = claims("").replacen('{', r#"{"sub":"root","#, 1);
    assert_eq!(refused(&signed(HEADER, &twice)), Some(Check::Claims));
}

#[test]
fn claims_at_the_edge_pass() {
    for change in [
        r#""exp":1799999971"#,
        r#""exp":1800000600.5"#,
        r#""nbf":1800000030"#,
        r#""iat":1800000030"#,
        r#""aud":["billing","orders"]"#,
    ] {
        assert_eq!(refused(&signed(HEADER, &claims(change))), None, "{change}");
    }
    assert_eq!(refused(&signed(&HEADER.replace("at+jwt", "application/AT+JWT"), &claims(""))), None);
}

#[test]
fn forms_that_are_refused() {
    let good = signed(HEADER, &claims(""));
    let (body, signature) = good.rsplit_once('.').unwrap();
    for (text, check) in [
        (String::new(), Check::Form),
        ("a.b".to_owned(), Check::Form),
        (format!("{body}."), Check::Form),
        (body.to_owned(), Check::Form),
        (format!("{good}.x"), Check::Form),
        (format!("{good}="), Check::Form),
        (format!("{good} "), Check::Form),
        (format!(" {good}"), Check::Form),
        (good.replacen('.', "..", 1), Check::Form),
        (good.replacen('.', "\n.", 1), Check::Form),
        (format!("{body}.{}", &signature[..signature.len() - 1]), Check::Form),
        (format!("{body}.{}", encode("")), Check::Form),
        (format!("{body}.{}", encode(&"\0".repeat(32))), Check::Signature),
        ("x".repeat(16 * 1024 + 1), Check::Size),
        (signed_parts(&encode(HEADER), &encode("[]")), Check::Claims),
        (signed_parts(&encode(HEADER), ""), Check::Claims),
        (signed_parts(&encode(HEADER), &encode("{\"iss\":\"\u{0}\"}")), Check::Claims),
    ] {
        assert_eq!(refused(&text), Some(check), "{text}");
    }
}

#[test]
fn a_public_key_is_never_a_secret() {
    let jwks = r#"{"keys":[{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY","alg":"HS256"}]}"#;
    let set = KeySet::from_json(jwks.as_bytes()).unwrap();
    assert_eq!((set.len(), set.left_out), (0, vec![(0, JwkError::SecretInPublicSet)]));
    // The classic confusion: an HMAC made with the text of a public key.
    let (mut rules, _) = setting();
    rules.algorithms = vec![Algorithm::Rs256, Algorithm::Hs256];
    let rsa = format!(r#"{{"keys":[{{"kty":"RSA","n":"{}","e":"AQAB"}}]}}"#, encode(&"\u{7f}".repeat(256)));
    let keys = KeySet::from_json(rsa.as_bytes()).unwrap();
    assert_eq!(keys.len(), 0, "2047 bits are too few");
    let rsa = rsa.replace(&encode(&"\u{7f}".repeat(256)), &encode(&"\u{7f}".repeat(257)));
    let keys = KeySet::from_json(rsa.as_bytes()).unwrap();
    assert_eq!(keys.len(), 1);
    let outcome = verify(&signed(r#"{"alg":"HS256","typ":"at+jwt"}"#, &claims("")), &rules, &keys, NOW);
    assert_eq!(outcome, Err(JwtError(Check::KeyFound)));
}

#[test]
fn keys_that_are_left_out_and_why() {
    let n = encode(&"\u{7f}".repeat(257));
    for (jwk, error) in [
        (format!(r#"{{"kty":"RSA","n":"{n}","e":"Aw"}}"#), JwkError::Weak),
        (format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAA"}}"#), JwkError::Weak),
        (format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB","use":"enc"}}"#), JwkError::NotForVerifying),
        (format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB","key_ops":["sign"]}}"#), JwkError::NotForVerifying),
        (format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB","alg":"ES256"}}"#), JwkError::Mismatch),
        (format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB","alg":"RSA-OAEP"}}"#), JwkError::Unknown),
        (format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB","d":"AA"}}"#), JwkError::PrivateInPublicSet),
        (r#"{"kty":"RSA","e":"AQAB"}"#.to_owned(), JwkError::Malformed),
        (r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#.to_owned(), JwkError::Malformed),
        (r#"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#.to_owned(), JwkError::Unknown),
        (r#"{"kty":"OKP","crv":"Ed448","x":"AA"}"#.to_owned(), JwkError::Unknown),
        (r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#.to_owned(), JwkError::Malformed),
        (r#"{"kty":"xyz"}"#.to_owned(), JwkError::Unknown),
        ("1".to_owned(), JwkError::Malformed),
    ] {
        let set = KeySet::from_json(format!(r#"{{"keys":[{jwk}]}}"#).as_bytes()).unwrap();
        assert_eq!(set.left_out, vec![(0, error)], "{jwk}");
    }
    for secret in [vec![], vec![0; 32], SECRET[..31].to_vec()] {
        assert_eq!(VerifyingKey::secret(None, Algorithm::Hs256, secret).err(), Some(JwkError::Weak));
    }
    assert_eq!(VerifyingKey::secret(None, Algorithm::Rs256, SECRET.to_vec()).err(), Some(JwkError::Mismatch));
}

#[test]
fn other_profiles_differ_where_they_say_so() {
    let (rules, keys) = setting();
    let oidc = Rules { profile: Profile::Oidc, ..rules.clone() };
    let legacy = Rules { profile: Profile::Legacy, ..rules };
    let check =
        |rules: &Rules, header: &str, change: &str| verify(&signed(header, &claims(change)), rules, &keys, NOW).err();
    assert_eq!(check(&oidc, r#"{"alg":"HS256","typ":"JWT"}"#, r#""jti":-"#), None);
    assert_eq!(check(&oidc, r#"{"alg":"HS256","typ":"at+jwt"}"#, ""), Some(JwtError(Check::Type)));
    assert_eq!(check(&oidc, r#"{"alg":"HS256"}"#, r#""sub":-"#), Some(JwtError(Check::Subject)));
    assert_eq!(check(&legacy, r#"{"alg":"HS256"}"#, r#""sub":-"#), None);
    assert_eq!(check(&legacy, r#"{"alg":"HS256","typ":"dpop+jwt"}"#, ""), Some(JwtError(Check::Type)));
    let more = Rules { required_claims: vec!["tenant".to_owned()], ..legacy };
    assert_eq!(check(&more, r#"{"alg":"HS256"}"#, ""), Some(JwtError(Check::Required)));
    assert_eq!(check(&more, r#"{"alg":"HS256"}"#, r#""tenant":null"#), Some(JwtError(Check::Required)));
    assert_eq!(check(&more, r#"{"alg":"HS256"}"#, r#""tenant":"a""#), None);
}
