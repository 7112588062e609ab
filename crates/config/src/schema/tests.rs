//! The schema accepts what the loader accepts, and says what its comments say.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::schema;
use crate::diagnostic::Report;
use crate::sources::Sources;
use crate::tree::{Kind, NodeId, Tree, build};

fn to_json(tree: &Tree, id: NodeId) -> Value {
    match &tree.node(id).kind {
        Kind::Bad | Kind::Null => Value::Null,
        Kind::Scalar { text, plain: false } => json!(**text),
        // JSON's own words and numbers are what editors see; everything else is a text.
        Kind::Scalar { text, plain: true } => serde_json::from_str(text).unwrap_or_else(|_| json!(**text)),
        Kind::Seq(items) => items.iter().map(|item| to_json(tree, *item)).collect(),
        Kind::Map(entries) => {
            let members = entries.iter().map(|(name, entry)| (String::from(&**name), to_json(tree, entry.value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
    }
}

fn errors(text: &str) -> Vec<String> {
    let mut sources = Sources::default();
    let file = sources.add("test.yaml", text.to_owned(), Path::new(""));
    let (mut tree, mut report) = (Tree::default(), Report::default());
    let root = build(&mut tree, &mut report, file, text).expect("a root");
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    validator.iter_errors(&to_json(&tree, root)).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_schema_accepts_the_examples() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("examples").map(|entry| entry.expect("readable").path()).collect();
    for path in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "yaml")) {
        let found = errors(&std::fs::read_to_string(path).expect("readable"));
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
}

#[test]
fn the_schema_refuses_what_the_loader_refuses() {
    let good = "version: 1\nlisteners: { a: { bind: '127.0.0.1:80' } }\napis: {}\n";
    assert!(errors(good).is_empty());
    assert!(errors("version: 1\nlisteners: { a: { bind: { env: BIND } } }\napis: {}\n").is_empty());
    for bad in [
        "version: 2\nlisteners: {}\napis: {}\n",
        "version: 1\napis: {}\n",
        "version: 1\nlisteners: { a: { bind: '127.0.0.1:80', tls: } }\napis: {}\n",
        "version: 1\nlisteners: { a: { bnd: '127.0.0.1:80' } }\napis: {}\n",
        "version: 1\nlisteners: { a: { bind: '127.0.0.1:80' } }\nshutdown: { deadline: 30 }\napis: {}\n",
        "version: 1\nlisteners: { a: { bind: '127.0.0.1:80' } }\nworkers: 0\napis: {}\n",
        "version: 1\nlisteners: { a: { bind: '127.0.0.1:80' } }\ndefaults: { authn: pubic }\napis: {}\n",
    ] {
        assert!(!errors(bad).is_empty(), "{bad}");
    }
}

#[test]
fn defaults_in_the_schema_are_values_that_can_be_written() {
    let schema = schema();
    let mut checked = 0;
    for (name, section) in schema["$defs"].as_object().expect("definitions") {
        for (setting, value) in section["properties"].as_object().into_iter().flatten() {
            let Some(default) = value.get("default") else { continue };
            let mut alone = value.clone();
            alone["$defs"] = schema["$defs"].clone();
            assert!(jsonschema::is_valid(&alone, default), "{name}.{setting}: {default}");
            checked += 1;
        }
    }
    assert!(checked >= 20, "{checked}");
}

/// `recover` finds out about a mistake in a single value only if the value asks through its protocol; one that didn't
/// would stand in the schema without a definition of its own.
#[test]
fn every_single_value_is_one_of_ours() {
    fn is_ours(schema: &Value) -> bool {
        schema.get("$ref").is_some()
            || schema.get("const").is_some()
            || schema.get("items").is_some_and(is_ours)
            || schema.get("additionalProperties").is_some_and(is_ours)
    }
    let schema = schema();
    let definitions = schema["$defs"].as_object().expect("definitions").iter();
    for (name, section) in definitions.filter(|(name, _)| *name != "Outside").chain([(&"file".to_owned(), &schema)]) {
        for (setting, value) in section["properties"].as_object().into_iter().flatten() {
            assert!(is_ours(value), "{name}.{setting}: {value}");
        }
    }
}
