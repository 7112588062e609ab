//! What a gateway holds of an account in a shared store. The word: the tick until which it counts (34 bits), whether it is
//! owed (1), how much (29).
//!
//! A lease has been charged to the store already, so that losing one is strict and never open. What is owed was spent and
//! not charged yet: the next question to the store takes it along.

const COUNT_BITS: u32 = 29;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const OWED: u64 = 1 << COUNT_BITS;
const TICK_SHIFT: u32 = COUNT_BITS + 1;
/// LIMIT: the last tick that fits, 4.5 years after the clock began.
const TICK_MAX: u64 = (1 << 34) - 1;
/// LIMIT: the largest count that fits. All ones is no state; one unit fewer is.
pub(super) const COUNT_MAX: u64 = COUNT_MASK - 1;
/// About eight milliseconds; a lease ends a tick early rather than late.
const TICK_BITS: u32 = 23;

/// What is held, or owed where it is below nought. Nothing once its time is up.
fn balance(word: u64, now_ns: u64) -> i64 {
    if now_ns >> TICK_BITS >= word >> TICK_SHIFT {
        return 0;
    }
    let count = i64::try_from(word & COUNT_MASK).unwrap_or(0);
    if word & OWED == 0 { count } else { count.saturating_neg() }
}

fn pack(balance: i64, until_tick: u64, limit: u64) -> u64 {
    // Debt ends at one whole limit, as everywhere.
    let count = balance.unsigned_abs().min(limit).min(COUNT_MAX);
    let owed = if balance < 0 { OWED } else { 0 };
    if count == 0 { 0 } else { (until_tick.min(TICK_MAX) << TICK_SHIFT) | owed | count }
}

fn signed(quanta: u64) -> i64 {
    i64::try_from(quanta).unwrap_or(i64::MAX)
}

#[inline]
pub(super) fn room(word: u64, now_ns: u64) -> u64 {
    u64::try_from(balance(word, now_ns)).unwrap_or(0)
}

pub(super) fn owed(word: u64, now_ns: u64) -> u64 {
    u64::try_from(balance(word, now_ns).saturating_neg()).unwrap_or(0)
}

/// The word after something was spent. What it comes to owe counts for `debt_ns`.
#[inline]
pub(super) fn charged(word: u64, now_ns: u64, debt_ns: u64, limit: u64, quanta: u64) -> u64 {
    let after = balance(word, now_ns).saturating_sub(signed(quanta));
    let until = if after < 0 { now_ns.saturating_add(debt_ns) >> TICK_BITS } else { word >> TICK_SHIFT };
    pack(after, until.max(word >> TICK_SHIFT), limit)
}

/// The word after something was given back; what belongs to a lease that has ended is gone.
pub(super) fn credited(word: u64, now_ns: u64, limit: u64, quanta: u64) -> u64 {
    if now_ns >> TICK_BITS >= word >> TICK_SHIFT {
        return word;
    }
    pack(balance(word, now_ns).saturating_add(signed(quanta)), word >> TICK_SHIFT, limit)
}

/// The word after a lease came, which counts until `until_ns`. Where `renews` is false it was charged to a window or period
/// that ends, and what was there before ends with the earlier of the two.
pub(super) fn granted(word: u64, now_ns: u64, until_ns: u64, renews: bool, limit: u64, quanta: u64) -> u64 {
    let before = balance(word, now_ns);
    let (old, new) = (word >> TICK_SHIFT, until_ns >> TICK_BITS);
    let until = if before > 0 && !renews { old.min(new) } else { new };
    let until = if before < 0 { until.max(old) } else { until };
    pack(before.saturating_add(signed(quanta)), until, limit)
}

pub(super) fn is_empty(word: u64, now_ns: u64) -> bool {
    balance(word, now_ns) == 0
}
