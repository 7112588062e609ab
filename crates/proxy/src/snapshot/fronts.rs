//! What an API says on a refusal for which none of its routes was found: pages of other origins may read it as they may read
//! every other answer of the API.

use super::cors::Cors;
use super::headers::SecurityHeaders;
use super::slots::{below, varying};
use portcullis_config::plan::{ApiPlan, HostPattern};
use std::sync::Arc;

/// All APIs, by where they stand.
#[derive(Debug, Default)]
pub(crate) struct Fronts(Vec<Front>);

/// One API.
#[derive(Debug)]
pub(crate) struct Front {
    hosts: Vec<HostPattern>,
    base_path: String,
    pub(crate) cors: Option<Arc<Cors>>,
    pub(crate) headers: Arc<SecurityHeaders>,
    /// The field that says which version is meant.
    pub(crate) vary: Option<String>,
}

// === impl Fronts ===

impl Fronts {
    pub(super) fn add(&mut self, api: &ApiPlan, cors: Option<&Arc<Cors>>, headers: &Arc<SecurityHeaders>) {
        self.0.push(Front {
            hosts: api.hosts.clone(),
            base_path: api.base_path.clone(),
            cors: cors.cloned(),
            headers: Arc::clone(headers),
            vary: api
                .versions
                .iter()
                .any(|one| one.name.is_some())
                .then(|| varying(&api.version_by))
                .flatten()
                .map(str::to_owned),
        });
    }

    /// The API that stands at a path: the very host before a looser pattern, then the longest base path. Only refusals ask.
    pub(crate) fn at(&self, host: &str, path: &str) -> Option<&Front> {
        let fits = |front: &&Front| {
            below(path, &front.base_path).is_some() && front.hosts.iter().any(|pattern| pattern.fits(host))
        };
        let rank = |front: &&Front| (front.hosts.iter().any(|pattern| pattern.is_exactly(host)), front.base_path.len());
        self.0.iter().filter(fits).max_by_key(rank)
    }
}
