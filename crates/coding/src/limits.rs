//! How much may come out of how little.

use crate::error::CodingError;

/// What decoding one body may cost. With several codings each one's output counts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that may come out.
    pub output_bytes_max: u64,
    /// Bytes that may come out for each byte that went in.
    pub ratio_max: u64,
    /// Bytes that may come out before the ratio counts: short texts of one letter are honest and shrink well.
    pub grace_bytes: u64,
    /// The window of `br` and `zstd`; DEFLATE has one of 32 KiB by itself.
    pub window_bytes_max: u64,
}

/// What one layer has given.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Account(u64);

// === impl Limits ===

impl Default for Limits {
    /// 10 MiB, 100 for 1 after 64 KiB, windows of 8 MiB (the least that RFC 9659 asks every decoder of `zstd` to have).
    fn default() -> Self {
        Self { output_bytes_max: 10 << 20, ratio_max: 100, grace_bytes: 64 << 10, window_bytes_max: 8 << 20 }
    }
}

// === impl Account ===

impl Account {
    pub(crate) fn produced(&self) -> u64 {
        self.0
    }

    /// Adds bytes that came out when `taken` bytes of the body were used up.
    pub(crate) fn add(&mut self, produced: usize, taken: u64, limits: &Limits) -> Result<(), CodingError> {
        self.0 = self.0.saturating_add(produced as u64);
        if self.0 > limits.output_bytes_max {
            return Err(CodingError::TooLarge);
        }
        if self.0 > limits.grace_bytes && self.0 > taken.saturating_mul(limits.ratio_max) {
            return Err(CodingError::RatioExceeded);
        }
        Ok(())
    }
}
