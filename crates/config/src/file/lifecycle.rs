//! How a version is chosen and how it comes to its end, as people write it.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scalar::{Text, When};

/// A time at which the version answers 410, so that those who still call it notice before its end.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Brownout {
    /// When it begins.
    pub(crate) from: When,
    /// When it is over.
    pub(crate) until: When,
}

/// How a request says which version it is for. A request that says nothing is for the default version.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VersionBy {
    /// By the segments after the base path.
    Path,
    /// By a field with the name of the version: `{ header: X-API-Version }`.
    Header(Text),
    /// By a parameter of the query: `{ query: version }`.
    Query(Text),
    /// By a parameter of the media types that it accepts: `{ media_type: version }` for `Accept: application/json; version=v2`.
    MediaType(Text),
}
