//! What the program is made of, and what shows how its APIs are protected.

use super::{Row, Scene};
use crate::command::{bill_of_materials, evidence_about, is_evidence};
use serde_json::Value;

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    vec![bill(), signed(scene)]
}

fn bill() -> Row {
    let expected = "CycloneDX 1.6: portcullis, with rustls in it";
    let outcome = bill_of_materials().map_err(|stop| stop.summary()).map(|bill| {
        let text = |place: &str| bill.pointer(place).and_then(Value::as_str).unwrap_or("?").to_owned();
        let components = bill.get("components").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let has = components.iter().any(|one| one.get("name").is_some_and(|name| name == "rustls"));
        let with = if has { "with" } else { "without" };
        let got = format!(
            "{} {}: {}, {with} rustls in it",
            text("/bomFormat"),
            text("/specVersion"),
            text("/metadata/component/name")
        );
        let ok = got == expected;
        (got, ok)
    });
    Row::new("updates", "portcullis sbom", expected, outcome)
}

fn signed(scene: &Scene<'_>) -> Row {
    let expected = "as it was signed; then not";
    let outcome = evidence_about(&scene.config).map_err(|stop| stop.summary()).map(|(sealed, signer)| {
        let word = |text: &str| if is_evidence(text, &signer) { "as it was signed" } else { "not" };
        let changed = sealed.replacen("\"score\": ", "\"score\": 1", 1);
        let got = format!("{}; then {}", word(&sealed), word(&changed));
        let ok = got == expected && changed != sealed;
        (got, ok)
    });
    Row::new("audits", "portcullis evidence, and a copy with a better score", expected, outcome)
}
