//! What limits had no room for, in the text format of Prometheus.

use super::text::{escaped, heading, line};
use crate::limits::Book;
use std::sync::Arc;

/// Appends a series for each limit of the configuration.
pub(crate) fn limits_text(books: &[Arc<Book>], out: &mut String) {
    const NAME: &str = "portcullis_limit_exceeded_total";
    heading(out, NAME, "counter", "Requests that a limit had no room for, by whether they were refused or observed.");
    for book in books {
        let mode = if book.ledger.policy().is_shadow() { "observe" } else { "enforce" };
        line(out, NAME, &format!("limit=\"{}\",mode=\"{mode}\"", escaped(&book.place)), book.short());
    }
}
