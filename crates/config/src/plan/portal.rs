//! The pages for developers: where they are, and what the operator adds to them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::AccountsPlan;
use crate::file::defaults;

/// What the pages are like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalPlan {
    /// Where they are served.
    pub bind: SocketAddr,
    /// What the site is called.
    pub title: String,
    /// The address by which visitors know it, without a slash at its end.
    pub address: Option<String>,
    /// Whether visitors may call operations from their pages. There is an address then.
    pub try_it: bool,
    /// The APIs that are shown; `None` for all.
    pub apis: Option<Vec<Arc<str>>>,
    /// The colour of links on light and on dark screens: `#0b5cad`.
    pub accent: (String, String),
    /// An image, and the end of its name.
    pub logo: Option<(PathBuf, &'static str)>,
    /// A text in Markdown for the first page.
    pub welcome: Option<PathBuf>,
    /// More pages: title and a text in Markdown.
    pub pages: Vec<(String, PathBuf)>,
    /// Whom to tell about holes in security.
    pub security: Option<SecurityContactPlan>,
    /// Who may sign in, and what for; `None` where nobody may.
    pub accounts: Option<AccountsPlan>,
}

/// What `security.txt` says (RFC 9116).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityContactPlan {
    /// Addresses, the preferred one first; never empty.
    pub contact: Vec<String>,
    /// Until when it is to be believed, in seconds since 1970.
    pub expires: i64,
    /// The page of the rules.
    pub policy: Option<String>,
    /// The languages that are understood.
    pub languages: Vec<String>,
}

impl Default for PortalPlan {
    /// What is shown where the configuration says nothing.
    fn default() -> Self {
        Self {
            bind: defaults::PORTAL_BIND.parse().unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))),
            title: defaults::PORTAL_TITLE.to_owned(),
            address: None,
            try_it: false,
            apis: None,
            accent: (defaults::ACCENT_LIGHT.to_owned(), defaults::ACCENT_DARK.to_owned()),
            logo: None,
            welcome: None,
            pages: Vec::new(),
            security: None,
            accounts: None,
        }
    }
}

impl PortalPlan {
    /// Whether an API is shown.
    #[must_use]
    pub fn shows(&self, api: &str) -> bool {
        self.apis.as_ref().is_none_or(|names| names.iter().any(|name| **name == *api))
    }

    /// Where visitors find it: its stated address, or the one that it is served at.
    #[must_use]
    pub fn home(&self) -> String {
        self.address.clone().unwrap_or_else(|| format!("http://{}", self.bind))
    }
}
