//! Which packages are really built, and who wants them.
//!
//! `cargo metadata` also lists packages that a weak feature (`ring?/alloc`) merely mentions; `cargo tree` does not.

use std::collections::{BTreeMap, BTreeSet};

/// Packages by name and version, each with the names of the packages that depend on it.
#[derive(Debug, Default)]
pub(super) struct Graph {
    parents: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Graph {
    /// Adds what `cargo tree --prefix depth --format ' {p}'` printed: `2 name v1.0.0 (*)`.
    pub(super) fn add(&mut self, printed: &str) {
        let mut path: Vec<&str> = Vec::new();
        for line in printed.lines() {
            let mut words = line.split_whitespace();
            let (Some(depth), Some(name), Some(version)) = (words.next(), words.next(), words.next()) else { continue };
            let Ok(depth) = depth.parse::<usize>() else { continue };
            path.truncate(depth);
            let key = (name.to_owned(), version.trim_start_matches('v').to_owned());
            self.parents.entry(key).or_default().extend(path.last().map(|parent| (*parent).to_owned()));
            path.push(name);
        }
    }

    /// The packages that want this one; `None` if it is not built.
    pub(super) fn parents(&self, name: &str, version: &str) -> Option<&BTreeSet<String>> {
        self.parents.get(&(name.to_owned(), version.to_owned()))
    }

    pub(super) fn len(&self) -> usize {
        self.parents.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_known_over_repeats() {
        let mut graph = Graph::default();
        graph.add("0 a v0.1.0 (/a)\n1 b v1.0.0\n2 c v2.0.0\n1 d v1.0.0 (proc-macro)\n2 c v2.0.0 (*)\n\n0 e v0.1.0 (/e)\n1 b v1.0.0 (*)\n");
        let names = |name: &str, version: &str| {
            graph.parents(name, version).map(|found| found.iter().cloned().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(names("c", "2.0.0").as_deref(), Some("b d"));
        assert_eq!(names("b", "1.0.0").as_deref(), Some("a e"));
        assert_eq!(names("a", "0.1.0").as_deref(), Some(""));
        assert_eq!(names("c", "1.0.0"), None);
        assert_eq!(graph.len(), 5);
    }
}
