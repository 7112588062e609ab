//! What the program is made of, as it says and as scanners read it from the binary; what a database knows against it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{folder, portcullis};

fn ask(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = portcullis(folder, arguments).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn bill(folder: &Path) -> Value {
    let (code, text, complaint) = ask(folder, &["sbom"]);
    assert_eq!(code, Some(0), "{complaint}");
    serde_json::from_str(&text).expect("JSON")
}

/// Name and version of everything in the lock file, and its checksum.
fn locked() -> BTreeSet<(String, String, String)> {
    let lock = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).expect("the lock file");
    let value = |entry: &str, key: &str| {
        let line = entry.lines().find_map(|line| line.strip_prefix(&format!("{key} = \"")));
        line.map(|text| text.trim_end_matches('"').to_owned()).unwrap_or_default()
    };
    lock.split("[[package]]")
        .map(|entry| (value(entry, "name"), value(entry, "version"), value(entry, "checksum")))
        .collect()
}

#[test]
fn a_bill_lists_what_is_locked_and_nothing_that_only_tests_need() {
    let folder = folder("supply-bill");
    let bill = bill(&folder);
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&json!("CycloneDX"), &json!("1.6")));
    assert_eq!(bill["metadata"]["component"]["name"], "portcullis");
    let components = bill["components"].as_array().expect("components");
    let (locked, mut names) = (locked(), BTreeSet::from(["portcullis@0.1.0"]));
    for one in components {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        assert!(["required", "excluded"].contains(&&*text("scope")) && text("type") == "library", "{one}");
        assert!(names.insert(one["bom-ref"].as_str().expect("a name")), "{one} stands twice");
        if text("name").starts_with("portcullis-") {
            continue;
        }
        let checksum = one["hashes"][0]["content"].as_str().expect("a checksum").to_owned();
        assert!(locked.contains(&(text("name"), text("version"), checksum)), "{one}");
        assert_eq!(text("purl"), format!("pkg:cargo/{}@{}", text("name"), text("version").replace('+', "%2B")));
        assert!(one["licenses"][0]["expression"].as_str().is_some_and(|text| !text.contains('/')), "{one}");
    }
    for depends in bill["dependencies"].as_array().expect("dependencies") {
        let on = depends["dependsOn"].as_array().expect("a list");
        assert!(
            std::iter::once(&depends["ref"]).chain(on).all(|name| names.contains(name.as_str().expect("a name"))),
            "{depends}"
        );
    }
    let has = |name: &str| components.iter().find(|one| one["name"] == name).map(|one| one["scope"].clone());
    assert_eq!(has("rustls"), Some(json!("required")));
    assert_eq!(has("cc"), Some(json!("excluded")));
    assert_eq!((has("proptest"), has("tonic"), has("portcullis-testkit")), (None, None, None));
    assert_eq!(bill, self::bill(&folder), "the same program has the same bill");
}

#[test]
fn scanners_find_the_list_in_the_binary() {
    let folder = folder("supply-binary");
    let section = folder.join("section");
    let copied = Command::new("objcopy")
        .args(["-O", "binary", "--only-section=.dep-v0", env!("CARGO_BIN_EXE_portcullis")])
        .arg(&section)
        .status()
        .expect("objcopy runs");
    assert!(copied.success());
    let bytes = fs::read(&section).expect("a section");
    let mut text = String::new();
    flate2::read::ZlibDecoder::new(&*bytes).read_to_string(&mut text).expect("compressed by zlib");
    let value: Value = serde_json::from_str(&text).expect("JSON");
    let packages = value["packages"].as_array().expect("packages");
    assert_eq!((&packages[0]["name"], &packages[0]["root"]), (&json!("portcullis"), &json!(true)));
    let count = u64::try_from(packages.len()).expect("a number");
    for one in packages {
        assert!(one["dependencies"].as_array().expect("a list").iter().all(|at| at.as_u64() < Some(count)), "{one}");
    }
    let pair = |one: &Value| (one["name"].as_str().map(str::to_owned), one["version"].as_str().map(str::to_owned));
    let listed: BTreeSet<_> = packages.iter().skip(1).map(pair).collect();
    let billed: BTreeSet<_> = bill(&folder)["components"].as_array().expect("components").iter().map(pair).collect();
    assert_eq!(listed, billed);
}

/// An advisory of RustSec about a package that is in the program.
fn advisory(id: &str, package: &str, date: &str, more: &str) -> String {
    format!(
        "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"{date}\"\n{more}\n```\n\n# It is broken\n"
    )
}

#[test]
fn a_database_tells_what_is_known() {
    let folder = folder("supply-vulns");
    let database = folder.join("db/crates/rustls");
    fs::create_dir_all(&database).expect("a folder");
    let write = |name: &str, text: &str| fs::write(database.join(name), text).expect("an advisory");
    let vulns = |more: &[&str]| ask(&folder, &[&["vulns", "--db", "db"][..], more].concat());
    let (code, _, complaint) = vulns(&[]);
    assert!(code == Some(2) && complaint.contains("there is no advisory in it"), "{complaint}");
    write(
        "RUSTSEC-2026-0001.md",
        &advisory("RUSTSEC-2026-0001", "rustls", "2026-01-01", "[versions]\npatched = [\">= 0.1.0\"]"),
    );
    write("RUSTSEC-2026-0002.md", &advisory("RUSTSEC-2026-0002", "rustls", "2026-01-02", "withdrawn = \"2026-01-03\""));
    write("README.md", "nothing about anything");
    let (code, text, complaint) = vulns(&[]);
    assert!(code == Some(0) && text.contains("0 vulnerabilities, 0 notices; 2 entries"), "{text}{complaint}");
    assert!(
        complaint.contains("warning: the newest entry of the database is") && complaint.contains("fetch it anew"),
        "{complaint}"
    );
    assert_eq!(vulns(&["--fail-on-age"]).0, Some(1));
    let (code, _, complaint) = vulns(&["--fail-on-age", "--max-age", "100000"]);
    assert!(code == Some(0) && complaint.is_empty(), "{complaint}");
    write(
        "RUSTSEC-2026-0003.md",
        &advisory("RUSTSEC-2026-0003", "rustls", "2026-01-04", "[versions]\npatched = [\">= 99.0.0\"]"),
    );
    let (code, text, _) = vulns(&[]);
    assert!(
        code == Some(1)
            && text.contains("vulnerability RUSTSEC-2026-0003 rustls 0.")
            && text.contains("mended in >=99.0.0"),
        "{text}"
    );
    let (_, text, _) = vulns(&["--format", "json"]);
    let value: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&value["vulnerabilities"], &value["found"][0]["id"]), (&json!(1), &json!("RUSTSEC-2026-0003")));
    let (_, text, _) = vulns(&["--format", "metrics"]);
    assert!(text.contains("\nportcullis_known_vulnerabilities 1\n") && text.contains("_age_seconds "), "{text}");
    let (_, text, complaint) = ask(&folder, &["audit", "-c", "good.yaml", "--db", "db", "--format", "json"]);
    let value: Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}{complaint}"));
    for rule in ["PC1401", "PC1402"] {
        assert!(
            value["findings"].as_array().expect("findings").iter().any(|one| one["rule"] == rule),
            "{rule}: {text}"
        );
    }
    // What cannot be read might be what is known.
    write("RUSTSEC-2026-0004.md", "```toml\nnonsense\n```");
    let (code, _, complaint) = vulns(&[]);
    assert!(code == Some(2) && complaint.contains("RUSTSEC-2026-0004.md: "), "{complaint}");
}
