//! Numbers the `tx` variables that rules name outright, so that most accesses are an index.

use std::collections::HashMap;

/// The names, by number and by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct TxNames {
    /// As first written, for messages.
    names: Vec<Box<[u8]>>,
    index: HashMap<Box<[u8]>, u32>,
}

// === impl TxNames ===

impl TxNames {
    /// The ten captures come first: variable `n` has number `n`.
    pub(crate) fn with_captures() -> Self {
        let mut names = Self::default();
        for digit in b'0'..=b'9' {
            names.slot(&[digit]);
        }
        names
    }

    /// The number of a name, new if need be.
    pub(crate) fn slot(&mut self, name: &[u8]) -> u32 {
        let lower = name.to_ascii_lowercase().into_boxed_slice();
        if let Some(slot) = self.index.get(&lower) {
            return *slot;
        }
        let slot = crate::bytes::len32(self.names.len());
        self.names.push(name.into());
        self.index.insert(lower, slot);
        slot
    }

    /// The number of a name that rules name; `lower` is in lower case.
    pub(crate) fn find(&self, lower: &[u8]) -> Option<u32> {
        self.index.get(lower).copied()
    }

    pub(crate) fn name(&self, slot: u32) -> &[u8] {
        self.names.get(crate::bytes::index(slot)).map_or(&[], |name| name)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }
}
