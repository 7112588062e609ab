//! Header fields: what is declared, what everybody knows, and what neither is.

use super::{Collector, Part};
use crate::document::Operation;
use crate::parameter::{Location, Parameter};

/// Fields of HTTP, of browsers and of tracing that no API declares. A contract is about the others.
const KNOWN: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "access-control-request-headers",
    "access-control-request-method",
    "access-control-request-private-network",
    "authorization",
    "baggage",
    "cache-control",
    "connection",
    "content-digest",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-type",
    "cookie",
    "date",
    "dnt",
    "dpop",
    "early-data",
    "expect",
    "forwarded",
    "from",
    "host",
    "idempotency-key",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "max-forwards",
    "origin",
    "pragma",
    "prefer",
    "priority",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "repr-digest",
    "save-data",
    "signature",
    "signature-input",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "want-content-digest",
    "want-repr-digest",
    "warning",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
    "x-requested-with",
];

/// Values of all fields of one name, joined as RFC 9110 section 5.3 says.
pub(super) fn joined(headers: &[(&str, &str)], name: &str, between: &str) -> Option<String> {
    let values: Vec<&str> =
        headers.iter().filter(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, v)| *v).collect();
    (!values.is_empty()).then(|| values.join(between))
}

fn is_known(name: &str) -> bool {
    name.starts_with("sec-") || KNOWN.binary_search(&name).is_ok()
}

// === impl Collector ===

impl Collector<'_> {
    pub(super) fn headers(&mut self, operation: &Operation, headers: &[(&str, &str)]) {
        for parameter in operation.parameters.iter().filter(|one| one.location == Location::Header) {
            self.field(parameter, headers);
        }
        self.cookies(operation, &joined(headers, "cookie", "; ").unwrap_or_default());
        let options = &self.contract.options;
        if options.unknown_headers {
            return;
        }
        for (name, _) in headers {
            let name = name.to_ascii_lowercase();
            let is_declared =
                operation.parameters.iter().any(|one| one.location == Location::Header && *one.name == *name);
            if !is_declared && !is_known(&name) && !options.headers.contains(&name) {
                self.object(400, Part::Header, &name, "unknown", "the contract does not declare it");
            }
        }
    }

    pub(super) fn field(&mut self, parameter: &Parameter, headers: &[(&str, &str)]) {
        self.field_of(parameter, headers, Part::Header, &parameter.name);
    }

    /// A field of the message or of a part of it. One that stands twice is a list, or it is refused.
    pub(super) fn field_of(&mut self, parameter: &Parameter, headers: &[(&str, &str)], part: Part, name: &str) {
        let count = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(&parameter.name)).count();
        if count > 1 && !parameter.plan.array {
            return self.object(400, part, name, "repeated", "it stands more than once");
        }
        let raw = joined(headers, &parameter.name, ",");
        let raw = raw.as_deref().map(|raw| raw.trim_matches([' ', '\t']));
        let single = raw.filter(|_| count == 1).and_then(|raw| parameter.single(raw));
        let value = raw.map(|raw| parameter.alone(raw)).transpose();
        self.judge_either(parameter, (part, name), value, single);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_fields_are_in_order() {
        assert!(super::KNOWN.is_sorted());
        assert!(super::is_known("sec-fetch-mode") && super::is_known("host") && !super::is_known("x-admin"));
    }
}
