//! The last records, for people who look at a running gateway: a bounded number of them, in memory. Workers hand theirs over ten
//! times a second, so that no request waits for anybody; what comes faster than that is counted and let go. Access and security
//! records lose nothing by it.

use super::form::Ended;
use super::wall::WallTexts;
use super::{Outcome, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

// LIMIT: records that a worker keeps between two sweeps, of requests that something was decided about and of others.
const NOTABLE_BATCH_MAX: usize = 256;
const PLAIN_BATCH_MAX: usize = 32;
// LIMIT: records that are kept, and their bytes.
const NOTABLE_MAX: usize = 4_000;
const PLAIN_MAX: usize = 1_000;
const BYTES_MAX: usize = 6 * 1024 * 1024;

/// One record, as a line of JSON without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentRecord {
    /// In the order in which they were handed over, from 1 on.
    pub number: u64,
    /// What the request is called.
    pub request_id: Box<str>,
    /// Whether it was refused or failed, or a rule has matched.
    pub is_notable: bool,
    /// The access record.
    pub line: Arc<str>,
}

/// What is kept at one moment.
#[derive(Clone, Debug, Default)]
pub struct RecentRecords {
    /// The oldest first.
    pub records: Vec<RecentRecord>,
    /// The number of the last one, whether it is among them or not.
    pub last: u64,
    /// Requests that were not kept, because they came too fast.
    pub missed: u64,
}

/// What all workers share. Locked ten times a second by each, and by people.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    notable: Ring,
    plain: Ring,
    last: u64,
    missed: u64,
}

#[derive(Debug, Default)]
struct Ring {
    records: VecDeque<RecentRecord>,
    bytes: usize,
}

/// A worker's end.
#[derive(Debug)]
pub(crate) struct RecentLines {
    shared: Arc<Recent>,
    batch: Vec<RecentRecord>,
    plain: usize,
    missed: u64,
}

// === impl Recent ===

impl Recent {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lines(self: &Arc<Self>) -> RecentLines {
        RecentLines { shared: Arc::clone(self), batch: Vec::new(), plain: 0, missed: 0 }
    }

    /// Those after a number, at most so many of the newest; without plain ones if only what was decided is asked for.
    pub(crate) fn since(&self, number: u64, count: usize, only_notable: bool) -> RecentRecords {
        let kept = self.kept();
        let newer = |record: &&RecentRecord| record.number > number;
        let mut records: Vec<RecentRecord> =
            kept.notable.records.iter().rev().take_while(newer).take(count).cloned().collect();
        if !only_notable {
            records.extend(kept.plain.records.iter().rev().take_while(newer).take(count).cloned());
        }
        records.sort_unstable_by_key(|record| record.number);
        let older = records.len().saturating_sub(count);
        records.drain(..older);
        RecentRecords { records, last: kept.last, missed: kept.missed }
    }

    /// The one of a request, if it is kept.
    pub(crate) fn find(&self, request_id: &str) -> Option<RecentRecord> {
        let kept = self.kept();
        let mut all = kept.notable.records.iter().rev().chain(kept.plain.records.iter().rev());
        all.find(|record| *record.request_id == *request_id).cloned()
    }
}

// === impl Kept ===

impl Kept {
    fn take(&mut self, mut record: RecentRecord) {
        self.last += 1;
        record.number = self.last;
        match record.is_notable {
            true => self.notable.add(record, NOTABLE_MAX),
            false => self.plain.add(record, PLAIN_MAX),
        }
    }
}

// === impl Ring ===

impl Ring {
    fn add(&mut self, record: RecentRecord, most: usize) {
        self.bytes += record.line.len();
        self.records.push_back(record);
        while self.records.len() > most || self.bytes > BYTES_MAX {
            let Some(gone) = self.records.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(gone.line.len());
        }
    }
}

// === impl RecentLines ===

impl RecentLines {
    /// Keeps a finished request, while there is room until the next sweep.
    pub(crate) fn note(&mut self, ended: Ended<'_>, wall: &mut WallTexts) {
        let record = ended.record;
        let is_notable = record.findings.is_some()
            || match record.outcome {
                Outcome::Served | Outcome::Answered | Outcome::Gone => record.decision.is_some(),
                Outcome::Refused | Outcome::Failed | Outcome::Truncated => true,
            };
        let has_room = match is_notable {
            true => self.batch.len() - self.plain < NOTABLE_BATCH_MAX,
            false => self.plain < PLAIN_BATCH_MAX,
        };
        if !has_room {
            self.missed += 1;
            return;
        }
        let mut line = Vec::with_capacity(1024);
        json::line(ended, None, wall, &mut line);
        let line: Arc<str> = String::from_utf8_lossy(line.trim_ascii_end()).into();
        let request_id = String::from_utf8_lossy(record.id.as_bytes()).into();
        self.plain += usize::from(!is_notable);
        self.batch.push(RecentRecord { number: 0, request_id, is_notable, line });
    }

    /// Hands over what there is.
    pub(crate) fn flush(&mut self) {
        if self.batch.is_empty() && self.missed == 0 {
            return;
        }
        let mut kept = self.shared.kept();
        kept.missed += std::mem::take(&mut self.missed);
        self.plain = 0;
        self.batch.drain(..).for_each(|record| kept.take(record));
    }
}

#[cfg(test)]
mod tests {
    use super::{BYTES_MAX, Kept, NOTABLE_MAX, PLAIN_MAX, Recent, RecentRecord};

    fn record(id: usize, is_notable: bool, bytes: usize) -> RecentRecord {
        RecentRecord { number: 0, request_id: id.to_string().into(), is_notable, line: "x".repeat(bytes).into() }
    }

    #[test]
    fn what_is_kept_is_bounded_and_a_flood_of_one_kind_drives_out_nothing_of_the_other() {
        let recent = Recent::default();
        recent.kept().take(record(0, true, 10));
        (1..=PLAIN_MAX + 5).for_each(|id| recent.kept().take(record(id, false, 10)));
        assert_eq!(recent.since(0, usize::MAX, false).records.len(), PLAIN_MAX + 1);
        assert_eq!(recent.since(0, usize::MAX, true).records.len(), 1);
        assert!(recent.find("0").is_some() && recent.find("1").is_none() && recent.find("6").is_some());
        let newest = recent.since(0, 3, false);
        let numbers: Vec<u64> = newest.records.iter().map(|record| record.number).collect();
        let last = newest.last;
        assert_eq!(numbers, [last - 2, last - 1, last]);
        assert!(recent.since(last, 10, false).records.is_empty());
        let mut kept = Kept::default();
        (0..100).for_each(|id| kept.take(record(id, true, BYTES_MAX / 10)));
        assert!(kept.notable.records.len() <= 10 && kept.notable.bytes <= BYTES_MAX);
        (0..2 * NOTABLE_MAX).for_each(|id| kept.take(record(id, true, 1)));
        assert_eq!(kept.notable.records.len(), NOTABLE_MAX);
    }
}
