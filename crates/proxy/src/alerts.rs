//! Who is told when something is wrong: one thread looks at the gateway once a second, says nothing twice within a time, puts what
//! comes together into one message, and sends no more messages than were asked for.

mod look;
mod mail;
mod outbox;
mod send;
mod smtp;

use crate::gateway::Handle;
use crate::outcall::patience::Ending;
use crate::tls::files::TlsError;
use look::Look;
use outbox::Outbox;
use portcullis_config::plan::AlertsPlan;
use portcullis_types::{Clock, Millis};
use send::Sender;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the gateway is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Something unusual was found.
    Anomaly,
    /// The store of keys and revocations cannot be read.
    StoreUnreachable,
    /// The store of shared limits does not answer.
    SharedStoreUnreachable,
    /// A certificate of a listener ends soon, or has ended.
    CertificateExpiring,
    /// Security records wait on disk.
    SecurityBufferFilling,
    /// Security records were lost.
    SecurityRecordsLost,
    /// Answers could not be masked.
    MaskingFailures,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alert {
    pub(crate) kind: Kind,
    /// What tells it from others of its kind: a caller, a certificate.
    pub(crate) about: String,
    pub(crate) is_critical: bool,
    /// One sentence.
    pub(crate) text: String,
    /// In milliseconds since 1970.
    pub(crate) at_ms: u64,
    /// The page of the console that shows more; empty without a console.
    pub(crate) link: String,
}

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    told: [AtomicU64; Kind::ALL.len()],
    /// Messages that arrived, and that did not, by way.
    messages: [[AtomicU64; 2]; Way::ALL.len()],
}

/// How somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Webhook,
    File,
    Email,
}

/// The thread as the gateway holds it.
#[derive(Debug)]
pub(crate) struct Alerting {
    thread: JoinHandle<()>,
    stop: SyncSender<()>,
    ending: Arc<Ending>,
}

/// Why nobody can be told.
#[derive(Debug)]
pub(crate) enum AlertError {
    Tls(Way, TlsError),
    File(io::Error),
    System(io::Error),
}

/// Starts the thread.
///
/// # Errors
/// TLS files or a file that cannot be used; no thread.
pub(crate) fn start(
    plan: &AlertsPlan,
    handle: Handle,
    counts: &Arc<Counts>,
    clock: &Clock,
) -> Result<Alerting, AlertError> {
    let ending = Arc::new(Ending::new(clock));
    let sender = Sender::new(plan, (Arc::clone(counts), Arc::clone(&ending)), clock)?;
    let (stop, stopped) = sync_channel(1);
    let look = Look::new(plan, handle);
    let alarm = Alarm { outbox: Outbox::new(plan), look, sender, counts: Arc::clone(counts), clock: clock.clone() };
    let thread = std::thread::Builder::new().name("alerts".to_owned());
    let thread = thread.spawn(move || alarm.run(&stopped)).map_err(AlertError::System)?;
    Ok(Alerting { thread, stop, ending })
}

// === impl Kind ===

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::Anomaly,
        Self::StoreUnreachable,
        Self::SharedStoreUnreachable,
        Self::CertificateExpiring,
        Self::SecurityBufferFilling,
        Self::SecurityRecordsLost,
        Self::MaskingFailures,
    ];

    /// The name in messages and metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Anomaly => "anomaly",
            Self::StoreUnreachable => "store_unreachable",
            Self::SharedStoreUnreachable => "shared_store_unreachable",
            Self::CertificateExpiring => "certificate_expiring",
            Self::SecurityBufferFilling => "security_buffer_filling",
            Self::SecurityRecordsLost => "security_records_lost",
            Self::MaskingFailures => "masking_failures",
        }
    }

    /// The page of the console about it.
    const fn page(self) -> &'static str {
        match self {
            Self::Anomaly => "/findings",
            Self::CertificateExpiring => "/certificates",
            Self::MaskingFailures => "/traffic?reason=answer_unreadable",
            Self::StoreUnreachable
            | Self::SharedStoreUnreachable
            | Self::SecurityBufferFilling
            | Self::SecurityRecordsLost => "/",
        }
    }
}

// === impl Alert ===

impl Alert {
    const fn severity(&self) -> &'static str {
        if self.is_critical { "critical" } else { "warning" }
    }
}

// === impl Way ===

impl Way {
    const ALL: [Self; 3] = [Self::Webhook, Self::File, Self::Email];

    /// The name in metrics and in the configuration.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::File => "file",
            Self::Email => "email",
        }
    }
}

// === impl Counts ===

impl Counts {
    /// Every kind with how often it was told.
    pub(crate) fn told(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Kind::ALL.into_iter().zip(&self.told).map(|(kind, count)| (kind.name(), count.load(Ordering::Relaxed)))
    }

    /// Every way and result with its messages.
    pub(crate) fn messages(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        Way::ALL.into_iter().zip(&self.messages).flat_map(|(way, counts)| {
            ["sent", "failed"]
                .into_iter()
                .zip(counts)
                .map(move |(result, count)| (way.name(), result, count.load(Ordering::Relaxed)))
        })
    }

    fn count(&self, way: Way, sent: bool) {
        if let Some(count) = self.messages.get(way as usize).and_then(|counts| counts.get(usize::from(!sent))) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

// === impl Alerting ===

impl Alerting {
    /// Ends the thread, which sends what waits within the time of an end.
    pub(crate) fn end(self) {
        self.ending.begin();
        drop(self.stop);
        // A thread that ended badly has nothing left to tell.
        drop(self.thread.join());
    }
}

/// The thread.
struct Alarm {
    outbox: Outbox,
    look: Look,
    sender: Sender,
    counts: Arc<Counts>,
    clock: Clock,
}

// === impl Alarm ===

impl Alarm {
    fn run(mut self, stopped: &Receiver<()>) {
        loop {
            let ends = !matches!(stopped.recv_timeout(LOOK_EVERY), Err(RecvTimeoutError::Timeout));
            let now = self.clock.millis();
            self.turn(now);
            if let Some(message) = if ends { self.outbox.rest() } else { self.outbox.due(now) } {
                self.sender.send(&message);
            }
            if ends {
                self.sender.end();
                return;
            }
        }
    }

    fn turn(&mut self, now: Millis) {
        for alert in self.look.at(now) {
            if self.outbox.take(alert.clone(), now)
                && let Some(count) = self.counts.told.get(alert.kind as usize)
            {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
