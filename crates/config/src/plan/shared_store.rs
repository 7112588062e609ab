//! The store that several gateways share.

use super::{TargetPlan, UpstreamTlsPlan};
use portcullis_types::Secret;
use std::time::Duration;

/// A Valkey or Redis in which callers' accounts are, for all gateways together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedStorePlan {
    /// Nodes of one cluster, or addresses of one server.
    pub servers: Vec<TargetPlan>,
    /// Who logs in; `None` is the store's own default.
    pub user: Option<String>,
    /// With what.
    pub password: Option<Secret>,
    /// Present if, and only if, the servers speak TLS.
    pub tls: Option<UpstreamTlsPlan>,
    /// What every key begins with.
    pub prefix: String,
    /// How long a request waits.
    pub timeout: Duration,
    /// Gateways that there are at least.
    pub gateways: u64,
}
