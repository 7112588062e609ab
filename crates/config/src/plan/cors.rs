//! Which pages may read answers.

use std::time::Duration;

use super::Origins;

/// What pages of other origins may do with an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorsPlan {
    /// Whose pages.
    pub origins: Origins,
    /// The methods that they may use; `None` for all that routes answer.
    pub methods: Option<Vec<String>>,
    /// Names of request fields that they may set, in lower case; `None` for the gateway's own list.
    pub headers: Option<Vec<String>>,
    /// Names of fields that they may read; `None` for the gateway's own list.
    pub expose: Option<Vec<String>>,
    /// Whether browsers send cookies along.
    pub credentials: bool,
    /// How long an answer to a preflight is good.
    pub max_age: Duration,
    /// Whether public pages may call into a private network.
    pub private_network: bool,
}

impl Default for CorsPlan {
    /// What a section that allows any page says beside that.
    fn default() -> Self {
        Self {
            origins: Origins::Any,
            methods: None,
            headers: None,
            expose: None,
            credentials: false,
            max_age: crate::file::defaults::CORS_MAX_AGE.duration(),
            private_network: false,
        }
    }
}
