//! What is known of upstreams, in the text format of Prometheus. Targets are counted, not named: their addresses come and go.

use super::text::{escaped, heading, line};
use crate::upstream::fleet::UpstreamStatus;
use std::sync::Arc;

const STATES: [&str; 5] = ["healthy", "slow_start", "ejected", "unhealthy", "draining"];

/// Appends the series of all upstreams; `counts` are retries and ejections by name.
pub(crate) fn upstreams_text(upstreams: &[UpstreamStatus], counts: &[(Arc<str>, u64, u64)], out: &mut String) {
    const TARGETS: &str = "portcullis_upstream_targets";
    heading(out, TARGETS, "gauge", "Targets of an upstream by their state.");
    for upstream in upstreams {
        for state in STATES {
            let count = upstream.servers.iter().filter(|server| server.state == state).count();
            line(out, TARGETS, &format!("upstream=\"{}\",state=\"{state}\"", escaped(&upstream.name)), count);
        }
    }
    const UNDER_WAY: &str = "portcullis_upstream_requests";
    heading(out, UNDER_WAY, "gauge", "Requests that an upstream's targets work on.");
    for upstream in upstreams {
        let count: u64 = upstream.servers.iter().map(|server| server.active).sum();
        line(out, UNDER_WAY, &format!("upstream=\"{}\"", escaped(&upstream.name)), count);
    }
    const KEPT: &str = "portcullis_upstream_connections_kept";
    heading(out, KEPT, "gauge", "Connections to an upstream's targets that are kept without a request.");
    for upstream in upstreams {
        let count: u64 = upstream.servers.iter().map(|server| server.kept).sum();
        line(out, KEPT, &format!("upstream=\"{}\"", escaped(&upstream.name)), count);
    }
    const WAITING: &str = "portcullis_upstream_waiting";
    heading(out, WAITING, "gauge", "Requests that wait for a target.");
    for upstream in upstreams {
        line(out, WAITING, &format!("upstream=\"{}\"", escaped(&upstream.name)), upstream.waiting);
    }
    const RETRIES: &str = "portcullis_upstream_retries_total";
    heading(out, RETRIES, "counter", "Requests that were sent again.");
    for (name, retries, _) in counts {
        line(out, RETRIES, &format!("upstream=\"{}\"", escaped(name)), retries);
    }
    const EJECTIONS: &str = "portcullis_upstream_ejections_total";
    heading(out, EJECTIONS, "counter", "Targets that were left out because requests to them failed or were slow.");
    for (name, _, ejections) in counts {
        line(out, EJECTIONS, &format!("upstream=\"{}\"", escaped(name)), ejections);
    }
}

/// Appends what relieved each upstream.
pub(crate) fn relief_text(upstreams: &[(Arc<str>, [u64; 4])], out: &mut String) {
    const REFUSED: &str = "portcullis_upstream_refused_total";
    heading(out, REFUSED, "counter", "Requests that were refused to relieve an upstream, by what refused them.");
    for (name, [broken, shed, ..]) in upstreams {
        for (by, count) in [("breaker", broken), ("adaptive", shed)] {
            line(out, REFUSED, &format!("upstream=\"{}\",by=\"{by}\"", escaped(name)), count);
        }
    }
    const OPEN: &str = "portcullis_upstream_breakers_open";
    heading(out, OPEN, "gauge", "Workers whose breaker sends an upstream nothing.");
    for (name, [.., open, _]) in upstreams {
        line(out, OPEN, &format!("upstream=\"{}\"", escaped(name)), open);
    }
    const ROOM: &str = "portcullis_upstream_room";
    heading(
        out,
        ROOM,
        "gauge",
        "Requests that an upstream is given at once, over all workers; nought where it is not bounded so.",
    );
    for (name, [.., room]) in upstreams {
        line(out, ROOM, &format!("upstream=\"{}\"", escaped(name)), room);
    }
}
