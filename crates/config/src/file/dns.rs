//! The `dns` section as people write it.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scalar::Address;

/// Where the names of targets are looked up. Without it the system does so, `/etc/hosts` and search domains included.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dns {
    /// Name servers with their ports, such as `127.0.0.1:8600` of a service registry. The next one is asked where one does not
    /// answer. Names are asked for as they are written.
    #[schemars(length(min = 1, max = 4))]
    pub(crate) servers: Vec<Address>,
}
