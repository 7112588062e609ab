//! The `admin` section as people write it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{ListenerTls, defaults};
use crate::scalar::{Address, FileName, Period, Text};

/// Where the running gateway is reached: by commands over `socket`, by people and programs at `bind`. One of them is needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Admin {
    /// A Unix socket, made with mode 0600, for `portcullis status`, `reload` and `drain`. Only root and the user that the gateway
    /// runs as are answered.
    pub(crate) socket: Option<FileName>,
    /// Where the console and the admin API are, such as `127.0.0.1:9903`. Others than loopback need `tls`.
    pub(crate) bind: Option<Address>,
    /// Encryption of `bind`.
    pub(crate) tls: Option<ListenerTls>,
    /// The address by which people know the console, such as `https://console.example.com`: alerts link to it. By default the
    /// address that it is served at.
    pub(crate) address: Option<Text>,
    /// Who may come in, by name.
    pub(crate) users: Option<IndexMap<String, AdminUser>>,
    /// How long somebody stays.
    pub(crate) session: Option<AdminSession>,
}

/// Somebody who may come in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdminUser {
    /// A hash by Argon2id, as `portcullis admin password` makes it. It may stand elsewhere: `{ env: NAME }`, `{ file: PATH }`.
    pub(crate) password: Text,
    /// What he may do.
    pub(crate) role: Role,
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Look at everything.
    Viewer,
    /// And act on what runs: reset limits, pardon callers, reload.
    Operator,
    /// And make, replace and revoke keys.
    Admin,
}

/// How long somebody stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdminSession {
    /// Without doing anything.
    #[schemars(extend("default" = defaults::SESSION_IDLE.to_string()))]
    pub(crate) idle: Option<Period>,
    /// Whatever he does.
    #[schemars(extend("default" = defaults::SESSION_LIFETIME.to_string()))]
    pub(crate) lifetime: Option<Period>,
}
