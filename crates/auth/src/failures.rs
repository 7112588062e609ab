//! Who fails to prove himself too often waits, longer each time, before anything expensive is done for him.
//!
//! One table for all cores, an array of atomic numbers. When it is full, a newcomer takes the place of whoever failed least
//! and inherits that one's count (Metwally, Agrawal, El Abbadi 2005): a count can only be too high, so that nobody loses his
//! own by filling the table with others. (Two cores that meet somebody's very first failure in the same instant may count one
//! of them too few.)

use crate::bounded::{Digest, digest, halves};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

const WAYS: usize = 8;
/// A slot holds 28 bits of the hash, 8 of the count and 28 of the second of the last failure.
const TIME_BITS: u32 = 28;
const COUNT_BITS: u32 = 8;
const TIME_MASK: u64 = (1 << TIME_BITS) - 1;
const COUNT_MAX: u64 = (1 << COUNT_BITS) - 1;
// LIMIT: attempts to write a slot that others write as well; after them the failure is not counted.
const TRIES_MAX: usize = 16;

/// How many failures are borne.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailurePolicy {
    /// This many cost nothing; at least 1, at most 200.
    pub free: u8,
    /// The first wait, in seconds; doubled with each further failure.
    pub wait_min_seconds: u32,
    /// The longest wait.
    pub wait_max_seconds: u32,
    /// In this time a count halves by itself.
    pub half_life_seconds: u32,
}

/// A caller has to wait; nothing was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyFailures {
    /// Seconds until the next attempt is looked at; at least 1.
    pub retry_after_seconds: u64,
}

/// The failures of addresses and of credentials.
pub struct Failures {
    policy: FailurePolicy,
    key: [u8; 32],
    groups: Box<[[AtomicU64; WAYS]]>,
}

// === impl FailurePolicy ===

impl Default for FailurePolicy {
    fn default() -> Self {
        Self { free: 10, wait_min_seconds: 1, wait_max_seconds: 900, half_life_seconds: 600 }
    }
}

impl FailurePolicy {
    fn wait(&self, count: u64) -> u64 {
        let free = u64::from(self.free.clamp(1, 200));
        count.checked_sub(free).map_or(0, |over| {
            let doubled = u64::from(self.wait_min_seconds.max(1)) << over.min(31);
            doubled.min(u64::from(self.wait_max_seconds.max(1)))
        })
    }
}

// === impl Failures ===

impl Failures {
    /// A table for this many addresses and credentials, eight bytes each, under a random key.
    #[must_use]
    pub fn new(policy: FailurePolicy, entries: usize, key: [u8; 32]) -> Self {
        let groups = entries.div_ceil(WAYS).max(1);
        Self { policy, key, groups: (0..groups).map(|_| std::array::from_fn(|_| AtomicU64::new(0))).collect() }
    }

    /// Whether an attempt may be looked at. `now` is seconds on a clock that never goes back.
    ///
    /// A credential that others have tried in vain is closed only to addresses that have failed themselves: or anybody
    /// could lock its holder out with a handful of wrong secrets.
    ///
    /// # Errors
    /// How long to wait.
    pub fn check(&self, address: IpAddr, credential: Option<&str>, now: u64) -> Result<(), TooManyFailures> {
        let (count, address_wait) = self.look(&self.address_hash(address), now);
        let credential_wait = match credential {
            Some(name) if count > 0 => self.look(&self.credential_hash(name), now).1,
            Some(_) | None => 0,
        };
        match address_wait.max(credential_wait) {
            0 => Ok(()),
            retry_after_seconds => Err(TooManyFailures { retry_after_seconds }),
        }
    }

    /// Counts a failure. Success takes nothing back: or one good credential would pay for any number of guesses.
    pub fn note(&self, address: IpAddr, credential: Option<&str>, now: u64) {
        self.count(&self.address_hash(address), now);
        if let Some(name) = credential {
            self.count(&self.credential_hash(name), now);
        }
    }

    /// Whoever has one address of an IPv6 network of 64 bits has all of them.
    fn address_hash(&self, address: IpAddr) -> Digest {
        match address.to_canonical() {
            IpAddr::V4(v4) => digest(&self.key, &[b"v4", &v4.octets()]),
            IpAddr::V6(v6) => digest(&self.key, &[b"v6", &(v6.to_bits() >> 64).to_le_bytes()]),
        }
    }

    fn credential_hash(&self, name: &str) -> Digest {
        digest(&self.key, &[b"credential", name.as_bytes()])
    }

    fn group(&self, hash: &Digest) -> Option<&[AtomicU64; WAYS]> {
        let at = halves(hash).1.checked_rem(u64::try_from(self.groups.len()).ok()?)?;
        self.groups.get(usize::try_from(at).ok()?)
    }

    /// The count that is left, and the wait that is left.
    fn look(&self, hash: &Digest, now: u64) -> (u64, u64) {
        let slots = self.group(hash).into_iter().flatten().map(|slot| slot.load(SeqCst));
        let Some(value) = slots.into_iter().find(|value| print(*value) == print_of(hash)) else { return (0, 0) };
        let wait = self.policy.wait(count(value)).saturating_sub(age(value, now));
        (self.left(value, now), wait)
    }

    fn left(&self, value: u64, now: u64) -> u64 {
        let halvings = age(value, now).checked_div(u64::from(self.policy.half_life_seconds)).unwrap_or(0);
        count(value) >> halvings.min(63)
    }

    fn count(&self, hash: &Digest, now: u64) {
        let Some(group) = self.group(hash) else { return };
        for _ in 0..TRIES_MAX {
            let found = group.iter().map(|slot| (slot, slot.load(SeqCst)));
            let own = found.clone().find(|(_, value)| print(*value) == print_of(hash));
            let least = || found.min_by_key(|(_, value)| (self.left(*value, now), time(*value)));
            let Some((slot, value)) = own.or_else(least) else { return };
            let more = (self.left(value, now) + 1).min(COUNT_MAX);
            let fresh = print_of(hash) << (TIME_BITS + COUNT_BITS) | more << TIME_BITS | (now & TIME_MASK);
            if slot.compare_exchange(value, fresh, SeqCst, SeqCst).is_ok() {
                return;
            }
        }
    }
}

/// Never zero, which is what an empty slot has.
fn print_of(hash: &Digest) -> u64 {
    (halves(hash).0 >> (64 - 28)).max(1)
}

fn print(value: u64) -> u64 {
    value >> (TIME_BITS + COUNT_BITS)
}

fn count(value: u64) -> u64 {
    value >> TIME_BITS & COUNT_MAX
}

fn time(value: u64) -> u64 {
    value & TIME_MASK
}

fn age(value: u64, now: u64) -> u64 {
    now.saturating_sub(time(value))
}

impl std::fmt::Debug for Failures {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Failures({})", self.groups.len() * WAYS)
    }
}

#[cfg(test)]
mod tests {
    use super::{FailurePolicy, Failures, TooManyFailures};
    use proptest::prelude::{prop_assert, proptest};
    use std::collections::HashMap;
    use std::net::IpAddr;

    const POLICY: FailurePolicy =
        FailurePolicy { free: 3, wait_min_seconds: 2, wait_max_seconds: 60, half_life_seconds: 100 };

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn wait(failures: &Failures, from: &str, credential: Option<&str>, now: u64) -> u64 {
        failures.check(address(from), credential, now).err().map_or(0, |error| error.retry_after_seconds)
    }

    #[test]
    fn waits_grow_and_pass() {
        let failures = Failures::new(POLICY, 1024, [1; 32]);
        let mut now = 1000;
        let mut waits = Vec::new();
        for _ in 0..9 {
            failures.note(address("192.0.2.1"), None, now);
            let seconds = wait(&failures, "192.0.2.1", None, now);
            waits.push(seconds);
            now += seconds;
            assert_eq!(failures.check(address("192.0.2.1"), None, now), Ok(()));
        }
        assert_eq!(waits, [0, 0, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(wait(&failures, "192.0.2.2", None, now), 0, "a neighbour is not punished");
        assert_eq!(wait(&failures, "::ffff:192.0.2.1", None, now - 1), 1, "a mapped address is the same");
        failures.note(address("192.0.2.1"), None, now + 1000);
        assert_eq!(wait(&failures, "192.0.2.1", None, now + 1000), 0, "counts fade");
    }

    #[test]
    fn a_network_of_64_bits_is_one_caller() {
        let failures = Failures::new(POLICY, 1024, [1; 32]);
        for number in 0..3 {
            failures.note(address(&format!("2001:db8:0:1::{number}")), None, 10);
        }
        assert_eq!(wait(&failures, "2001:db8:0:1:ffff::9", None, 10), 2);
        assert_eq!(wait(&failures, "2001:db8:0:2::", None, 10), 0);
    }

    #[test]
    fn a_holder_is_not_locked_out_by_others() {
        let failures = Failures::new(POLICY, 1024, [1; 32]);
        for number in 0..50 {
            failures.note(address(&format!("198.51.100.{number}")), Some("key-1"), 10);
        }
        assert_eq!(wait(&failures, "192.0.2.1", Some("key-1"), 10), 0);
        assert_eq!(wait(&failures, "198.51.100.7", Some("key-1"), 10), 60, "one failure, but on a key under attack");
        assert_eq!(wait(&failures, "198.51.100.7", Some("key-2"), 10), 0);
        assert_eq!(
            failures.check(address("198.51.100.7"), Some("key-1"), 30),
            Err(TooManyFailures { retry_after_seconds: 40 })
        );
    }

    #[test]
    fn a_flood_of_others_resets_nobody() {
        let failures = Failures::new(FailurePolicy { half_life_seconds: u32::MAX, ..POLICY }, 64, [1; 32]);
        let attacker = address("192.0.2.1");
        for _ in 0..5 {
            failures.note(attacker, None, 10);
        }
        // Far more addresses than there is room for, each with as many failures.
        for number in 0..20_000u32 {
            failures.note(IpAddr::from((0x0a00_0000 + number % 2000).to_be_bytes()), None, 10);
        }
        failures.note(attacker, None, 10);
        assert!(wait(&failures, "192.0.2.1", None, 10) >= 2 << 3, "the sixth failure waits at least like a sixth");
    }

    proptest! {
        #[test]
        fn a_count_is_never_below_the_truth(callers in proptest::collection::vec(0u32..40, 1..300)) {
            let failures = Failures::new(FailurePolicy { half_life_seconds: u32::MAX, ..POLICY }, 16, [1; 32]);
            let mut truth: HashMap<u32, u64> = HashMap::new();
            for caller in callers {
                let address = IpAddr::from(caller.to_be_bytes());
                failures.note(address, None, 1);
                let count = truth.entry(caller).or_default();
                *count += 1;
                let (counted, _) = failures.look(&failures.address_hash(address), 1);
                prop_assert!(counted >= (*count).min(255));
            }
        }
    }
}
