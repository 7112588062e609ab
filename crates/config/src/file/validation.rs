//! The `validation` section as people write it: how messages are held to the contract that `openapi` names.

use schemars::JsonSchema;
use serde::Deserialize;

use super::defaults;
use crate::scalar::{Flag, Size, Text};

/// How requests and answers are held to the contract that `openapi` names. What the contract does not say is refused, unless a
/// setting here lets it through.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Validation {
    /// What becomes of requests that do not fit.
    #[schemars(extend("default" = "enforce"))]
    pub(crate) request: Option<ContractMode>,
    /// What becomes of answers that do not fit. `enforce` gives 502 in their place.
    #[schemars(extend("default" = "report"))]
    pub(crate) response: Option<ContractMode>,
    /// What becomes of callers who do not prove what `security` of the contract asks for: its schemes, and all scopes of one of its
    /// ways. It is asked besides all that `authn` and `authz` say, and opens nothing. `report` records whom it would refuse; with `off`,
    /// nobody looks at it.
    #[schemars(extend("default" = "enforce"))]
    pub(crate) security: Option<ContractMode>,
    /// The largest answer that is held to be judged, as it is sent. `bodies.decoded_bytes` bounds it once it is decompressed. A larger
    /// one is not judged, which `enforce` refuses.
    #[schemars(extend("default" = defaults::HELD_BYTES.to_string()))]
    pub(crate) answer_bytes: Option<Size>,
    /// Lets members of objects through that no schema speaks of.
    #[schemars(extend("default" = false))]
    pub(crate) open_objects: Option<Flag>,
    /// Lets query parameters through that are not declared.
    #[schemars(extend("default" = false))]
    pub(crate) unknown_query: Option<Flag>,
    /// Lets header fields through that are neither declared nor known to everybody.
    #[schemars(extend("default" = false))]
    pub(crate) unknown_headers: Option<Flag>,
    /// Header fields that may always be there.
    #[schemars(extend("default" = Vec::<String>::new()))]
    pub(crate) headers: Option<Vec<Text>>,
    /// Lets cookies through that are not declared.
    #[schemars(extend("default" = false))]
    pub(crate) unknown_cookies: Option<Flag>,
    /// Lets bodies through of media types that are not declared.
    #[schemars(extend("default" = false))]
    pub(crate) undeclared_media_types: Option<Flag>,
    /// Lets bodies through where none is declared.
    #[schemars(extend("default" = false))]
    pub(crate) undeclared_bodies: Option<Flag>,
    /// Lets answers through with a status that is not declared.
    #[schemars(extend("default" = false))]
    pub(crate) undeclared_statuses: Option<Flag>,
    /// Refuses query parameters in which reserved characters (RFC 3986 section 2.2) stand as they are, unless the contract says
    /// `allowReserved`.
    #[schemars(extend("default" = false))]
    pub(crate) strict_reserved: Option<Flag>,
}

/// What becomes of a message that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ContractMode {
    /// Nobody looks.
    Off,
    /// It passes, and the record says what is wrong with it.
    Report,
    /// It is refused.
    Enforce,
}
