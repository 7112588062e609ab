//! Where the commands that talk to a running gateway reach it.

use std::path::PathBuf;

/// The admin socket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdminPlan {
    /// A Unix socket; `None` is none.
    pub socket: Option<PathBuf>,
}
