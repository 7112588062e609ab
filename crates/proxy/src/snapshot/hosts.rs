//! Which paths a host has: an exact name before the longest suffix before any host.

use super::CompileError;
use super::paths::{Found, Paths, PathsBuilder};
use portcullis_config::plan::{HostPattern, Methods};
use std::collections::HashMap;

/// The paths of every host pattern.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    exact: HashMap<String, Paths>,
    /// Longest suffix first.
    suffixes: Vec<(String, Paths)>,
    any: Option<Paths>,
}

/// Collects routes before the tables are made.
#[derive(Debug, Default)]
pub(crate) struct Builder(HashMap<HostPattern, PathsBuilder>);

// === impl Hosts ===

impl Hosts {
    /// Whether there is a table for this very host.
    pub(crate) fn names(&self, host: &str) -> bool {
        self.exact.contains_key(host)
    }

    /// Finds the route, or a path that exists with other methods. The table of the closest host pattern that has the
    /// path decides; a path that it lacks is looked for in the looser ones.
    ///
    /// `host` is lower case and without a port; it is empty where the request has none.
    pub(crate) fn find(&self, host: &str, path: &str, method: &[u8]) -> Found<'_> {
        let suffixes = self.suffixes.iter().filter(|(suffix, _)| host.len() > suffix.len() && host.ends_with(suffix));
        let tables = self.exact.get(host).into_iter().chain(suffixes.map(|(_, paths)| paths)).chain(&self.any);
        let mut found = tables.map(|paths| paths.find(path, method));
        found.find(|found| *found != Found::Nothing).unwrap_or(Found::Nothing)
    }
}

// === impl Builder ===

impl Builder {
    pub(crate) fn add(
        &mut self,
        hosts: &[HostPattern],
        template: &str,
        methods: &Methods,
        route: usize,
    ) -> Result<(), CompileError> {
        for host in hosts {
            self.0.entry(host.clone()).or_default().add(template, methods, route)?;
        }
        Ok(())
    }

    pub(crate) fn build(self) -> Hosts {
        let mut hosts = Hosts::default();
        for (pattern, paths) in self.0 {
            let paths = paths.build();
            match pattern {
                HostPattern::Any => hosts.any = Some(paths),
                HostPattern::Exact(name) => {
                    hosts.exact.insert(name, paths);
                }
                HostPattern::Suffix(suffix) => hosts.suffixes.push((suffix, paths)),
            }
        }
        hosts.suffixes.sort_by_key(|(suffix, _)| std::cmp::Reverse(suffix.len()));
        hosts
    }
}
