//! The way of records to their file: collected by each worker, written by one thread. Writing never blocks a request;
//! what does not fit into the queue is counted.

use portcullis_config::plan::LogSink;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Bytes that a worker collects before it hands them over, at the latest with the next sweep.
const BATCH_BYTES: usize = 64 * 1024;
// LIMIT: batches between workers and writer; the limit in records is the configuration's.
const BATCHES_MAX: usize = 1024;

/// What is shared between the workers and the writer.
#[derive(Debug)]
pub(crate) struct Queue {
    sender: SyncSender<Batch>,
    waiting: AtomicUsize,
    records_max: usize,
    dropped: AtomicU64,
    written: AtomicU64,
    failed: AtomicU64,
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

/// Opens the sink and starts the writer. `None` where records go nowhere.
///
/// # Errors
/// A file that cannot be opened for appending.
pub(crate) fn start(sink: &LogSink, records_max: usize) -> io::Result<Option<(Arc<Queue>, JoinHandle<()>)>> {
    let output: Box<dyn Write + Send> = match sink {
        LogSink::Off => return Ok(None),
        LogSink::Stdout => Box::new(io::stdout()),
        LogSink::File(path) => Box::new(open(path)?),
    };
    let (sender, receiver) = sync_channel(BATCHES_MAX);
    let queue = Arc::new(Queue {
        sender,
        waiting: AtomicUsize::new(0),
        records_max,
        dropped: AtomicU64::new(0),
        written: AtomicU64::new(0),
        failed: AtomicU64::new(0),
    });
    let writer = Arc::downgrade(&queue);
    let thread =
        std::thread::Builder::new().name("records".to_owned()).spawn(move || drain(&receiver, output, &writer))?;
    Ok(Some((queue, thread)))
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// Ends when every worker has let go of the queue.
fn drain(receiver: &Receiver<Batch>, mut output: Box<dyn Write + Send>, queue: &std::sync::Weak<Queue>) {
    let mut broken = false;
    while let Ok(batch) = receiver.recv() {
        // What failed may have left half a line, which must not become part of the next record.
        let mend = if broken { output.write_all(b"\n") } else { Ok(()) };
        let outcome = mend.and_then(|()| output.write_all(&batch.lines)).and_then(|()| output.flush());
        broken = outcome.is_err();
        let Some(queue) = queue.upgrade() else { continue };
        queue.waiting.fetch_sub(batch.records, Ordering::Relaxed);
        let counter = if outcome.is_ok() { &queue.written } else { &queue.failed };
        counter.fetch_add(batch.records as u64, Ordering::Relaxed);
    }
}

// === impl Queue ===

impl Queue {
    /// Records that found no room.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Records that the sink took.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Records that the sink refused.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

// === impl LogLines ===

impl LogLines {
    pub(crate) fn new(queue: Option<Arc<Queue>>) -> Self {
        Self { queue, batch: Batch::default() }
    }

    /// Lets `write` append one line, unless records go nowhere.
    pub(crate) fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.queue.is_none() {
            return;
        }
        write(&mut self.batch.lines);
        self.batch.records += 1;
        let records_max = self.queue.as_ref().map_or(0, |queue| queue.records_max);
        if self.batch.lines.len() >= BATCH_BYTES || self.batch.records >= records_max {
            self.flush();
        }
    }

    /// Hands over what has been collected.
    pub(crate) fn flush(&mut self) {
        let Some(queue) = self.queue.as_ref().filter(|_| self.batch.records > 0) else { return };
        let capacity = self.batch.lines.len().max(1024);
        let batch = std::mem::replace(&mut self.batch, Batch { lines: Vec::with_capacity(capacity), records: 0 });
        let records = batch.records;
        let waiting = queue.waiting.fetch_add(records, Ordering::Relaxed);
        let full = waiting > 0 && waiting.saturating_add(records) > queue.records_max;
        if full || queue.sender.try_send(batch).is_err() {
            queue.waiting.fetch_sub(records, Ordering::Relaxed);
            queue.dropped.fetch_add(records as u64, Ordering::Relaxed);
        }
    }
}
