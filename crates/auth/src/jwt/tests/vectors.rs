//! The Wycheproof vectors for JSON Web Signatures, read from where the suites lie.

use crate::jwt::algorithm::Algorithm;
use crate::jwt::jwk::VerifyingKey;
use crate::jwt::token::{Compact, decode, text};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

const BLANK: &str = "the secret is 32 zero bytes, which is what a key that was never set looks like";

/// Valid vectors that are refused all the same, and why that is stricter.
const REFUSED_VALID: &[(u64, &str)] = &[
    (346, "the key is bound to PS256 and the token names PS384: an algorithm belongs to its key"),
    (347, "the key names ES521, which is no algorithm"),
    (350, "the key is bound to PS256 and the token names PS384: an algorithm belongs to its key"),
    (351, "the key names ES521, which is no algorithm"),
    (357, BLANK),
    (358, BLANK),
    (359, BLANK),
    (372, "a question mark stands in the header's base64url"),
    (373, "a question mark stands in the payload's base64url"),
    (376, BLANK),
    (377, BLANK),
];

#[expect(clippy::disallowed_methods, reason = "tests find the suites by the environment")]
fn suites() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let given = std::env::var("PORTCULLIS_SUITES").ok().map(PathBuf::from);
    let places = [given, Some(root.join("../shared/suites")), Some(root.join("../../shared/suites"))];
    let found = places.into_iter().flatten().find(|place| place.is_dir());
    found.expect("the suites are missing: set PORTCULLIS_SUITES to the folder that holds `jose`")
}

fn key(jwk: &Map<String, Value>) -> Option<VerifyingKey> {
    if text(jwk, "kty") != Some("oct") {
        return VerifyingKey::public(jwk).ok();
    }
    let algorithm = text(jwk, "alg").and_then(Algorithm::from_name)?;
    VerifyingKey::secret(None, algorithm, text(jwk, "k").and_then(decode)?).ok()
}

fn accepts(key: Option<&VerifyingKey>, jws: &str) -> bool {
    let (Some(key), Ok(compact)) = (key, Compact::split(jws)) else { return false };
    if ["crit", "b64", "zip"].iter().any(|name| compact.header.contains_key(*name)) {
        return false;
    }
    let Some(algorithm) = text(&compact.header, "alg").and_then(Algorithm::from_name) else { return false };
    key.allows(algorithm) && key.verifies(algorithm, compact.signed, &compact.signature)
}

#[test]
fn every_vector_has_its_verdict() {
    let path = suites().join("jose/wycheproof_json_web_signature.json");
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    let (mut count, mut refused) = (0, Vec::new());
    for group in document["testGroups"].as_array().unwrap() {
        let jwk = group.get("public").or_else(|| group.get("private")).and_then(Value::as_object).unwrap();
        let key = key(jwk);
        for test in group["tests"].as_array().unwrap() {
            let id = test["tcId"].as_u64().unwrap();
            let jws = test["jws"].as_str().map(str::to_owned).unwrap_or_else(|| test["jws"].to_string());
            let accepted = accepts(key.as_ref(), &jws);
            count += 1;
            if test["result"] == "valid" && !accepted {
                refused.push(id);
            }
            assert!(test["result"] == "valid" || !accepted, "vector {id} ({}) is accepted", test["comment"]);
        }
    }
    assert_eq!(count, 401);
    assert_eq!(refused, REFUSED_VALID.iter().map(|(id, _)| *id).collect::<Vec<_>>());
}
