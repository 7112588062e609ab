//! The packages of a program, from what `cargo tree` prints and the lock file says of them.

use std::collections::{BTreeMap, BTreeSet};

/// Name and version.
type Name = (String, String);

/// All packages; the program is the first.
pub(crate) struct Graph {
    packages: Vec<Package>,
}

struct Package {
    name: Name,
    licence: String,
    checksum: Option<String>,
    is_local: bool,
    builds: bool,
    dependencies: BTreeSet<usize>,
}

// === impl Graph ===

impl Graph {
    /// From `cargo tree --prefix depth --format ' {p}|{l}'`: of everything, and of what is in the program; and the lock file.
    pub(crate) fn read(all: &str, inside: &str, lock: &str) -> Result<Self, String> {
        let inside: BTreeSet<Name> = inside.lines().filter_map(line).map(|(_, name, ..)| name).collect();
        let checksums = checksums(lock);
        let mut places: BTreeMap<Name, usize> = BTreeMap::new();
        let mut packages: Vec<Package> = Vec::new();
        let mut path: Vec<usize> = Vec::new();
        for (depth, name, is_local, licence) in all.lines().filter_map(line) {
            let at = *places.entry(name.clone()).or_insert(packages.len());
            if at == packages.len() {
                let checksum = checksums.get(&name).cloned();
                if checksum.is_none() && !is_local {
                    return Err(format!("{} {} is not in the lock file", name.0, name.1));
                }
                let builds = !inside.contains(&name);
                packages.push(Package { name, licence, checksum, is_local, builds, dependencies: BTreeSet::new() });
            }
            path.truncate(depth);
            if let Some(parent) = path.last().and_then(|parent| packages.get_mut(*parent)) {
                parent.dependencies.insert(at);
            }
            path.push(at);
        }
        if packages.is_empty() { Err("cargo named no package".to_owned()) } else { Ok(Self { packages }) }
    }

    /// For the program itself, with licences and checksums.
    pub(crate) fn own(&self) -> String {
        self.written(|package, out| {
            out.push_str(&format!(",\"licence\":\"{}\"", package.licence));
            if let Some(checksum) = &package.checksum {
                out.push_str(&format!(",\"checksum\":\"{checksum}\""));
            }
        })
    }

    /// As scanners expect it.
    pub(crate) fn auditable(&self) -> String {
        self.written(|_, _| {})
    }

    fn written(&self, more: impl Fn(&Package, &mut String)) -> String {
        let mut out = "{\"packages\":[".to_owned();
        for (at, package) in self.packages.iter().enumerate() {
            let source = if package.is_local { "local" } else { "crates.io" };
            let comma = if at == 0 { "" } else { "," };
            let (name, version) = &package.name;
            out.push_str(&format!("{comma}{{\"name\":\"{name}\",\"version\":\"{version}\",\"source\":\"{source}\""));
            if package.builds {
                out.push_str(",\"kind\":\"build\"");
            }
            let on: Vec<String> = package.dependencies.iter().map(ToString::to_string).collect();
            out.push_str(&format!(",\"dependencies\":[{}]", on.join(",")));
            if at == 0 {
                out.push_str(",\"root\":true");
            }
            more(package, &mut out);
            out.push('}');
        }
        out.push_str("]}");
        out
    }
}

/// `2 name v1.0.0 (proc-macro)|MIT OR Apache-2.0 (*)`: depth, name, whether it is ours, licence.
fn line(line: &str) -> Option<(usize, Name, bool, String)> {
    let (package, licence) = line.split_once('|')?;
    let mut words = package.split_whitespace();
    let depth = words.next()?.parse().ok()?;
    let name = (words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned());
    let is_local = words.any(|word| word.starts_with("(/"));
    // An older way of writing OR.
    let licence = licence.trim_end_matches(" (*)").replace('/', " OR ");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " .-+()".contains(c);
    Some((depth, name, is_local, licence.chars().filter(|c| is_plain(*c)).collect()))
}

/// Of every package that has one.
fn checksums(lock: &str) -> BTreeMap<Name, String> {
    let value = |entry: &str, key: &str| {
        let line = entry.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""))?;
        Some(line.trim_end_matches('"').to_owned())
    };
    let of = |entry: &str| Some(((value(entry, "name")?, value(entry, "version")?), value(entry, "checksum")?));
    lock.split("[[package]]").filter_map(of).collect()
}
