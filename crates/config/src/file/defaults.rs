//! What holds where a file says nothing, and the most that a count may be: one definition for the plan, the schema and
//! the reference.

use crate::scalar::{Amount, Count, Period, Rate, Size};

pub(crate) const STATUS_BIND: &str = "127.0.0.1:9901";
pub(crate) const PORTAL_BIND: &str = "127.0.0.1:9902";
pub(crate) const SESSION_IDLE: Period = Period::seconds(30 * 60);
pub(crate) const SESSION_LIFETIME: Period = Period::seconds(10 * 60 * 60);
pub(crate) const OFFER_APPLICATIONS: Count = Count(3);
/// LIMIT: applications of one account.
pub(crate) const MAX_OFFER_APPLICATIONS: u64 = 100;
pub(crate) const OFFER_KEYS: Count = Count(5);
/// LIMIT: keys of one account.
pub(crate) const MAX_OFFER_KEYS: u64 = 100;
pub(crate) const OFFER_EXPIRES: Period = Period::seconds(90 * 24 * 60 * 60);
pub(crate) const OFFER_OVERLAP: Period = Period::seconds(7 * 24 * 60 * 60);
pub(crate) const PORTAL_TITLE: &str = "Developer portal";
pub(crate) const ACCENT_LIGHT: &str = "#0b5cad";
pub(crate) const ACCENT_DARK: &str = "#79b8ff";
pub(crate) const API_KEY_HEADER: &str = "X-API-Key";
pub(crate) const API_KEY_PREFIX: &str = "pk";
pub(crate) const CLOCK_SKEW: Period = Period::seconds(30);
pub(crate) const ROTATE_EVERY: Period = Period::seconds(30 * 24 * 60 * 60);
pub(crate) const KEEP_ACTIVE: Period = Period::seconds(60);
pub(crate) const KEEP_INACTIVE: Period = Period::seconds(10);
pub(crate) const INTROSPECTION_TIMEOUT: Period = Period::seconds(3);
pub(crate) const CORS_MAX_AGE: Period = Period::seconds(10 * 60);
pub(crate) const MAX_STALENESS: Period = Period::seconds(24 * 60 * 60);
pub(crate) const INTERMEDIATES: Count = Count(2);
/// LIMIT: certificates between a client's and an authority's; the library takes no longer paths.
pub(crate) const MAX_INTERMEDIATES: u64 = 5;
pub(crate) const SIGNED_COMPONENTS: [&str; 2] = ["@method", "@target-uri"];
pub(crate) const DIGEST_BYTES: Size = Size::mib(1);
pub(crate) const PROOF_WINDOW: Period = Period::seconds(60);
pub(crate) const PROOF_SKEW: Period = Period::seconds(10);
pub(crate) const PROOFS_REMEMBERED: Count = Count(1_000_000);
/// LIMIT: proofs that are remembered.
pub(crate) const MAX_PROOFS_REMEMBERED: u64 = 100_000_000;
pub(crate) const ROLES_CLAIM: &str = "roles";
pub(crate) const LEARNED_KEEP: Period = Period::seconds(60 * 60);
pub(crate) const LEARNED_IDS: Count = Count(1_000);
pub(crate) const LEARNED_CALLERS: Count = Count(1_000);
pub(crate) const LEARNED_ANSWER_BYTES: Size = Size::kib(256);
pub(crate) const LOG_QUEUE: Count = Count(65_536);
pub(crate) const ROTATE_SIZE: Size = Size::mib(100);
pub(crate) const ROTATE_KEEP: Count = Count(5);
/// LIMIT: older files that are kept.
pub(crate) const MAX_ROTATE_KEEP: u64 = 1_000;
pub(crate) const BUFFER_SIZE: Size = Size::mib(64);
/// LIMIT: keys that sign a feed; as many signatures are read of a bundle.
pub(crate) const MAX_FEED_KEYS: u64 = 16;
pub(crate) const FEED_INTERVAL: Period = Period::seconds(300);
pub(crate) const FEED_BYTES: Size = Size::mib(1);

pub(crate) const ALERT_GROUP: Period = Period::seconds(30);
pub(crate) const ALERT_AGAIN: Period = Period::seconds(60 * 60);
pub(crate) const ALERTS_PER_HOUR: Count = Count(20);
/// LIMIT: messages within an hour.
pub(crate) const MAX_ALERTS_PER_HOUR: u64 = 1_000;
pub(crate) const ALERT_CERTIFICATES: Period = Period::seconds(14 * 24 * 60 * 60);
pub(crate) const ALERT_MASKING: Count = Count(10);
/// LIMIT: answers within five minutes.
pub(crate) const MAX_ALERT_MASKING: u64 = 1_000_000;
pub(crate) const SERVICE_NAME: &str = "portcullis";
pub(crate) const TRACING_QUEUE: Count = Count(8_192);
pub(crate) const STORE_PREFIX: &str = "portcullis";
pub(crate) const STORE_TIMEOUT: Period = Period::millis(100);
pub(crate) const GATEWAYS: Count = Count(1);
/// LIMIT: gateways that share limits.
pub(crate) const MAX_GATEWAYS: u64 = 1_000;
pub(crate) const ANOMALY_HALF_LIFE: Period = Period::seconds(10 * 60);
pub(crate) const ANOMALY_DELAY: Period = Period::millis(500);
pub(crate) const ANOMALY_BLOCK: Period = Period::seconds(30 * 60);
pub(crate) const ANOMALY_CALLERS: Count = Count(100_000);
/// LIMIT: callers whose history is kept.
pub(crate) const MAX_ANOMALY_CALLERS: u64 = 1_000_000;
/// LIMIT: points of a step.
pub(crate) const MAX_ANOMALY_POINTS: u64 = 1_000;
pub(crate) const SHUTDOWN_GRACE: Period = Period::seconds(0);
pub(crate) const SHUTDOWN_DEADLINE: Period = Period::seconds(30);

pub(crate) const HEAD_BYTES: Size = Size::kib(64);
pub(crate) const TARGET_BYTES: Size = Size::kib(16);
pub(crate) const HEADERS: Count = Count(100);
pub(crate) const HEAD_TIMEOUT: Period = Period::seconds(10);
pub(crate) const IDLE_TIMEOUT: Period = Period::seconds(60);
pub(crate) const BODY_IDLE_TIMEOUT: Period = Period::seconds(30);
pub(crate) const BODY_RATE: Size = Size { bytes: 240 };
pub(crate) const SEND_RATE: Size = Size { bytes: 240 };
pub(crate) const RATE_GRACE: Period = Period::seconds(10);
pub(crate) const CONNECTIONS: Count = Count(20_000);
pub(crate) const REQUESTS_PER_CONNECTION: Count = Count(1_000_000);

pub(crate) const HTTP2_STREAMS: Count = Count(100);
/// Bursts of resets, settings, pings, empty data, priorities, window updates and continuations, as in `FloodLimits`.
pub(crate) const FLOODS: [Count; 7] =
    [Count(200), Count(50), Count(500), Count(100), Count(1_000), Count(5_000), Count(500)];
pub(crate) const STREAM_IDLE_TIMEOUT: Period = Period::seconds(5 * 60);
pub(crate) const STREAM_LIFETIME: Period = Period::seconds(60 * 60);

pub(crate) const BODY_BYTES: Size = Size::mib(10);
pub(crate) const HELD_BYTES: Size = Size::mib(1);
pub(crate) const DECODED_BYTES: Size = Size::mib(10);
/// LIMIT: a body that is held, as it is sent and decoded.
pub(crate) const MAX_HELD: Size = Size::mib(64);
/// LIMIT: arrays and objects within each other (`DEPTH_CAP` of `portcullis-contract`).
pub(crate) const MAX_JSON_DEPTH: u64 = 128;
/// LIMIT: values of one body.
pub(crate) const MAX_JSON_VALUES: u64 = 1 << 22;
pub(crate) const TIMEOUT: Period = Period::seconds(30);
pub(crate) const CONNECT_TIMEOUT: Period = Period::seconds(2);
pub(crate) const FIRST_BYTE_TIMEOUT: Period = Period::seconds(15);
pub(crate) const UPSTREAM_IDLE_TIMEOUT: Period = Period::seconds(30);
pub(crate) const IDLE_CONNECTIONS: Count = Count(64);

pub(crate) const RATE_PER_ADDRESS: Rate = per_second(100);
pub(crate) const BURST_PER_ADDRESS: Count = Count(200);
pub(crate) const RATE_PER_PRINCIPAL: Rate = per_second(50);
pub(crate) const BURST_PER_PRINCIPAL: Count = Count(100);
pub(crate) const ACCOUNTS: Count = Count(65_536);
/// LIMIT: accounts of one limit.
pub(crate) const MAX_ACCOUNTS: u64 = 1 << 23;
/// LIMIT: what a limit can allow; integers of structured fields have fifteen digits (RFC 9651 section 3.3.1).
pub(crate) const MAX_LIMIT: u64 = 999_999_999_999_999;

/// LIMIT: characters of a masked value that are shown.
pub(crate) const MAX_SHOWN: u64 = 64;

const fn per_second(units: u64) -> Rate {
    Rate { amount: Amount { units, is_size: false }, per: Period::seconds(1) }
}

/// LIMIT: paranoia levels of the Core Rule Set.
pub(crate) const MAX_PARANOIA: u64 = 4;
/// LIMIT: a score that no request comes to by chance.
pub(crate) const MAX_THRESHOLD: u64 = 1_000_000;

/// LIMIT: threads.
pub(crate) const MAX_WORKERS: u64 = 1024;
/// LIMIT: records that wait to be written.
pub(crate) const MAX_QUEUE: u64 = 1 << 24;
/// LIMIT: spans and records that wait to be sent.
pub(crate) const MAX_TRACING_QUEUE: u64 = 1 << 20;
/// LIMIT: header lines of one request: as many as the codec has room for (`FIELDS_CEILING` of `portcullis-h1`).
pub(crate) const MAX_HEADERS: u64 = 256;
/// LIMIT: requests under way on one connection of HTTP/2.
pub(crate) const MAX_HTTP2_STREAMS: u64 = 10_000;
/// LIMIT: frames in a burst.
pub(crate) const MAX_FLOOD: u64 = 1_000_000;
/// LIMIT: open connections of one listener.
pub(crate) const MAX_CONNECTIONS: u64 = 10_000_000;
/// LIMIT: unused connections kept per worker and target.
pub(crate) const MAX_IDLE_CONNECTIONS: u64 = 65_536;

pub(crate) const CHECK_INTERVAL: Period = Period::seconds(5);
pub(crate) const CHECK_TIMEOUT: Period = Period::seconds(2);
pub(crate) const CHECK_RISE: Count = Count(2);
pub(crate) const CHECK_FALL: Count = Count(3);
pub(crate) const EJECTION_FAILURES: Count = Count(5);
pub(crate) const EJECTION_BASE: Period = Period::seconds(30);
/// LIMIT: how many times slower than others a target may have to be.
pub(crate) const MAX_SLOW_FACTOR: u64 = 1_000;
pub(crate) const EJECTION_PERCENT: Count = Count(50);
pub(crate) const RETRY_BODY_BYTES: Size = Size::kib(64);
/// LIMIT: a body that is kept.
pub(crate) const MAX_RETRY_BODY: Size = Size::mib(16);
pub(crate) const RETRY_ATTEMPTS: Count = Count(2);
pub(crate) const RETRY_BUDGET: Count = Count(20);
pub(crate) const RETRY_PAUSE: Period = Period::millis(25);
pub(crate) const RETRY_MAX_PAUSE: Period = Period::millis(250);
pub(crate) const RESOLVE_EVERY: Period = Period::seconds(30);
pub(crate) const BREAKER_WINDOW: Period = Period::seconds(10);
pub(crate) const BREAKER_CALLS: Count = Count(20);
pub(crate) const BREAKER_PERCENT: Count = Count(50);
pub(crate) const BREAKER_OPEN: Period = Period::seconds(1);
pub(crate) const BREAKER_MAX_OPEN: Period = Period::seconds(30);
pub(crate) const BREAKER_TRIALS: Count = Count(3);
pub(crate) const ADAPTIVE_MIN: Count = Count(4);
pub(crate) const ADAPTIVE_MAX: Count = Count(1_000);
pub(crate) const ADAPTIVE_SLOW: Count = Count(300);
/// LIMIT: requests of one worker that are counted, tried or run at once.
pub(crate) const MAX_CALLS: u64 = 100_000;
pub(crate) const QUEUE_TIMEOUT: Period = Period::seconds(1);
/// LIMIT: checks or failures in a row.
pub(crate) const MAX_ROW: u64 = 1_000;
/// LIMIT: retries of one request.
pub(crate) const MAX_ATTEMPTS: u64 = 10;
/// LIMIT: weight of a target.
pub(crate) const MAX_WEIGHT: u64 = 1_000;
/// LIMIT: requests under way to one target.
pub(crate) const MAX_TARGET_CONNECTIONS: u64 = 1_000_000;
/// LIMIT: requests that wait for a target of one upstream.
pub(crate) const MAX_WAITING: u64 = 100_000;
