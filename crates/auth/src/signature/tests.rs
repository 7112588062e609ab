//! The vectors of RFC 9421 appendix B, and what must not pass.

use super::base::base;
use super::fields::{Member, dictionary, write_list};
use super::{DigestCheck, DigestError, Message, SignatureAlgorithm, SignatureError, SignatureRules, Signed};
use crate::jwt::{Algorithm, SigningKey, VerifyingKey};
use crate::replay::ReplayTable;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

const CREATED: u64 = 1_618_884_473;
const DIGEST: &str =
    "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";

fn jwk(value: serde_json::Value) -> VerifyingKey {
    VerifyingKey::public(value.as_object().unwrap()).unwrap()
}

fn rsa_pss() -> VerifyingKey {
    jwk(
        json!({ "kty": "RSA", "e": "AQAB", "n": "r4tmm3r20Wd_PbqvP1s2-QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct-Lh1GH45x28Rw3Ry53mm-oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgchwuYLPL-Wokqltd11nqqzi-bJ9cvSKADYdUAAN5WUtzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9v6d-nb4bnNkQVklLQ3fVAvJm-xdDOp9LCNCN48V2pnDOkFV6-U9nV5oyc6XI2w" }),
    )
}

fn ed25519() -> VerifyingKey {
    jwk(json!({ "kty": "OKP", "crv": "Ed25519", "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs" }))
}

fn ecc_p256() -> VerifyingKey {
    jwk(
        json!({ "kty": "EC", "crv": "P-256", "x": "qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA", "y": "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0" }),
    )
}

fn shared_secret() -> VerifyingKey {
    let text = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
    VerifyingKey::secret(None, Algorithm::Hs256, STANDARD.decode(text).unwrap()).unwrap()
}

fn lenient() -> SignatureRules {
    SignatureRules { required: Vec::new(), window_seconds: 60, skew_seconds: 5, nonce: false, tag: None }
}

/// The request of appendix B.2, with a signature.
fn with<R>(input: &str, signature: &str, act: impl FnOnce(&Message<'_>) -> R) -> R {
    let fields: [(&str, &[u8]); 7] = [
        ("Host", b"example.com"),
        ("Date", b"Tue, 20 Apr 2021 02:07:55 GMT"),
        ("Content-Type", b"application/json"),
        ("Content-Digest", DIGEST.as_bytes()),
        ("Content-Length", b"18"),
        ("Signature-Input", input.as_bytes()),
        ("Signature", signature.as_bytes()),
    ];
    act(&Message {
        method: "POST",
        secure: true,
        authority: "example.com",
        path: "/foo",
        query: Some("param=Value&Pet=dog"),
        fields: &fields,
        has_body: false,
    })
}

fn verify(
    input: &str,
    signature: &str,
    key: (SignatureAlgorithm, &VerifyingKey),
    rules: &SignatureRules,
) -> Result<(), SignatureError> {
    let replays = ReplayTable::new(16, [1; 32]);
    with(input, signature, |message| Signed::find(message, rules)?.verify(message, rules, key, &replays, CREATED))
}

const B21: (&str, &str) = (
    r#"sig-b21=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd""#,
    "sig-b21=:d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==:",
);
const B22: (&str, &str) = (
    r#"sig-b22=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example""#,
    "sig-b22=:LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==:",
);
const B23: (&str, &str) = (
    r#"sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss""#,
    "sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:",
);
const B25: (&str, &str) = (
    r#"sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret""#,
    "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
);
const B26: (&str, &str) = (
    r#"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#,
    "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
);

#[test]
fn the_vectors_of_the_standard() {
    let (rsa, ed, hmac) = (rsa_pss(), ed25519(), shared_secret());
    let pss = (SignatureAlgorithm::RsaPssSha512, &rsa);
    let edwards = (SignatureAlgorithm::Ed25519, &ed);
    let mac = (SignatureAlgorithm::HmacSha256, &hmac);
    for ((input, signature), key) in [(B21, pss), (B22, pss), (B23, pss), (B25, mac), (B26, edwards)] {
        assert_eq!(verify(input, signature, key, &lenient()), Ok(()), "{input}");
        let broken = signature.replacen("=:", "=:AAAA", 1);
        assert_eq!(verify(input, &broken, key, &lenient()), Err(SignatureError::Signature), "{input}");
        let later = input.replace("1618884473", "1618884474");
        assert_eq!(verify(&later, signature, key, &lenient()), Err(SignatureError::Signature), "{input}");
    }
    // B.2.4 signs an answer; its base is written out here, since answers are not verified by a gateway.
    let signed = "\"@status\": 200\n\"content-type\": application/json\n\"content-digest\": sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:\n\"content-length\": 23\n\"@signature-params\": (\"@status\" \"content-type\" \"content-digest\" \"content-length\");created=1618884473;keyid=\"test-key-ecc-p256\"";
    let signature = "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==";
    let signature = STANDARD.decode(signature).unwrap();
    assert!(ecc_p256().verifies(Algorithm::Es256, signed.as_bytes(), &signature));
}

#[test]
fn thumbprints_are_those_of_others() {
    let print = |key: VerifyingKey| crate::jwt::encode(key.thumbprint().unwrap());
    assert_eq!(print(rsa_pss()), "oD0HwocPBSfpNy5W3bpJeyFGY_IQ_YpqxSjQ3Yd-CLA");
    assert_eq!(print(ed25519()), "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U");
    assert_eq!(shared_secret().thumbprint(), None);
}

/// Signs whatever an input covers of the request of the standard.
fn sign(input: &str) -> String {
    let key = SigningKey::from_seed(&[7; 32]).unwrap();
    let members = dictionary(input).unwrap();
    let (label, member) = &members[0];
    let Member::List(items, parameters) = member else { panic!("{input}") };
    let line = write_list(items, parameters);
    let signed = with(input, "", |message| base(message, items, &line)).unwrap();
    format!("{label}=:{}:", STANDARD.encode(key.signature(&signed).unwrap()))
}

fn own() -> VerifyingKey {
    jwk(SigningKey::from_seed(&[7; 32]).unwrap().public_jwk().clone())
}

#[test]
fn rules_about_time_nonce_and_coverage() {
    let key = own();
    let strict =
        SignatureRules { required: vec!["\"@method\"".to_owned(), "\"@path\"".to_owned()], nonce: true, ..lenient() };
    let good = r#"s=("@method" "@path");created=1618884473;keyid="k";nonce="n""#;
    for (input, outcome) in [
        (good.to_owned(), Ok(())),
        (good.replace("1618884473", "1618884413"), Ok(())),
        (good.replace("1618884473", "1618884478"), Ok(())),
        (good.replace("1618884473", "1618884412"), Err(SignatureError::Time)),
        (good.replace("1618884473", "1618884479"), Err(SignatureError::Time)),
        (good.replace("1618884473", "-1"), Err(SignatureError::Time)),
        (good.replace("1618884473", "\"1618884473\""), Err(SignatureError::Time)),
        (good.replace("created=1618884473;", ""), Err(SignatureError::Time)),
        (format!("{good};expires=1618884473"), Ok(())),
        (format!("{good};expires=1618884472"), Err(SignatureError::Time)),
        (good.replace(";nonce=\"n\"", ""), Err(SignatureError::Nonce)),
        (good.replace("\"n\"", "\"\""), Err(SignatureError::Nonce)),
        (good.replace("\"n\"", &format!("\"{}\"", "n".repeat(257))), Err(SignatureError::Nonce)),
        (good.replace("\"n\"", "7"), Err(SignatureError::Malformed)),
        (good.replace("keyid=\"k\";", ""), Err(SignatureError::NoKey)),
        (good.replace("\"k\"", "\"\""), Err(SignatureError::NoKey)),
        (good.replace(" \"@path\"", ""), Err(SignatureError::Coverage)),
        (format!("{good};alg=\"ed25519\""), Ok(())),
        (format!("{good};alg=\"hmac-sha256\""), Err(SignatureError::Algorithm)),
        (format!("{good};alg=\"none\""), Err(SignatureError::Algorithm)),
        (format!("{good};future=1"), Ok(())),
    ] {
        let outcome_is = verify(&input, &sign(&input), (SignatureAlgorithm::Ed25519, &key), &strict);
        assert_eq!(outcome_is, outcome, "{input}");
    }
    let wrong = verify(good, &sign(good), (SignatureAlgorithm::HmacSha256, &key), &strict);
    assert_eq!(wrong, Err(SignatureError::Algorithm), "an algorithm belongs to its key");
    let replays = ReplayTable::new(16, [1; 32]);
    with(good, &sign(good), |message| {
        let signed = Signed::find(message, &strict).unwrap();
        let verify = || signed.verify(message, &strict, (SignatureAlgorithm::Ed25519, &key), &replays, CREATED);
        assert_eq!(verify(), Ok(()));
        assert_eq!(verify(), Err(SignatureError::Replay));
        let with_body = Message { has_body: true, ..*message };
        let outcome = signed.verify(&with_body, &strict, (SignatureAlgorithm::Ed25519, &key), &replays, CREATED);
        assert_eq!(outcome, Err(SignatureError::Coverage), "a body has to be covered");
        let other = Message { method: "DELETE", ..*message };
        let outcome = signed.verify(&other, &strict, (SignatureAlgorithm::Ed25519, &key), &replays, CREATED);
        assert_eq!(outcome, Err(SignatureError::Signature));
    });
}

#[test]
fn fields_that_do_not_belong_together() {
    let key = own();
    let good = r#"s=("@method");created=1618884473;keyid="k""#;
    let signature = sign(good);
    for (input, signature, outcome) in [
        (good, "t=:AAAA:", SignatureError::Malformed),
        (good, "s=AAAA", SignatureError::Malformed),
        (good, "s=(:AAAA:)", SignatureError::Malformed),
        (good, "s=:A:", SignatureError::Malformed),
        (good, "s=:AAAA:, s=:AAAA:", SignatureError::Malformed),
        (good, "", SignatureError::Malformed),
        ("s=1", &signature, SignatureError::Malformed),
        ("", &signature, SignatureError::Missing),
        (&format!("{good}, t=()"), &signature, SignatureError::Several),
        (r#"s=("@method" "@method");created=1618884473;keyid="k""#, &signature, SignatureError::Component),
        (r#"s=("@signature-params");created=1618884473;keyid="k""#, &signature, SignatureError::Component),
        (r#"s=("@status");created=1618884473;keyid="k""#, &signature, SignatureError::Component),
        (r#"s=("x-absent");created=1618884473;keyid="k""#, &signature, SignatureError::Component),
        (r#"s=("Date");created=1618884473;keyid="k""#, &signature, SignatureError::Component),
        (r#"s=("date";tr);created=1618884473;keyid="k""#, &signature, SignatureError::Component),
        (r#"s=("date";sf);created=1618884473;keyid="k""#, &signature, SignatureError::Component),
        (r#"s=("@method";req);created=1618884473;keyid="k""#, &signature, SignatureError::Component),
        (r#"s=("@query-param");created=1618884473;keyid="k""#, &signature, SignatureError::Component),
        (r#"s=("@query-param";name="no");created=1618884473;keyid="k""#, &signature, SignatureError::Component),
        (r#"s=(date);created=1618884473;keyid="k""#, &signature, SignatureError::Component),
    ] {
        let outcome_is = verify(input, signature, (SignatureAlgorithm::Ed25519, &key), &lenient());
        assert_eq!(outcome_is, Err(outcome), "{input} {signature}");
    }
    let tagged = SignatureRules { tag: Some("ours".to_owned()), ..lenient() };
    let ours = r#"o=("@method");created=1618884473;keyid="k";tag="ours""#;
    let input = format!("{good}, {ours}");
    let both = format!("{signature}, {}", sign(ours));
    assert_eq!(verify(&input, &both, (SignatureAlgorithm::Ed25519, &key), &tagged), Ok(()));
    assert_eq!(verify(good, &signature, (SignatureAlgorithm::Ed25519, &key), &tagged), Err(SignatureError::Missing));
}

#[test]
fn every_component_has_its_value() {
    let fields: [(&str, &[u8]); 3] = [("X-A", b"  one "), ("x-a", b"two"), ("X-D", b"a=1, b=(x;y);z, c")];
    let message = Message {
        method: "GET",
        secure: false,
        authority: "Example.COM:80",
        path: "",
        query: Some("a=1&b=x+y%2f&c=&a=2&%64=%C3%A9"),
        fields: &fields,
        has_body: false,
    };
    let value = |component: &str| {
        let members = dictionary(&format!("s=({component})")).unwrap();
        let Member::List(items, _) = &members[0].1 else { panic!() };
        let whole = String::from_utf8(base(&message, items, "")?).unwrap();
        let line = whole.lines().next().unwrap().to_owned();
        Some(line.strip_prefix(&format!("{component}: ")).unwrap().to_owned())
    };
    for (component, expected) in [
        ("\"@method\"", Some("GET")),
        ("\"@scheme\"", Some("http")),
        ("\"@authority\"", Some("example.com")),
        ("\"@path\"", Some("/")),
        ("\"@query\"", Some("?a=1&b=x+y%2f&c=&a=2&%64=%C3%A9")),
        ("\"@request-target\"", Some("/?a=1&b=x+y%2f&c=&a=2&%64=%C3%A9")),
        ("\"@target-uri\"", Some("http://example.com/?a=1&b=x+y%2f&c=&a=2&%64=%C3%A9")),
        ("\"@query-param\";name=\"b\"", Some("x%20y%2F")),
        ("\"@query-param\";name=\"c\"", Some("")),
        ("\"@query-param\";name=\"d\"", Some("%C3%A9")),
        ("\"@query-param\";name=\"a\"", None),
        ("\"x-a\"", Some("one, two")),
        ("\"x-a\";bs", Some(":b25l:, :dHdv:")),
        ("\"x-d\";key=\"a\"", Some("1")),
        ("\"x-d\";key=\"b\"", Some("(x;y);z")),
        ("\"x-d\";key=\"c\"", Some("?1")),
        ("\"x-d\";key=\"e\"", None),
        ("\"x-a\";key=\"a\"", None),
    ] {
        assert_eq!(value(component).as_deref(), expected, "{component}");
    }
}

#[test]
fn fields_are_read_strictly() {
    for (text, written) in [
        ("a=1,b=?0 , c;x", Some("a=1, b=?0, c=?1;x")),
        (r#"a="x\"\\y""#, Some(r#"a="x\"\\y""#)),
        ("a=:aGk=:", Some("a=:aGk=:")),
        ("a=(  1   b  );c", Some("a=(1 b);c")),
        ("", Some("")),
        ("a=1,", None),
        ("a=1,,b=2", None),
        ("a=1 b=2", None),
        ("A=1", None),
        ("a=1, a=2", None),
        ("a=1;x;x", None),
        ("a=", None),
        ("a=(1", None),
        ("a=(1)x", None),
        ("a=(\"x\"\"y\")", None),
        ("a=\"x", None),
        ("a=\"\\x\"", None),
        ("a=\"\u{e9}\"", None),
        ("a=:aGk:", None),
        ("a=1.5", None),
        ("a=1234567890123456", None),
        ("a=-", None),
        ("a=?2", None),
        ("a=@1", None),
    ] {
        let read = dictionary(text);
        let again = read.map(|members| {
            let members: Vec<String> =
                members.iter().map(|(key, member)| format!("{key}={}", member.write())).collect();
            members.join(", ")
        });
        assert_eq!(again.as_deref(), written, "{text}");
    }
    let many: Vec<String> = (0..65).map(|number| format!("a{number}")).collect();
    assert_eq!(dictionary(&many.join(",")), None);
    assert!(dictionary(&many[..64].join(",")).is_some());
    assert_eq!(dictionary(&format!("a=({})", "1 ".repeat(65))), None);
}

#[test]
fn bodies_fit_their_digests() {
    let body = br#"{"hello": "world"}"#;
    let sha_256 = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
    let check = |field: &str, body: &[u8]| {
        let mut check = DigestCheck::parse(field)?;
        body.chunks(5).for_each(|piece| check.update(piece));
        check.finish()
    };
    for (field, body, outcome) in [
        (DIGEST, &body[..], Ok(())),
        (sha_256, body, Ok(())),
        (&format!("{sha_256}, {DIGEST}"), body, Ok(())),
        (&format!("md5=:AAAA:, {sha_256}"), body, Ok(())),
        (sha_256, b"{\"hello\": \"World\"}", Err(DigestError::Mismatch)),
        (sha_256, b"", Err(DigestError::Mismatch)),
        (&format!("sha-256=:{}:, {DIGEST}", STANDARD.encode([0; 32])), body, Err(DigestError::Mismatch)),
        ("md5=:AAAA:", body, Err(DigestError::NoAlgorithm)),
        ("", body, Err(DigestError::NoAlgorithm)),
        ("sha-256=:AAAA:", body, Err(DigestError::Malformed)),
        ("sha-256=X48E", body, Err(DigestError::Malformed)),
        ("sha-256", body, Err(DigestError::Malformed)),
        (&format!("{sha_256}, {sha_256}"), body, Err(DigestError::Malformed)),
    ] {
        assert_eq!(check(field, body), outcome, "{field}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "[ -~]{0,60}", pieces in proptest::collection::vec("[a(\";:=?,) 1*.\\\\-]{1,3}", 0..20)) {
        super::fuzz_fields(text.as_bytes());
        super::fuzz_fields(pieces.concat().as_bytes());
    }
}
