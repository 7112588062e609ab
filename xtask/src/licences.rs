//! The `licences` step: what deny.toml says about licences, banned packages and sources, checked without cargo-deny.
//!
//! cargo-deny, where it is installed, reads the same file and speaks as well; only it knows advisories.

mod graph;
mod policy;

use std::collections::BTreeSet;

use crate::command::{find, program, read, root, run};
use crate::json::Value;
use crate::spdx;
use graph::Graph;
use policy::Policy;

/// Where packages may come from: the registry by the name that cargo records, or a path in this repository.
const REGISTRY_SUFFIX: &str = "/crates.io-index";

pub(crate) fn licences() -> Result<(), String> {
    let text = std::fs::read_to_string(root().join("deny.toml")).map_err(|error| format!("deny.toml: {error}"))?;
    let policy = Policy::read(&text);
    let mut graph = Graph::default();
    let mut metadata = program("cargo");
    metadata.args(["metadata", "--format-version", "1", "--locked"]);
    for target in &policy.targets {
        metadata.args(["--filter-platform", target]);
        let mut tree = program("cargo");
        tree.args(["tree", "--workspace", "--locked", "--edges", "normal,build,dev", "--target", target]);
        graph.add(&read(tree.args(["--prefix", "depth", "--format", " {p}"]))?);
    }
    let metadata = Value::parse(&read(&mut metadata)?)?;
    let findings = check(&policy, &metadata, &graph);
    println!("{} packages looked at", graph.len());
    findings.iter().for_each(|finding| println!("{finding}"));
    let own = if findings.is_empty() { Ok(()) } else { Err(format!("{} findings", findings.len())) };
    own.and(cargo_deny())
}

/// Advisories need cargo-deny and a database that it fetches; where either is missing, this is said, not hidden.
fn cargo_deny() -> Result<(), String> {
    if find("cargo-deny").is_none() {
        println!("advisories NOT checked: cargo-deny is not installed (cargo install --locked cargo-deny)");
        return Ok(());
    }
    run(program("cargo").args(["deny", "--locked", "check", "licenses", "bans", "sources"]))?;
    if let Err(why) = read(program("cargo").args(["deny", "--locked", "fetch", "db"])) {
        println!("advisories NOT checked: the advisory database cannot be reached ({why})");
        return Ok(());
    }
    run(program("cargo").args(["deny", "--locked", "check", "advisories"]))
}

fn check(policy: &Policy, metadata: &Value, graph: &Graph) -> Vec<String> {
    let mut findings = BTreeSet::new();
    for package in metadata.list("packages") {
        let name = package.text("name").unwrap_or_default();
        let version = package.text("version").unwrap_or_default();
        let mut found = |message: String| findings.insert(format!("{name} {version}: {message}"));
        // Our own packages have no source, and what is not built needs no licence.
        let (Some(source), Some(parents)) = (package.text("source"), graph.parents(name, version)) else { continue };
        if !source.ends_with(REGISTRY_SUFFIX) {
            found(format!("comes from `{source}`; packages come from crates.io only"));
        }
        if let Some(why) = licence(policy, package, name) {
            found(why);
        }
        for ban in policy.bans.iter().filter(|ban| ban.hits(name, version)) {
            let strangers: Vec<&str> =
                parents.iter().filter(|parent| !ban.wrappers.contains(parent)).map(String::as_str).collect();
            if !strangers.is_empty() {
                found(format!("is banned: {} (wanted by {})", ban.reason, strangers.join(", ")));
            }
        }
    }
    findings.into_iter().collect()
}

fn licence(policy: &Policy, package: &Value, name: &str) -> Option<String> {
    let Some(expression) = package.text("license") else {
        return Some("declares no licence".to_owned());
    };
    match spdx::accepts(expression, &|licence| policy.allows(name, licence)) {
        Ok(true) => None,
        Ok(false) => Some(format!("its licence `{expression}` is not allowed in deny.toml")),
        Err(why) => Some(why),
    }
}

#[cfg(test)]
mod tests;
