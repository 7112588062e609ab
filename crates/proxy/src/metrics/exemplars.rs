//! Exemplars: for each bucket of a histogram one recent request whose trace was recorded, so that a slow one can be looked at. Memory
//! is taken with the first such request of a route.
//!
//! INVARIANT: a worker writes its own alone. Whoever reads sees by a number that is odd while something is written, and another one
//! afterwards, whether what it has read belongs together; nobody waits for anybody.

use super::BUCKETS_US;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// Words of a trace id in hexadecimal digits.
const WORDS: usize = 4;
/// LIMIT: how often somebody reads what changes meanwhile; after that there is no exemplar this time.
const READS_MAX: usize = 3;

/// Those of one histogram.
#[derive(Debug, Default)]
pub(super) struct Exemplars(OnceLock<Box<[Slot; BUCKETS_US.len() + 1]>>);

#[derive(Debug, Default)]
struct Slot {
    /// 0 while nothing was written, odd while something is.
    sequence: AtomicU64,
    trace: [AtomicU64; WORDS],
    micros: AtomicU64,
    at_ms: AtomicU64,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exemplar {
    /// The trace, in hexadecimal digits.
    pub(super) trace_id: String,
    /// How long it took, in microseconds.
    pub(super) micros: u64,
    /// When it began, in milliseconds since 1970.
    pub(super) at_ms: u64,
}

// === impl Exemplars ===

impl Exemplars {
    /// Notes a request in the bucket that it was counted in. To be called by one thread alone.
    pub(super) fn note(&self, bucket: usize, trace_id: &[u8], micros: u64, at_ms: u64) {
        let slots = self.0.get_or_init(Box::default);
        let Some(slot) = slots.get(bucket) else { return };
        let (words, []) = trace_id.as_chunks() else { return };
        let Ok(words) = <&[[u8; 8]; WORDS]>::try_from(words) else { return };
        let sequence = slot.sequence.load(Ordering::Relaxed);
        slot.sequence.store(sequence.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        for (place, word) in slot.trace.iter().zip(words) {
            place.store(u64::from_le_bytes(*word), Ordering::Relaxed);
        }
        slot.micros.store(micros, Ordering::Relaxed);
        slot.at_ms.store(at_ms, Ordering::Relaxed);
        slot.sequence.store(sequence.wrapping_add(2), Ordering::Release);
    }

    /// What there is, by bucket.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, Exemplar)> {
        let slots = self.0.get().into_iter().flat_map(|slots| slots.iter());
        slots.enumerate().filter_map(|(bucket, slot)| Some((bucket, slot.read()?)))
    }
}

// === impl Slot ===

impl Slot {
    fn read(&self) -> Option<Exemplar> {
        for _ in 0..READS_MAX {
            let before = self.sequence.load(Ordering::Acquire);
            if before == 0 {
                return None;
            }
            let load = |word: &AtomicU64| word.load(Ordering::Relaxed);
            let (words, micros, at_ms) = (self.trace.each_ref().map(load), load(&self.micros), load(&self.at_ms));
            fence(Ordering::Acquire);
            if before.is_multiple_of(2) && self.sequence.load(Ordering::Relaxed) == before {
                let digits = words.map(u64::to_le_bytes);
                let trace_id = String::from_utf8(digits.as_flattened().to_vec()).ok()?;
                return Some(Exemplar { trace_id, micros, at_ms });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Exemplars;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A trace whose digits, time and moment are all the same number.
    fn note(exemplars: &Exemplars, bucket: usize, number: u64) {
        exemplars.note(bucket, format!("{number:032x}").as_bytes(), number, number);
    }

    #[test]
    fn the_last_one_of_each_bucket_is_kept() {
        let exemplars = Exemplars::default();
        assert_eq!(exemplars.all().count(), 0);
        for (bucket, number) in [(0, 1), (14, 2), (0, 3), (15, 4)] {
            note(&exemplars, bucket, number);
        }
        exemplars.note(3, b"no trace", 5, 5);
        let all: Vec<(usize, u64)> = exemplars.all().map(|(bucket, exemplar)| (bucket, exemplar.micros)).collect();
        assert_eq!(all, [(0, 3), (14, 2)]);
        assert_eq!(exemplars.all().next().unwrap().1.trace_id, format!("{:032x}", 3));
    }

    #[test]
    fn whoever_reads_sees_one_request_and_no_mixture() {
        let (exemplars, is_done) = (Exemplars::default(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (1..500_000).for_each(|number| note(&exemplars, 7, number));
                is_done.store(true, Ordering::SeqCst);
            });
            let mut seen = 0;
            while !is_done.load(Ordering::SeqCst) || seen == 0 {
                for (bucket, exemplar) in exemplars.all() {
                    assert_eq!((bucket, exemplar.at_ms), (7, exemplar.micros));
                    assert_eq!(exemplar.trace_id, format!("{:032x}", exemplar.micros));
                    seen += 1;
                }
            }
        });
    }
}
