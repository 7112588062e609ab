//! The `shared_store` section.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{UpstreamTls, defaults};
use crate::scalar::{Count, Flag, Period, StoreServer, Text};

/// A Valkey or Redis between several gateways, so that a caller has one account at all of them. Without it each gateway keeps
/// its own. Limits by caller are shared then, and others where they say `shared: true`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SharedStore {
    /// Where it is: nodes of one cluster, or addresses of one server, which are tried in this order.
    pub(crate) servers: Vec<StoreServer>,
    /// The user (ACL) that the gateway logs in as. By default the store's own `default`.
    pub(crate) user: Option<Text>,
    /// The password. Write `{ env: NAME }` or `{ file: PATH }`. The names of accounts in the store are hashed with it, so that
    /// nobody without it can tell whose they are.
    pub(crate) password: Option<Text>,
    /// How a `rediss` server is verified and what the gateway shows it. It is always verified.
    pub(crate) tls: Option<UpstreamTls>,
    /// What the names of all keys begin with. Gateways with the same prefix and password share limits.
    #[schemars(extend("default" = defaults::STORE_PREFIX))]
    pub(crate) prefix: Option<Text>,
    /// How long a request waits for the store. After it the gateway goes by its share: the limit divided by the gateways that
    /// live.
    #[schemars(extend("default" = defaults::STORE_TIMEOUT.to_string()))]
    pub(crate) timeout: Option<Period>,
    /// Gateways that there are at least. It counts while the store has never been reached; then they are counted.
    #[schemars(extend("default" = defaults::GATEWAYS.0), extend("minimum" = 1, "maximum" = defaults::MAX_GATEWAYS))]
    pub(crate) gateways: Option<Count>,
    /// Lets `redis` servers be elsewhere than on this machine: everybody on the way can read and change what has been spent.
    #[schemars(extend("default" = false))]
    pub(crate) danger_plaintext: Option<Flag>,
}
