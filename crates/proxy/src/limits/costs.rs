//! What answers say that they cost: read strictly, charged as soon as it is known, and told to nobody who need not know.

use super::{Charged, Drawer, Keepers};
use portcullis_h1::{Field, ResponseHead};
use portcullis_limit::{Moment, Unit};
use std::sync::Arc;

/// Names of fields that say what an answer cost and are the gateway's alone.
pub(crate) type Hidden = [Arc<str>];

/// LIMIT: digits of a cost, as of an integer of a structured field (RFC 9651 section 3.3.1).
const DIGITS_MAX: usize = 15;

/// The cost that an answer states: nothing where it states none, `Some(None)` where it states one that cannot be told.
pub(super) fn said(answer: &ResponseHead, name: &str) -> Option<Option<u64>> {
    let mut lines = answer.fields().iter().filter(|line| line.name.eq_ignore_ascii_case(name.as_bytes()));
    let first = lines.next()?;
    // Two that say the same may be of two servers, each of which has cost that.
    Some(if lines.next().is_some() { None } else { number(first.value) })
}

fn number(value: &[u8]) -> Option<u64> {
    let is_number = !value.is_empty() && value.len() <= DIGITS_MAX && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| is_number)?;
    text.parse().ok()
}

/// Whether a field of an answer is meant for the gateway alone.
pub(crate) fn is_hidden(hidden: &Hidden, line: &Field<'_>) -> bool {
    hidden.iter().any(|name| line.name.eq_ignore_ascii_case(name.as_bytes()))
}

// === impl Drawer ===

impl Drawer {
    /// Charges what an answer says that it has cost, as far as that is more than was charged to get in. At once, and not at its
    /// end: whoever takes long to read must not ask for more meanwhile.
    pub(crate) fn charge_answer(
        &mut self,
        charged: &mut Charged,
        answer: &ResponseHead,
        (books, store): Keepers<'_>,
        now: Moment,
    ) {
        let mut owing = std::mem::take(&mut charged.owing);
        owing.retain(|ask| {
            let Some(book) = books.get(ask.policy).filter(|book| book.ledger.policy().unit() == Unit::Cost) else {
                return true;
            };
            let cost = book.answer_cost.as_ref().and_then(|plan| book.cost_of(plan, answer));
            self.owe(ask, cost.unwrap_or(0).saturating_sub(ask.units), (books, store), now);
            false
        });
        charged.owing = owing;
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_cost_is_digits_and_nothing_else() {
        for (value, expected) in [
            ("0", Some(0)),
            ("17", Some(17)),
            ("007", Some(7)),
            ("999999999999999", Some(999_999_999_999_999)),
            ("1000000000000000", None),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("1, 2", None),
            ("1 ", None),
            ("0x10", None),
            ("\u{661}", None),
        ] {
            assert_eq!(number(value.as_bytes()), expected, "{value:?}");
        }
    }
}
