//! Tokens that must be refused, each by the check that is made for it.

use super::{HEADER, NOW, SECRET, claims, encode, setting, signed, signed_parts};
use crate::jwt::{
    Algorithm, Check, JwkError, JwtError, KeySet, Outcome, Profile, Rules, SigningKey, VerifyingKey, claimed_issuer,
    encode as encode_bytes, explain, explanation, verify,
};
use portcullis_types::Reason;
use serde_json::json;

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
        (
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{0}","y":"{0}"}}"#, encode(&"\u{1}".repeat(32))),
            JwkError::Malformed,
        ),
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

/// A setting with a key of P-256, and that key.
fn elliptic() -> (Rules, KeySet, SigningKey) {
    use aws_lc_rs::{rand::SystemRandom, signature::ECDSA_P256_SHA256_FIXED_SIGNING, signature::EcdsaKeyPair};
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let key = SigningKey::from_pkcs8(der.as_ref()).unwrap();
    let set = json!({ "keys": [key.public_jwk()] }).to_string();
    let (rules, _) = setting();
    let rules = Rules { algorithms: vec![Algorithm::Es256, Algorithm::Hs256], ..rules };
    (rules, KeySet::from_json(set.as_bytes()).unwrap(), key)
}

#[test]
fn signatures_that_are_nobodys() {
    let (rules, keys, key) = elliptic();
    let body = format!("{}.{}", encode(r#"{"alg":"ES256","typ":"at+jwt"}"#), encode(&claims("")));
    let good = key.signature(body.as_bytes()).unwrap();
    let check = |signature: &[u8]| {
        verify(&format!("{body}.{}", encode_bytes(signature)), &rules, &keys, NOW).err().map(|JwtError(check)| check)
    };
    assert_eq!(check(&good), None);
    // The order of the group, written out: r or s of zero or of the order must not pass ("psychic signatures").
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&order[at * 2..at * 2 + 2], 16).unwrap()).collect();
    let (r, s) = good.split_at(32);
    let zero = [0u8; 32];
    for signature in [
        [&zero[..], &zero].concat(),
        [r, &zero].concat(),
        [&zero, s].concat(),
        [&order[..], s].concat(),
        [r, &order].concat(),
        [&order[..], &order].concat(),
        [s, r].concat(),
        [&good[..], &[0]].concat(),
        good[1..].to_vec(),
        // The other form of signatures, ASN.1, is none of JWS.
        [&[0x30, 0x44, 0x02, 0x20][..], r, &[0x02, 0x20], s].concat(),
    ] {
        assert_eq!(check(&signature), Some(Check::Signature), "{signature:?}");
    }
}

#[test]
fn a_token_signed_with_the_text_of_a_public_key() {
    let (rules, keys, key) = elliptic();
    let jwk = key.public_jwk();
    let point: Vec<u8> =
        ["x", "y"].iter().flat_map(|name| crate::jwt::decode(jwk[*name].as_str().unwrap()).unwrap()).collect();
    for secret in [jwk.to_string().into_bytes(), [&[4u8][..], &point].concat(), point.clone(), Vec::new(), vec![0; 32]]
    {
        let body = format!("{}.{}", encode(r#"{"alg":"HS256","typ":"at+jwt"}"#), encode(&claims("")));
        let tag =
            aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret), body.as_bytes());
        let outcome = verify(&format!("{body}.{}", encode_bytes(tag)), &rules, &keys, NOW);
        assert_eq!(outcome, Err(JwtError(Check::KeyFound)));
    }
}

#[test]
fn a_key_of_the_attackers_own_is_nobodys() {
    let (rules, keys, _) = elliptic();
    let (_, _, own) = elliptic();
    let all: serde_json::Value = serde_json::from_str(&claims("")).unwrap();
    for embed in [true, false] {
        let token = own.sign("at+jwt", all.as_object().unwrap(), embed).unwrap();
        let check = verify(&token, &rules, &keys, NOW).unwrap_err().0;
        assert_eq!(check, if embed { Check::Signature } else { Check::KeyFound });
    }
}

#[test]
fn what_callers_are_told() {
    assert_eq!(JwtError(Check::Expiry).reason(), Reason::ExpiredToken);
    assert!(
        Check::ALL
            .iter()
            .filter(|check| **check != Check::Expiry)
            .all(|check| JwtError(*check).reason() == Reason::InvalidToken)
    );
    // Who cannot sign is not told that the time of a token is over.
    let body = signed(HEADER, &claims(r#""exp":1"#));
    let forged = format!("{}.{}", body.rsplit_once('.').unwrap().0, encode("forged"));
    assert_eq!(refused(&forged), Some(Check::Signature));
    assert_eq!(refused(&body), Some(Check::Expiry));
}

#[test]
fn an_explanation_lists_every_check() {
    let (rules, keys) = setting();
    let other = Rules { issuer: "https://other.example".to_owned(), ..rules.clone() };
    let issuers = [(&other, &keys), (&rules, &keys)];
    let good = explanation(&signed(HEADER, &claims("")), &issuers, NOW);
    assert_eq!((good.issuer, good.token.is_some()), (Some(1), true));
    assert!(good.lines.iter().all(|line| line.outcome == Outcome::Passed));
    let expired = explanation(&signed(HEADER, &claims(r#""exp":7"#)), &issuers, NOW);
    let at = expired.lines.iter().position(|line| line.outcome == Outcome::Failed).unwrap();
    assert_eq!((expired.lines[at].check, expired.lines[at].says.as_deref()), (Check::Expiry, Some("exp: 7")));
    assert!(expired.lines[..at].iter().all(|line| line.outcome == Outcome::Passed));
    assert!(expired.lines[at + 1..].iter().all(|line| line.outcome == Outcome::NotReached));
    assert_eq!(expired.lines.len(), Check::ALL.len());
    let strange = explanation(&signed(HEADER, &claims(r#""iss":"https://evil.example\u001b[2J""#)), &issuers, NOW);
    let issuer = strange.lines.iter().find(|line| line.check == Check::Issuer).unwrap();
    assert_eq!((strange.issuer, issuer.outcome), (Some(0), Outcome::Failed));
    assert_eq!(issuer.says.as_deref(), Some("iss: \"https://evil.example\\u001b[2J\""));
    let nothing = explanation("x", &[], NOW);
    assert!(nothing.lines.iter().all(|line| line.outcome != Outcome::Passed) && nothing.token.is_none());
    assert_eq!(claimed_issuer(&signed(HEADER, &claims(""))).as_deref(), Some("https://idp.example.com"));
    assert_eq!(claimed_issuer("a.b.c"), None);
}
