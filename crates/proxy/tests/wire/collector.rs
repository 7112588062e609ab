//! A collector that keeps what it is sent, and what OTLP's JSON encoding asks of it.

use portcullis_config::plan::{ExportPlan, Plan, TracingPlan};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway;
use portcullis_testkit::{FakeUpstream, Talk};
use portcullis_types::Secret;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// A collector that keeps what it is sent and gives these answers in turn, the last one for ever.
pub(crate) struct FakeCollector {
    pub(crate) server: FakeUpstream,
    pub(crate) heard: Arc<Mutex<Vec<(String, Value)>>>,
}

impl FakeCollector {
    pub(crate) fn answering(answers: &[&str]) -> Self {
        Self::start(answers, FakeUpstream::with)
    }

    pub(crate) fn start<S: FnOnce(Box<dyn Fn(&mut Talk) + Send + Sync>) -> FakeUpstream>(
        answers: &[&str],
        serve: S,
    ) -> Self {
        let heard: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
        let kept = Arc::clone(&heard);
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let server = serve(Box::new(move |talk| {
            while let Some(request) = talk.request() {
                assert_eq!(request.field("content-type").as_deref(), Some("application/json"));
                let body = serde_json::from_slice(&request.body).expect("JSON");
                let answer = {
                    let mut kept = kept.lock().unwrap();
                    kept.push((request.target(), body));
                    answers[(kept.len() - 1).min(answers.len() - 1)].clone()
                };
                if !talk.send(answer) {
                    return;
                }
            }
        }));
        Self { server, heard }
    }

    pub(crate) fn healthy() -> Self {
        Self::answering(&["HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"])
    }

    fn items(&self, path: &str, around: [&str; 3]) -> Vec<Value> {
        let heard = self.heard.lock().unwrap();
        let mut items = Vec::new();
        for (_, body) in heard.iter().filter(|(target, _)| target == path) {
            let resources = body[around[0]].as_array().expect("resources");
            for scope in resources.iter().flat_map(|resource| resource[around[1]].as_array().expect("scopes")) {
                items.extend(scope[around[2]].as_array().expect("items").iter().cloned());
            }
        }
        items
    }

    pub(crate) fn spans(&self, count: usize) -> Vec<Value> {
        eventually("spans", || {
            let spans = self.items("/v1/traces", ["resourceSpans", "scopeSpans", "spans"]);
            (spans.len() >= count).then_some(spans)
        })
    }

    pub(crate) fn logs(&self, count: usize) -> Vec<Value> {
        eventually("logs", || {
            let logs = self.items("/v1/logs", ["resourceLogs", "scopeLogs", "logRecords"]);
            (logs.len() >= count).then_some(logs)
        })
    }
}

pub(crate) fn export(collector: SocketAddr) -> ExportPlan {
    ExportPlan {
        collector: gateway::target(collector),
        headers: vec![("x-tenant".to_owned(), Secret::new("s3cr3t-tenant".to_owned()))],
        tls: None,
        service_name: "gate".to_owned(),
        logs: true,
        queue: 1000,
    }
}

pub(crate) fn telling(collector: SocketAddr) -> impl FnOnce(&mut Plan) {
    move |plan| plan.tracing = TracingPlan { export: Some(export(collector)), ..TracingPlan::default() }
}

pub(crate) fn attribute<'a>(item: &'a Value, key: &str) -> Option<&'a str> {
    let list = item["attributes"].as_array().expect("attributes");
    let found = list.iter().find(|attribute| attribute["key"] == key)?;
    found["value"]["stringValue"].as_str().or_else(|| found["value"]["intValue"].as_str())
}

pub(crate) fn of_kind(spans: &[Value], kind: u64) -> Vec<Value> {
    spans.iter().filter(|span| span["kind"] == kind).cloned().collect()
}

/// What OTLP's JSON encoding asks of every item (opentelemetry-proto, "JSON Protobuf Encoding").
pub(crate) fn encoded_well(item: &Value, longs: &[&str]) {
    let hex = |name: &str, digits: usize| {
        let id = item[name].as_str().unwrap_or_else(|| panic!("{name} in {item}"));
        assert!(id.len() == digits && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{name}: {id}");
        assert!(id.bytes().any(|byte| byte != b'0'), "{name} is all zeros");
    };
    hex("traceId", 32);
    hex("spanId", 16);
    if item.get("parentSpanId").is_some() {
        hex("parentSpanId", 16);
    }
    for name in longs {
        let text = item[*name].as_str().unwrap_or_else(|| panic!("{name} is a string in {item}"));
        assert!(text.parse::<u64>().is_ok_and(|value| value > 1_700_000_000_000_000_000), "{name}: {text}");
    }
    let known = [
        "traceId",
        "spanId",
        "parentSpanId",
        "flags",
        "name",
        "kind",
        "startTimeUnixNano",
        "endTimeUnixNano",
        "attributes",
        "status",
        "timeUnixNano",
        "observedTimeUnixNano",
        "severityNumber",
        "severityText",
        "eventName",
        "body",
    ];
    for member in item.as_object().expect("an object").keys() {
        assert!(known.contains(&member.as_str()), "{member} is no field of the schema");
    }
    let mut keys = Vec::new();
    for attribute in item["attributes"].as_array().expect("a list") {
        let value = attribute["value"].as_object().expect("an AnyValue");
        assert_eq!((attribute.as_object().unwrap().len(), value.len()), (2, 1), "{attribute}");
        match value.iter().next().unwrap() {
            (kind, Value::String(_)) if kind == "stringValue" => {}
            (kind, Value::String(text)) if kind == "intValue" => assert!(text.parse::<i64>().is_ok(), "{attribute}"),
            _ => panic!("{attribute}"),
        }
        let key = attribute["key"].as_str().expect("a key");
        assert!(!keys.contains(&key), "{key} stands twice");
        keys.push(key);
    }
}
