//! The small part of OTLP's JSON encoding that is used here (opentelemetry-proto, "JSON Protobuf Encoding"): ids are
//! hexadecimal, enumerations are numbers, 64-bit integers are strings, names are lowerCamelCase.

use crate::record::object::{Object, string};
use portcullis_h1::write::decimal;

/// What is sent in requests of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Spans,
    Logs,
}

/// `SpanKind` of the schema.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Server = 2,
    Client = 3,
}

/// `SeverityNumber` of the schema.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Severity {
    Info = 9,
    Warn = 13,
    Error = 17,
}

/// A list of `KeyValue`.
#[derive(Debug)]
pub(crate) struct Attributes<'a> {
    out: &'a mut Vec<u8>,
    any: bool,
}

// === impl Signal ===

impl Signal {
    pub(crate) const ALL: [Self; 2] = [Self::Spans, Self::Logs];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Spans => "spans",
            Self::Logs => "logs",
        }
    }

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Spans => "/v1/traces",
            Self::Logs => "/v1/logs",
        }
    }

    /// The members around the items: resource, scope, items.
    const fn around(self) -> [&'static str; 3] {
        match self {
            Self::Spans => ["resourceSpans", "scopeSpans", "spans"],
            Self::Logs => ["resourceLogs", "scopeLogs", "logRecords"],
        }
    }
}

// === impl Severity ===

impl Severity {
    const fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }

    pub(crate) fn write(self, object: &mut Object<'_>) {
        object.number("severityNumber", self as u64);
        object.text("severityText", self.name().as_bytes());
    }
}

// === impl Attributes ===

impl Attributes<'_> {
    /// Writes the member `attributes` of an object.
    pub(crate) fn write(object: &mut Object<'_>, write: impl FnOnce(&mut Attributes<'_>)) {
        object.raw("attributes", |out| {
            out.push(b'[');
            write(&mut Attributes { out, any: false });
            out.push(b']');
        });
    }

    pub(crate) fn text(&mut self, key: &'static str, value: &[u8]) {
        self.key(key);
        self.out.extend_from_slice(b"\"stringValue\":");
        string(value, self.out);
        self.out.extend_from_slice(b"}}");
    }

    pub(crate) fn number(&mut self, key: &'static str, value: u64) {
        self.key(key);
        self.out.extend_from_slice(b"\"intValue\":\"");
        decimal(value, self.out);
        self.out.extend_from_slice(b"\"}}");
    }

    fn key(&mut self, key: &'static str) {
        self.out.extend_from_slice(if self.any { b",{\"key\":\"" } else { b"{\"key\":\"" });
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\",\"value\":{");
        self.any = true;
    }
}

/// A whole request around items that are separated by commas.
pub(crate) fn request(signal: Signal, service_name: &str, items: &[u8], out: &mut Vec<u8>) {
    let [resource, scope, list] = signal.around();
    out.clear();
    out.extend_from_slice(format!("{{\"{resource}\":[{{\"resource\":").as_bytes());
    let mut object = Object::open(out);
    Attributes::write(&mut object, |attributes| {
        attributes.text("service.name", service_name.as_bytes());
        attributes.text("service.version", env!("CARGO_PKG_VERSION").as_bytes());
    });
    object.close();
    let version = env!("CARGO_PKG_VERSION");
    let between =
        format!(",\"{scope}\":[{{\"scope\":{{\"name\":\"portcullis\",\"version\":\"{version}\"}},\"{list}\":[");
    out.extend_from_slice(between.as_bytes());
    out.extend_from_slice(items);
    out.extend_from_slice(b"]}]}]}");
}

/// How many items an accepted request says were not taken after all (`ExportPartialSuccess`).
pub(crate) fn rejected(signal: Signal, answer: &[u8]) -> u64 {
    let member = match signal {
        Signal::Spans => "\"rejectedSpans\"",
        Signal::Logs => "\"rejectedLogRecords\"",
    };
    let text = String::from_utf8_lossy(answer);
    let Some((_, rest)) = text.split_once(member) else { return 0 };
    let digits = rest.trim_start_matches([' ', '\t', '\r', '\n', ':', '"']);
    let end = digits.find(|character: char| !character.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Signal, rejected};

    #[test]
    fn what_a_collector_rejects_is_read() {
        for (answer, expected) in [
            ("{}", 0),
            ("", 0),
            (r#"{"partialSuccess":{}}"#, 0),
            (r#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"x"}}"#, 3),
            (r#"{ "partialSuccess" : { "rejectedSpans" : 12 } }"#, 12),
            (r#"{"partialSuccess":{"rejectedSpans":"-1"}}"#, 0),
            (r#"{"partialSuccess":{"rejectedLogRecords":"3"}}"#, 0),
        ] {
            assert_eq!(rejected(Signal::Spans, answer.as_bytes()), expected, "{answer}");
        }
        assert_eq!(rejected(Signal::Logs, br#"{"partialSuccess":{"rejectedLogRecords":"3"}}"#), 3);
    }
}
