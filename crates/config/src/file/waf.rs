//! The `waf` section as people write it, on whichever level it stands.

use schemars::JsonSchema;
use serde::Deserialize;

use super::defaults;
use crate::scalar::{Count, FileName};

/// Whether requests are looked at for attacks, and by which rules. What a level does not say is taken from the one above
/// it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Waf {
    /// Whether attacks are refused.
    #[schemars(extend("default" = "enforce"))]
    pub(crate) mode: Option<WafMode>,
    /// How careful rules are: 1 is for everybody, each level above it finds more and errs more. By default as the rules say,
    /// which is 1.
    #[schemars(extend("minimum" = 1, "maximum" = defaults::MAX_PARANOIA))]
    pub(crate) paranoia: Option<Count>,
    /// The score at which a request is refused; a rule that finds an attack adds 5. By default as the rules say, which is 5.
    #[schemars(extend("minimum" = 1, "maximum" = defaults::MAX_THRESHOLD))]
    pub(crate) threshold: Option<Count>,
    /// The rules. By default the built-in ones.
    #[schemars(extend("default" = ["builtin"]))]
    pub(crate) rules: Option<Vec<WafRules>>,
    /// A file of exceptions in the language of the rules: `SecRuleRemoveById`, `SecRuleUpdateTargetById`, rules with `ctl`. Its
    /// rules run before all others, and what it removes or changes may stand in any of the sets.
    pub(crate) exclusions: Option<FileName>,
}

/// Whether attacks are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WafMode {
    /// Requests are not looked at.
    Off,
    /// Nobody is refused; records and metrics say who would have been.
    Observe,
    /// Attacks are refused.
    Enforce,
}

/// A set of rules.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WafRules {
    /// The rules that the gateway brings along: few, and written for JSON APIs.
    Builtin,
    /// A folder with the OWASP Core Rule Set: `crs-setup.conf` or `crs-setup.conf.example`, and `rules/*.conf`.
    Crs(FileName),
}

impl WafMode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Observe => "observe",
            Self::Enforce => "enforce",
        }
    }
}
