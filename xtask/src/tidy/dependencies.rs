//! ARCHITECTURE.md gives a reason for every direct dependency and stays short; and no dependency is offered in vain.

use std::collections::BTreeSet;
use std::path::Path;

use super::Finding;
use super::files::Tree;
use super::layers::Manifest;
use crate::toml;

/// LIMIT: a map that takes longer than a quarter of an hour to read is not read.
const ARCHITECTURE_LINES_MAX: usize = 300;
const ARCHITECTURE: &str = "ARCHITECTURE.md";

pub(super) fn check(tree: &Tree, manifests: &[Manifest]) -> Vec<Finding> {
    let mut findings = explained(tree, manifests);
    findings.extend(unused(tree, manifests));
    findings
}

/// ARCHITECTURE.md names each direct dependency, in backticks, under a heading about dependencies.
fn explained(tree: &Tree, manifests: &[Manifest]) -> Vec<Finding> {
    let path = Path::new(ARCHITECTURE);
    let Some(text) = tree.text(path) else {
        return vec![Finding::new(path, 0, "there is none; it holds the invariants and a reason for each dependency")];
    };
    let mut findings = Vec::new();
    let lines = text.lines().count();
    if lines > ARCHITECTURE_LINES_MAX {
        findings.push(Finding::new(path, 0, format!("{lines} lines; at most {ARCHITECTURE_LINES_MAX}")));
    }
    let section = dependency_section(text);
    let mut told = BTreeSet::new();
    for manifest in manifests {
        for dependency in manifest.dependencies.iter().filter(|dependency| !is_ours(&dependency.name)) {
            if !section.contains(&format!("`{}`", dependency.name)) && told.insert(&dependency.name) {
                let message = format!("`{}` has no line with its reason in {ARCHITECTURE}", dependency.name);
                findings.push(Finding::new(&manifest.path, dependency.line, message));
            }
        }
    }
    findings
}

fn is_ours(name: &str) -> bool {
    name == "portcullis" || name.starts_with("portcullis-")
}

/// The lines from a heading about dependencies to the next heading of its level or above.
fn dependency_section(text: &str) -> String {
    let mut section = String::new();
    let mut inside: Option<usize> = None;
    for line in text.lines() {
        let level = line.len() - line.trim_start_matches('#').len();
        if level > 0 {
            let speaks = line.to_lowercase().contains("dependenc");
            inside = if speaks {
                Some(inside.map_or(level, |outer| outer.min(level)))
            } else {
                inside.filter(|outer| level > *outer)
            };
        }
        if inside.is_some() {
            section += line;
            section.push('\n');
        }
    }
    section
}

/// What the workspace offers and no crate takes is a dependency nobody would notice.
fn unused(tree: &Tree, manifests: &[Manifest]) -> Vec<Finding> {
    let path = Path::new("Cargo.toml");
    let entries = toml::entries(tree.text(path).unwrap_or_default());
    let offered = entries.iter().filter(|entry| entry.table == "workspace.dependencies");
    let used =
        |name: &str| manifests.iter().any(|manifest| manifest.dependencies.iter().any(|taken| taken.name == name));
    let idle = offered.filter(|entry| !is_ours(&entry.key) && !used(&entry.key));
    idle.map(|entry| Finding::new(path, entry.line, format!("no crate takes `{}`", entry.key))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::layers;

    fn found(architecture: &str, dependencies: &str) -> Vec<String> {
        let manifest = format!("[package]\nname = \"portcullis-h1\"\n[dependencies]\n{dependencies}\n");
        let root = "[workspace.dependencies]\nbytes = \"1\"\nportcullis-types = { path = \"crates/types\" }\n";
        let tree = Tree::of(&[(ARCHITECTURE, architecture), ("crates/h1/Cargo.toml", &manifest), ("Cargo.toml", root)]);
        check(&tree, &layers::manifests(&tree)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_dependency_has_its_line() {
        let good = "# A\n## Dependencies\n- `bytes`: shared buffers\n### Of tests\n- `proptest`: rows nobody wrote\n# B\n`httparse`\n";
        assert_eq!(found(good, "bytes.workspace = true\nproptest = \"1\"\nportcullis-types.workspace = true"), [""; 0]);
        let missing = found(good, "bytes.workspace = true\nhttparse = \"1\"");
        assert_eq!(missing, ["crates/h1/Cargo.toml:5: `httparse` has no line with its reason in ARCHITECTURE.md"]);
        assert_eq!(found(good, ""), ["Cargo.toml:2: no crate takes `bytes`"]);
    }

    #[test]
    fn the_map_is_there_and_short() {
        assert_eq!(check(&Tree::default(), &[]).len(), 1);
        let long = format!("# Dependencies\n`bytes`\n{}", "\n".repeat(299));
        assert_eq!(found(&long, "bytes = \"1\""), ["ARCHITECTURE.md: 301 lines; at most 300"]);
    }
}
