//! A sliding window from two counts. The word: number of the window (16 bits), units of the one before it (24), units in
//! it (24).
//!
//! The units of the window before count as if spread evenly over it, so that what slides out comes back gradually.

const COUNT_BITS: u32 = 24;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const NUMBER_MASK: u64 = 0xffff;
/// LIMIT: the largest count that fits.
pub(super) const COUNT_MAX: u64 = COUNT_MASK;

#[derive(Clone, Copy)]
struct Counts {
    before: u64,
    within: u64,
}

/// The counts as they stand in the window of `now_ns`.
///
/// Numbers go round after 65,536 windows. An account that rested for exactly that long may find old counts again: stricter
/// for one window, never open.
fn counts(word: u64, now_ns: u64, width_ns: u64) -> Counts {
    let within = word & COUNT_MASK;
    let before = (word >> COUNT_BITS) & COUNT_MASK;
    let age = number(now_ns, width_ns).wrapping_sub(word >> (2 * COUNT_BITS)) & NUMBER_MASK;
    match age {
        0 => Counts { before, within },
        1 => Counts { before: within, within: 0 },
        // A worker whose clock was read a little earlier than the one that charged: still the same counts.
        NUMBER_MASK => Counts { before, within },
        _ => Counts { before: 0, within: 0 },
    }
}

fn number(now_ns: u64, width_ns: u64) -> u64 {
    (now_ns / width_ns.max(1)) & NUMBER_MASK
}

fn pack(number: u64, counts: Counts) -> u64 {
    let word =
        (number << (2 * COUNT_BITS)) | (counts.before.min(COUNT_MAX) << COUNT_BITS) | counts.within.min(COUNT_MAX);
    // All ones is no state; one unit fewer is.
    word.min(super::BUSY - 1)
}

/// What counts now, rounded up.
#[inline]
pub(super) fn used(word: u64, now_ns: u64, width_ns: u64) -> u64 {
    let counts = counts(word, now_ns, width_ns);
    counts.within.saturating_add(weighted(counts.before, now_ns % width_ns.max(1), width_ns))
}

/// `before` · (1 − into / width), rounded up.
fn weighted(before: u64, into_ns: u64, width_ns: u64) -> u64 {
    if before == 0 {
        return 0;
    }
    let left_ns = width_ns.saturating_sub(into_ns);
    match before.checked_mul(left_ns) {
        Some(product) => product.div_ceil(width_ns.max(1)),
        None => {
            let wide = u128::from(before).saturating_mul(u128::from(left_ns)).div_ceil(u128::from(width_ns.max(1)));
            u64::try_from(wide).unwrap_or(u64::MAX)
        }
    }
}

#[inline]
pub(super) fn charged(word: u64, now_ns: u64, width_ns: u64, limit: u64, quanta: u64) -> u64 {
    let mut counts = counts(word, now_ns, width_ns);
    counts.within = counts.within.saturating_add(quanta).min(limit.saturating_mul(2));
    pack(latest(word, now_ns, width_ns), counts)
}

/// Only what was charged in the present window is given back; the rest has been forgotten in part already.
pub(super) fn credited(word: u64, now_ns: u64, width_ns: u64, quanta: u64) -> u64 {
    let mut counts = counts(word, now_ns, width_ns);
    counts.within = counts.within.saturating_sub(quanta);
    pack(latest(word, now_ns, width_ns), counts)
}

/// The window's number, without going back for a worker that is a little late.
fn latest(word: u64, now_ns: u64, width_ns: u64) -> u64 {
    let (now, then) = (number(now_ns, width_ns), word >> (2 * COUNT_BITS));
    if now.wrapping_sub(then) & NUMBER_MASK == NUMBER_MASK { then } else { now }
}

pub(super) fn is_full(word: u64, now_ns: u64, width_ns: u64) -> bool {
    let counts = counts(word, now_ns, width_ns);
    counts.before == 0 && counts.within == 0
}

/// When the weight of the window before, or of this one when it is the one before, has fallen far enough.
pub(super) fn wait_ns(word: u64, now_ns: u64, width_ns: u64, limit: u64, quanta: u64) -> u64 {
    let counts = counts(word, now_ns, width_ns);
    let into_ns = now_ns % width_ns.max(1);
    let left_ns = width_ns.saturating_sub(into_ns);
    let spare = limit.saturating_sub(quanta.min(limit));
    if used(word, now_ns, width_ns) <= spare {
        return 0;
    }
    match spare.checked_sub(counts.within) {
        // Within this window, once no more than `keep` of the units before it still count.
        Some(keep) => left_ns.saturating_sub(share_ns(keep, counts.before, width_ns)),
        // In the next one, in which these units are the ones before.
        None => left_ns.saturating_add(width_ns).saturating_sub(share_ns(spare, counts.within, width_ns)),
    }
}

/// The last stretch of a window in which no more than `keep` of `of` units count.
fn share_ns(keep: u64, of: u64, width_ns: u64) -> u64 {
    let wide = u128::from(keep).saturating_mul(u128::from(width_ns)) / u128::from(of.max(1));
    u64::try_from(wide).unwrap_or(u64::MAX).min(width_ns)
}
