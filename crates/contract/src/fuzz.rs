//! What must hold for any bytes; the fuzz targets and their smoke tests call the same functions.

use crate::json::{Json, Limits};
use crate::schema::{Draft, Effort, OneSchema, Options, Verdict};

const STEPS: u64 = 100_000;

/// The first half is a schema, the second half a body: whatever they are, an answer comes within the budget, and a body that does
/// not fit has a reason whose pointer begins like one.
///
/// # Panics
/// Where that does not hold.
#[allow(clippy::panic, reason = "the purpose of this function is to fail loudly")]
pub fn body(input: &[u8]) {
    let mut halves = input.splitn(2, |byte| *byte == 0);
    let (schema, body) = (halves.next().unwrap_or(b""), halves.next().unwrap_or(b""));
    let effort = Effort { steps_least: STEPS, steps_per_value: 0, ..Effort::default() };
    for draft in [Draft::Four, Draft::OpenApi30, Draft::Current] {
        let options = Options { closed_objects: true, formats: true };
        let Ok(schema) = OneSchema::compile("schema", schema, draft, options, &mut |_| None) else { continue };
        let Ok(json) = Json::parse(body, &Limits::default()) else { continue };
        if let Verdict::Invalid(found) = schema.judge(&json, &effort) {
            assert!((1..=effort.violations).contains(&found.len()), "{} reasons", found.len());
            for one in found {
                assert!(one.pointer.is_empty() || one.pointer.starts_with('/'), "{one:?}");
                assert!(!one.keyword.is_empty() && !one.detail.is_empty(), "{one:?}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    const SCHEMAS: &[&str] = &[
        "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"unevaluatedProperties\":false}",
        "{\"anyOf\":[{\"$ref\":\"#\"},{\"not\":{\"$ref\":\"#\"}}]}",
        "{\"items\":{\"uniqueItems\":true},\"contains\":{\"const\":1e9999},\"pattern\":\"(a*)*$\"}",
        "{\"$dynamicRef\":\"#a\",\"$defs\":{\"a\":{\"$dynamicAnchor\":\"a\"}}}",
        "{\"$id\":\"%\",\"$ref\":\"#/%2\"}",
        "{\"multipleOf\":0,\"minLength\":-1,\"type\":[]}",
        "a: &a [1]\nenum: *a\n",
    ];
    const BODIES: &[&str] =
        &["{\"a\":{\"a\":{}},\"b\":[1,1.0,{}]}", "[[1,1],[[],[]]]", "\"aaaaaaaaaaaaaaaaaaaab\"", "-0.0e-0", "null"];

    #[test]
    fn fuzz_smoke_contract_body() {
        for schema in SCHEMAS {
            for body in BODIES {
                super::body(format!("{schema}\0{body}").as_bytes());
            }
        }
    }

    proptest! {
        #[test]
        fn fuzz_smoke_contract_body_at_random(
            schema in prop::sample::select(SCHEMAS), body in prop::sample::select(BODIES), at in 0_usize..80, byte in any::<u8>(),
        ) {
            let mut input = format!("{schema}\0{body}").into_bytes();
            if let Some(place) = input.get_mut(at) {
                *place = byte;
            }
            super::body(&input);
        }
    }
}
