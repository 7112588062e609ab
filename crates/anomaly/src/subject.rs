//! A principal or an address: what it usually does, and what it does this minute.

use crate::baseline::Baseline;
use crate::event::Event;
use crate::finding::Kind;
use crate::{DAY, HOUR, MINUTE_MS};

/// Networks, countries and kinds of client that are remembered.
const KNOWN_MAX: usize = 4;
/// Days and requests after which something new is unusual.
const SETTLED_DAYS: u64 = 3;
const SETTLED_REQUESTS: u32 = 200;
/// Requests of something new before it is told: one may be a mistake of the list of networks.
const NEW_MIN: u8 = 3;
/// Bytes in a minute that are never too many, in KiB.
const VOLUME_LEAST_KIB: f32 = 1024.0;
/// Minutes of history before a minute is compared with it.
const KNOWN_MIN: u32 = 120;
/// Requests in a minute without which shares say nothing.
const SHARE_MIN: u32 = 20;
/// Requests in an hour at which a time of day is used.
const HOUR_MIN: u32 = 10;
/// Less than this a minute is no habit.
const HABIT: f32 = 0.02;

/// Numbers of a finding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notice {
    pub(crate) seen: f32,
    pub(crate) usual: f32,
    pub(crate) bound: f32,
    pub(crate) window_s: u64,
}

/// What is known of a principal or an address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subject {
    first: u64,
    total: u32,
    minute: u64,
    now: Now,
    /// Requests and KiB a minute.
    rate: Baseline,
    volume: Baseline,
    /// The share of answers 4xx (5xx are not the caller's), and answers 401, 403 and 404 a minute in which there were requests.
    errors: f32,
    denied: [f32; 3],
    /// Which hour it is, its requests, and what was usual at this time before it began.
    hour: u64,
    hour_count: u32,
    hour_usual: f32,
    networks: Known<u64>,
    countries: Known<u16>,
    clients: Known<u64>,
}

/// This minute.
#[derive(Clone, Copy, Debug, Default)]
struct Now {
    count: u32,
    errors: u32,
    denied: [u32; 3],
    bytes: u64,
}

/// A few names that were met before.
#[derive(Clone, Copy, Debug, Default)]
struct Known<T> {
    names: [T; KNOWN_MAX],
    /// One that was not, and how often since.
    fresh: T,
    count: u8,
}

/// The answers whose bursts are looked at, with what is never too many a minute.
const DENIED: [(u16, Kind, u32); 3] =
    [(401, Kind::Unauthorized, 20), (403, Kind::Forbidden, 15), (404, Kind::NotFound, 30)];

// === impl Subject ===

impl Subject {
    /// Takes in a request, and says what is unusual about it. `person`: it is somebody, and not an address, which many may share.
    pub(crate) fn see(&mut self, event: &Event<'_>, minute: u64, person: bool, notice: &mut dyn FnMut(Kind, Notice)) {
        self.turn(minute);
        let now = &mut self.now;
        now.count = now.count.saturating_add(1);
        now.bytes = now.bytes.saturating_add(event.bytes);
        now.errors = now.errors.saturating_add(u32::from((400..500).contains(&event.status)));
        for (count, (status, _, _)) in now.denied.iter_mut().zip(DENIED) {
            *count = count.saturating_add(u32::from(event.status == status));
        }
        self.total = self.total.saturating_add(1);
        self.denials(notice);
        if !person {
            return;
        }
        self.volume(minute, notice);
        self.shares(notice);
        self.habits(event, minute, notice);
        self.clock(minute, notice);
    }

    fn denials(&self, notice: &mut dyn FnMut(Kind, Notice)) {
        for ((count, usual), (_, kind, least)) in self.now.denied.iter().zip(self.denied).zip(DENIED) {
            let bound = (5.0 * usual).max(least as f32);
            if *count as f32 > bound {
                notice(kind, Notice { seen: *count as f32, usual, bound, window_s: 60 });
            }
        }
    }

    fn volume(&self, minute: u64, notice: &mut dyn FnMut(Kind, Notice)) {
        let seen = kib(self.now.bytes);
        let bound = self.volume.bound(minute, VOLUME_LEAST_KIB);
        if seen > bound && self.volume.known(minute) >= KNOWN_MIN {
            let bytes = |kib: f32| kib * 1024.0;
            let usual = bytes(self.volume.usual(minute));
            notice(Kind::Volume, Notice { seen: bytes(seen), usual, bound: bytes(bound), window_s: 60 });
        }
    }

    fn shares(&self, notice: &mut dyn FnMut(Kind, Notice)) {
        if self.now.count < SHARE_MIN || self.total < SETTLED_REQUESTS {
            return;
        }
        let seen = self.now.errors as f32 / self.now.count as f32;
        let bound = (3.0 * self.errors).max(self.errors + 0.4);
        if seen > bound {
            notice(Kind::Errors, Notice { seen, usual: self.errors, bound, window_s: 60 });
        }
    }

    fn habits(&mut self, event: &Event<'_>, minute: u64, notice: &mut dyn FnMut(Kind, Notice)) {
        let settled = self.is_settled(minute);
        for (found, kind) in [
            (self.networks.see(event.network, settled), Kind::NewNetwork),
            (self.countries.see(event.country, settled), Kind::NewCountry),
            (self.clients.see(event.client, settled), Kind::NewClient),
        ] {
            if let Some(count) = found {
                notice(kind, Notice { seen: f32::from(count), usual: 0.0, bound: f32::from(NEW_MIN), window_s: 60 });
            }
        }
    }

    /// Whether it is called at a time of day at which it never is.
    fn clock(&mut self, minute: u64, notice: &mut dyn FnMut(Kind, Notice)) {
        if minute / HOUR != self.hour {
            (self.hour, self.hour_count, self.hour_usual) = (minute / HOUR, 0, self.rate.usual(minute));
        }
        self.hour_count = self.hour_count.saturating_add(1);
        let settled = self.is_settled(minute);
        let usual = self.hour_usual;
        if settled && usual < HABIT && self.hour_count >= HOUR_MIN {
            let (seen, usual) = (self.hour_count as f32, usual * 60.0);
            notice(Kind::Hour, Notice { seen, usual, bound: HOUR_MIN as f32, window_s: 3600 });
        }
    }

    /// Whether enough is known for something new to be unusual.
    fn is_settled(&self, minute: u64) -> bool {
        minute.saturating_sub(self.first) >= SETTLED_DAYS * DAY && self.total >= SETTLED_REQUESTS
    }

    fn turn(&mut self, minute: u64) {
        if minute == self.minute {
            return;
        }
        if self.minute == 0 {
            self.first = minute;
        } else {
            let (past, now) = (self.minute, self.now);
            self.rate.learn(past, now.count as f32);
            self.rate.rest(past, minute);
            // What was too much is not learned from, or an attack would become a habit.
            self.volume.learn(past, kib(now.bytes).min(self.volume.bound(past, VOLUME_LEAST_KIB)));
            self.volume.rest(past, minute);
            let share = now.errors as f32 / now.count.max(1) as f32;
            // A minute with one request says less than one with many.
            let weight = (now.count as f32 / SHARE_MIN as f32).min(1.0) / 60.0;
            self.errors += (share - self.errors) * weight;
            for ((usual, count), (_, _, least)) in self.denied.iter_mut().zip(now.denied).zip(DENIED) {
                *usual += ((count as f32).min((5.0 * *usual).max(least as f32)) - *usual) / 60.0;
            }
        }
        (self.minute, self.now) = (minute, Now::default());
    }
}

// === impl Known ===

impl<T: Copy + PartialEq + Default> Known<T> {
    /// How often something new has been met, once that is worth telling.
    fn see(&mut self, name: T, settled: bool) -> Option<u8> {
        if name == T::default() || self.names.contains(&name) {
            return None;
        }
        if !settled {
            self.learn(name);
            return None;
        }
        if name != self.fresh {
            (self.fresh, self.count) = (name, 0);
        }
        self.count = self.count.saturating_add(1);
        if self.count < NEW_MIN {
            return None;
        }
        // Told once; from now on it is known.
        self.learn(name);
        Some(self.count)
    }

    fn learn(&mut self, name: T) {
        self.names.rotate_right(1);
        if let Some(first) = self.names.first_mut() {
            *first = name;
        }
    }
}

/// In KiB, which an average can hold.
fn kib(bytes: u64) -> f32 {
    (bytes / 1024) as f32
}

/// The minute of a moment, from 1.
pub(crate) const fn minute(at_ms: u64) -> u64 {
    at_ms / MINUTE_MS + 1
}
