//! The contracts in force, and which of them a path belongs to that no route has.

use super::hosts::{self, Hosts};
use super::paths::Found;
use crate::knowledge::Knowledge;
use portcullis_config::plan::{HostPattern, Methods};
use std::sync::Arc;

/// All contracts of a snapshot.
#[derive(Debug, Default)]
pub(crate) struct Contracts {
    pub(crate) all: Vec<Arc<Knowledge>>,
    /// Below which paths they are: a number of a contract, and the bytes of the path before what its document is about.
    places: Vec<(usize, usize)>,
    hosts: Hosts,
}

/// Collects contracts with their places.
#[derive(Debug, Default)]
pub(super) struct Builder {
    contracts: Contracts,
    hosts: hosts::Builder,
}

// === impl Contracts ===

impl Contracts {
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The contract that is in force at a path, and the path below its place.
    pub(crate) fn at<'p>(&self, host: &str, path: &'p str) -> Option<(&Arc<Knowledge>, &'p str)> {
        let Found::Route(place) = self.hosts.find(host, path, b"") else { return None };
        let (index, prefix) = self.places.get(place)?;
        let below = path.get(*prefix..).filter(|rest| !rest.is_empty()).unwrap_or("/");
        Some((self.all.get(*index)?, below))
    }
}

// === impl Builder ===

impl Builder {
    pub(super) fn add(&mut self, knowledge: &Arc<Knowledge>) -> usize {
        self.contracts.all.push(Arc::clone(knowledge));
        self.contracts.all.len() - 1
    }

    /// Where two contracts share a place, the first one answers for it.
    pub(super) fn place(&mut self, index: Option<usize>, hosts: &[HostPattern], prefix: &str) {
        let Some(index) = index else { return };
        let place = self.contracts.places.len();
        self.contracts.places.push((index, prefix.len()));
        let bare = if prefix.is_empty() { "/" } else { prefix };
        for template in [bare.to_owned(), format!("{prefix}/{{*rest}}")] {
            let _shared = self.hosts.add(hosts, &template, &Methods::Any, place);
        }
    }

    pub(super) fn build(self) -> Contracts {
        Contracts { hosts: self.hosts.build(), ..self.contracts }
    }
}
