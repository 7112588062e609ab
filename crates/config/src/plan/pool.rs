//! How an upstream's servers are chosen, watched, relieved and asked again.

use portcullis_limit::{AdaptiveRules, BreakerRules};
use std::time::Duration;

/// Everything about the servers of an upstream together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolPlan {
    /// How one is chosen.
    pub balance: Balance,
    /// Weights beside the targets; empty where all are equal.
    pub weights: Vec<u32>,
    /// The group of each target, rising from 0: a later group is asked only while nobody of the earlier ones can be. Empty
    /// where there is one group.
    pub groups: Vec<usize>,
    /// Active checks.
    pub health: Option<HealthPlan>,
    /// When a target is left out because requests to it fail.
    pub ejection: Option<EjectionPlan>,
    /// How long a target that was added, or came back, takes to get its full share.
    pub slow_start: Duration,
    /// Whether, and how often, requests are sent again.
    pub retries: Option<RetryPlan>,
    /// Requests under way to one target, over all workers.
    pub connections: Option<u64>,
    /// Where requests wait while every target is at that limit.
    pub queue: Option<QueuePlan>,
    /// When nothing is sent because most requests fail.
    pub breaker: Option<BreakerRules>,
    /// Between which bounds the number of requests at once is found.
    pub adaptive: Option<AdaptiveRules>,
    /// How long looked-up addresses are used at the longest; a shorter TTL counts.
    pub resolve_every: Duration,
}

impl Default for PoolPlan {
    fn default() -> Self {
        Self {
            balance: Balance::TwoChoices,
            weights: Vec::new(),
            groups: Vec::new(),
            health: None,
            ejection: None,
            slow_start: Duration::ZERO,
            retries: None,
            connections: None,
            queue: None,
            breaker: None,
            adaptive: None,
            resolve_every: Duration::from_secs(30),
        }
    }
}

/// How a target is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Balance {
    /// The less busy of two drawn by chance.
    #[default]
    TwoChoices,
    /// The least busy of all.
    LeastRequest,
    /// One after the other.
    RoundRobin,
    /// The same one for the same value of this header, in lower case.
    Header(String),
    /// The same one for the same value of this cookie.
    Cookie(String),
    /// The same one for the same claim of the caller's token: text or number.
    Claim(String),
    /// The same one for the same client address.
    Address,
}

/// Active checks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HealthPlan {
    /// What is asked.
    pub probe: Probe,
    /// Between two checks.
    pub interval: Duration,
    /// For one check.
    pub timeout: Duration,
    /// Passes in a row until a target is back.
    pub rise: u32,
    /// Failures in a row until it is out.
    pub fall: u32,
}

/// What a check asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Probe {
    /// A connection.
    Tcp,
    /// A path, over HTTP/1.1.
    Http(String),
    /// `grpc.health.v1.Health` about a service; empty for the whole server.
    Grpc(String),
}

/// Passive ejection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EjectionPlan {
    /// Failures in a row.
    pub failures: u32,
    /// How long the first time; so many times longer with each time in a row, up to ten.
    pub base: Duration,
    /// How many of a group may be left out, in percent; at least one.
    pub max_percent: u32,
    /// So many times slower than the others is as bad as failing.
    pub slow_factor: Option<u64>,
}

/// Sending again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPlan {
    /// Times after the first.
    pub attempts: u32,
    /// Statuses of the upstream after which a request is sent again.
    pub statuses: Vec<u16>,
    /// The longest body that is kept to be sent again; 0 keeps none.
    pub body_bytes: u64,
    /// Retries in percent of requests.
    pub budget: u32,
    /// Before the first retry; doubled with each.
    pub pause: Duration,
    /// At most.
    pub max_pause: Duration,
}

/// Requests that wait for a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePlan {
    /// How many, over all workers.
    pub requests: u64,
    /// How long.
    pub timeout: Duration,
}
