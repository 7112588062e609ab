//! The gateway on the wire: raw bytes in, raw bytes out, on both sides; and after every attack a good request works.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests state facts, and measure them with the machine's own clock"
)]

#[path = "wire/access.rs"]
mod access;
#[path = "wire/alerts.rs"]
mod alerts;
#[path = "wire/anomalies.rs"]
mod anomalies;
#[path = "wire/answers.rs"]
mod answers;
#[path = "wire/bodies.rs"]
mod bodies;
#[path = "wire/bytes.rs"]
mod bytes;
#[path = "wire/chaos.rs"]
mod chaos;
#[path = "wire/check.rs"]
mod check;
#[path = "wire/choice.rs"]
mod choice;
#[path = "wire/cluster.rs"]
mod cluster;
#[path = "wire/collector.rs"]
mod collector;
#[path = "wire/contract.rs"]
mod contract;
#[path = "wire/cors.rs"]
mod cors;
#[path = "wire/costs.rs"]
mod costs;
#[path = "wire/declared.rs"]
mod declared;
#[path = "wire/desync.rs"]
mod desync;
#[path = "wire/documents.rs"]
mod documents;
#[path = "wire/dpop.rs"]
mod dpop;
#[path = "wire/edges.rs"]
mod edges;
#[path = "wire/errors.rs"]
mod errors;
#[path = "wire/faults.rs"]
mod faults;
#[path = "wire/graphql.rs"]
mod graphql;
#[path = "wire/grpc.rs"]
mod grpc;
#[path = "wire/headers.rs"]
mod headers;
#[path = "wire/held.rs"]
mod held;
#[path = "wire/http2.rs"]
mod http2;
#[path = "wire/identity.rs"]
mod identity;
#[path = "wire/introspection.rs"]
mod introspection;
#[path = "wire/issuers.rs"]
mod issuers;
#[path = "wire/knowledge.rs"]
mod knowledge;
#[path = "wire/leaks.rs"]
mod leaks;
#[path = "wire/leaks_http2.rs"]
mod leaks_http2;
#[path = "wire/learned.rs"]
mod learned;
#[path = "wire/life.rs"]
mod life;
#[path = "wire/limits.rs"]
mod limits;
#[path = "wire/listeners.rs"]
mod listeners;
#[path = "wire/masks.rs"]
mod masks;
#[path = "wire/mistakes.rs"]
mod mistakes;
#[path = "wire/mtls.rs"]
mod mtls;
#[path = "wire/names.rs"]
mod names;
#[cfg(test)]
#[path = "wire/openmetrics.rs"]
mod openmetrics;
#[path = "wire/pace.rs"]
mod pace;
#[path = "wire/proved.rs"]
mod proved;
#[path = "wire/provenance.rs"]
mod provenance;
#[path = "wire/records.rs"]
mod records;
#[path = "wire/relief.rs"]
mod relief;
#[path = "wire/reports.rs"]
mod reports;
#[path = "wire/security.rs"]
mod security;
#[path = "wire/sharing.rs"]
mod sharing;
#[path = "wire/signatures.rs"]
mod signatures;
#[path = "wire/standing.rs"]
mod standing;
#[path = "wire/statements.rs"]
mod statements;
#[path = "wire/storm.rs"]
mod storm;
#[path = "wire/talking.rs"]
mod talking;
#[path = "wire/time.rs"]
mod time;
#[path = "wire/tls.rs"]
mod tls;
#[path = "wire/traces.rs"]
mod traces;
#[path = "wire/upstreams.rs"]
mod upstreams;
#[path = "wire/versions.rs"]
mod versions;
#[path = "wire/waf.rs"]
mod waf;
#[path = "wire/websocket.rs"]
mod websocket;
