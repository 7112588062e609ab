//! What a worker remembers of names and header values: clients send the same ones again and again. A verdict is a
//! function of the bytes alone, and is only used for exactly the same bytes.

use super::Bits;
use crate::store::{Half, List};

/// LIMIT: verdicts that are remembered.
const SLOTS: usize = 2048;
/// LIMIT: bytes of a value that is remembered.
const VALUE_BYTES: usize = 512;

/// The verdicts.
#[derive(Debug, Default)]
pub(super) struct Memory {
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Default)]
struct Slot {
    /// The hash that was seen here last; a value is kept when it comes a second time.
    seen: u64,
    hash: u64,
    list: usize,
    half: bool,
    /// Where the value starts in `bytes`.
    name: usize,
    bytes: Vec<u8>,
    left: Bits,
}

/// What is remembered of a value.
pub(super) enum Found {
    /// The rules that it may match.
    Known(usize, Bits),
    /// Nothing yet, and it is worth keeping here.
    Place(usize),
    Nothing,
}

/// Whether values of this kind come again.
pub(super) fn worth(list: List, half: Half) -> bool {
    match half {
        Half::Name => matches!(list, List::Headers | List::ArgsGet | List::ArgsPost | List::Cookies | List::Derived),
        Half::Value => matches!(list, List::Headers),
    }
}

// === impl Memory ===

impl Memory {
    pub(super) fn clear(&mut self) {
        self.slots.clear();
    }

    pub(super) fn find(&mut self, list: List, half: Half, name: &[u8], value: &[u8]) -> Found {
        if value.len() + name.len() > VALUE_BYTES {
            return Found::Nothing;
        }
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, Slot::default());
        }
        let hash = hash(list, half, name, value);
        let at = usize::try_from(hash >> 40).unwrap_or(0) % SLOTS;
        let Some(slot) = self.slots.get_mut(at) else { return Found::Nothing };
        if slot.hash == hash
            && slot.list == list.at()
            && slot.half == (half == Half::Name)
            && slot.bytes.get(..slot.name) == Some(name)
            && slot.bytes.get(slot.name..) == Some(value)
        {
            return Found::Known(at, slot.left);
        }
        if std::mem::replace(&mut slot.seen, hash) == hash { Found::Place(at) } else { Found::Nothing }
    }

    pub(super) fn keep(&mut self, at: usize, list: List, half: Half, name: &[u8], value: &[u8], left: Bits) {
        let Some(slot) = self.slots.get_mut(at) else { return };
        slot.hash = hash(list, half, name, value);
        slot.list = list.at();
        slot.half = half == Half::Name;
        slot.name = name.len();
        slot.bytes.clear();
        slot.bytes.extend_from_slice(name);
        slot.bytes.extend_from_slice(value);
        slot.left = left;
    }

    pub(super) fn refute(&mut self, at: usize, rule: usize) {
        if let Some(slot) = self.slots.get_mut(at) {
            slot.left.remove(rule);
        }
    }
}

fn hash(list: List, half: Half, name: &[u8], value: &[u8]) -> u64 {
    use std::hash::Hasher;
    let mut mixer = super::scan::Mixer::default();
    mixer.write_u64(u64::try_from(list.at() * 2).unwrap_or(0) + u64::from(half == Half::Name));
    mixer.write(name);
    mixer.write_u64(u64::try_from(value.len()).unwrap_or(0));
    mixer.write(value);
    mixer.finish()
}
