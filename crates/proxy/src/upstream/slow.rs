//! Servers that are much slower than the others of their group: compared once a second by the thread that makes checks.

use super::fleet::Server;
use crate::gateway::Shared;
use crate::snapshot::Upstream;
use portcullis_balance::{Ejection, Mean, is_outlier};
use portcullis_config::plan::EjectionPlan;
use portcullis_types::Millis;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// How often they are compared.
pub(super) const EVERY_MS: Millis = 1_000;
/// Answers that a mean is made of at the least.
const ANSWERS_MIN: u64 = 10;
/// A server that is not slower than this is not slow.
const FLOOR_US: u64 = 20_000;

/// Leaves out the slow ones of every upstream that wants it.
pub(super) fn leave_out(shared: &Shared) {
    let snapshot = shared.snapshot.load();
    for upstream in &snapshot.upstreams {
        if let Some(rules) = upstream.plan.pool.ejection
            && let Some(factor) = rules.slow_factor
        {
            compare(shared, upstream, &rules, factor);
        }
    }
}

fn compare(shared: &Shared, upstream: &Upstream, rules: &EjectionPlan, factor: u64) {
    let crew = shared.fleet.crew(&upstream.plan.name);
    let group_of = |index: usize| upstream.plan.pool.groups.get(index).copied().unwrap_or(0);
    let servers: Vec<Arc<Server>> = upstream.plan.targets.iter().map(|target| crew.server(target)).collect();
    let groups = (0..servers.len()).map(group_of).max().unwrap_or(0);
    // Whoever ejects for failures right now has the word; the next look is a second away.
    if crew.deciding.compare_exchange(false, true, Acquire, Relaxed).is_err() {
        return;
    }
    for group in 0..=groups {
        let all = servers.iter().enumerate().filter(|(index, _)| group_of(*index) == group);
        let members: Vec<&Server> = all.map(|(_, server)| &**server).collect();
        let ejected = within_group(&members, rules, factor, shared.clock.millis());
        crew.ejections.fetch_add(ejected, Relaxed);
    }
    crew.deciding.store(false, Release);
}

/// Leaves out the slow ones of a group, as many as may be; says how many.
fn within_group(members: &[&Server], rules: &EjectionPlan, factor: u64, now: Millis) -> u64 {
    let means: Vec<Mean> = members.iter().map(|server| server.endpoint.mean_us(ANSWERS_MIN)).collect();
    let percent = usize::try_from(rules.max_percent).unwrap_or(100);
    let may_be_out = (members.len() * percent / 100).max(1);
    let mut out = members.iter().filter(|server| server.endpoint.is_ejected(now)).count();
    let base_ms = Millis::try_from(rules.base.as_millis()).unwrap_or(Millis::MAX);
    let ejection = Ejection { failures: rules.failures, base_ms };
    let mut ejected = 0;
    for (index, server) in members.iter().enumerate() {
        let slow = is_outlier(&means, index, factor, FLOOR_US) && !server.endpoint.is_ejected(now);
        if slow && out < may_be_out {
            let mean = means.get(index).copied().flatten().unwrap_or(0) / 1000;
            server.note_failure(&format!(
                "slow: {mean} ms to the head of an answer, more than {factor} times the others"
            ));
            server.endpoint.eject(&ejection, now);
            (out, ejected) = (out + 1, ejected + 1);
        }
    }
    ejected
}
