//! Rows of packages that deny.toml's lists let in or keep out.

use super::*;

const POLICY: &str = r#"
[graph]
targets = ["x86_64-unknown-linux-gnu"]
[licenses]
allow = ["MIT", "ISC"]
exceptions = [{ allow = ["OpenSSL"], crate = "aws-lc-sys" }]
[bans]
deny = [
  { crate = "ring", reason = "one provider" },
  { crate = "cmake", reason = "needs a program", wrappers = ["aws-lc-sys"] },
  { crate = "hyper@<1.11.1", reason = "advisory" },
]
"#;

fn metadata(name: &str, version: &str, licence: &str, source: &str) -> Value {
    let text = format!(
        r#"{{"packages": [{{"name": "{name}", "version": "{version}", "license": {licence}, "source": {source}}}]}}"#
    );
    Value::parse(&text).unwrap()
}

fn wanted_by(parent: &str, name: &str, version: &str) -> Graph {
    let mut graph = Graph::default();
    graph.add(&format!("0 {parent} v0.1.0 (/here)\n1 {name} v{version}\n"));
    graph
}

#[test]
fn what_is_not_built_is_not_judged() {
    let metadata = metadata("ring", "0.17.0", "null", "\"registry+https://example.org/crates.io-index\"");
    assert!(check(&Policy::read(POLICY), &metadata, &Graph::default()).is_empty());
}

#[test]
fn packages_are_judged() {
    let policy = Policy::read(POLICY);
    let index = "\"registry+https://example.org/crates.io-index\"";
    for (name, version, licence, source, parent, expected) in [
        ("a", "1.0.0", "\"MIT OR GPL-3.0\"", index, "portcullis", ""),
        ("a", "1.0.0", "\"GPL-3.0\"", index, "portcullis", "not allowed"),
        ("a", "1.0.0", "null", index, "portcullis", "no licence"),
        ("a", "1.0.0", "\"MIT\"", "\"git+https://example.org/a\"", "portcullis", "comes from"),
        ("a", "1.0.0", "null", "null", "portcullis", ""),
        ("aws-lc-sys", "1.0.0", "\"ISC AND OpenSSL\"", index, "portcullis", ""),
        ("a", "1.0.0", "\"ISC AND OpenSSL\"", index, "portcullis", "not allowed"),
        ("ring", "0.17.0", "\"MIT\"", index, "rcgen", "wanted by rcgen"),
        ("cmake", "0.1.0", "\"MIT\"", index, "aws-lc-sys", ""),
        ("cmake", "0.1.0", "\"MIT\"", index, "other", "needs a program"),
        ("hyper", "1.11.0", "\"MIT\"", index, "axum", "advisory"),
        ("hyper", "1.12.0", "\"MIT\"", index, "axum", ""),
    ] {
        let found = check(&policy, &metadata(name, version, licence, source), &wanted_by(parent, name, version));
        assert_eq!(found.len(), usize::from(!expected.is_empty()), "{name} {version} {licence}: {found:?}");
        assert!(found.iter().all(|message| message.contains(expected)), "{name}: {found:?}");
    }
}

#[test]
fn the_repository_s_own_policy_is_read() {
    let text = std::fs::read_to_string(root().join("deny.toml")).unwrap();
    let policy = Policy::read(&text);
    assert!(!policy.targets.is_empty());
    assert!(policy.allows("any", "Apache-2.0") && !policy.allows("any", "GPL-3.0-only"));
    for name in ["ring", "openssl-sys", "serde_yaml", "fred", "cmake"] {
        assert!(policy.bans.iter().any(|ban| ban.hits(name, "1.0.0")), "{name}");
    }
}
