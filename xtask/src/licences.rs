//! The `licences` step: what deny.toml says about licences, banned packages and sources, checked without cargo-deny.
//!
//! cargo-deny, where it is installed, reads the same file and speaks as well; only it knows advisories.

mod policy;

use std::collections::BTreeSet;

use crate::command::{find, program, read, root, run};
use crate::json::Value;
use crate::spdx;
use policy::Policy;

/// Where packages may come from: the registry by the name that cargo records, or a path in this repository.
const REGISTRY_SUFFIX: &str = "/crates.io-index";

pub(crate) fn licences() -> Result<(), String> {
    let text = std::fs::read_to_string(root().join("deny.toml")).map_err(|error| format!("deny.toml: {error}"))?;
    let policy = Policy::read(&text);
    let mut cargo = program("cargo");
    cargo.args(["metadata", "--format-version", "1", "--locked"]);
    for target in &policy.targets {
        cargo.args(["--filter-platform", target]);
    }
    let metadata = Value::parse(&read(&mut cargo)?)?;
    let findings = check(&policy, &metadata);
    println!("{} packages looked at", metadata.list("packages").len());
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

fn check(policy: &Policy, metadata: &Value) -> Vec<String> {
    let mut findings = BTreeSet::new();
    for package in metadata.list("packages") {
        let name = package.text("name").unwrap_or_default();
        let version = package.text("version").unwrap_or_default();
        let mut found = |message: String| findings.insert(format!("{name} {version}: {message}"));
        // Our own packages have no source.
        let Some(source) = package.text("source") else { continue };
        if !source.ends_with(REGISTRY_SUFFIX) {
            found(format!("comes from `{source}`; packages come from crates.io only"));
        }
        if let Some(why) = licence(policy, package, name) {
            found(why);
        }
        for ban in policy.bans.iter().filter(|ban| ban.hits(name, version)) {
            let parents = parents(metadata, package.text("id").unwrap_or_default());
            if parents.is_empty() || parents.iter().any(|parent| !ban.wrappers.contains(parent)) {
                found(format!("is banned: {} (wanted by {})", ban.reason, parents.join(", ")));
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

/// Names of the packages that depend on the one with this id.
fn parents(metadata: &Value, id: &str) -> Vec<String> {
    let nodes = metadata.get("resolve").map_or(&[][..], |resolve| resolve.list("nodes"));
    let wants = |node: &&Value| node.list("dependencies").iter().any(|dependency| dependency.as_text() == Some(id));
    let ids = nodes.iter().filter(wants).filter_map(|node| node.text("id"));
    let name = |id: &str| {
        let packages = metadata.list("packages");
        packages.iter().find(|package| package.text("id") == Some(id)).and_then(|package| package.text("name"))
    };
    ids.filter_map(name).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
