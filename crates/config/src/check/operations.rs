//! Status listener, workers and shutdown.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::Check;
use super::listeners::collide;
use crate::file::{File, defaults};
use crate::plan::{ListenerPlan, StatusPlan};
use crate::scalar::{Period, Raw, Scalar as _};
use crate::tree::At;

/// LIMIT: a longer deadline is a stop that doesn't happen.
const MAX_DEADLINE: Period = Period::seconds(24 * 60 * 60);

impl Check<'_> {
    pub(super) fn status(&mut self, file: &File, root: &At<'_>, listeners: &[ListenerPlan]) -> StatusPlan {
        let section = root.key("status");
        let at = section.key("bind");
        let written = file.status.as_ref().and_then(|status| status.bind);
        let bind = match written {
            Some(address) => address.0,
            None => default_status(),
        };
        let exposed = file.status.as_ref().and_then(|status| status.danger_exposed).is_some_and(|flag| flag.0);
        if exposed {
            self.danger(
                &section.key("danger_exposed"),
                "status and metrics are readable by whoever reaches the address",
            );
        } else if !bind.ip().is_loopback() {
            let message = format!("{} is reachable from other machines", self.shown(&at, &bind.to_string()));
            let diagnostic = self.wrong(&at, "exposed-status", message).help(
                "bind to `127.0.0.1`, or say `danger_exposed: true` if whoever reaches the address may read metrics",
            );
            self.reject(&at, diagnostic);
        }
        if let Some(taken) = listeners.iter().find(|listener| collide(listener.bind, bind)) {
            let message = format!("the status address and listener `{}` collide", taken.name);
            let other = root.key("listeners");
            let other = other.key(&taken.name);
            let taken_at = other.key("bind");
            let diagnostic = match written {
                Some(_) => self
                    .wrong(&at, "bind-collision", message)
                    .also(taken_at.span(), "taken here")
                    .help("give one of them another port"),
                None => self.wrong(&taken_at, "bind-collision", message).help(format!(
                    "status is on {} unless `status: {{ bind: … }}` says otherwise",
                    defaults::STATUS_BIND
                )),
            };
            self.reject(if written.is_some() { &at } else { &taken_at }, diagnostic);
        }
        StatusPlan { bind }
    }

    pub(super) fn workers(&mut self, file: &File, root: &At<'_>) -> Option<NonZeroUsize> {
        let count = file.workers?;
        let count = self.within(&root.key("workers"), count.0, (1, defaults::MAX_WORKERS), |value| value.to_string());
        usize::try_from(count).ok().and_then(NonZeroUsize::new)
    }

    pub(super) fn shutdown(&mut self, file: &File, root: &At<'_>) -> Duration {
        let section = root.key("shutdown");
        let deadline = file.shutdown.as_ref().and_then(|shutdown| shutdown.deadline);
        let deadline = deadline.unwrap_or(defaults::SHUTDOWN_DEADLINE);
        self.period(&section.key("deadline"), deadline, (Period::millis(0), MAX_DEADLINE))
    }

    /// A length of time that must lie in a range.
    pub(super) fn period(&mut self, at: &At<'_>, value: Period, range: (Period, Period)) -> Duration {
        let show = |millis: u64| Period::millis(millis).to_string();
        let (least, most) = range;
        let millis = self.within(at, value.as_millis(), (least.as_millis(), most.as_millis()), show);
        Duration::from_millis(millis)
    }
}

/// The text of the default is what schema and reference print; loopback without a port would be the last resort.
fn default_status() -> SocketAddr {
    let parsed = crate::scalar::Address::parse(Raw { text: defaults::STATUS_BIND, plain: true });
    parsed.map_or(SocketAddr::from(([127, 0, 0, 1], 0)), |address| address.0)
}
