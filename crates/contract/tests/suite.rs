//! The JSON Schema Test Suite through the engine: what is mandatory in draft 4 and in 2020-12, all of it.
//!
//! The suite is not ours. `cargo xtask test needs` brings it into cargo's target folder.
#![cfg(test)]

use portcullis_contract::json::{Json, Kind, Limits};
use portcullis_contract::schema::{Draft, Effort, OneSchema, Options, Verdict};
use std::fs;
use std::path::{Path, PathBuf};

fn brought(package: &str, inner: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("pypi").join(package).join(inner);
    assert!(place.exists(), "{} is missing: run `cargo xtask test needs`", place.display());
    place
}

fn suite(inner: &str) -> PathBuf {
    brought("jsonschema", "json").join(inner)
}

/// What the suite's schemas refer to, at the addresses that it says.
fn fetch(address: &str) -> Option<Vec<u8>> {
    let schemas = "jsonschema_specifications/schemas";
    if let Some(name) = address.strip_prefix("http://localhost:1234/") {
        return fs::read(suite("remotes").join(name)).ok();
    }
    if let Some(name) = address.strip_prefix("https://json-schema.org/draft/2020-12/") {
        let place =
            name.strip_prefix("meta/").map_or("metaschema.json".to_owned(), |name| format!("vocabularies/{name}"));
        let folder = brought("jsonschema-specifications", schemas).join("draft202012");
        return fs::read(folder.join(&place)).or_else(|_| fs::read(folder.join(format!("{place}.json")))).ok();
    }
    let four = address == "http://json-schema.org/draft-04/schema";
    four.then(|| fs::read(brought("jsonschema-specifications", schemas).join("draft4/metaschema.json")).ok())?
}

/// Runs one file; says how many tests passed and which did not.
fn run(draft: Draft, options: Options, file: &Path) -> (usize, Vec<String>) {
    let bytes = fs::read(file).unwrap();
    let groups = Json::parse(&bytes, &Limits::generous()).unwrap();
    let (mut passed, mut failed) = (0, Vec::new());
    let text = |item: portcullis_contract::json::Item<'_>| {
        let (from, to) = item.span();
        bytes[from as usize..to as usize].to_owned()
    };
    for group in groups.root().items() {
        let name =
            format!("{}: {}", file.file_name().unwrap().to_string_lossy(), group.member("description").unwrap().text());
        let schema =
            OneSchema::compile("test:schema", &text(group.member("schema").unwrap()), draft, options, &mut fetch);
        let schema = match schema {
            Ok(schema) => schema,
            Err(findings) => {
                failed.push(format!("{name}: {}", findings[0]));
                continue;
            }
        };
        for test in group.member("tests").unwrap().items() {
            let data = text(test.member("data").unwrap());
            let json = Json::parse(&data, &Limits::generous()).unwrap();
            let verdict = schema.judge(&json, &Effort::default());
            let expected = test.member("valid").unwrap().kind() == Kind::Bool(true);
            let fits = verdict == Verdict::Valid;
            let explained = matches!(&verdict, Verdict::Invalid(found) if !found.is_empty());
            if fits == expected && (fits || explained) {
                passed += 1;
            } else {
                failed.push(format!("{name}: {}: {verdict:?}", test.member("description").unwrap().text()));
            }
        }
    }
    (passed, failed)
}

fn run_folder(draft: Draft, options: Options, folder: &Path, left_out: &[&str]) -> usize {
    let (mut passed, mut failed) = (0, Vec::new());
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "json")) {
        if left_out.contains(&file.file_stem().unwrap().to_str().unwrap()) {
            continue;
        }
        let (more, wrong) = run(draft, options, file);
        passed += more;
        failed.extend(wrong);
    }
    println!("{}: {passed} passed", folder.display());
    assert!(failed.is_empty(), "{} failed, {passed} passed:\n{}", failed.len(), failed.join("\n"));
    passed
}

#[test]
fn all_that_is_mandatory_in_draft_4() {
    let passed = run_folder(Draft::Four, Options::default(), &suite("tests/draft4"), &[]);
    assert!(passed >= 600, "only {passed} tests were found");
}

#[test]
fn all_that_is_mandatory_in_2020_12() {
    let passed = run_folder(Draft::Current, Options::default(), &suite("tests/draft2020-12"), &[]);
    assert!(passed >= 1_200, "only {passed} tests were found");
}

/// Beyond what is mandatory: numbers without floats, and the formats that are checked here.
#[test]
fn exact_numbers_and_formats() {
    let options = Options { formats: true, ..Options::default() };
    for (draft, folder) in [(Draft::Four, "draft4"), (Draft::Current, "draft2020-12")] {
        for name in ["bignum", "float-overflow", "zeroTerminatedFloats", "non-bmp-regex"] {
            let file = suite("tests").join(folder).join(format!("optional/{name}.json"));
            if file.exists() {
                let (_, failed) = run(draft, options, &file);
                assert!(failed.is_empty(), "{failed:#?}");
            }
        }
    }
    let checked = [
        "date",
        "date-time",
        "time",
        "duration",
        "hostname",
        "ipv4",
        "ipv6",
        "uri",
        "uri-reference",
        "uuid",
        "json-pointer",
    ];
    for name in checked {
        let file = suite("tests/draft2020-12/optional/format").join(format!("{name}.json"));
        let (_, failed) = run(Draft::Current, options, &file);
        assert!(failed.is_empty(), "{failed:#?}");
    }
}
