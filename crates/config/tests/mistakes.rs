//! Every file in `mistakes/` is refused with exactly the text beside it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use portcullis_config::{Environment, Failure, load};

use crate::support::golden;

/// What no message may repeat.
const SECRET: &str = "a-secret-word";

fn environment() -> Environment {
    Environment::fixed([
        ("WORKERS", SECRET),
        ("TARGET", "http://user:a-secret-word@127.0.0.1"),
        ("HOST", "secret.example.com"),
    ])
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir("tests/mistakes")
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

fn refused(path: &Path) -> Failure {
    match load(path, &environment()) {
        Ok(_) => panic!("{} was accepted", path.display()),
        Err(failure) => failure,
    }
}

#[test]
fn every_mistake_is_explained() {
    let mut wrong = Vec::new();
    for path in files() {
        let text = refused(&path).render(false);
        if let Err(difference) = golden(&path.with_extension("txt"), &text) {
            wrong.push(difference);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn there_are_enough_of_them() {
    let mut messages = BTreeSet::new();
    let mut codes = BTreeSet::new();
    for path in files() {
        for diagnostic in refused(&path).diagnostics() {
            messages.insert((diagnostic.code, diagnostic.message.clone()));
            codes.insert(diagnostic.code);
        }
    }
    assert!(messages.len() >= 150, "{} different mistakes", messages.len());
    assert!(codes.len() >= 35, "{} codes: {codes:?}", codes.len());
}

#[test]
fn messages_are_in_the_style_of_the_house() {
    for path in files() {
        for diagnostic in refused(&path).diagnostics() {
            for text in std::iter::once(&diagnostic.message).chain(&diagnostic.help) {
                assert!(!text.ends_with('.'), "{}: ends with a period: {text}", path.display());
                assert!(!text.contains('\n'), "{}: more than a line: {text}", path.display());
                assert!(!text.to_lowercase().contains("made-up"), "{}: shows what was made up: {text}", path.display());
                let first = text.chars().next().expect("not empty");
                let is_lower = first.is_lowercase() || !first.is_alphabetic() || text.starts_with("OpenAPI");
                assert!(is_lower, "{}: begins with a capital: {text}", path.display());
            }
        }
    }
}

#[test]
fn values_from_outside_are_never_printed() {
    let failure = refused(Path::new("tests/mistakes/outside.yaml"));
    // The first line of the file tells the reader what the values are; no diagnostic points at it.
    let everything = format!("{}{}{failure}{failure:?}", failure.render(true), failure.to_json());
    assert!(!everything.contains(SECRET), "{everything}");
    assert!(!everything.contains("secret.example.com"), "{everything}");
}

#[test]
fn programs_get_the_same() {
    let failure = refused(Path::new("tests/mistakes/include-duplicates.yaml"));
    let text = format!("{:#}\n", failure.to_json());
    golden(Path::new("tests/mistakes/include-duplicates.json"), &text).unwrap_or_else(|why| panic!("{why}"));
}
