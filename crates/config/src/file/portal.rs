//! The `portal` section as people write it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{PortalAccounts, defaults};
use crate::scalar::{Address, Colour, FileName, Flag, Text, When};

/// Pages for developers who integrate with the APIs: what they offer, how to call them, what the limits are, what every error means.
/// They are made from this configuration, and anew at each reload. `portcullis portal export` writes the same pages to a folder.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Portal {
    /// Where they are served, over plain HTTP. Others than loopback need `danger_exposed: true`.
    #[schemars(extend("default" = defaults::PORTAL_BIND))]
    pub(crate) bind: Option<Address>,
    /// Serves the pages, which say how each API is protected, to everybody who reaches the address, unencrypted.
    #[schemars(extend("default" = false))]
    pub(crate) danger_exposed: Option<Flag>,
    /// What the site is called.
    #[schemars(extend("default" = defaults::PORTAL_TITLE))]
    pub(crate) title: Option<Text>,
    /// The address by which visitors know it, such as `https://developers.example.com`: documents for programs name it. By default
    /// the address that it is served at.
    pub(crate) address: Option<Text>,
    /// Lets visitors call operations from their pages, with credentials of their own. It takes `address`, and APIs whose `cors` lets pages
    /// of that address call.
    #[schemars(extend("default" = false))]
    pub(crate) try_it: Option<Flag>,
    /// The APIs that it shows, by name. All of them without it.
    #[schemars(length(min = 1))]
    pub(crate) apis: Option<Vec<Text>>,
    /// The colour of links and marks. It has to stand out from white and, for dark screens, from `#0f1419`.
    pub(crate) accent: Option<Accent>,
    /// An image in PNG, JPEG, WebP or SVG.
    pub(crate) logo: Option<FileName>,
    /// A text in Markdown for the first page.
    pub(crate) welcome: Option<FileName>,
    /// More pages by their title, each a text in Markdown: headings, lists, tables, code, emphasis and links. HTML is shown as text.
    pub(crate) pages: Option<IndexMap<String, FileName>>,
    /// Lets developers sign in, and make, replace and revoke API keys of their own.
    pub(crate) accounts: Option<PortalAccounts>,
    /// Whom to tell about holes in security: makes `/.well-known/security.txt` (RFC 9116).
    pub(crate) security: Option<PortalSecurity>,
}

/// Colours of links and marks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accent {
    /// On light screens.
    #[schemars(extend("default" = defaults::ACCENT_LIGHT))]
    pub(crate) light: Option<Colour>,
    /// On dark screens.
    #[schemars(extend("default" = defaults::ACCENT_DARK))]
    pub(crate) dark: Option<Colour>,
}

/// Whom to tell about holes in security.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PortalSecurity {
    /// Where: `mailto:`, `https://` or `tel:` addresses, the preferred one first.
    #[schemars(length(min = 1))]
    pub(crate) contact: Vec<Text>,
    /// Until when this is to be believed; less than a year ahead is recommended.
    pub(crate) expires: When,
    /// The page of the rules for whoever looks for holes.
    pub(crate) policy: Option<Text>,
    /// The languages that are understood: `[en, de]`.
    pub(crate) languages: Option<Vec<Text>>,
}
