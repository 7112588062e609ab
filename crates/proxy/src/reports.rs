//! What browsers report about pages that headers of an API keep in bounds: violations of its content security policy and what else the
//! Reporting API knows. A collector for everybody, so that nothing of it is believed, and all of it is bounded: how large a report
//! is, how many come, what is kept of it.

mod read;

use crate::carry::channel::Channel;
use crate::exchange::{Connection, Exchange};
use crate::pipeline::Stop;
use crate::pipeline::{forward, receive};
use crate::worker::Worker;
use portcullis_config::plan::{HostPattern, Plan};
use portcullis_h1::Known;
use portcullis_types::{Reason, Refusal, Stage};
pub(crate) use read::{Report, shown};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

// LIMIT: bytes of what is sent at once.
const BODY_BYTES_MAX: u64 = 64 * 1024;
// LIMIT: how long that may take.
const TIMEOUT: Duration = Duration::from_secs(10);
// LIMIT: messages a second that are taken, of each API and over all workers, and how many at once.
const PER_SECOND: u64 = 20;
const BURST: u64 = 100;

/// Where reports come, of all APIs.
#[derive(Debug, Default)]
pub(crate) struct Inboxes(Vec<Arc<Inbox>>);

/// Where the reports of one API come.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) api: Arc<str>,
    hosts: Vec<HostPattern>,
    path: String,
    /// When there will be room for a whole burst again, in milliseconds (GCRA).
    full_at: AtomicU64,
}

// === impl Inboxes ===

impl Inboxes {
    pub(crate) fn compile(plan: &Plan) -> Self {
        let inboxes = plan.apis.iter().filter_map(|api| {
            let path = format!("{}{}", api.base_path, api.headers.reports.as_ref()?);
            let (hosts, full_at) = (api.hosts.clone(), AtomicU64::new(0));
            Some(Arc::new(Inbox { api: Arc::clone(&api.name), hosts, path, full_at }))
        });
        Self(inboxes.collect())
    }

    /// The inbox at a place.
    pub(crate) fn find(&self, host: &str, path: &str) -> Option<&Arc<Inbox>> {
        if self.0.is_empty() {
            return None;
        }
        self.0.iter().find(|inbox| inbox.path == path && inbox.hosts.iter().any(|pattern| pattern.fits(host)))
    }
}

// === impl Inbox ===

impl Inbox {
    /// Whether another message may be taken at a moment.
    fn has_room(&self, millis: u64) -> bool {
        const STEP: u64 = 1_000 / PER_SECOND;
        let next = |full_at: u64| {
            let next = full_at.max(millis) + STEP;
            (next <= millis + BURST * STEP).then_some(next)
        };
        self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

/// Takes what a browser sends, and says no more than that.
pub(crate) async fn take(
    inbox: &Arc<Inbox>,
    worker: &Worker,
    connection: &Connection,
    exchange: &mut Exchange,
    client: &mut Channel,
) -> Stop {
    match taken(inbox, worker, connection, exchange, client).await {
        Ok(()) => Stop::Noted,
        Err(stop) => stop,
    }
}

async fn taken(
    inbox: &Arc<Inbox>,
    worker: &Worker,
    connection: &Connection,
    exchange: &mut Exchange,
    client: &mut Channel,
) -> Result<(), Stop> {
    let refuse = |reason: Reason| Refusal::new(Stage::Receive, reason, reason.page().caller);
    let head = &exchange.head;
    if head.method() != b"POST" {
        return Err(refuse(Reason::MethodNotAllowed).header("allow", "POST").into());
    }
    let content_type = head.fields().only(Known::ContentType).unwrap_or_default();
    let media_type = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let is = |name: &[u8]| media_type.eq_ignore_ascii_case(name);
    if !is(b"application/csp-report") && !is(b"application/reports+json") {
        return Err(refuse(Reason::UnsupportedMediaType).into());
    }
    if !inbox.has_room(worker.millis()) {
        let refusal = refuse(Reason::QuotaExceeded).violating(vec!["reports".to_owned()]);
        return Err(refusal.header("retry-after", "1").into());
    }
    let mut upload = receive::bounded(head, BODY_BYTES_MAX)?;
    receive::go_on(head, worker, connection, client).await?;
    upload.hold(BODY_BYTES_MAX, worker.rooms.room());
    client.set_patience(Some(connection.settings.limits.body_idle_timeout));
    receive::held(&mut upload, client, worker, TIMEOUT).await.map_err(forward::stop)?;
    (exchange.record.body_read, exchange.record.request_bytes) = (true, upload.received());
    let reports = read::reports(upload.held()).ok_or_else(|| refuse(Reason::MalformedJson))?;
    exchange.record.reports = Some(Box::new((Arc::clone(&inbox.api), reports)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{BURST, Inbox, PER_SECOND};
    use portcullis_config::plan::HostPattern;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn no_more_are_taken_than_may_come() {
        let (hosts, full_at) = (vec![HostPattern::Any], AtomicU64::new(0));
        let inbox = Inbox { api: "a".into(), hosts, path: "/r".to_owned(), full_at };
        let taken = |millis: u64| (0..1_000).filter(|_| inbox.has_room(millis)).count() as u64;
        assert_eq!(taken(10_000), BURST);
        assert_eq!(taken(10_000), 0);
        assert_eq!(taken(11_000), PER_SECOND);
        assert_eq!(taken(1_000_000), BURST);
    }
}
