//! The `anomalies` section.

use schemars::JsonSchema;
use serde::Deserialize;

use super::defaults;
use crate::scalar::{Count, FileName, Period};

/// What is unusual for a caller or an address, by its own history, and what follows from it. Findings are told on the admin
/// socket (`portcullis findings`), in metrics and, with a `store`, kept through restarts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Anomalies {
    /// How far findings lead, unless `detectors` says otherwise.
    #[schemars(extend("default" = "observe"))]
    pub(crate) mode: Option<AnomalyMode>,
    /// How far findings of one kind lead.
    pub(crate) detectors: Option<Detectors>,
    /// How many points somebody needs for each step. A finding has 1 to 4 of them.
    pub(crate) points: Option<AnomalyPoints>,
    /// In which time half of the points are forgotten.
    #[schemars(extend("default" = defaults::ANOMALY_HALF_LIFE.to_string()))]
    pub(crate) half_life: Option<Period>,
    /// How long each request of somebody waits who is slowed down.
    #[schemars(extend("default" = defaults::ANOMALY_DELAY.to_string()))]
    pub(crate) delay: Option<Period>,
    /// How long somebody is blocked.
    #[schemars(extend("default" = defaults::ANOMALY_BLOCK.to_string()))]
    pub(crate) block_for: Option<Period>,
    /// Callers whose history is kept; whoever was not seen for longest makes room. Memory is taken as they come: 1.6 KB each, with
    /// addresses and operations.
    #[schemars(extend("default" = defaults::ANOMALY_CALLERS.0), extend("minimum" = 1_000, "maximum" = defaults::MAX_ANOMALY_CALLERS))]
    pub(crate) callers: Option<Count>,
    /// A file in MaxMind's form that says in which country an address is (GeoLite2-Country, or any other with `country.iso_code`), for
    /// `new_country`. A change of it is taken over; whether there is one is not before a restart.
    pub(crate) countries: Option<FileName>,
    /// A file in MaxMind's form that says which autonomous system announces an address (GeoLite2-ASN, or any other with
    /// `autonomous_system_number`), for `new_network`. Without it a network is a /16, or a /32 of IPv6. Taken over as `countries` is.
    pub(crate) networks: Option<FileName>,
}

/// How far findings lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AnomalyMode {
    /// Nobody looks.
    Off,
    /// They are told, and nothing is done.
    Observe,
    /// Requests wait for `delay`.
    Slow,
    /// Requests are refused (`abnormal_usage`) while it goes on.
    Refuse,
    /// Requests are refused for `block_for`.
    Block,
}

/// How far findings of one kind lead.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Detectors {
    /// More requests at an operation than ever at this time of day; 2 points.
    pub(crate) rate: Option<AnomalyMode>,
    /// More bytes than ever at this time of day: data may be carried off; 3 points.
    pub(crate) volume: Option<AnomalyMode>,
    /// More of the answers are 4xx than usual; 1 point.
    pub(crate) errors: Option<AnomalyMode>,
    /// Many answers 401; 4 points.
    pub(crate) unauthorized: Option<AnomalyMode>,
    /// Many answers 403; 3 points.
    pub(crate) forbidden: Option<AnomalyMode>,
    /// Many answers 404; 2 points.
    pub(crate) not_found: Option<AnomalyMode>,
    /// Objects asked for one after another by their numbers; 4 points.
    pub(crate) sequential_ids: Option<AnomalyMode>,
    /// More different objects than usual; 3 points.
    pub(crate) id_sweep: Option<AnomalyMode>,
    /// Operations in an order in which nobody calls them; 2 points.
    pub(crate) sequence: Option<AnomalyMode>,
    /// Wrong credentials from many addresses, few from each. It is about everybody, so that nothing more than `observe` can follow.
    pub(crate) credential_stuffing: Option<AnomalyMode>,
    /// A network from which this caller never called; 2 points.
    pub(crate) new_network: Option<AnomalyMode>,
    /// A country from which this caller never called, by the file `countries`; 3 points.
    pub(crate) new_country: Option<AnomalyMode>,
    /// A kind of client that this caller never used; 1 point.
    pub(crate) new_client: Option<AnomalyMode>,
    /// A time of day at which this caller never calls; 1 point.
    pub(crate) hour: Option<AnomalyMode>,
}

/// How many points somebody needs for each step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnomalyPoints {
    /// To be slowed down.
    #[schemars(extend("default" = 3), extend("minimum" = 1, "maximum" = defaults::MAX_ANOMALY_POINTS))]
    pub(crate) slow: Option<Count>,
    /// To be refused.
    #[schemars(extend("default" = 6), extend("minimum" = 1, "maximum" = defaults::MAX_ANOMALY_POINTS))]
    pub(crate) refuse: Option<Count>,
    /// To be blocked.
    #[schemars(extend("default" = 10), extend("minimum" = 1, "maximum" = defaults::MAX_ANOMALY_POINTS))]
    pub(crate) block: Option<Count>,
}

impl Detectors {
    /// Each with its key, in the order of [`portcullis_anomaly::Kind::ALL`].
    pub(crate) fn all(&self) -> [(&'static str, Option<AnomalyMode>); 14] {
        [
            ("rate", self.rate),
            ("volume", self.volume),
            ("errors", self.errors),
            ("unauthorized", self.unauthorized),
            ("forbidden", self.forbidden),
            ("not_found", self.not_found),
            ("sequential_ids", self.sequential_ids),
            ("id_sweep", self.id_sweep),
            ("sequence", self.sequence),
            ("credential_stuffing", self.credential_stuffing),
            ("new_network", self.new_network),
            ("new_country", self.new_country),
            ("new_client", self.new_client),
            ("hour", self.hour),
        ]
    }
}
