//! What was told to whom, and how old what the gateway knows is, in the text format of Prometheus.

use super::text::{heading, line};
use crate::alerts::Counts;
use crate::identity::Identity;

/// Appends all series of alerts.
pub(crate) fn alerts_text(counts: &Counts, out: &mut String) {
    const TOLD: &str = "portcullis_alerts_total";
    heading(out, TOLD, "counter", "Alerts that were raised, by kind; each once within `alerts.again`.");
    for (kind, count) in counts.told() {
        line(out, TOLD, &format!("kind=\"{kind}\""), count);
    }
    const MESSAGES: &str = "portcullis_alert_messages_total";
    heading(out, MESSAGES, "counter", "Messages with alerts, by where they went and whether they arrived.");
    for (to, result, count) in counts.messages() {
        line(out, MESSAGES, &format!("to=\"{to}\",result=\"{result}\""), count);
    }
}

/// Appends what of the gateway can be away without anything being wrong with a request.
pub(crate) fn state_text(identity: &Identity, workers: usize, out: &mut String) {
    const WORKERS: &str = "portcullis_workers";
    heading(out, WORKERS, "gauge", "Threads that carry requests and run.");
    line(out, WORKERS, "", workers);
    const AGE: &str = "portcullis_store_age_seconds";
    heading(
        out,
        AGE,
        "gauge",
        "Time since the store of keys and revocations was read; from 10 on none of it is believed.",
    );
    if let Some(age) = identity.store_age() {
        line(out, AGE, "", age / 1000);
    }
}
