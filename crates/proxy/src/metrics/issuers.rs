//! What is known of issuers whose keys are fetched, and of callers of versions, in the text format of Prometheus.

use super::text::{escaped, heading, line};
use std::sync::Arc;

/// Appends the series of all issuers: name, milliseconds since the last good fetch, keys, failed fetches.
pub(crate) fn issuers_text(issuers: &[(Arc<str>, Option<u64>, usize, u64)], out: &mut String) {
    const KEYS: &str = "portcullis_issuer_keys";
    heading(out, KEYS, "gauge", "Keys of an issuer that are fetched from its server.");
    for (name, _, keys, _) in issuers {
        line(out, KEYS, &format!("issuer=\"{}\"", escaped(name)), keys);
    }
    const AGE: &str = "portcullis_issuer_keys_age_seconds";
    heading(out, AGE, "gauge", "Time since an issuer's keys were fetched; missing before the first time.");
    for (name, age, _, _) in issuers {
        if let Some(age) = age {
            line(out, AGE, &format!("issuer=\"{}\"", escaped(name)), age / 1000);
        }
    }
    const FAILURES: &str = "portcullis_issuer_fetch_failures_total";
    heading(out, FAILURES, "counter", "Fetches of an issuer's keys that failed.");
    for (name, _, _, failures) in issuers {
        line(out, FAILURES, &format!("issuer=\"{}\"", escaped(name)), failures);
    }
}

/// Appends what came of questions about tokens, by issuer: active, inactive, failed.
pub(crate) fn introspections_text(issuers: &[(Arc<str>, [u64; 3])], out: &mut String) {
    const ASKED: &str = "portcullis_introspections_total";
    heading(
        out,
        ASKED,
        "counter",
        "Questions to an issuer about tokens, by what it answered; `failed` is no usable answer.",
    );
    for (name, counts) in issuers {
        for (answer, count) in ["active", "inactive", "failed"].into_iter().zip(counts) {
            line(out, ASKED, &format!("issuer=\"{}\",answer=\"{answer}\"", escaped(name)), count);
        }
    }
}

/// Appends how many callers each version had lately, by API and version.
pub(crate) fn version_callers_text(versions: &[(String, String, u64)], out: &mut String) {
    const CALLERS: &str = "portcullis_version_callers";
    heading(
        out,
        CALLERS,
        "gauge",
        "Callers of a version in the last thirty days, as the store knows them; counted once a minute.",
    );
    for (api, version, count) in versions {
        line(out, CALLERS, &format!("api=\"{}\",version=\"{}\"", escaped(api), escaped(version)), count);
    }
}
