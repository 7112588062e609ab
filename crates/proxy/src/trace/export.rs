//! The way of spans and records to the collector: collected by each worker, sent by one thread. Sending never delays a
//! request; what finds no room, or no collector that takes it, is counted.

use super::collector::Collector;
use super::otlp::{self, Signal};
use super::spans::Finished;
use crate::outcall::patience::{ATTEMPT, Ending, Pauses};
use crate::tls::files::TlsError;
use portcullis_config::plan::ExportPlan;
use portcullis_types::{Clock, Millis};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Bytes that a worker collects before it hands them over, at the latest with the next sweep.
const BATCH_BYTES: usize = 64 * 1024;
// LIMIT: batches between workers and exporter; the limit in items is the configuration's.
const BATCHES_MAX: usize = 1024;
// LIMIT: bytes of items in one request to the collector, but for the last batch in it.
const REQUEST_BYTES_MAX: usize = 512 * 1024;
/// How long the first item waits for others to share its request.
const LINGER_MS: Millis = 1_000;
// LIMIT: attempts for one request.
const ATTEMPTS_MAX: u32 = 5;

/// What became of items, by signal.
#[derive(Debug, Default)]
pub(crate) struct Counts([Results; 2]);

#[derive(Debug, Default)]
struct Results {
    /// The collector took them.
    sent: AtomicU64,
    /// There was no room in the queue.
    dropped: AtomicU64,
    /// The collector refused them.
    rejected: AtomicU64,
    /// The collector could not be reached, or did not take them in time.
    failed: AtomicU64,
}

/// What is shared between the workers and the exporter.
#[derive(Debug)]
pub(crate) struct Queue {
    sender: SyncSender<Batch>,
    line: Arc<Line>,
    logs: bool,
}

/// What both ends count.
#[derive(Debug)]
struct Line {
    /// Items that were handed over and are not done with.
    waiting: AtomicUsize,
    items_max: usize,
    ending: Ending,
    counts: Arc<Counts>,
}

/// Items of one worker, separated by commas.
#[derive(Debug)]
struct Batch {
    signal: Signal,
    bytes: Vec<u8>,
    items: usize,
}

/// The worker's end.
#[derive(Debug)]
pub(crate) struct Spool {
    queue: Arc<Queue>,
    spans: Batch,
    logs: Batch,
}

/// The exporter as the gateway holds it.
#[derive(Debug)]
pub(crate) struct Exporter {
    line: Arc<Line>,
    thread: JoinHandle<()>,
}

/// Why there is no exporter.
#[derive(Debug)]
pub(crate) enum ExportError {
    Tls(TlsError),
    System(io::Error),
}

/// Starts the thread that sends.
///
/// # Errors
/// TLS files that cannot be used, and a thread that the system does not grant.
pub(crate) fn start(
    plan: &ExportPlan,
    clock: &Clock,
    counts: &Arc<Counts>,
) -> Result<(Arc<Queue>, Exporter), ExportError> {
    let collector = Collector::new(plan).map_err(ExportError::Tls)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ExportError::System)?;
    let (sender, receiver) = sync_channel(BATCHES_MAX);
    let line = Arc::new(Line {
        waiting: AtomicUsize::new(0),
        items_max: plan.queue,
        ending: Ending::new(clock),
        counts: Arc::clone(counts),
    });
    let sending = Sending { collector, line: Arc::clone(&line), clock: clock.clone(), request: Vec::new() };
    let thread = std::thread::Builder::new().name("export".to_owned());
    let thread = thread.spawn(move || sending.run(runtime, &receiver)).map_err(ExportError::System)?;
    let queue = Arc::new(Queue { sender, line: Arc::clone(&line), logs: plan.logs });
    Ok((queue, Exporter { line, thread }))
}

// === impl Counts ===

impl Counts {
    fn of(&self, signal: Signal) -> &Results {
        let [spans, logs] = &self.0;
        match signal {
            Signal::Spans => spans,
            Signal::Logs => logs,
        }
    }

    /// Every signal and result with its count.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        Signal::ALL.into_iter().flat_map(|signal| {
            let Results { sent, dropped, rejected, failed } = self.of(signal);
            [("sent", sent), ("dropped", dropped), ("rejected", rejected), ("failed", failed)]
                .map(|(result, count)| (signal.name(), result, count.load(Ordering::Relaxed)))
        })
    }
}

// === impl Batch ===

impl Batch {
    fn new(signal: Signal) -> Self {
        Self { signal, bytes: Vec::new(), items: 0 }
    }

    fn add(&mut self, write: impl FnOnce(&mut Vec<u8>) -> usize) {
        if self.items > 0 {
            self.bytes.push(b',');
        }
        self.items += write(&mut self.bytes);
    }
}

// === impl Spool ===

impl Spool {
    pub(crate) fn new(queue: Arc<Queue>) -> Self {
        Self { queue, spans: Batch::new(Signal::Spans), logs: Batch::new(Signal::Logs) }
    }

    /// Adds what is told of a finished request.
    pub(crate) fn add(&mut self, finished: &Finished<'_>) {
        if finished.record.trace.is_recorded {
            self.spans.add(|out| finished.spans(out));
            self.queue.hand_over(&mut self.spans, BATCH_BYTES);
        }
        if self.queue.logs {
            self.logs.add(|out| {
                finished.log(out);
                1
            });
            self.queue.hand_over(&mut self.logs, BATCH_BYTES);
        }
    }

    /// Hands over what has been collected.
    pub(crate) fn flush(&mut self) {
        self.queue.hand_over(&mut self.spans, 1);
        self.queue.hand_over(&mut self.logs, 1);
    }
}

// === impl Queue ===

impl Queue {
    /// Hands a batch over if it holds at least so many bytes, or as many items as may wait.
    fn hand_over(&self, batch: &mut Batch, bytes_min: usize) {
        let line = &self.line;
        if batch.items == 0 || (batch.bytes.len() < bytes_min && batch.items < line.items_max) {
            return;
        }
        let batch = std::mem::replace(batch, Batch::new(batch.signal));
        let (signal, items) = (batch.signal, batch.items);
        let waiting = line.waiting.fetch_add(items, Ordering::Relaxed);
        let full = waiting > 0 && waiting.saturating_add(items) > line.items_max;
        if full || self.sender.try_send(batch).is_err() {
            line.waiting.fetch_sub(items, Ordering::Relaxed);
            line.counts.of(signal).dropped.fetch_add(items as u64, Ordering::Relaxed);
        }
    }
}

// === impl Exporter ===

impl Exporter {
    /// Gives the last items their time, and waits for it. All workers must have ended, and all queues be let go of.
    pub(crate) fn end(self) {
        self.line.ending.begin();
        // An exporter that ended badly has nothing left to send.
        drop(self.thread.join());
    }
}

/// The thread that sends.
struct Sending {
    collector: Collector,
    line: Arc<Line>,
    clock: Clock,
    request: Vec<u8>,
}

/// How a request to the collector ended.
enum Ended {
    Taken { rejected: u64 },
    Refused,
    Failed,
}

// === impl Sending ===

impl Sending {
    /// Ends when every worker has let go of the queue and the rest is sent or given up.
    fn run(mut self, runtime: Runtime, receiver: &Receiver<Batch>) {
        while let Ok(first) = receiver.recv() {
            for batch in self.gather(first, receiver) {
                let ended = runtime.block_on(self.deliver(&batch));
                self.count(&batch, &ended);
            }
        }
        // A look-up of a name that hangs must not hold up the end.
        runtime.shutdown_background();
    }

    /// What comes within a moment of the first batch, one batch a signal.
    fn gather(&self, first: Batch, receiver: &Receiver<Batch>) -> Vec<Batch> {
        let due = self.clock.millis().saturating_add(LINGER_MS);
        let mut gathered = vec![first];
        while gathered.iter().map(|batch| batch.bytes.len()).sum::<usize>() < REQUEST_BYTES_MAX {
            let left = due.saturating_sub(self.clock.millis());
            let ending = self.line.ending.has_begun();
            let wait = if ending { Duration::ZERO } else { Duration::from_millis(left) };
            match receiver.recv_timeout(wait) {
                Ok(next) => match gathered.iter_mut().find(|batch| batch.signal == next.signal) {
                    Some(batch) => {
                        batch.bytes.push(b',');
                        batch.bytes.extend_from_slice(&next.bytes);
                        batch.items += next.items;
                    }
                    None => gathered.push(next),
                },
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        gathered
    }

    async fn deliver(&mut self, batch: &Batch) -> Ended {
        let mut request = std::mem::take(&mut self.request);
        otlp::request(batch.signal, self.collector.service_name(), &batch.bytes, &mut request);
        let mut ended = Ended::Failed;
        let (line, mut pauses) = (Arc::clone(&self.line), Pauses::default());
        for attempt in 1..=ATTEMPTS_MAX {
            let post = tokio::time::timeout(ATTEMPT, self.collector.post(batch.signal, &request));
            let asked = match line.ending.before(post).await {
                None => break,
                Some(Ok(Ok(answer))) => match answer.status {
                    200..=299 => {
                        ended = Ended::Taken { rejected: answer.rejected };
                        break;
                    }
                    // What the protocol calls retryable; everything else would fail again.
                    429 | 502 | 503 | 504 => answer.retry_after.map(|seconds| seconds.saturating_mul(1000)),
                    _ => {
                        ended = Ended::Refused;
                        break;
                    }
                },
                Some(Ok(Err(_)) | Err(_)) => None,
            };
            if attempt == ATTEMPTS_MAX {
                break;
            }
            if !line.ending.rest(pauses.next(asked)).await {
                break;
            }
        }
        self.request = request;
        ended
    }

    fn count(&self, batch: &Batch, ended: &Ended) {
        let (counts, items) = (self.line.counts.of(batch.signal), batch.items as u64);
        self.line.waiting.fetch_sub(batch.items, Ordering::Relaxed);
        match ended {
            Ended::Taken { rejected } => {
                let rejected = items.min(*rejected);
                counts.sent.fetch_add(items - rejected, Ordering::Relaxed);
                counts.rejected.fetch_add(rejected, Ordering::Relaxed);
            }
            Ended::Refused => {
                counts.rejected.fetch_add(items, Ordering::Relaxed);
            }
            Ended::Failed => {
                counts.failed.fetch_add(items, Ordering::Relaxed);
            }
        }
    }
}
