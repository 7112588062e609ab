//! The `bodies` section as people write it, on whichever level it stands.

use schemars::JsonSchema;
use serde::Deserialize;

use super::defaults;
use crate::scalar::{Count, Flag, Size};

/// What the body of a request may be where the gateway looks into it, for a contract, for rules, or for JSON's own sake. It is
/// held whole before any of it goes on, and goes on as it was sent. Where nothing looks into bodies they are streamed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bodies {
    /// The largest body as it is sent; `body_bytes` counts as well.
    #[schemars(extend("default" = defaults::HELD_BYTES.to_string()))]
    pub(crate) held_bytes: Option<Size>,
    /// The largest body once gzip, deflate, br or zstd is undone. More than a hundred times as much as was sent is refused
    /// beyond 64KiB.
    #[schemars(extend("default" = defaults::DECODED_BYTES.to_string()))]
    pub(crate) decoded_bytes: Option<Size>,
    /// What JSON may be made of.
    pub(crate) json: Option<Json>,
}

/// What JSON may be made of.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Json {
    /// Whether bodies that say that they are JSON are read, and refused where programs would read them in different ways or a
    /// bound below is met. With a contract they are in any case.
    #[schemars(extend("default" = false))]
    pub(crate) strict: Option<Flag>,
    /// Arrays and objects within each other.
    #[schemars(extend("default" = 32), extend("minimum" = 1, "maximum" = defaults::MAX_JSON_DEPTH))]
    pub(crate) depth: Option<Count>,
    /// Members of one object.
    #[schemars(extend("default" = 1_000), extend("minimum" = 1, "maximum" = defaults::MAX_JSON_VALUES))]
    pub(crate) members: Option<Count>,
    /// Items of one array.
    #[schemars(extend("default" = 10_000), extend("minimum" = 1, "maximum" = defaults::MAX_JSON_VALUES))]
    pub(crate) items: Option<Count>,
    /// Values and names all together. 36 bytes of memory each.
    #[schemars(extend("default" = 100_000), extend("minimum" = 1, "maximum" = defaults::MAX_JSON_VALUES))]
    pub(crate) values: Option<Count>,
    /// One text.
    #[schemars(extend("default" = "1MiB"))]
    pub(crate) text_bytes: Option<Size>,
    /// The name of a member.
    #[schemars(extend("default" = "256B"))]
    pub(crate) name_bytes: Option<Size>,
    /// A number as it is written.
    #[schemars(extend("default" = "64B"))]
    pub(crate) number_bytes: Option<Size>,
}
