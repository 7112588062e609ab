//! What is generated from the source equals what is in the repository.

use std::path::Path;

use portcullis_config::{reference, schema};

use crate::support::golden;

#[test]
fn the_reference_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/configuration.md");
    golden(&path, &reference()).unwrap_or_else(|why| panic!("{why}"));
}

#[test]
fn every_setting_is_described() {
    let schema = schema();
    let mut silent = Vec::new();
    let sections = schema["$defs"].as_object().expect("definitions").iter().map(|(name, value)| (name.as_str(), value));
    for (name, section) in sections.chain([("file", &schema)]) {
        assert!(section.get("description").is_some(), "{name} is not described");
        for (setting, value) in section["properties"].as_object().into_iter().flatten() {
            if value.get("description").is_none() && name != "Outside" {
                silent.push(format!("{name}.{setting}"));
            }
        }
        if section.get("properties").is_some() {
            assert_eq!(section["additionalProperties"], false, "{name} takes unknown settings");
        }
    }
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn the_schema_promises_nothing_that_the_loader_refuses() {
    let text = schema().to_string();
    assert!(!text.contains("\"null\""), "a setting without a value is a mistake");
}

#[test]
fn settings_keep_their_places() {
    // These three read a value before they know what it is, and so forget where it stands.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for name in ["file.rs", "file/api.rs", "file/listener.rs"] {
        let text = std::fs::read_to_string(folder.join(name)).expect("readable");
        for forbidden in ["flatten", "untagged", "tag ="] {
            assert!(!text.contains(forbidden), "{name} uses `{forbidden}`");
        }
    }
}
