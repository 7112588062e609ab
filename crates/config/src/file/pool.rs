//! How an upstream's servers are chosen and watched, as people write it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::defaults;
use crate::scalar::{Count, Period, Size, Text};

/// How a target is chosen.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Balance {
    /// The less busy of two drawn by chance: even, and good where targets differ in speed.
    TwoChoices,
    /// The least busy of all.
    LeastRequest,
    /// One after the other.
    RoundRobin,
    /// The same target for the same value, as long as it can be asked. A request without the value is sent to one of two
    /// drawn by chance.
    ConsistentHash(HashBy),
}

/// What the choice depends on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HashBy {
    /// The value of a header.
    Header(Text),
    /// The value of a cookie.
    Cookie(Text),
    /// A claim of the caller's token, text or number. Callers without a token have none.
    Claim(Text),
    /// The client's address.
    Address,
}

/// Active checks, made by one thread for all workers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Health {
    /// What is asked.
    pub(crate) check: Probe,
    /// Between two checks of a target.
    #[schemars(extend("default" = defaults::CHECK_INTERVAL.to_string()))]
    pub(crate) interval: Option<Period>,
    /// For one check.
    #[schemars(extend("default" = defaults::CHECK_TIMEOUT.to_string()))]
    pub(crate) timeout: Option<Period>,
    /// Passes in a row until a target that was out is asked again.
    #[schemars(extend("default" = defaults::CHECK_RISE.0), extend("minimum" = 1, "maximum" = defaults::MAX_ROW))]
    pub(crate) rise: Option<Count>,
    /// Failures in a row until a target is out. While all are out, requests are refused at once.
    #[schemars(extend("default" = defaults::CHECK_FALL.0), extend("minimum" = 1, "maximum" = defaults::MAX_ROW))]
    pub(crate) fall: Option<Count>,
}

/// What is asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Probe {
    /// A connection, TLS included.
    Tcp,
    /// A `GET` of this path over HTTP/1.1, answered with a status from 200 to 299.
    Http(Text),
    /// The health protocol of gRPC (`grpc.health.v1.Health`), answered with `SERVING`. It needs `protocol: http2`.
    Grpc(GrpcProbe),
}

/// The health protocol of gRPC.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrpcProbe {
    /// The service to ask about. By default the whole server.
    pub(crate) service: Option<Text>,
}

/// Leaves a target out while requests to it fail: refused connections, broken or missing answers, 502, 503 and 504. While
/// all are left out, all are asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ejection {
    /// Failures in a row.
    #[schemars(extend("default" = defaults::EJECTION_FAILURES.0), extend("minimum" = 1, "maximum" = defaults::MAX_ROW))]
    pub(crate) failures: Option<Count>,
    /// How long, the first time; so many times longer with each time in a row, up to ten.
    #[schemars(extend("default" = defaults::EJECTION_BASE.to_string()))]
    pub(crate) base: Option<Period>,
    /// How many targets of a group may be left out, in percent; at least one.
    #[schemars(extend("default" = defaults::EJECTION_PERCENT.0), extend("minimum" = 1, "maximum" = 100))]
    pub(crate) max_percent: Option<Count>,
    /// Leaves out a target that is so many times slower than the others of its group as well: the mean time to the heads of
    /// its answers since the last look, if at least ten came, above 20 ms and above this times the median of at least two others.
    /// By default nobody is left out for that.
    #[schemars(extend("minimum" = 2, "maximum" = defaults::MAX_SLOW_FACTOR))]
    pub(crate) slow_factor: Option<Count>,
}

/// Sends idempotent requests again when the server closes before it answers, gives no answer in time, or gives one that is
/// none. Connecting is tried with
/// every target in any case.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retries {
    /// Times after the first.
    #[schemars(extend("default" = defaults::RETRY_ATTEMPTS.0), extend("minimum" = 1, "maximum" = defaults::MAX_ATTEMPTS))]
    pub(crate) attempts: Option<Count>,
    /// Statuses of the server after which a request is sent again: 502, 503, 504.
    #[schemars(extend("default" = Vec::<u16>::new()))]
    pub(crate) statuses: Option<Vec<Count>>,
    /// The longest body that is kept in memory so that its request can be sent again. Requests of unknown length are not.
    #[schemars(extend("default" = defaults::RETRY_BODY_BYTES.to_string()))]
    pub(crate) body_bytes: Option<Size>,
    /// Retries in percent of requests, and ten in stock, for each worker. An outage must not be answered with a storm.
    #[schemars(extend("default" = defaults::RETRY_BUDGET.0), extend("minimum" = 1, "maximum" = 100))]
    pub(crate) budget: Option<Count>,
    /// Before the first retry; doubled with each, and shortened by chance by up to a half.
    #[schemars(extend("default" = defaults::RETRY_PAUSE.to_string()))]
    pub(crate) pause: Option<Period>,
    /// The longest pause.
    #[schemars(extend("default" = defaults::RETRY_MAX_PAUSE.to_string()))]
    pub(crate) max_pause: Option<Period>,
}

/// Left alone while most requests to an upstream fail: refused connections, broken or missing answers, 502, 503 and 504. Each
/// worker has one of its own. Requests get 503 `reduced_capacity` meanwhile.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Breaker {
    /// Over how long requests are counted.
    #[schemars(extend("default" = defaults::BREAKER_WINDOW.to_string()))]
    pub(crate) window: Option<Period>,
    /// Fewer requests within it prove nothing.
    #[schemars(extend("default" = defaults::BREAKER_CALLS.0), extend("minimum" = 1, "maximum" = defaults::MAX_CALLS))]
    pub(crate) calls: Option<Count>,
    /// So many of them failed, in percent.
    #[schemars(extend("default" = defaults::BREAKER_PERCENT.0), extend("minimum" = 1, "maximum" = 100))]
    pub(crate) failed_percent: Option<Count>,
    /// How long nothing is sent, the first time; doubled each time that trials fail.
    #[schemars(extend("default" = defaults::BREAKER_OPEN.to_string()))]
    pub(crate) open: Option<Period>,
    /// The longest that nothing is sent.
    #[schemars(extend("default" = defaults::BREAKER_MAX_OPEN.to_string()))]
    pub(crate) max_open: Option<Period>,
    /// Requests that are sent as trials afterwards. All of them have to pass.
    #[schemars(extend("default" = defaults::BREAKER_TRIALS.0), extend("minimum" = 1, "maximum" = defaults::MAX_CALLS))]
    pub(crate) trials: Option<Count>,
}

/// How many requests await the heads of their answers at once, for each worker: more while answers come quickly, fewer when
/// they become slow or fail. Those beyond get 503 `reduced_capacity`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Adaptive {
    /// Never fewer.
    #[schemars(extend("default" = defaults::ADAPTIVE_MIN.0), extend("minimum" = 1, "maximum" = defaults::MAX_CALLS))]
    pub(crate) min: Option<Count>,
    /// Never more.
    #[schemars(extend("default" = defaults::ADAPTIVE_MAX.0), extend("minimum" = 1, "maximum" = defaults::MAX_CALLS))]
    pub(crate) max: Option<Count>,
    /// An answer is slow when it takes more than so many percent of the quickest of the last minute.
    #[schemars(extend("default" = defaults::ADAPTIVE_SLOW.0), extend("minimum" = 110, "maximum" = 10_000))]
    pub(crate) slow_percent: Option<Count>,
}

/// How urgent a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Urgency {
    /// It may use half of the room.
    Low,
    /// It may use nine tenths.
    Normal,
    /// It may use all of it.
    High,
}

/// Where requests wait while every target is at `connections`. Without a queue they are refused at once.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Queue {
    /// How many, over all workers.
    #[schemars(extend("minimum" = 1, "maximum" = defaults::MAX_WAITING))]
    pub(crate) requests: Count,
    /// How long.
    #[schemars(extend("default" = defaults::QUEUE_TIMEOUT.to_string()))]
    pub(crate) timeout: Option<Period>,
}
