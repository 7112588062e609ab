//! The state of a gateway for people.

use crate::output::{Table, bad, good};
use portcullis_types::civil::Moment;
use serde_json::Value;

/// All of it, most important first.
pub(super) fn status(status: &Value) -> String {
    let text = |name: &str| plain(status.get(name));
    let phase = text("phase");
    let phase = if text("ready") == "true" { good(&phase) } else { bad(&phase) };
    let reloads = status.get("reloads").cloned().unwrap_or_default();
    let of_reloads = |name: &str| plain(reloads.get(name));
    let mut out = format!(
        "{}  portcullis {}, process {}, up {}\n\n",
        phase,
        text("version"),
        text("pid"),
        span(status.get("uptime_s").and_then(Value::as_i64).unwrap_or(0)),
    );
    out.push_str(&format!("configuration  {}, since {}\n", text("config_hash"), moment(reloads.get("last"))));
    out.push_str(&format!("reloads        {} done, {} failed\n", of_reloads("done"), of_reloads("failed")));
    if let Some(error) = reloads.get("last_error").and_then(Value::as_str) {
        out.push_str(&format!("               {} {error}\n", bad("the last one failed:")));
    }
    out.push_str(&format!("workers        {}\nconnections    {}\n\n", text("workers"), text("connections")));
    let mut listeners = Table::new(["LISTENER", "ADDRESS", "SCHEME", "CONNECTIONS"]);
    for listener in list(status, "listeners") {
        listeners.row(["name", "address", "scheme", "connections"].map(|name| plain(listener.get(name))));
    }
    out.push_str(&listeners.text());
    if !list(status, "certificates").is_empty() {
        let mut certificates = Table::new(["CERTIFICATE", "LISTENER", "EXPIRES"]);
        for certificate in list(status, "certificates") {
            let name = |name: &str| plain(certificate.get(name));
            certificates.row([name("name"), name("listener"), moment(certificate.get("expires"))]);
        }
        out.push_str(&format!("\n{}", certificates.text()));
    }
    let mut upstreams = Table::new(["UPSTREAM", "TARGET", "STATE", "ACTIVE", "KEPT", "LAST FAILURE"]);
    for upstream in list(status, "upstreams") {
        for target in list(upstream, "targets") {
            let of = |name: &str| plain(target.get(name));
            let state = if of("state") == "healthy" { good(&of("state")) } else { bad(&of("state")) };
            let failure = target.get("last_failure").and_then(Value::as_str).unwrap_or("none").to_owned();
            let name = plain(upstream.get("name"));
            upstreams.row([name, of("address"), state, of("active"), of("kept"), failure]);
        }
    }
    out.push_str(&format!("\n{}", upstreams.text()));
    out
}

pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "unknown".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => other.to_string(),
    }
}

/// `3d 4h`, `5m 6s`: two units are enough.
fn span(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m {}s", seconds % 60),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, hours, _) => format!("{days}d {hours}h"),
    }
}

/// A moment in UTC, from seconds since 1970.
pub(super) fn moment(value: Option<&Value>) -> String {
    let Some(seconds) = value.and_then(Value::as_i64) else { return "unknown".to_owned() };
    format!("{} UTC", Moment::of_unix(seconds).rfc3339().replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::{moment, span};
    use serde_json::json;

    #[test]
    fn moments_and_spans_are_for_people() {
        for (seconds, expect) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_825_600, "2000-02-29 12:00:00 UTC"),
            (1_924_992_000, "2031-01-01 00:00:00 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(moment(Some(&json!(seconds))), expect);
        }
        assert_eq!(moment(Some(&json!(null))), "unknown");
        for (seconds, expect) in [(7, "7s"), (67, "1m 7s"), (7_260, "2h 1m"), (90_000, "1d 1h")] {
            assert_eq!(span(seconds), expect);
        }
    }
}
