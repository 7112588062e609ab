//! What happens from now on, as server-sent events: each record of a request, as long as the session is open.

use crate::Console;
use crate::api::records;
use crate::door::SessionName;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How often whoever carries it asks for what is new.
pub const STREAM_INTERVAL: Duration = Duration::from_millis(500);
// LIMIT: streams at once.
const STREAMS_MAX: usize = 16;
// LIMIT: records of one message; of more, the newest.
const RECORDS_MAX: usize = 100;

/// What one listener hears.
#[derive(Debug)]
pub struct Stream {
    console: Console,
    /// `None` over the admin socket.
    session: Option<SessionName>,
    after: u64,
    only_notable: bool,
    has_begun: bool,
    _place: Place,
}

/// Counts streams.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

// === impl Stream ===

impl Stream {
    /// What comes after a record, or from now on; `None` if there are too many streams.
    pub(crate) fn begin(
        console: &Console,
        session: Option<SessionName>,
        after: Option<u64>,
        only_notable: bool,
        count: &Arc<AtomicUsize>,
    ) -> Option<Self> {
        let more = |count: usize| (count < STREAMS_MAX).then_some(count + 1);
        count.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()?;
        let after = after.unwrap_or_else(|| console.handle().recent(0, 0, true).last);
        let place = Place(Arc::clone(count));
        Some(Self { console: console.clone(), session, after, only_notable, has_begun: false, _place: place })
    }

    /// The next piece, which may be empty; `None` at the end.
    pub fn next_piece(&mut self) -> Option<String> {
        if self.session.is_some_and(|session| !self.console.is_open(&session)) {
            return None;
        }
        let mut text = String::new();
        if !self.has_begun {
            self.has_begun = true;
            // So that the head leaves at once.
            text.push_str("retry: 2000\n\n");
        }
        let recent = self.console.handle().recent(self.after, RECORDS_MAX, self.only_notable);
        self.after = recent.last;
        for record in &recent.records {
            let value = records::record(record).get("record").cloned().unwrap_or(Value::Null);
            // JSON has no line ends of its own.
            text.push_str(&format!("id: {}\nevent: record\ndata: {value}\n\n", record.number));
        }
        Some(text)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
