//! Where commands and people reach the running gateway.

use super::TlsPlan;
use portcullis_auth::password::PasswordHash;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The admin socket, and the listener of the console.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdminPlan {
    /// A Unix socket; `None` is none.
    pub socket: Option<PathBuf>,
    /// The console and the admin API; `None` where there is none.
    pub console: Option<ConsolePlan>,
}

/// The console and the admin API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsolePlan {
    /// Where they are.
    pub bind: SocketAddr,
    /// `None` is plain HTTP, on loopback only.
    pub tls: Option<TlsPlan>,
    /// The address by which people know it, without a slash at its end.
    pub address: Option<String>,
    /// Who may come in.
    pub users: Vec<UserPlan>,
    /// How long somebody stays without doing anything.
    pub idle: Duration,
    /// How long he stays whatever he does.
    pub lifetime: Duration,
}

/// Somebody who may come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPlan {
    /// His name.
    pub name: Arc<str>,
    /// What he proves himself with.
    pub password: PasswordHash,
    /// What he may do.
    pub role: Role,
}

/// What somebody may do; each may do what those before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look at everything.
    Viewer,
    /// And act on what runs.
    Operator,
    /// And make, replace and revoke keys.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The name that people write.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl ConsolePlan {
    /// Where people find it: its stated address, or the one that it is served at.
    #[must_use]
    pub fn home(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.address.clone().unwrap_or_else(|| format!("{scheme}://{}", self.bind))
    }
}
