//! Traces: whose is gone on with, which are recorded, and what is told about them. The request's part is a few bytes in
//! its record; everything else happens after its end, and only where a collector is configured.

pub(crate) mod collector;
pub(crate) mod context;
pub(crate) mod export;
pub(crate) mod otlp;
pub(crate) mod spans;

use context::Parent;
use portcullis_config::plan::{Continue, SAMPLE_ALL, TracingPlan};
use portcullis_h1::{Fields, Known};
use portcullis_types::id::Ids;

/// What is decided about a trace at the beginning of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TraceRules {
    continues: Continue,
    /// Whether anything is sent to a collector.
    exports: bool,
    /// A trace that begins here is recorded if the last 56 bits of its id are not below this.
    threshold: u64,
}

/// The trace of a request as this gateway takes part in it. The bytes are lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trace {
    /// What the upstream gets as `traceparent`; its span is the one of the request to the upstream.
    sent: [u8; 55],
    /// The span of the request to us; only where something is sent to a collector.
    server: [u8; 16],
    /// The client's span, of a trace that goes on.
    parent: Option<[u8; 16]>,
    /// Whether the client's `tracestate` is passed on.
    pub(crate) keeps_state: bool,
    /// Whether spans are sent.
    pub(crate) is_recorded: bool,
}

/// The trace is recorded.
const SAMPLED: u8 = 1;
/// The last 56 bits of the trace id are random (Trace Context level 2).
const RANDOM: u8 = 2;
/// What level 2 makes trace ids of.
const RANDOM_BITS: u32 = 56;

// === impl TraceRules ===

impl Default for TraceRules {
    fn default() -> Self {
        Self::new(&TracingPlan::default())
    }
}

impl TraceRules {
    pub(crate) fn new(plan: &TracingPlan) -> Self {
        let left_out = u64::from(SAMPLE_ALL.saturating_sub(plan.sample_millionths));
        let threshold = u128::from(left_out) << RANDOM_BITS;
        let threshold = u64::try_from(threshold / u128::from(SAMPLE_ALL)).unwrap_or(u64::MAX);
        Self { continues: plan.continues, exports: plan.export.is_some(), threshold }
    }

    /// Whether a trace that begins here is recorded. All who look at the id the same way decide the same.
    fn records(&self, trace_id: &[u8]) -> bool {
        let value = |digits: &[u8]| {
            digits
                .iter()
                .fold(0, |value: u64, digit| value << 4 | u64::from(char::from(*digit).to_digit(16).unwrap_or(0)))
        };
        // Fourteen digits are 56 bits.
        value(trace_id.get(18..).unwrap_or_default()) >= self.threshold
    }
}

// === impl Trace ===

impl Default for Trace {
    fn default() -> Self {
        Self { sent: [b'0'; 55], server: [b'0'; 16], parent: None, keeps_state: false, is_recorded: false }
    }
}

impl Trace {
    /// The client's trace with a span of ours as the upstream's parent where its `traceparent` is one valid field and
    /// clients' traces are gone on with; else a new trace (W3C Trace Context, section 4).
    pub(crate) fn begin(fields: Fields<'_>, rules: &TraceRules, ids: &mut Ids) -> Self {
        let mut incoming = fields.all(Known::Traceparent);
        let parent = match (rules.continues, incoming.next(), incoming.next()) {
            (Continue::Always, Some(field), None) => Parent::parse(field),
            (Continue::Always | Continue::Never, _, _) => None,
        };
        let mut trace = Self::default();
        let (trace_id, flags) = match parent {
            Some(parent) => (parent.trace_id, parent.flags & (SAMPLED | RANDOM)),
            None => {
                let trace_id = ids.trace_id();
                // Without a collector of ours it is left to those behind us, who are told that nobody said no.
                let sampled = !rules.exports || rules.records(&trace_id);
                (trace_id, RANDOM | u8::from(sampled))
            }
        };
        trace.keeps_state = parent.is_some() && context::is_state(fields);
        trace.parent = parent.map(|parent| parent.span_id);
        trace.is_recorded = rules.exports && flags & SAMPLED != 0;
        if rules.exports {
            trace.server = ids.hex();
        }
        context::write(&trace_id, &ids.hex(), flags, &mut trace.sent);
        trace
    }

    /// The `traceparent` that the upstream gets.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.sent
    }

    pub(crate) fn trace_id(&self) -> &[u8] {
        self.sent.get(3..35).unwrap_or_default()
    }

    /// The span of the request to us.
    pub(crate) fn server_span(&self) -> &[u8] {
        &self.server
    }

    /// The span of the request to the upstream.
    pub(crate) fn client_span(&self) -> &[u8] {
        self.sent.get(36..52).unwrap_or_default()
    }

    pub(crate) fn parent(&self) -> Option<&[u8]> {
        self.parent.as_ref().map(<[u8; 16]>::as_slice)
    }

    /// The flags as a number.
    pub(crate) fn flags(&self) -> u8 {
        // Only the lowest two bits are ever set.
        self.sent.get(54).map_or(0, |digit| digit & 3)
    }
}

#[cfg(test)]
mod tests {
    use super::TraceRules;
    use portcullis_config::plan::{SAMPLE_ALL, TracingPlan};
    use portcullis_types::id::Ids;

    #[test]
    fn as_many_traces_are_recorded_as_asked_for() {
        let mut ids = Ids::new([7, 11]);
        let ids: Vec<_> = (0..20_000).map(|_| ids.trace_id()).collect();
        for (millionths, least, most) in [
            (0, 0, 0),
            (10_000, 150, 250),
            (100_000, 1_850, 2_150),
            (500_000, 9_700, 10_300),
            (SAMPLE_ALL, 20_000, 20_000),
        ] {
            let rules = TraceRules::new(&TracingPlan { sample_millionths: millionths, ..TracingPlan::default() });
            let count = ids.iter().filter(|id| rules.records(&id[..])).count();
            assert!((least..=most).contains(&count), "{millionths} millionths: {count}");
        }
        // Who records a tenth records nothing that who records a half would not.
        let rules = |sample_millionths| TraceRules::new(&TracingPlan { sample_millionths, ..TracingPlan::default() });
        let (tenth, half) = (rules(100_000), rules(500_000));
        assert!(ids.iter().all(|id| !tenth.records(&id[..]) || half.records(&id[..])));
    }
}
