//! A quota's word: number of the period (20 bits), units spent in it (44).

const COUNT_BITS: u32 = 44;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const NUMBER_MASK: u64 = 0xf_ffff;
/// Half of the circle of numbers: what lies less than this ahead is in the future.
const AHEAD_MAX: u64 = NUMBER_MASK / 2;
/// LIMIT: the largest count that fits.
pub(super) const COUNT_MAX: u64 = COUNT_MASK - 1;

/// The units that count in the period with this index.
///
/// INVARIANT: a clock that is set back resets nothing. A word from a later period counts until that period is over.
#[inline]
pub(super) fn used(word: u64, index: u64) -> u64 {
    if current(word, index) == word >> COUNT_BITS { word & COUNT_MASK } else { 0 }
}

#[inline]
pub(super) fn charged(word: u64, index: u64, limit: u64, quanta: u64) -> u64 {
    let spent = used(word, index).saturating_add(quanta).min(limit.saturating_mul(2)).min(COUNT_MAX);
    (current(word, index) << COUNT_BITS) | spent
}

pub(super) fn credited(word: u64, index: u64, quanta: u64) -> u64 {
    (current(word, index) << COUNT_BITS) | used(word, index).saturating_sub(quanta)
}

/// The number of the period in force: the later of the word's and the clock's.
fn current(word: u64, index: u64) -> u64 {
    let (then, now) = (word >> COUNT_BITS, index & NUMBER_MASK);
    let ahead = then.wrapping_sub(now) & NUMBER_MASK;
    if word != 0 && ahead < AHEAD_MAX { then } else { now }
}
