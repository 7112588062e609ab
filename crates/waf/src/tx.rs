//! The `tx` variables of one request: numbered ones in an array, those made up at run time in a list.

use crate::bytes::index;
use crate::store::Span;

/// LIMIT: variables made up at run time.
const DYNAMIC: usize = 4096;

/// What a variable holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum TxValue {
    #[default]
    Unset,
    Number(i64),
    Text(Span),
}

#[derive(Debug, Clone, Copy)]
struct Dynamic {
    hash: u64,
    name: Span,
    value: TxValue,
}

/// The variables.
#[derive(Debug, Default)]
pub(crate) struct TxStore {
    slots: Vec<TxValue>,
    dynamic: Vec<Dynamic>,
}

/// Which variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TxKey {
    Slot(u32),
    Dynamic(u32),
}

// === impl TxStore ===

impl TxStore {
    /// Forgets everything; starts with `initial`, the rest of `slots` unset.
    pub(crate) fn reset(&mut self, slots: usize, initial: &[TxValue]) {
        self.slots.clear();
        self.slots.extend_from_slice(initial);
        self.slots.resize(slots, TxValue::Unset);
        self.dynamic.clear();
    }

    pub(crate) fn get(&self, key: TxKey) -> TxValue {
        match key {
            TxKey::Slot(slot) => self.slots.get(index(slot)).copied().unwrap_or_default(),
            TxKey::Dynamic(at) => self.dynamic.get(index(at)).map(|d| d.value).unwrap_or_default(),
        }
    }

    pub(crate) fn set(&mut self, key: TxKey, value: TxValue) {
        match key {
            TxKey::Slot(slot) => {
                if let Some(place) = self.slots.get_mut(index(slot)) {
                    *place = value;
                }
            }
            TxKey::Dynamic(at) => {
                if let Some(place) = self.dynamic.get_mut(index(at)) {
                    place.value = value;
                }
            }
        }
    }

    /// The variable made up under a name with this hash; `same` compares the names.
    pub(crate) fn find(&self, hash: u64, same: impl Fn(Span) -> bool) -> Option<TxKey> {
        let at = self.dynamic.iter().position(|d| d.hash == hash && same(d.name))?;
        u32::try_from(at).ok().map(TxKey::Dynamic)
    }

    /// Makes up a variable; none once the limit is reached.
    pub(crate) fn add(&mut self, hash: u64, name: Span) -> Option<TxKey> {
        if self.dynamic.len() >= DYNAMIC {
            return None;
        }
        self.dynamic.push(Dynamic { hash, name, value: TxValue::Unset });
        u32::try_from(self.dynamic.len() - 1).ok().map(TxKey::Dynamic)
    }

    /// Where the texts are that it needs.
    pub(crate) fn spans(&mut self) -> impl Iterator<Item = &mut Span> {
        let text = |value| match value {
            &mut TxValue::Text(ref mut span) => Some(span),
            TxValue::Unset | TxValue::Number(_) => None,
        };
        let dynamic = self.dynamic.iter_mut().flat_map(move |d| [Some(&mut d.name), text(&mut d.value)]);
        self.slots.iter_mut().map(text).chain(dynamic).flatten()
    }

    /// The numbered variables that are set.
    pub(crate) fn slots(&self) -> impl Iterator<Item = (u32, TxValue)> {
        (0u32..).zip(self.slots.iter().copied()).filter(|(_, v)| *v != TxValue::Unset)
    }

    /// The made-up variables that are set, from the `from`th on.
    pub(crate) fn dynamic(&self) -> impl Iterator<Item = (Span, TxValue)> {
        self.dynamic.iter().map(|d| (d.name, d.value)).filter(|(_, v)| *v != TxValue::Unset)
    }
}

/// A name's hash, letters of either case (FNV-1a).
pub(crate) fn hash(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
    })
}
