//! How long a body of bytes may be: where nobody knows what is in it, `minLength` and `maxLength` count its octets.

use crate::schema::{Library, Spot};
use std::collections::HashSet;

/// LIMIT: schemas that are put together for one body; what more of them say makes a body shorter, never longer.
const SCHEMAS_MAX: usize = 200;

/// Bounds that a schema and all that it is put together from name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Length {
    pub(crate) least: u64,
    pub(crate) most: u64,
}

// === impl Length ===

impl Length {
    /// `None` where any length will do.
    pub(crate) fn of(library: &Library, spot: Spot, resource: u32) -> Option<Self> {
        const ANY: Length = Length { least: 0, most: u64::MAX };
        let (mut length, mut seen, mut waiting) = (ANY, HashSet::new(), vec![(spot, resource)]);
        while let Some((spot, within)) = waiting.pop() {
            if seen.len() > SCHEMAS_MAX || !seen.insert(spot) {
                continue;
            }
            let resource = library.resource_at(spot, within);
            let reference = library.text_at(spot, "$ref");
            waiting.extend(reference.and_then(|to| library.resolve_known(to, resource)));
            let parts = library.member(spot, "allOf").map(|at| library.items(at)).unwrap_or_default();
            waiting.extend(parts.into_iter().map(|part| (part, resource)));
            // What is no such number keeps the contract from loading.
            let count = |word| library.count_at(spot, word).and_then(|count| u64::try_from(count).ok());
            length.least = length.least.max(count("minLength").unwrap_or(0));
            length.most = length.most.min(count("maxLength").unwrap_or(u64::MAX));
        }
        (length != ANY).then_some(length)
    }
}
