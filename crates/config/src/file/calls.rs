//! What calls may ask for where a route takes GraphQL or gRPC, as people write it.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scalar::{Count, Flag, GrpcMethod, GrpcService};

/// How much a request of GraphQL may ask for. Fragments count wherever they are used, and operations of a batch together. The
/// document has to be in the request: one that a server only knows by its name cannot be looked at, and is refused.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GraphQl {
    /// Fields within each other.
    #[schemars(extend("default" = 10), extend("minimum" = 1, "maximum" = 100))]
    pub(crate) depth: Option<Count>,
    /// Fields that are called something else.
    #[schemars(extend("default" = 15), extend("minimum" = 0, "maximum" = 10_000))]
    pub(crate) aliases: Option<Count>,
    /// Fields.
    #[schemars(extend("default" = 250), extend("minimum" = 1, "maximum" = 10_000))]
    pub(crate) fields: Option<Count>,
    /// Fields, times what `first`, `last` or `limit` says of those that they are within.
    #[schemars(extend("default" = 1_000), extend("minimum" = 1, "maximum" = 1_000_000_000))]
    pub(crate) cost: Option<Count>,
    /// Whether callers may ask for the schema.
    #[schemars(extend("default" = false))]
    pub(crate) introspection: Option<Flag>,
    /// Operations in one request.
    #[schemars(extend("default" = 1), extend("minimum" = 1, "maximum" = 1_000))]
    pub(crate) batch: Option<Count>,
}

/// Whether calls of gRPC come here, and which.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = flags_are_flags)]
pub(crate) enum Grpc {
    /// All that the path lets through.
    True,
    /// None.
    False,
    /// Those of these services.
    Services(Vec<GrpcService>),
    /// These.
    Methods(Vec<GrpcMethod>),
}

/// `true` and `false` are words to the loader and not to YAML.
fn flags_are_flags(schema: &mut schemars::Schema) {
    let ways = schema.get_mut("oneOf").and_then(serde_json::Value::as_array_mut);
    for way in ways.into_iter().flatten() {
        let flag = match way.get("const").and_then(serde_json::Value::as_str) {
            Some("true") => true,
            Some("false") => false,
            _ => continue,
        };
        if let Some(members) = way.as_object_mut() {
            members.insert("const".to_owned(), flag.into());
            members.insert("type".to_owned(), "boolean".into());
        }
    }
}
