//! The `admin` section as people write it.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scalar::FileName;

/// Where `portcullis status`, `reload` and `drain` reach the running gateway. Without it they cannot.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Admin {
    /// A Unix socket, made with mode 0600. Only root and the user that the gateway runs as are answered.
    pub(crate) socket: FileName,
}
