//! How a version comes to its end, as people write it.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scalar::When;

/// A time at which the version answers 410, so that those who still call it notice before its end.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Brownout {
    /// When it begins.
    pub(crate) from: When,
    /// When it is over.
    pub(crate) until: When,
}
