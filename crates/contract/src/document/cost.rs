//! What an operation costs: `x-cost` (OpenAPI 3.1, section 4.9, extensions), for limits that count costs.

use super::Walker;
use crate::schema::Spot;
use crate::tree::{Severity, Shape};

const NAME: &str = "x-cost";
/// LIMIT: what one operation may cost, the largest integer of a structured field (RFC 9651 section 3.3.1).
const COST_MAX: u64 = 999_999_999_999_999;

// === impl Walker ===

impl Walker<'_> {
    /// The cost of an operation, where it says one.
    pub(super) fn cost(&mut self, operation: Spot) -> Option<u64> {
        let at = self.library().member(operation, NAME)?;
        let number = match self.library().shape(at) {
            Shape::Number(text) => text.parse().ok().filter(|cost| (1..=COST_MAX).contains(cost)),
            Shape::Null | Shape::Bool(_) | Shape::Text(_) | Shape::List(_) | Shape::Map(_) => None,
        };
        if number.is_none() {
            let message = format!("`{NAME}` is a whole number from 1 to {COST_MAX}");
            self.say(at, Severity::Error, "cost", message, "write `x-cost: 5`");
        }
        number
    }

    /// A cost where none is looked for would count for nothing.
    pub(super) fn no_cost(&mut self, path_item: Spot) {
        if let Some(at) = self.library().member(path_item, NAME) {
            let message = format!("`{NAME}` belongs to an operation");
            self.say(at, Severity::Error, "cost", message, "write it below the method");
        }
    }
}
