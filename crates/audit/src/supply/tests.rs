//! Lists, advisories and versions.

use super::span::meets;
use super::{Known, cyclonedx, osv, packages, rustsec, toml};
use semver::{Version, VersionReq};
use serde_json::{Value, json};

const LIST: &str = r#"{"packages":[
    {"name":"portcullis","version":"0.1.0","source":"local","licence":"Apache-2.0","dependencies":[1,2],"root":true},
    {"name":"hyper","version":"1.2.3","source":"crates.io","licence":"MIT","checksum":"ab","dependencies":[2]},
    {"name":"cc","version":"1.0.0+x","source":"crates.io","licence":"MIT OR Apache-2.0","kind":"build","dependencies":[]}]}"#;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

#[test]
fn requirements_are_ranges_in_one_order() {
    for (requirement, inside, outside) in [
        (">=1.2.3", &["1.2.3", "1.2.3+b", "1.3.0-rc.1", "2.0.0"][..], &["1.2.2", "1.2.3-rc.1"][..]),
        (">1.2.3", &["1.2.4-rc.1", "1.2.4"], &["1.2.3", "1.2.3+b", "1.2.3-rc.1"]),
        (">1.2", &["1.3.0-0", "1.3.0"], &["1.2.0", "1.2.9"]),
        ("<1.2.3", &["1.2.2", "1.2.3-rc.1", "0.0.0"], &["1.2.3", "1.2.4"]),
        ("<=1.2", &["1.2.9", "1.0.0"], &["1.3.0-0", "1.3.0"]),
        ("=1.2.3", &["1.2.3", "1.2.3+b"], &["1.2.4", "1.2.3-rc.1"]),
        ("=1.2", &["1.2.0", "1.2.9"], &["1.3.0", "1.3.0-rc.1", "1.1.9"]),
        ("^1.2.3", &["1.2.3", "1.9.0", "1.9.0-rc.1"], &["2.0.0", "2.0.0-rc.1", "1.2.2"]),
        ("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0", "0.3.0-rc.1", "0.2.2"]),
        ("^0.0.3", &["0.0.3"], &["0.0.4", "0.0.2"]),
        ("^0.0", &["0.0.0", "0.0.9"], &["0.1.0"]),
        ("^0", &["0.0.0", "0.9.0"], &["1.0.0"]),
        ("~1.2.3", &["1.2.3", "1.2.9"], &["1.3.0", "1.2.2"]),
        ("~1", &["1.0.0", "1.9.9"], &["2.0.0"]),
        ("1.2.*", &["1.2.0", "1.2.9"], &["1.3.0"]),
        (">=1.2.0, <1.2.5", &["1.2.0", "1.2.4"], &["1.2.5", "1.1.9"]),
    ] {
        let parsed = VersionReq::parse(requirement).unwrap();
        for text in inside {
            assert!(meets(&parsed, &version(text)), "{text} meets {requirement}");
        }
        for text in outside {
            assert!(!meets(&parsed, &version(text)), "{text} does not meet {requirement}");
        }
    }
}

fn head(more: &str) -> String {
    format!(
        "```toml\n[advisory]\nid = \"RUSTSEC-2026-0007\"\npackage = \"hyper\"\ndate = \"2026-11-20\" # a day\n{more}\n```\n\n# Something is wrong\n\nText.\n"
    )
}

#[test]
fn an_advisory_of_rustsec_is_about_what_is_not_good() {
    let entry = rustsec(&head(
        "keywords = [\n  \"a]\", # one\n  'b',\n]\nurl = \"https://a.test/#x\"\n[affected]\nos = [\"linux\"]\n[affected.functions]\n\"hyper::a\" = [\"< 1\"]\n\
         [versions]\npatched = [\"^0.9.1\", \">= 1.2.4\"]\nunaffected = [\"< 0.5\"]",
    ))
    .unwrap();
    let advisory = &entry.advisories[0];
    assert_eq!((&*advisory.id, &*advisory.title), ("RUSTSEC-2026-0007", "Something is wrong"));
    assert_eq!(advisory.fixed, "^0.9.1 or >=1.2.4");
    for (text, affected) in [
        ("0.4.9", false),
        ("0.5.0", true),
        ("0.9.0", true),
        ("0.9.1", false),
        ("1.0.0", true),
        ("1.2.4-rc.1", true),
        ("1.2.4", false),
    ] {
        assert_eq!(advisory.affects(&version(text)), affected, "{text}");
    }
    assert!(rustsec(&head("")).unwrap().advisories[0].affects(&version("9.9.9")), "nothing mends it");
}

#[test]
fn what_was_withdrawn_is_not_known() {
    let entry = rustsec(&head("withdrawn = \"2026-11-21\"")).unwrap();
    assert!(entry.advisories.is_empty() && entry.at.is_some());
    let text = json!({ "id": "A", "modified": "2026-11-20T00:00:00Z", "withdrawn": "2026-11-21T00:00:00Z",
        "affected": [{ "package": { "ecosystem": "crates.io", "name": "hyper" }, "versions": ["1.2.3"] }] });
    assert!(osv(&text.to_string()).unwrap().advisories.is_empty());
}

#[test]
fn what_is_no_advisory_is_an_error() {
    for text in [
        "",
        "# no head",
        "```toml\n[advisory]\nid = \"A\"\n```\n",
        "```toml\n[advisory]\nid = \"A\npackage = \"b\"\n```\n",
        &head("[versions]\npatched = [\"not a version\"]"),
        &head("[versions]\npatched = \"1.0.0\""),
        &head("[versions]\npatched = [\"1.0.0\""),
        &head("this is no line"),
    ] {
        assert!(rustsec(text).is_err(), "{text}");
    }
    for text in ["", "{}", r#"{"id":"A"}"#, r#"{"id":"A","modified":"soon"}"#] {
        assert!(osv(text).is_err(), "{text}");
    }
    let range = |events: Value| {
        json!({ "id": "A", "modified": "2026-11-20T00:00:00Z", "affected": [{
            "package": { "ecosystem": "crates.io", "name": "hyper" }, "ranges": [{ "type": "SEMVER", "events": events }] }] })
        .to_string()
    };
    assert!(osv(&range(json!([{ "introduced": "x" }, { "fixed": "2.0.0" }]))).is_err());
}

#[test]
fn an_entry_of_osv_is_about_ranges_and_versions() {
    let text = json!({
        "id": "GHSA-1", "modified": "2026-11-20T10:00:00Z", "summary": "Bad",
        "affected": [
            { "package": { "ecosystem": "npm", "name": "hyper" }, "versions": ["1.2.3"] },
            { "package": { "ecosystem": "crates.io", "name": "hyper" }, "versions": ["7.0.0", "latest"], "ranges": [
                { "type": "GIT", "events": [{ "introduced": "0" }] },
                { "type": "SEMVER", "events": [
                    { "introduced": "0" }, { "fixed": "0.9.1" }, { "introduced": "1.0.0" }, { "last_affected": "1.2.3" }, { "introduced": "3.0.0-0" }] },
            ] },
        ],
    });
    let entry = osv(&text.to_string()).unwrap();
    assert_eq!(entry.advisories.len(), 1, "the other is another hyper");
    for (text, affected) in [
        ("0.1.0", true),
        ("0.9.0", true),
        ("0.9.1-rc.1", true),
        ("0.9.1", false),
        ("1.0.0-rc.1", false),
        ("1.0.0", true),
        ("1.2.3", true),
        ("1.2.4", false),
        ("3.0.0-rc.1", true),
        ("7.0.0", true),
    ] {
        assert_eq!(entry.advisories[0].affects(&version(text)), affected, "{text}");
    }
}

#[test]
fn a_program_is_held_against_a_database() {
    let packages = packages(LIST).unwrap();
    let all = [
        rustsec(&head("[versions]\npatched = [\">= 1.2.4\"]")).unwrap(),
        rustsec(&head("informational = \"unmaintained\"").replace("0007", "0008")).unwrap(),
        rustsec(&head("[affected]\nos = [\"windows\"]").replace("0007", "0009")).unwrap(),
        rustsec(&head("").replace("\"hyper\"", "\"portcullis\"").replace("0007", "0010")).unwrap(),
        rustsec(&head("").replace("\"hyper\"", "\"cc\"").replace("2026-11-20", "2999-01-01").replace("0007", "0011"))
            .unwrap(),
    ];
    let now = super::super::tests::NOW.try_into().unwrap();
    let known = Known::of(&packages, all, ("linux", "x86_64"), now);
    let found: Vec<(&str, bool)> = known.against.iter().map(|one| (&*one.advisory.id, one.build)).collect();
    assert_eq!(
        found,
        [("RUSTSEC-2026-0011", true), ("RUSTSEC-2026-0007", false), ("RUSTSEC-2026-0008", false)],
        "what is ours is not what the registry has under that name"
    );
    assert_eq!((known.vulnerabilities().count(), known.age_days(), known.entries), (2, Some(7), 5));
    assert!(known.is_older(6) && !known.is_older(7), "an entry of the future makes nothing new");
    assert!(Known::default().is_older(u32::MAX), "a database without an entry has no age");
}

#[test]
fn a_bill_has_what_the_standard_asks_for() {
    let bill = cyclonedx(&packages(LIST).unwrap(), &[0xff; 32]);
    assert_eq!(
        (&bill["bomFormat"], &bill["specVersion"], &bill["version"]),
        (&json!("CycloneDX"), &json!("1.6"), &json!(1))
    );
    assert_eq!(bill["serialNumber"], "urn:uuid:ffffffff-ffff-8fff-bfff-ffffffffffff");
    assert_eq!(bill["metadata"]["component"]["type"], "application");
    let components = bill["components"].as_array().unwrap();
    assert_eq!(components[0]["purl"], "pkg:cargo/hyper@1.2.3");
    assert_eq!(components[1]["purl"], "pkg:cargo/cc@1.0.0%2Bx");
    assert_eq!((&components[0]["scope"], &components[1]["scope"]), (&json!("required"), &json!("excluded")));
    assert_eq!(
        bill["dependencies"][0],
        json!({ "ref": "portcullis@0.1.0", "dependsOn": ["pkg:cargo/hyper@1.2.3", "pkg:cargo/cc@1.0.0%2Bx"] })
    );
}

#[test]
fn lists_that_point_nowhere_are_refused() {
    for text in ["", "{}", r#"{"packages":[{}]}"#, &LIST.replace("[1,2]", "[1,3]"), &LIST.replace("1.2.3", "one")] {
        assert!(packages(text).is_err(), "{text}");
    }
}

#[test]
fn toml_is_read_or_refused() {
    let text = |text: &str| toml::Value::Text(text.to_owned());
    let items = toml::items("a = \"x\\\"\\u00e9\"\nb = '''\n'y'\n'''\n[t.u]\nc = [ [\"z\"], 1 ] # end\nd = { a = 1 }\ne = 2026-01-01T00:00:00Z\n").unwrap();
    assert_eq!(items[0].2, text("x\"é"));
    assert_eq!(items[1].2, text("'y'\n"));
    assert_eq!((&*items[2].0, &*items[2].1), ("t.u", "c"));
    assert_eq!(
        items[2].2,
        toml::Value::List(vec![toml::Value::List(vec![text("z")]), toml::Value::Word("1".to_owned())])
    );
    assert_eq!(items[4].2, toml::Value::Word("2026-01-01T00:00:00Z".to_owned()));
    for wrong in
        ["a", "a = ", "a = \"", "a = [1", "a = 1 2 x = 3\n\"", "= 1", "a = \"\\q\"", "a = \"\\u00\"", "a = \"x\" y"]
    {
        assert!(toml::items(wrong).is_err(), "{wrong}");
    }
    assert!(toml::items(&format!("a = {}", "[".repeat(100_000))).is_err(), "as deep as it likes");
}
