//! Counts the frames that cost a client nothing and us something, as their heads pass: what HTTP/2 allows in any number is
//! allowed in bursts, and a flood ends the connection (CVE-2019-9512 to 9518, CVE-2023-44487).

use portcullis_config::plan::FloodLimits;

const FRAME_HEAD_BYTES: usize = 9;
/// A burst comes back within so long.
const REFILL_MS: u64 = 30_000;
/// Sent bytes that pay for one window update.
const BYTES_PER_UPDATE: u64 = 256;

/// A kind of frame that can be sent in floods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flood {
    Resets,
    Settings,
    Pings,
    EmptyData,
    Priorities,
    WindowUpdates,
    Continuations,
}

/// What a client may still send.
#[derive(Debug)]
pub(crate) struct Meter {
    budgets: [Budget; Flood::ALL.len()],
    head: [u8; FRAME_HEAD_BYTES],
    have: usize,
    /// Bytes until the next frame's head: the preface first, then payloads.
    skip: usize,
    sent: u64,
    latest: Option<Flood>,
}

#[derive(Clone, Copy, Debug)]
struct Budget {
    burst: u64,
    /// In frames times [`REFILL_MS`], so that a millisecond's refill is a whole number.
    left: u64,
    at_ms: u64,
}

// === impl Flood ===

impl Flood {
    pub(crate) const ALL: [Self; 7] = [
        Self::Resets,
        Self::Settings,
        Self::Pings,
        Self::EmptyData,
        Self::Priorities,
        Self::WindowUpdates,
        Self::Continuations,
    ];

    /// The limit's name in configuration, metrics and records.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Resets => "resets",
            Self::Settings => "settings",
            Self::Pings => "pings",
            Self::EmptyData => "empty_data",
            Self::Priorities => "priorities",
            Self::WindowUpdates => "window_updates",
            Self::Continuations => "continuations",
        }
    }

    const fn burst(self, limits: &FloodLimits) -> u32 {
        match self {
            Self::Resets => limits.resets,
            Self::Settings => limits.settings,
            Self::Pings => limits.pings,
            Self::EmptyData => limits.empty_data,
            Self::Priorities => limits.priorities,
            Self::WindowUpdates => limits.window_updates,
            Self::Continuations => limits.continuations,
        }
    }

    /// What a frame of this type, flags and length counts as (RFC 9113 section 6). An acknowledgement answers a frame of
    /// ours and costs nothing.
    fn of(kind: u8, flags: u8, length: usize) -> Option<Self> {
        match kind {
            0x0 if length == 0 && flags & 0x1 == 0 => Some(Self::EmptyData),
            0x2 => Some(Self::Priorities),
            0x3 => Some(Self::Resets),
            0x4 if flags & 0x1 == 0 => Some(Self::Settings),
            0x6 if flags & 0x1 == 0 => Some(Self::Pings),
            0x8 => Some(Self::WindowUpdates),
            0x9 => Some(Self::Continuations),
            _ => None,
        }
    }
}

// === impl Budget ===

impl Budget {
    fn take(&mut self, now_ms: u64) -> bool {
        let full = self.burst.saturating_mul(REFILL_MS);
        let since = now_ms.saturating_sub(self.at_ms);
        self.at_ms = now_ms;
        self.left = self.left.saturating_add(since.saturating_mul(self.burst)).min(full);
        match self.left.checked_sub(REFILL_MS) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

// === impl Meter ===

impl Meter {
    /// A meter for a connection that begins with `preface` bytes of no frame.
    pub(crate) fn new(limits: &FloodLimits, preface: usize, now_ms: u64) -> Self {
        let budget = |flood: Flood| {
            let burst = u64::from(flood.burst(limits));
            Budget { burst, left: burst.saturating_mul(REFILL_MS), at_ms: now_ms }
        };
        Self {
            budgets: Flood::ALL.map(budget),
            head: [0; FRAME_HEAD_BYTES],
            have: 0,
            skip: preface,
            sent: 0,
            latest: None,
        }
    }

    /// The kind of the last frame that was counted.
    pub(crate) fn latest(&self) -> Option<Flood> {
        self.latest
    }

    /// Takes note of bytes that were sent to the client; it may answer them with window updates.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.sent = self.sent.saturating_add(bytes as u64);
        let paid = self.sent / BYTES_PER_UPDATE;
        self.sent %= BYTES_PER_UPDATE;
        if let Some(budget) = self.budgets.get_mut(Flood::WindowUpdates as usize) {
            let full = budget.burst.saturating_mul(REFILL_MS);
            budget.left = budget.left.saturating_add(paid.saturating_mul(REFILL_MS)).min(full);
        }
    }

    /// Takes note of bytes that arrived.
    ///
    /// # Errors
    /// The limit that they exceed.
    pub(crate) fn received(&mut self, mut bytes: &[u8], now_ms: u64) -> Result<(), Flood> {
        loop {
            let skip = self.skip.min(bytes.len());
            self.skip -= skip;
            bytes = bytes.get(skip..).unwrap_or_default();
            if bytes.is_empty() {
                return Ok(());
            }
            let take = (FRAME_HEAD_BYTES - self.have).min(bytes.len());
            let (part, rest) = bytes.split_at(take);
            if let Some(slot) = self.head.get_mut(self.have..self.have + take) {
                slot.copy_from_slice(part);
            }
            self.have += take;
            bytes = rest;
            if self.have == FRAME_HEAD_BYTES {
                self.frame(now_ms)?;
            }
        }
    }

    fn frame(&mut self, now_ms: u64) -> Result<(), Flood> {
        let [a, b, c, kind, flags, ..] = self.head;
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        (self.have, self.skip) = (0, length);
        let Some(flood) = Flood::of(kind, flags, length) else { return Ok(()) };
        self.latest = Some(flood);
        let within = self.budgets.get_mut(flood as usize).is_some_and(|budget| budget.take(now_ms));
        if within { Ok(()) } else { Err(flood) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Flood, Meter};
    use portcullis_config::plan::FloodLimits;

    const LIMITS: FloodLimits = FloodLimits {
        resets: 3,
        settings: 3,
        pings: 3,
        empty_data: 3,
        priorities: 3,
        window_updates: 3,
        continuations: 3,
    };

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 1], payload].concat()
    }

    #[test]
    fn each_flood_has_its_limit_and_only_that() {
        for (kind, flags, payload, flood) in [
            (0x0, 0, &b""[..], Flood::EmptyData),
            (0x2, 0, b"12345", Flood::Priorities),
            (0x3, 0, b"1234", Flood::Resets),
            (0x4, 0, b"", Flood::Settings),
            (0x6, 0, b"12345678", Flood::Pings),
            (0x8, 0, b"1234", Flood::WindowUpdates),
            (0x9, 4, b"abc", Flood::Continuations),
        ] {
            let mut meter = Meter::new(&LIMITS, 24, 0);
            meter.received(&[b'P'; 24], 0).unwrap();
            let bytes = frame(kind, flags, payload);
            for _ in 0..3 {
                assert_eq!(meter.received(&bytes, 0), Ok(()));
            }
            assert_eq!(meter.received(&bytes, 10_000), Ok(()), "a third comes back in ten seconds");
            assert_eq!(meter.received(&bytes, 10_000), Err(flood));
        }
    }

    #[test]
    fn what_carries_something_is_free() {
        let mut meter = Meter::new(&LIMITS, 0, 0);
        for _ in 0..1000 {
            for (kind, flags, payload) in
                [(0x0, 0, &b"data"[..]), (0x0, 1, b""), (0x1, 4, b"head"), (0x4, 1, b""), (0x6, 1, b"12345678")]
            {
                assert_eq!(meter.received(&frame(kind, flags, payload), 0), Ok(()));
            }
        }
    }

    #[test]
    fn borders_between_reads_decide_nothing() {
        let bytes = [frame(0x6, 0, b"12345678"), frame(0x0, 0, &[9; 300])].concat();
        for size in 1..40 {
            let mut meter = Meter::new(&LIMITS, 0, 0);
            let outcome = bytes.repeat(4).chunks(size).try_for_each(|part| meter.received(part, 0));
            assert_eq!(outcome, Err(Flood::Pings), "{size}");
        }
    }

    #[test]
    fn answers_pay_for_window_updates() {
        let mut meter = Meter::new(&LIMITS, 0, 0);
        for _ in 0..100 {
            assert_eq!(meter.received(&frame(0x8, 0, b"1234"), 0), Ok(()));
            meter.sent(256);
        }
    }
}
