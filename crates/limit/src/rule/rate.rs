//! GCRA in virtual scheduling form (ITU-T I.371 annex A). The word is the theoretical arrival time: the nanosecond at
//! which the account will be full.

use super::BUSY;

/// How many quanta fit between the theoretical arrival time and as far ahead of now as the burst allows.
#[inline]
pub(super) fn room(arrival_ns: u64, now_ns: u64, emission_ns: u64, burst: u64) -> u64 {
    let debt_ns = arrival_ns.saturating_sub(now_ns);
    let tolerance_ns = emission_ns.saturating_mul(burst);
    tolerance_ns.saturating_sub(debt_ns) / emission_ns.max(1)
}

/// The arrival time after a charge; it never runs ahead of now by more than two bursts.
#[inline]
pub(super) fn charged(arrival_ns: u64, now_ns: u64, emission_ns: u64, burst: u64, quanta: u64) -> u64 {
    let start_ns = arrival_ns.max(now_ns);
    let latest_ns = now_ns.saturating_add(emission_ns.saturating_mul(burst).saturating_mul(2)).max(arrival_ns);
    start_ns.saturating_add(emission_ns.saturating_mul(quanta)).min(latest_ns).min(BUSY - 1)
}

/// More than the burst never fits; then it is the time until the account is full.
pub(super) fn wait_ns(arrival_ns: u64, now_ns: u64, emission_ns: u64, burst: u64, quanta: u64) -> u64 {
    let spare_ns = emission_ns.saturating_mul(burst.saturating_sub(quanta));
    arrival_ns.saturating_sub(now_ns).saturating_sub(spare_ns)
}
