//! The way of records to where they are kept: collected by each worker, written by a thread of each log. Writing never blocks a
//! request; what does not fit into the queue is counted.

use super::buffer::{DiskBuffer, Kept};
use super::output::{LogFile, Output};
use super::syslog::{Header, Severity, Wire, messages};
use super::wall::WallTexts;
use crate::outcall::patience::{ATTEMPT, Ending, Pauses};
use crate::tls::files::TlsError;
use portcullis_config::plan::{AccessLogPlan, BufferPlan, LogFormat, LogSink, RotationPlan, SecurityLogPlan};
use portcullis_types::Clock;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use tokio::runtime::Runtime;

/// Bytes that a worker collects before it hands them over, at the latest with the next sweep.
const BATCH_BYTES: usize = 64 * 1024;
// LIMIT: batches between workers and writer; the limit in records is the configuration's.
const BATCHES_MAX: usize = 1024;
// LIMIT: attempts for records that wait in memory.
const ATTEMPTS_MAX: u32 = 5;

/// What is shared between the workers and the writer.
#[derive(Debug)]
pub(crate) struct Queue {
    sender: SyncSender<Batch>,
    format: LogFormat,
    /// Present where records leave as messages.
    header: Option<Header>,
    records_max: usize,
    tally: Arc<Tally>,
}

/// What both ends count, and what is asked of the writer.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    waiting: AtomicUsize,
    dropped: AtomicU64,
    written: AtomicU64,
    failed: AtomicU64,
    /// The file is to be opened anew.
    reopen: AtomicBool,
}

/// Lines of one worker.
#[derive(Debug, Default)]
struct Batch {
    lines: Vec<u8>,
    records: usize,
}

/// The worker's end.
#[derive(Debug)]
pub(crate) struct LogLines {
    queue: Option<Arc<Queue>>,
    batch: Batch,
}

/// What a log is made of, whichever it is.
#[derive(Debug)]
pub(crate) struct Settings<'p> {
    /// In messages and the names of threads.
    name: &'static str,
    sink: &'p LogSink,
    format: LogFormat,
    rotation: Option<RotationPlan>,
    records_max: usize,
    buffer: Option<&'p BufferPlan>,
}

/// A log as the gateway holds it.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) queue: Arc<Queue>,
    pub(crate) writer: Writer,
}

/// What of a log runs.
#[derive(Debug)]
pub(crate) struct Writer {
    threads: Vec<JoinHandle<()>>,
    ending: Arc<Ending>,
    buffer: Option<Arc<DiskBuffer>>,
}

/// How much of a buffer on disk is in use.
pub(crate) type Fill = Weak<DiskBuffer>;

/// Why a log cannot be kept.
#[derive(Debug)]
pub(crate) enum LogError {
    /// The file cannot be opened, or the folder of the buffer cannot be used.
    Io(io::Error),
    /// TLS files that cannot be used.
    Tls(TlsError),
    /// No thread, no runtime.
    System(io::Error),
}

/// Opens the sink and starts the writer. `None` where records go nowhere.
///
/// # Errors
/// A file that cannot be opened for appending, a buffer or TLS files that cannot be used, no thread.
pub(crate) fn start(settings: &Settings<'_>, clock: &Clock) -> Result<Option<Log>, LogError> {
    let (tally, ending): (Arc<Tally>, _) = (Arc::default(), Arc::new(Ending::new(clock)));
    let (sender, receiver) = sync_channel(BATCHES_MAX);
    let mut writer = Writer { threads: Vec::new(), ending: Arc::clone(&ending), buffer: None };
    let mut header = None;
    let counted = Arc::clone(&tally);
    match settings.sink {
        LogSink::Off => return Ok(None),
        LogSink::Stdout => {
            let mut output = Output::Stdout(io::stdout());
            writer.spawn(settings.name, move || drain(&receiver, &mut output, &counted))?;
        }
        LogSink::File(path) => {
            let mut output = Output::File(LogFile::open(path, settings.rotation).map_err(LogError::Io)?);
            writer.spawn(settings.name, move || drain(&receiver, &mut output, &counted))?;
        }
        LogSink::Syslog(plan) => {
            header = Some(Header::new(plan.facility, settings.name));
            let wire = Wire::new(plan).map_err(LogError::Tls)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let carrier = Carrier { wire, ending, tally: counted };
            let runtime = runtime.map_err(LogError::System)?;
            match settings.buffer {
                None => writer.spawn(settings.name, move || carrier.carry(runtime, &receiver))?,
                Some(plan) => {
                    let buffer = Arc::new(DiskBuffer::open(plan).map_err(LogError::Io)?);
                    let (kept, tally) = (Arc::clone(&buffer), Arc::clone(&tally));
                    writer.buffer = Some(Arc::clone(&buffer));
                    writer.spawn(settings.name, move || keep(&receiver, &kept, &tally))?;
                    writer.spawn("syslog", move || carrier.deliver(runtime, &buffer))?;
                }
            }
        }
    }
    let queue = Queue { sender, format: settings.format, header, records_max: settings.records_max, tally };
    Ok(Some(Log { queue: Arc::new(queue), writer }))
}

/// Writes lines. Ends when every worker has let go of the queue.
fn drain(receiver: &Receiver<Batch>, output: &mut Output, tally: &Tally) {
    let mut broken = false;
    while let Ok(batch) = receiver.recv() {
        if tally.reopen.swap(false, Ordering::Relaxed) && output.reopen().is_err() {
            // What was open takes them meanwhile; the next batch tries again.
            tally.reopen.store(true, Ordering::Relaxed);
        }
        // What failed may have left half a line, which must not become part of the next record.
        let mend = if broken { output.write(b"\n") } else { Ok(()) };
        let outcome = mend.and_then(|()| output.write(&batch.lines));
        broken = outcome.is_err();
        tally.done(batch.records, if broken { &tally.failed } else { &tally.written });
    }
}

/// Writes lines to the buffer. Ends when every worker has let go of the queue.
fn keep(receiver: &Receiver<Batch>, buffer: &DiskBuffer, tally: &Tally) {
    while let Ok(batch) = receiver.recv() {
        match buffer.add(&batch.lines) {
            Kept::Yes => {
                tally.waiting.fetch_sub(batch.records, Ordering::Relaxed);
            }
            Kept::NoRoom => tally.done(batch.records, &tally.dropped),
            Kept::Failed => tally.done(batch.records, &tally.failed),
        }
    }
    buffer.close();
}

/// Brings lines to a collector.
struct Carrier {
    wire: Wire,
    ending: Arc<Ending>,
    tally: Arc<Tally>,
}

// === impl Carrier ===

impl Carrier {
    /// Sends what waits in memory. Ends when every worker has let go of the queue and the rest is sent or given up.
    fn carry(mut self, runtime: Runtime, receiver: &Receiver<Batch>) {
        while let Ok(batch) = receiver.recv() {
            let messages = messages(&batch.lines);
            let sent = runtime.block_on(async {
                let mut pauses = Pauses::default();
                for attempt in 1..=ATTEMPTS_MAX {
                    let sending = tokio::time::timeout(ATTEMPT, self.wire.send(&messages));
                    match self.ending.before(sending).await {
                        None => return false,
                        Some(Ok(Ok(()))) => return true,
                        Some(Ok(Err(_)) | Err(_)) => {}
                    }
                    if attempt == ATTEMPTS_MAX || !self.ending.rest(pauses.next(None)).await {
                        return false;
                    }
                }
                false
            });
            self.tally.done(batch.records, if sent { &self.tally.written } else { &self.tally.failed });
        }
        // A look-up of a name that hangs must not hold up the end.
        runtime.shutdown_background();
    }

    /// Delivers what waits on disk, however long that takes. What is left at the end stays there.
    fn deliver(self, runtime: Runtime, buffer: &DiskBuffer) {
        while let Some(segment) = buffer.next() {
            let Ok(lines) = buffer.read(segment) else {
                // Nobody knows how many there were.
                self.tally.failed.fetch_add(1, Ordering::Relaxed);
                buffer.done(segment);
                continue;
            };
            let messages = messages(&lines);
            let delivered = runtime.block_on(async {
                let mut pauses = Pauses::default();
                loop {
                    let delivery = tokio::time::timeout(ATTEMPT, self.wire.deliver(&messages));
                    match self.ending.before(delivery).await {
                        None => return false,
                        Some(Ok(Ok(()))) => return true,
                        Some(Ok(Err(_)) | Err(_)) => {}
                    }
                    if !self.ending.rest(pauses.next(None)).await {
                        return false;
                    }
                }
            });
            if !delivered {
                break;
            }
            buffer.done(segment);
            let records = lines.iter().filter(|byte| **byte == b'\n').count();
            self.tally.written.fetch_add(records as u64, Ordering::Relaxed);
        }
        runtime.shutdown_background();
    }
}

// === impl Tally ===

impl Tally {
    fn done(&self, records: usize, counter: &AtomicU64) {
        self.waiting.fetch_sub(records, Ordering::Relaxed);
        counter.fetch_add(records as u64, Ordering::Relaxed);
    }

    /// Every result with its count: what the sink took, what found no room, what the sink refused.
    pub(crate) fn results(&self) -> [(&'static str, u64); 3] {
        [("written", &self.written), ("dropped", &self.dropped), ("failed", &self.failed)]
            .map(|(result, count)| (result, count.load(Ordering::Relaxed)))
    }
}

// === impl Queue ===

impl Queue {
    pub(crate) fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// Asks for a file to be opened anew before the next line.
    pub(crate) fn reopen(&self) {
        self.tally.reopen.store(true, Ordering::Relaxed);
    }
}

// === impl Settings ===

impl<'p> Settings<'p> {
    pub(crate) fn access(plan: &'p AccessLogPlan) -> Self {
        let AccessLogPlan { sink, format, rotation, queue, show_query: _ } = plan;
        Self { name: "access", sink, format: *format, rotation: *rotation, records_max: *queue, buffer: None }
    }

    pub(crate) fn security(plan: &'p SecurityLogPlan) -> Self {
        let SecurityLogPlan { sink, format, rotation, queue, buffer } = plan;
        let (format, rotation, buffer) = (*format, *rotation, buffer.as_ref());
        Self { name: "security", sink, format, rotation, records_max: *queue, buffer }
    }
}

// === impl Writer ===

impl Writer {
    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), LogError> {
        let thread = std::thread::Builder::new().name(format!("{name}-log")).spawn(run).map_err(LogError::System)?;
        self.threads.push(thread);
        Ok(())
    }

    /// How much of the buffer on disk is in use, for whoever wants to know while it is there.
    pub(crate) fn fill(&self) -> Fill {
        self.buffer.as_ref().map_or_else(Weak::new, Arc::downgrade)
    }

    /// Gives the last records their time, and waits for it. All workers must have ended, and all queues be let go of.
    pub(crate) fn end(self) {
        self.ending.begin();
        for thread in self.threads {
            // A writer that ended badly has nothing left to write.
            drop(thread.join());
        }
    }
}

// === impl LogLines ===

impl LogLines {
    pub(crate) fn new(queue: Option<Arc<Queue>>) -> Self {
        Self { queue, batch: Batch::default() }
    }

    /// Lets `write` append one line of this moment, unless records go nowhere.
    pub(crate) fn add(
        &mut self,
        (wall, wall_ms): (&mut WallTexts, u64),
        severity: Severity,
        write: impl FnOnce(LogFormat, &mut WallTexts, &mut Vec<u8>),
    ) {
        let Some(queue) = &self.queue else { return };
        if let Some(header) = &queue.header {
            header.write(severity, wall_ms, wall, &mut self.batch.lines);
        }
        write(queue.format, wall, &mut self.batch.lines);
        self.batch.records += 1;
        if self.batch.lines.len() >= BATCH_BYTES || self.batch.records >= queue.records_max {
            self.flush();
        }
    }

    /// Hands over what has been collected.
    pub(crate) fn flush(&mut self) {
        let Some(queue) = self.queue.as_ref().filter(|_| self.batch.records > 0) else { return };
        let capacity = self.batch.lines.len().max(1024);
        let batch = std::mem::replace(&mut self.batch, Batch { lines: Vec::with_capacity(capacity), records: 0 });
        let (records, tally) = (batch.records, &queue.tally);
        let waiting = tally.waiting.fetch_add(records, Ordering::Relaxed);
        let full = waiting > 0 && waiting.saturating_add(records) > queue.records_max;
        if full || queue.sender.try_send(batch).is_err() {
            tally.done(records, &tally.dropped);
        }
    }
}

// === impl LogError ===

impl fmt::Display for LogError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(formatter, "cannot be opened for appending: {error}"),
            Self::Tls(error) => error.fmt(formatter),
            Self::System(error) => write!(formatter, "the system refuses what is needed to start: {error}"),
        }
    }
}
