//! The `headers` section as people write it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::scalar::{BasePath, Text};

/// What every answer tells browsers to refuse, the gateway's own answers included. What servers say in these fields is left out.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Headers {
    /// What answers are.
    #[schemars(extend("default" = "api"))]
    pub(crate) profile: Option<HeaderProfile>,
    /// Fields with values of their own, in place of those of the profile or beside them.
    pub(crate) set: Option<IndexMap<String, Text>>,
    /// Where browsers report what these fields kept them from, below the base path: `/.reports`. Answers name the place
    /// (`Reporting-Endpoints`, `report-to` and `report-uri` of the policy); what comes is counted and recorded, never believed.
    pub(crate) reports: Option<BasePath>,
}

/// What answers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HeaderProfile {
    /// Data, which no browser should render, frame or run.
    Api,
    /// Pages of an application: scripts and styles of their own origin, no frames, no plug-ins, no sensors, a process of their own.
    Browser,
    /// Pages that frame each other and show pictures from elsewhere, such as a developer portal.
    Portal,
}
