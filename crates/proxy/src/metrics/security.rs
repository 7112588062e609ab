//! What became of security records, in the text format of Prometheus.

use super::text::{heading, line};
use crate::gateway::SecurityRecord;

/// Appends all series of it.
pub(crate) fn security_text(record: &SecurityRecord, out: &mut String) {
    const EVENTS: &str = "portcullis_security_events_total";
    heading(out, EVENTS, "counter", "What was to be entered into the security record, by event.");
    for (event, count) in record.shared.counts() {
        line(out, EVENTS, &format!("event=\"{event}\""), count);
    }
    const RECORDS: &str = "portcullis_security_records_total";
    heading(
        out,
        RECORDS,
        "counter",
        "Security records by what became of them; `written` of those for a collector are those that it has read.",
    );
    for (result, count) in record.tally.results() {
        line(out, RECORDS, &format!("result=\"{result}\""), count);
    }
    if let Some((bytes, most)) = record.fill() {
        const FILL: &str = "portcullis_security_buffer_bytes";
        heading(out, FILL, "gauge", "Security records on disk that wait for their collector, in bytes.");
        line(out, FILL, "", bytes);
        const MOST: &str = "portcullis_security_buffer_bytes_max";
        heading(out, MOST, "gauge", "How many bytes of security records may wait.");
        line(out, MOST, "", most);
    }
}
