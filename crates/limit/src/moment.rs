//! Now, as the caller's clock says it. This crate has none of its own.

/// One instant on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds on the monotonic clock that all workers share. Rates and windows go by it.
    pub nanos: u64,
    /// Seconds since 1970-01-01T00:00:00Z. Calendar quotas go by it, and by nothing else.
    pub unix_s: u64,
}

pub(crate) const NANOS_PER_S: u64 = 1_000_000_000;

/// Whole seconds that are not less than `nanos`.
pub(crate) fn seconds_up(nanos: u64) -> u64 {
    nanos.div_ceil(NANOS_PER_S)
}
