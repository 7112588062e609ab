//! How an upstream's servers are chosen and watched: ranges, names that lead nowhere, and settings that would do nothing.

use super::Check;
use super::upstream::{MAX_TARGETS, Written};
use crate::diagnostic::{Diagnostic, quote};
use crate::file::{Balance as Chosen, Ejection, HashBy, Health, Probe, Queue, Retries, Upstream, defaults};
use crate::plan::{
    self, Balance, EjectionPlan, HealthPlan, PoolPlan, QueuePlan, RetryPlan, TargetPlan, UpstreamPlan, UpstreamProtocol,
};
use crate::scalar::{Count, Period, Raw, Scalar as _, Target};
use crate::tree::At;
use std::net::IpAddr;

/// LIMIT: groups of one upstream, its own targets included.
const MAX_GROUPS: usize = 8;
const LEAST: Period = Period::millis(1);
const LEAST_CHECK: Period = Period::millis(10);
const LEAST_RESOLVE: Period = Period::millis(100);
const MAX_CHECK: Period = Period::seconds(60 * 60);
const MAX_PAUSE: Period = Period::seconds(60);
const MAX_AWAY: Period = Period::seconds(24 * 60 * 60);

impl Check<'_> {
    /// Appends the targets of `failover` to the upstream's own.
    pub(super) fn pool(
        &mut self,
        own: &Written<'_>,
        targets: &mut Vec<TargetPlan>,
        parent: Option<&UpstreamPlan>,
    ) -> PoolPlan {
        let mut pool = parent.map(|parent| parent.pool.clone()).unwrap_or_default();
        let Some(written) = own.section else { return pool };
        let at = &own.at;
        if written.targets.is_some() {
            (pool.groups, pool.weights) = (Vec::new(), Vec::new());
        }
        self.failover(written, at, targets, &mut pool);
        self.weights(written, at, targets, &mut pool);
        if let Some(balance) = &written.balance {
            pool.balance = self.balance(balance, &at.key("balance"));
        }
        if let Some(health) = &written.health {
            pool.health = Some(self.health(health, &at.key("health")));
        }
        if let Some(ejection) = &written.ejection {
            pool.ejection = Some(self.ejection(ejection, &at.key("ejection")));
        }
        if let Some(slow_start) = written.slow_start {
            pool.slow_start = self.period(&at.key("slow_start"), slow_start, (Period::millis(0), MAX_CHECK));
        }
        if let Some(every) = written.resolve_every {
            pool.resolve_every = self.period(&at.key("resolve_every"), every, (LEAST_RESOLVE, MAX_CHECK));
        }
        if let Some(retries) = &written.retries {
            pool.retries = Some(self.retries(retries, &at.key("retries")));
        }
        if let Some(connections) = written.connections {
            let range = (1, defaults::MAX_TARGET_CONNECTIONS);
            pool.connections =
                Some(self.within(&at.key("connections"), connections.0, range, |value| value.to_string()));
        }
        if let Some(queue) = &written.queue {
            pool.queue = Some(self.queue(queue, &at.key("queue")));
        }
        if let Some(breaker) = &written.breaker {
            pool.breaker = Some(self.breaker(breaker, &at.key("breaker")));
        }
        if let Some(adaptive) = &written.adaptive {
            pool.adaptive = Some(self.adaptive(adaptive, &at.key("adaptive")));
        }
        self.idle(own, targets, &pool, parent);
        pool
    }

    fn failover(&mut self, written: &Upstream, at: &At<'_>, targets: &mut Vec<TargetPlan>, pool: &mut PoolPlan) {
        let Some(groups) = &written.failover else { return };
        let at = at.key("failover");
        if written.targets.is_none() {
            let message = "`failover` stands without `targets`";
            let diagnostic = Diagnostic::new("contradiction", at.name_span(), message)
                .help("write the targets that it stands in for beside it");
            self.reject(&at, diagnostic);
            return;
        }
        if groups.is_empty() || groups.len() >= MAX_GROUPS || groups.iter().any(Vec::is_empty) {
            let message = format!("`failover` holds 1 to {} lists of targets, none of them empty", MAX_GROUPS - 1);
            let diagnostic = Diagnostic::new("bad-value", at.name_span(), message)
                .help("write `failover: [[\"http://127.0.0.1:9001\"]]`");
            self.reject(&at, diagnostic);
        }
        let count = groups.iter().map(Vec::len).sum::<usize>();
        if targets.len() + count > MAX_TARGETS {
            let diagnostic = Diagnostic::new("too-large", at.name_span(), format!("more than {MAX_TARGETS} targets"));
            self.reject(&at, diagnostic.help("an upstream has so many with all its groups"));
            return;
        }
        pool.groups = vec![0; targets.len()];
        for (number, group) in groups.iter().enumerate() {
            let list = at.index(number);
            for (index, target) in group.iter().enumerate() {
                let item = list.index(index);
                let target = TargetPlan { from: self.outside.get(&item.id()).cloned(), ..target.0.clone() };
                let same = |one: &TargetPlan| (one.tls, &one.host, one.port) == (target.tls, &target.host, target.port);
                if targets.iter().any(same) {
                    let message = format!("the target {} stands twice", self.shown(&item, &target.to_string()));
                    let diagnostic = Diagnostic::new("duplicate", item.span(), message);
                    self.reject(&item, diagnostic.help("remove one of the two"));
                }
                targets.push(target);
                pool.groups.push(number + 1);
            }
        }
    }

    fn weights(&mut self, written: &Upstream, at: &At<'_>, targets: &[TargetPlan], pool: &mut PoolPlan) {
        let Some(weights) = &written.weights else { return };
        let at = at.key("weights");
        pool.weights = vec![1; targets.len()];
        for (name, weight) in weights {
            let item = at.key(name);
            let meant = Target::parse(Raw { text: name, plain: true }).ok().map(|target| target.0);
            let place = targets.iter().position(|target| {
                let same = |one: &TargetPlan| (one.tls, &one.host, one.port) == (target.tls, &target.host, target.port);
                meant.as_ref().is_some_and(same)
            });
            let value = self.within(&item, weight.0, (1, defaults::MAX_WEIGHT), |value| value.to_string());
            let slot = place.and_then(|place| pool.weights.get_mut(place));
            match slot {
                Some(slot) => *slot = small(value),
                None => {
                    let message = format!("there is no target {}", quote(name));
                    let diagnostic = Diagnostic::new("unknown-reference", item.name_span(), message)
                        .help("write it as it stands in `targets` or `failover`");
                    self.reject(&item, diagnostic);
                }
            }
        }
    }

    fn balance(&mut self, written: &Chosen, at: &At<'_>) -> Balance {
        let by = match written {
            Chosen::TwoChoices => return Balance::TwoChoices,
            Chosen::LeastRequest => return Balance::LeastRequest,
            Chosen::RoundRobin => return Balance::RoundRobin,
            Chosen::ConsistentHash(by) => by,
        };
        let at = at.key("consistent_hash");
        let (at, name, what) = match by {
            HashBy::Address => return Balance::Address,
            HashBy::Header(name) => (at.key("header"), name, "header"),
            HashBy::Cookie(name) => (at.key("cookie"), name, "cookie"),
            HashBy::Claim(name) => return Balance::Claim(name.0.clone()),
        };
        let is_token = name.0.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        if !is_token {
            let message = format!("{} is not the name of a {what}", self.shown(&at, &name.0));
            let diagnostic = self.wrong(&at, "bad-name", message).help("letters, digits and `-`, without a colon");
            self.reject(&at, diagnostic);
        }
        match by {
            HashBy::Cookie(name) => Balance::Cookie(name.0.clone()),
            HashBy::Header(name) => Balance::Header(name.0.to_ascii_lowercase()),
            HashBy::Claim(name) => Balance::Claim(name.0.clone()),
            HashBy::Address => Balance::Address,
        }
    }

    fn health(&mut self, written: &Health, at: &At<'_>) -> HealthPlan {
        let probe = match &written.check {
            Probe::Tcp => plan::Probe::Tcp,
            Probe::Grpc(probe) => {
                plan::Probe::Grpc(probe.service.as_ref().map(|name| name.0.clone()).unwrap_or_default())
            }
            Probe::Http(path) => {
                let is_path = path.0.starts_with('/') && path.0.bytes().all(|byte| byte.is_ascii_graphic());
                if !is_path {
                    let check = at.key("check");
                    let at = check.key("http");
                    let message = format!("{} is not a path", self.shown(&at, &path.0));
                    let diagnostic = self.wrong(&at, "bad-value", message).help("write it like `/healthz`");
                    self.reject(&at, diagnostic);
                }
                plan::Probe::Http(path.0.clone())
            }
        };
        let interval = written.interval.unwrap_or(defaults::CHECK_INTERVAL);
        let timeout = written.timeout.unwrap_or(defaults::CHECK_TIMEOUT);
        let mut row = |name: &str, value: Option<Count>, default: Count| {
            let value = value.unwrap_or(default).0;
            small(self.within(&at.key(name), value, (1, defaults::MAX_ROW), |value| value.to_string()))
        };
        let (rise, fall) =
            (row("rise", written.rise, defaults::CHECK_RISE), row("fall", written.fall, defaults::CHECK_FALL));
        HealthPlan {
            probe,
            interval: self.period(&at.key("interval"), interval, (LEAST_CHECK, MAX_CHECK)),
            timeout: self.period(&at.key("timeout"), timeout, (LEAST_CHECK, MAX_PAUSE)),
            rise,
            fall,
        }
    }

    fn ejection(&mut self, written: &Ejection, at: &At<'_>) -> EjectionPlan {
        let failures = written.failures.unwrap_or(defaults::EJECTION_FAILURES).0;
        let percent = written.max_percent.unwrap_or(defaults::EJECTION_PERCENT).0;
        let show = |value: u64| value.to_string();
        let base = written.base.unwrap_or(defaults::EJECTION_BASE);
        EjectionPlan {
            failures: small(self.within(&at.key("failures"), failures, (1, defaults::MAX_ROW), show)),
            base: self.period(&at.key("base"), base, (LEAST, MAX_AWAY)),
            max_percent: small(self.within(&at.key("max_percent"), percent, (1, 100), show)),
            slow_factor: written
                .slow_factor
                .map(|factor| self.within(&at.key("slow_factor"), factor.0, (2, defaults::MAX_SLOW_FACTOR), show)),
        }
    }

    fn retries(&mut self, written: &Retries, at: &At<'_>) -> RetryPlan {
        let attempts = written.attempts.unwrap_or(defaults::RETRY_ATTEMPTS).0;
        let budget = written.budget.unwrap_or(defaults::RETRY_BUDGET).0;
        let pause = written.pause.unwrap_or(defaults::RETRY_PAUSE);
        let longest = written.max_pause.unwrap_or(defaults::RETRY_MAX_PAUSE);
        let show = |value: u64| value.to_string();
        let mut statuses = Vec::new();
        let list = at.key("statuses");
        for (index, status) in written.statuses.iter().flatten().enumerate() {
            match status.0 {
                502..=504 => statuses.push(u16::try_from(status.0).unwrap_or(503)),
                other => {
                    let item = list.index(index);
                    let message = format!("{other} is no status after which sending again helps");
                    let diagnostic = self.wrong(&item, "bad-value", message).help("choose from 502, 503 and 504");
                    self.reject(&item, diagnostic);
                }
            }
        }
        RetryPlan {
            attempts: small(self.within(&at.key("attempts"), attempts, (1, defaults::MAX_ATTEMPTS), show)),
            statuses,
            body_bytes: self.size(
                &at.key("body_bytes"),
                written.body_bytes.unwrap_or(defaults::RETRY_BODY_BYTES),
                (0, defaults::MAX_RETRY_BODY.bytes),
            ),
            budget: small(self.within(&at.key("budget"), budget, (1, 100), show)),
            pause: self.period(&at.key("pause"), pause, (LEAST, MAX_PAUSE)),
            max_pause: self.period(&at.key("max_pause"), longest, (LEAST, MAX_PAUSE)),
        }
    }

    fn queue(&mut self, written: &Queue, at: &At<'_>) -> QueuePlan {
        let range = (1, defaults::MAX_WAITING);
        let timeout = written.timeout.unwrap_or(defaults::QUEUE_TIMEOUT);
        QueuePlan {
            requests: self.within(&at.key("requests"), written.requests.0, range, |value| value.to_string()),
            timeout: self.period(&at.key("timeout"), timeout, (LEAST, MAX_PAUSE)),
        }
    }

    /// Settings that would do nothing.
    fn idle(&mut self, own: &Written<'_>, targets: &[TargetPlan], pool: &PoolPlan, parent: Option<&UpstreamPlan>) {
        let (Some(written), at) = (own.section, &own.at) else { return };
        let hidden = |name: &str| at.key(name).is_tainted();
        let mut findings = Vec::new();
        if written.queue.is_some() && pool.connections.is_none() && !hidden("connections") {
            let message = "`queue` has no effect, because no target has a limit to wait for";
            findings.push(("queue", message, "add `connections`, or remove `queue`"));
        }
        let unwatched = pool.health.is_none() && pool.ejection.is_none() && !hidden("health") && !hidden("ejection");
        if written.failover.is_some() && unwatched {
            let message = "`failover` has no effect, because nothing says when targets cannot be asked";
            findings.push(("failover", message, "add `health` or `ejection`"));
        }
        let protocol = Self::protocol(own, parent);
        match (pool.health.as_ref().map(|health| &health.probe), protocol) {
            (Some(plan::Probe::Http(_)), UpstreamProtocol::Http2) => {
                let message = "an `http` check speaks HTTP/1.1, and this upstream has `protocol: http2`";
                findings.push(("health", message, "write `check: tcp` or `check: { grpc: {} }`"));
            }
            (Some(plan::Probe::Grpc(_)), UpstreamProtocol::Http1) => {
                let message = "a `grpc` check speaks HTTP/2, and this upstream has `protocol: http1`";
                findings.push(("health", message, "add `protocol: http2`, or write another check"));
            }
            (Some(plan::Probe::Tcp | plan::Probe::Http(_) | plan::Probe::Grpc(_)) | None, _) => {}
        }
        if written.ejection.is_some() && targets.len() == 1 && !hidden("targets") {
            let message = "`ejection` has no effect, because there is only one target";
            findings.push(("ejection", message, "add a target, or remove `ejection`"));
        }
        if written.weights.is_some() && targets.len() == 1 && !hidden("targets") {
            let message = "`weights` has no effect, because there is only one target";
            findings.push(("weights", message, "add a target, or remove `weights`"));
        }
        let names = targets.iter().any(|target| target.host.parse::<IpAddr>().is_err());
        if written.resolve_every.is_some() && !names && !targets.is_empty() && !hidden("targets") {
            let message = "`resolve_every` has no effect, because all targets are addresses";
            findings.push(("resolve_every", message, "remove it"));
        }
        for (name, message, help) in findings {
            let at = at.key(name);
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message).help(help);
            self.reject(&at, diagnostic);
        }
    }
}

fn small(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
