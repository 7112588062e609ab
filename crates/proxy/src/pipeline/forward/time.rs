//! How much time a call has: the route's, or for one that may go on, what it asks for and streams are given.

use super::Routed;
use crate::carry::channel::Channel;
use crate::problem::is_grpc;
use portcullis_config::plan::{ListenerLimits, StreamsPlan};
use portcullis_h1::Known;
use std::time::Duration;

/// The times of one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// From its head to the head of its answer, or for gRPC, to its end.
    pub(super) within: Duration,
    /// Whether the client asked for just that.
    pub(super) is_stated: bool,
    /// How long the client may send nothing within its body.
    pub(super) patience: Duration,
    /// From the end of the request to the first byte of the answer, where it is not the upstream's.
    pub(super) first_byte: Option<Duration>,
}

// === impl Call ===

impl Call {
    pub(super) fn of(routed: &Routed<'_>, streams: &StreamsPlan, limits: &ListenerLimits) -> Self {
        let fields = routed.request.head.fields();
        // Every call of gRPC is a POST.
        if routed.request.head.method() != b"POST" || !is_grpc(fields) {
            let (within, patience) = (routed.route().timeout, limits.body_idle_timeout);
            return Self { within, is_stated: false, patience, first_byte: None };
        }
        // Nobody can tell from its head whether a call streams; its own deadline is the one that it asked for.
        let stated = fields.first(Known::GrpcTimeout).and_then(grpc_timeout);
        let within = stated.map_or(streams.lifetime, |stated| stated.min(streams.lifetime));
        let is_stated = stated.is_some();
        Self { within, is_stated, patience: streams.idle_timeout, first_byte: Some(within) }
    }

    /// How long the client is waited for while its request leaves.
    pub(super) fn be_patient(&self, client: &mut Channel) {
        if self.first_byte.is_some() {
            // What streams may pause as long as it likes within its patience.
            client.set_pace(None);
        }
        client.set_patience(Some(self.patience));
    }
}

/// `grpc-timeout`: up to eight digits and a unit (gRPC over HTTP/2, "Requests").
fn grpc_timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(match unit {
        b'H' => Duration::from_secs(number * 3600),
        b'M' => Duration::from_secs(number * 60),
        b'S' => Duration::from_secs(number),
        b'm' => Duration::from_millis(number),
        b'u' => Duration::from_micros(number),
        b'n' => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::grpc_timeout;
    use std::time::Duration;

    #[test]
    fn deadlines_of_grpc() {
        for (text, expected) in [
            ("1S", Some(Duration::from_secs(1))),
            ("250m", Some(Duration::from_millis(250))),
            ("2H", Some(Duration::from_secs(7200))),
            ("3M", Some(Duration::from_secs(180))),
            ("99999999u", Some(Duration::from_micros(99_999_999))),
            ("5n", Some(Duration::from_nanos(5))),
            ("", None),
            ("S", None),
            ("1", None),
            ("+1S", None),
            ("-1S", None),
            ("1s", None),
            ("123456789S", None),
        ] {
            assert_eq!(grpc_timeout(text.as_bytes()), expected, "{text}");
        }
    }
}
