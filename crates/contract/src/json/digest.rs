//! A number that is the same for values that are the same; whoever finds two alike compares the values.

use super::decimal::{Decimal, mix};
use super::{Item, Kind};

/// Values within a value, itself included.
pub(crate) fn size(item: Item<'_>) -> u64 {
    let inner = item.members().map(|(_, value)| value).chain(item.items());
    inner.map(size).fold(1, u64::saturating_add)
}

pub(crate) fn of(item: Item<'_>) -> u64 {
    match item.kind() {
        Kind::Null => 1,
        Kind::Bool(false) => 2,
        Kind::Bool(true) => 4,
        Kind::Number => Decimal::of(item.text()).digest(),
        Kind::Text => text(item.text()),
        Kind::Array => item.items().fold(5, |hash, inner| mix(hash, of(inner))),
        // In any order.
        Kind::Object => {
            item.members().fold(6, |hash, (name, value)| hash.wrapping_add(mix(text(name.text()), of(value))))
        }
    }
}

fn text(text: &str) -> u64 {
    text.bytes().fold(8, |hash, byte| mix(hash, u64::from(byte)))
}
