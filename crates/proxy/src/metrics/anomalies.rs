//! What was found unusual, in the text format of Prometheus.

use super::text::{heading, line};
use crate::anomalies::Counted;

/// Appends all series of it.
pub(crate) fn anomalies_text(counted: &Counted, out: &mut String) {
    const FOUND: &str = "portcullis_anomaly_findings_total";
    heading(out, FOUND, "counter", "Findings of what is unusual, by kind.");
    for (kind, count) in &counted.found {
        line(out, FOUND, &format!("kind=\"{kind}\""), count);
    }
    const IN_FORCE: &str = "portcullis_anomaly_steps";
    heading(out, IN_FORCE, "gauge", "Callers and addresses about whom something is done, by step.");
    const TREATED: &str = "portcullis_anomaly_requests_total";
    for (step, count) in counted.in_force.iter().skip(1) {
        line(out, IN_FORCE, &format!("step=\"{step}\""), count);
    }
    heading(out, TREATED, "counter", "Requests that met a step, by the step.");
    for (step, count) in counted.treated.iter().skip(1) {
        line(out, TREATED, &format!("step=\"{step}\""), count);
    }
    const DROPPED: &str = "portcullis_anomaly_requests_dropped_total";
    heading(out, DROPPED, "counter", "Requests that nobody looked at, because more ended than could be looked at.");
    line(out, DROPPED, "", counted.dropped);
    const UNWRITTEN: &str = "portcullis_anomaly_findings_unwritten_total";
    heading(out, UNWRITTEN, "counter", "Findings that could not be written to their file.");
    line(out, UNWRITTEN, "", counted.unwritten);
}
