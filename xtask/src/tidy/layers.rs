//! The crates depend to the left only, and the engines know neither an async runtime nor a socket.

use std::path::{Path, PathBuf};

use super::Finding;
use super::files::Tree;
use crate::toml::{self, Entry};

/// Each crate with its layer; a crate may depend on crates of a lower layer, never on its neighbours.
const LAYERS: &[(&str, u8)] = &[
    ("portcullis-types", 0),
    ("portcullis-h1", 1),
    ("portcullis-auth", 1),
    ("portcullis-access", 1),
    ("portcullis-anomaly", 1),
    ("portcullis-coding", 1),
    ("portcullis-balance", 1),
    ("portcullis-limit", 1),
    ("portcullis-mask", 1),
    ("portcullis-patch", 1),
    ("portcullis-policy", 1),
    ("portcullis-contract", 1),
    ("portcullis-waf", 1),
    ("portcullis-config", 2),
    ("portcullis-store", 2),
    ("portcullis-audit-log", 2),
    ("portcullis-audit", 3),
    ("portcullis-portal", 3),
    ("portcullis-proxy", 3),
    ("portcullis-console", 4),
    ("portcullis-pentest", 4),
    ("portcullis-admin", 5),
    ("portcullis", 6),
];
/// Up to this layer a crate is pure.
const PURE_LAYER_MAX: u8 = 2;
const IMPURE: &[&str] = &["tokio", "mio", "socket2", "async-std", "smol", "hyper", "hyper-util", "reqwest", "axum"];
/// Serves tests only; it may see every crate, and no crate may ship it.
const TESTKIT: &str = "portcullis-testkit";
const CHORES: &str = "xtask";

/// One crate's manifest.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) path: PathBuf,
    pub(super) package: String,
    pub(super) dependencies: Vec<Dependency>,
    inherits_lints: bool,
}

/// One line of a manifest's dependency tables.
#[derive(Debug)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) dev: bool,
}

/// The manifests of `crates/*` and of `xtask`.
pub(super) fn manifests(tree: &Tree) -> Vec<Manifest> {
    let is_manifest = |path: &Path| {
        let depth = path.components().count();
        (path.starts_with("crates") && depth == 3) || (path.starts_with(CHORES) && depth == 2)
    };
    let named = tree.with_extension("toml").filter(|(path, _)| path.ends_with("Cargo.toml") && is_manifest(path));
    named.map(|(path, text)| read(path, text)).collect()
}

fn read(path: &Path, text: &str) -> Manifest {
    let entries = toml::entries(text);
    let value = |table: &str, key: &str| entries.iter().find(|e| e.table == table && e.key == key).map(|e| &e.value);
    Manifest {
        path: path.to_owned(),
        package: value("package", "name").map(|name| name.trim_matches('"').to_owned()).unwrap_or_default(),
        dependencies: entries.iter().filter_map(dependency).collect(),
        inherits_lints: value("lints", "workspace").is_some_and(|set| set == "true"),
    }
}

/// Knows `[dependencies]`, `[target.'…'.dev-dependencies]` and `[dependencies.name]`, renamed packages included.
fn dependency(entry: &Entry) -> Option<Dependency> {
    let kinds = ["dev-dependencies", "build-dependencies", "dependencies"];
    let of = |kind: &&&str| {
        let table = entry.table.as_str();
        table == **kind || table.ends_with(&format!(".{kind}")) || table.starts_with(&format!("{kind}."))
    };
    let kind = kinds.iter().find(of)?;
    let line = entry.line;
    let dev = *kind == "dev-dependencies";
    if let Some(name) = entry.table.strip_prefix(&format!("{kind}.")) {
        // A table of its own has several entries; one that every such table has stands for it.
        return matches!(entry.key.as_str(), "version" | "workspace" | "path").then(|| Dependency {
            name: name.to_owned(),
            line,
            dev,
        });
    }
    let key = entry.key.split('.').next().unwrap_or_default();
    let name = toml::string_of(&entry.value, "package").unwrap_or(key);
    Some(Dependency { name: name.to_owned(), line, dev })
}

/// All findings about all manifests.
pub(super) fn check(manifests: &[Manifest]) -> Vec<Finding> {
    manifests.iter().flat_map(check_manifest).collect()
}

fn check_manifest(manifest: &Manifest) -> Vec<Finding> {
    let Manifest { path, package, dependencies, inherits_lints } = manifest;
    let mut findings = Vec::new();
    if !inherits_lints {
        findings.push(Finding::new(path, 0, "the crate does not inherit the workspace's lints"));
    }
    if package == CHORES {
        let line = dependencies.first().map(|dependency| dependency.line);
        findings.extend(line.map(|line| Finding::new(path, line, "xtask has no dependencies: it must build anywhere")));
        return findings;
    }
    if package == TESTKIT {
        return findings;
    }
    let Some(layer) = layer(package) else {
        findings.push(Finding::new(path, 0, format!("`{package}` has no layer; add it to xtask/src/tidy/layers.rs")));
        return findings;
    };
    for dependency in dependencies.iter().filter(|dependency| !dependency.dev) {
        if let Some(message) = crosses(package, layer, &dependency.name) {
            findings.push(Finding::new(path, dependency.line, message));
        }
    }
    findings
}

fn layer(package: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == package).map(|(_, layer)| *layer)
}

fn crosses(package: &str, own: u8, dependency: &str) -> Option<String> {
    if dependency == TESTKIT {
        return Some(format!("`{TESTKIT}` is for dev-dependencies only"));
    }
    if own <= PURE_LAYER_MAX && IMPURE.contains(&dependency) {
        return Some(format!("`{package}` is pure: it must not depend on `{dependency}`"));
    }
    let other = layer(dependency)?;
    (other >= own).then(|| format!("`{package}` must not depend on `{dependency}`: arrows point to the left"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, package: &str, rest: &str) -> Vec<String> {
        let text = format!("[package]\nname = \"{package}\"\n[lints]\nworkspace = true\n{rest}\n");
        check(&manifests(&Tree::of(&[(path, &text)]))).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn arrows_point_left() {
        for (package, rest, expected) in [
            ("portcullis-h1", "[dependencies]\nportcullis-types.workspace = true", ""),
            ("portcullis-h1", "[dependencies]\nportcullis-waf = { workspace = true }", "arrows"),
            ("portcullis-h1", "[dependencies]\nportcullis-proxy = { path = \"../proxy\" }", "arrows"),
            ("portcullis-h1", "[dependencies]\ntokio = \"1\"", "pure"),
            ("portcullis-h1", "[dependencies]\nruntime = { package = \"tokio\", version = \"1\" }", "pure"),
            ("portcullis-h1", "[dependencies.tokio]\nversion = \"1\"\nfeatures = []", "pure"),
            ("portcullis-h1", "[target.'cfg(unix)'.dependencies]\ntokio = \"1\"", "pure"),
            ("portcullis-h1", "[dev-dependencies]\ntokio = \"1\"\nportcullis-testkit.workspace = true", ""),
            ("portcullis-proxy", "[dependencies]\nportcullis-testkit.workspace = true", "dev-dependencies"),
            ("portcullis-proxy", "[dependencies]\nportcullis-config.workspace = true\ntokio = \"1\"", ""),
            ("portcullis-config", "[dependencies]\ntokio = \"1\"", "pure"),
            ("portcullis-types", "[build-dependencies]\nportcullis-h1.workspace = true", "arrows"),
            ("portcullis-new", "", "has no layer"),
        ] {
            let found = found("crates/a/Cargo.toml", package, rest);
            assert_eq!(found.len(), usize::from(!expected.is_empty()), "{package} {rest}: {found:?}");
            assert!(found.iter().all(|message| message.contains(expected)), "{package} {rest}: {found:?}");
        }
    }

    #[test]
    fn chores_depend_on_nothing_and_all_crates_share_the_lints() {
        assert_eq!(found("xtask/Cargo.toml", "xtask", "").len(), 0);
        assert_eq!(found("xtask/Cargo.toml", "xtask", "[dependencies]\nserde = \"1\"").len(), 1);
        let tree = Tree::of(&[("crates/h1/Cargo.toml", "[package]\nname = \"portcullis-h1\"\n")]);
        assert!(check(&manifests(&tree)).iter().all(|finding| finding.message.contains("lints")));
    }
}
