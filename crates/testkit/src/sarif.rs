//! Whether a document is SARIF 2.1.0 (OASIS, section 3): the objects that our reports have, each with the members that it may have,
//! those that it must have, and the values that they may take. What is not in the table is a fault, as the schema has no other members.

use serde_json::{Map, Value};

/// What a member holds.
enum Kind {
    Text,
    Flag,
    /// A whole number, and the least one.
    Number(u64),
    OneOf(&'static [&'static str]),
    /// RFC 3986, relative or not.
    Uri,
    Object(&'static str),
    /// Of objects; the number is the least of them.
    List(&'static str, usize),
    /// Members of any name, each a text.
    Texts,
    /// Anything; `tags` in it are texts, each once.
    Bag,
}

use Kind::{Bag, Flag, List, Number, Object, OneOf, Text, Texts, Uri};

/// Members that are there in any case are marked.
type Members = &'static [(&'static str, bool, Kind)];

const LEVELS: &[&str] = &["none", "note", "warning", "error"];
const STATES: &[&str] = &["new", "unchanged", "updated", "absent"];

fn members(object: &str) -> Members {
    match object {
        "log" => &[("$schema", false, Uri), ("version", true, OneOf(&["2.1.0"])), ("runs", true, List("run", 1))],
        "run" => &[
            ("tool", true, Object("tool")),
            ("results", false, List("result", 0)),
            ("invocations", false, List("invocation", 0)),
        ],
        "tool" => &[("driver", true, Object("component"))],
        "component" => &[
            ("name", true, Text),
            ("version", false, Text),
            ("informationUri", false, Uri),
            ("rules", false, List("rule", 0)),
        ],
        "rule" => &[
            ("id", true, Text),
            ("shortDescription", false, Object("string")),
            ("fullDescription", false, Object("string")),
            ("help", false, Object("string")),
            ("defaultConfiguration", false, Object("configuration")),
            ("properties", false, Bag),
        ],
        "string" => &[("text", true, Text), ("markdown", false, Text)],
        "message" => &[("text", true, Text)],
        "configuration" => &[("level", false, OneOf(LEVELS)), ("enabled", false, Flag)],
        "invocation" => &[("executionSuccessful", true, Flag)],
        "result" => &[
            ("ruleId", false, Text),
            ("ruleIndex", false, Number(0)),
            ("level", false, OneOf(LEVELS)),
            ("message", true, Object("message")),
            ("locations", false, List("location", 0)),
            ("partialFingerprints", false, Texts),
            ("suppressions", false, List("suppression", 0)),
            ("baselineState", false, OneOf(STATES)),
            ("properties", false, Bag),
        ],
        "suppression" => &[("kind", true, OneOf(&["inSource", "external"])), ("justification", false, Text)],
        "location" => {
            &[("physicalLocation", false, Object("physical")), ("logicalLocations", false, List("logical", 0))]
        }
        "physical" => &[("artifactLocation", true, Object("artifact")), ("region", false, Object("region"))],
        "artifact" => &[("uri", false, Uri), ("uriBaseId", false, Text)],
        "region" => &[("startLine", false, Number(1)), ("startColumn", false, Number(1))],
        "logical" => &[("name", false, Text), ("fullyQualifiedName", false, Text), ("kind", false, Text)],
        _ => &[],
    }
}

/// Everything that is wrong with a document, each with its place.
#[must_use]
pub fn faults(document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    object(document, "log", "$", &mut faults);
    let runs = document.get("runs").and_then(Value::as_array).into_iter().flatten();
    for (at, run) in runs.enumerate() {
        named_rules(run, &format!("$.runs[{at}]"), &mut faults);
    }
    faults
}

fn object(value: &Value, name: &str, place: &str, faults: &mut Vec<String>) {
    let Some(found) = value.as_object() else {
        return faults.push(format!("{place} is not an object"));
    };
    let members = members(name);
    for (member, required, kind) in members {
        match found.get(*member) {
            Some(value) => self::member(value, kind, &format!("{place}.{member}"), faults),
            None if *required => faults.push(format!("{place} has no `{member}`")),
            None => {}
        }
    }
    for member in found.keys().filter(|member| !members.iter().any(|(known, ..)| known == member)) {
        faults.push(format!("{place} has `{member}`, which a {name} has not"));
    }
}

fn member(value: &Value, kind: &Kind, place: &str, faults: &mut Vec<String>) {
    let is_right = match kind {
        Text => value.is_string(),
        Flag => value.is_boolean(),
        Number(least) => value.as_u64().is_some_and(|number| number >= *least),
        OneOf(all) => value.as_str().is_some_and(|text| all.contains(&text)),
        Uri => value.as_str().is_some_and(is_reference),
        Texts => value.as_object().is_some_and(|all| all.values().all(Value::is_string)),
        Bag => value.as_object().is_some_and(has_tags),
        Object(name) => return object(value, name, place, faults),
        List(name, least) => {
            let all = value.as_array().map(Vec::as_slice).unwrap_or_default();
            for (at, one) in all.iter().enumerate() {
                object(one, name, &format!("{place}[{at}]"), faults);
            }
            value.is_array() && all.len() >= *least
        }
    };
    if !is_right {
        faults.push(format!("{place} is {value}"));
    }
}

fn has_tags(bag: &Map<String, Value>) -> bool {
    let Some(tags) = bag.get("tags") else { return true };
    let Some(tags) = tags.as_array() else { return false };
    tags.iter().all(Value::is_string) && (1..tags.len()).all(|at| !tags[..at].contains(&tags[at]))
}

fn is_reference(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    let mut escapes = text.split('%').skip(1);
    text.bytes().all(allowed)
        && escapes.all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}

/// Section 3.27.5: a result names a rule; ours are all described, each once.
fn named_rules(run: &Value, place: &str, faults: &mut Vec<String>) {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let rules = list(run.pointer("/tool/driver/rules"));
    let ids: Vec<&Value> = rules.iter().filter_map(|rule| rule.get("id")).collect();
    if let Some(twice) = (1..ids.len()).find(|at| ids[..*at].contains(&ids[*at])) {
        faults.push(format!("{place} describes {} twice", ids[twice]));
    }
    for result in list(run.get("results")) {
        if let Some(id) = result.get("ruleId").filter(|id| !ids.contains(id)) {
            faults.push(format!("{place} has a result of {id}, which is not described"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::faults;
    use serde_json::{Value, json};

    fn sound() -> Value {
        json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
            "runs": [{
                "tool": { "driver": { "name": "a", "rules": [{ "id": "A1", "properties": { "tags": ["x"] } }] } },
                "results": [{ "ruleId": "A1", "level": "note", "message": { "text": "b" }, "locations": [
                    { "physicalLocation": { "artifactLocation": { "uri": "a%20b.yaml" }, "region": { "startLine": 1 } } }] }],
            }],
        })
    }

    #[test]
    fn what_the_standard_does_not_have_is_a_fault() {
        assert_eq!(faults(&sound()), Vec::<String>::new());
        let result = "/runs/0/results/0";
        for (place, value) in [
            ("/version", json!("2.0.0")),
            ("/runs", json!([])),
            ("/runs/0/tool/driver/name", json!(1)),
            ("/runs/0/tool/driver/rules", json!([{ "id": "A1" }, { "id": "A1" }])),
            ("/runs/0/tool/driver/rules/0/properties/tags", json!(["x", "x"])),
            (&format!("{result}/ruleId"), json!("A2")),
            (&format!("{result}/level"), json!("high")),
            (&format!("{result}/message"), json!({})),
            (&format!("{result}/message"), json!({ "text": "b", "words": "c" })),
            (&format!("{result}/locations/0/physicalLocation/artifactLocation/uri"), json!("a b.yaml")),
            (&format!("{result}/locations/0/physicalLocation/artifactLocation/uri"), json!("a%2.yaml")),
            (&format!("{result}/locations/0/physicalLocation/region/startLine"), json!(0)),
        ] {
            let mut document = sound();
            *document.pointer_mut(place).unwrap() = value;
            assert_eq!(faults(&document).len(), 1, "{place}: {:?}", faults(&document));
        }
        // Without a driver nothing is described either, the rule of the result included.
        let mut document = sound();
        *document.pointer_mut("/runs/0/tool").unwrap() = json!({});
        assert_eq!(faults(&document).len(), 2, "{:?}", faults(&document));
    }
}
