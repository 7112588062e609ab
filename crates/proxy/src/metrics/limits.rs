//! What limits had no room for, in the text format of Prometheus.

use super::text::{escaped, heading, line};
use crate::limits::{Book, SharedStore};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Appends a series for each limit of the configuration.
pub(crate) fn limits_text(books: &[Arc<Book>], out: &mut String) {
    const NAME: &str = "portcullis_limit_exceeded_total";
    heading(out, NAME, "counter", "Requests that a limit had no room for, by whether they were refused or observed.");
    for book in books {
        let mode = if book.ledger.policy().is_shadow() { "observe" } else { "enforce" };
        line(out, NAME, &format!("limit=\"{}\",mode=\"{mode}\"", escaped(&book.place)), book.short());
    }
    const CROWDED: &str = "portcullis_limit_crowded_total";
    heading(
        out,
        CROWDED,
        "counter",
        "Charges to an account that callers share because `accounts` of their limit were in use.",
    );
    for book in books {
        line(out, CROWDED, &format!("limit=\"{}\"", escaped(&book.place)), book.ledger.crowded());
    }
    const CAPPED: &str = "portcullis_limit_answer_cost_capped_total";
    heading(
        out,
        CAPPED,
        "counter",
        "Answers whose cost could not be told or was more than `most`, and was charged as the most.",
    );
    for (book, count) in books.iter().filter_map(|book| book.capped().map(|count| (book, count))) {
        line(out, CAPPED, &format!("limit=\"{}\"", escaped(&book.place)), count);
    }
}

/// Appends what there is to know of the store that gateways share.
pub(crate) fn store_text(store: &SharedStore, out: &mut String) {
    let (counts, peers) = (&store.counts, &store.peers);
    heading(out, "portcullis_limit_store_up", "gauge", "Whether the store of shared limits answers.");
    line(out, "portcullis_limit_store_up", "", u8::from(!peers.is_away()));
    heading(out, "portcullis_limit_gateways", "gauge", "Gateways that share limits, as last counted.");
    line(out, "portcullis_limit_gateways", "", peers.live());
    const QUESTIONS: &str = "portcullis_limit_store_questions_total";
    heading(out, QUESTIONS, "counter", "Questions of requests to the store, by what became of them.");
    for (result, count) in [("granted", &counts.granted), ("denied", &counts.denied), ("failed", &counts.failed)] {
        line(out, QUESTIONS, &format!("result=\"{result}\""), count.load(Ordering::Relaxed));
    }
    const CALLS: &str = "portcullis_limit_store_calls_total";
    heading(out, CALLS, "counter", "Calls to the store, each about one account or several.");
    line(out, CALLS, "", counts.calls.load(Ordering::Relaxed));
    heading(out, "portcullis_limit_store_waits_total", "counter", "Requests that waited for the store.");
    line(out, "portcullis_limit_store_waits_total", "", counts.waited.load(Ordering::Relaxed));
    heading(out, "portcullis_limit_alone_total", "counter", "Decisions by this gateway's share, without the store.");
    line(out, "portcullis_limit_alone_total", "", peers.alone());
}
