//! Wrong credentials from many addresses at once, few from each, so that no address stands out.

use crate::baseline::Baseline;
use crate::counts::Different;
use crate::subject::Notice;

/// Addresses with failures in a minute that are never too many.
const ADDRESSES_LEAST: f32 = 25.0;

/// Failures of everybody in this minute.
#[derive(Debug, Default)]
pub(crate) struct Spread {
    minute: u64,
    failures: u32,
    addresses: Different,
    credentials: Different,
    usual: Baseline,
}

// === impl Spread ===

impl Spread {
    pub(crate) fn see(&mut self, address: u64, credential: u64, minute: u64) -> Option<Notice> {
        if minute != self.minute {
            if self.minute > 0 {
                let seen = self.addresses.count().min(self.usual.bound(self.minute, ADDRESSES_LEAST));
                self.usual.learn(self.minute, seen);
                self.usual.rest(self.minute, minute);
            }
            let usual = std::mem::take(&mut self.usual);
            *self = Self { minute, usual, ..Self::default() };
        }
        self.failures = self.failures.saturating_add(1);
        self.addresses.note(address);
        self.credentials.note(credential);
        let seen = self.addresses.count();
        let bound = self.usual.bound(minute, ADDRESSES_LEAST);
        // Many failures for one holder are somebody's broken client in many places.
        let many = self.credentials.count() > seen / 2.0;
        (seen > bound && many).then(|| Notice { seen, usual: self.usual.usual(minute), bound, window_s: 60 })
    }
}
