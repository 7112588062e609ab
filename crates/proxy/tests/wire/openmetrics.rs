//! Metrics as OpenMetrics: every line by its grammar, exemplars where traces were recorded and nowhere else, the plain form as it was.

use crate::collector::{FakeCollector, telling};
use portcullis_testkit::gateway::Gatehouse;
use portcullis_testkit::{Client, FakeUpstream};
use std::collections::HashSet;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Asks within this trace, which was sampled or not.
fn ask(gate: &Gatehouse, trace: &str, flags: &str) {
    let answer = Client::connect(gate.address()).ask(format!(
        "GET /a HTTP/1.1\r\nHost: a\r\ntraceparent: 00-{trace}-b7ad6b7169203331-{flags}\r\nConnection: close\r\n\r\n"
    ));
    assert_eq!(answer.status, 200);
}

/// Labels between braces by the grammar: names, values in quotes with three escapes, no name twice. Names with values as they are written.
fn labels(text: &str) -> Vec<(&str, &str)> {
    let mut rest = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or_else(|| panic!("{text}"));
    let mut found: Vec<(&str, &str)> = Vec::new();
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{text}"));
        let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        assert!(is_name(name) && !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit()), "{text}");
        assert!(found.iter().all(|(have, _)| *have != name), "{text}");
        let mut escaped = false;
        let end = after.bytes().position(|byte| {
            assert!(!escaped || matches!(byte, b'\\' | b'"' | b'n'), "{text}");
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        let (value, after) = after.split_at(end.unwrap_or_else(|| panic!("{text}")));
        found.push((name, value));
        rest = after
            .strip_prefix("\",")
            .or(after.strip_prefix('"').filter(|after| after.is_empty()))
            .unwrap_or_else(|| panic!("{text}"));
    }
    found
}

/// The series of a line and what stands behind it: a quote may hold anything.
fn series(line: &str) -> (&str, &str) {
    let mut quoted = (false, false);
    let end = line.bytes().position(|byte| {
        quoted = match (byte, quoted) {
            (_, (true, true)) => (true, false),
            (b'\\', (true, false)) => (true, true),
            (b'"', (inside, false)) => (!inside, false),
            (_, same) => same,
        };
        byte == b' ' && !quoted.0
    });
    let (series, rest) = line.split_at(end.unwrap_or_else(|| panic!("{line}")));
    (series, &rest[1..])
}

/// What OpenMetrics 1.0 asks of a text: families that stand together and once, names by their kind, series that stand once, labels, values,
/// buckets that grow up to the count, exemplars in buckets alone and within their limit, one end. Exemplars by series, with the bound of their
/// bucket.
fn exemplars(text: &str) -> Vec<(String, String, f64)> {
    let body = text.strip_suffix("# EOF\n").expect("an end");
    let (mut families, mut all, mut found): (HashSet<&str>, HashSet<&str>, _) =
        (HashSet::new(), HashSet::new(), Vec::new());
    let (mut family, mut kind) = ("", "");
    let (mut before, mut below) = (f64::NEG_INFINITY, 0.0);
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            (family, kind) = (rest.split(' ').next().unwrap(), "");
            assert!(families.insert(family), "{family} stands twice");
            assert!(!rest.replace("\\\"", "").contains('"'), "{line}");
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, found) = rest.split_once(' ').unwrap();
            assert_eq!((name, kind), (family, ""), "{line}");
            kind = found;
            assert!(kind != "counter" || !name.ends_with("_total"), "{line}");
            continue;
        }
        assert!(!line.starts_with('#') && !line.is_empty(), "{line:?}");
        let (series, rest) = series(line);
        let (value, exemplar) =
            rest.split_once(" # ").map_or((rest, None), |(value, exemplar)| (value, Some(exemplar)));
        assert!(all.insert(series), "{series} stands twice");
        let name = series.split('{').next().unwrap();
        if name.len() < series.len() {
            labels(&series[name.len()..]);
        }
        let suffix = name.strip_prefix(family).unwrap_or_else(|| panic!("{line} among {family}"));
        let allowed: &[&str] = match kind {
            "counter" => &["_total"],
            "gauge" | "unknown" => &[""],
            "histogram" => &["_bucket", "_sum", "_count"],
            other => panic!("{other}"),
        };
        assert!(allowed.contains(&suffix), "{line} is no {kind}");
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
        assert!(value >= 0.0 && value.is_finite(), "{line}");
        if suffix != "_bucket" {
            if suffix == "_count" {
                assert!((value - below).abs() < 0.5, "{line}: {below} in buckets");
                assert!(before.is_infinite() && before > 0.0, "{line}: no last bucket");
                (before, below) = (f64::NEG_INFINITY, 0.0);
            }
            assert_eq!(exemplar, None, "{line}");
            continue;
        }
        let bound = series.strip_suffix("\"}").and_then(|series| series.rsplit_once("le=\"")).expect("a bound").1;
        assert!(bound == "+Inf" || bound.contains(['.', 'e']), "{line}");
        let number: f64 = bound.parse().unwrap();
        assert!(number > before && value >= below, "{line}");
        if let Some(exemplar) = exemplar {
            let (written, rest) = exemplar.split_once("} ").expect("labels");
            let written = format!("{written}}}");
            let own = labels(&written);
            // The limit: 128 characters of names and values together.
            assert!(
                own.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum::<usize>() <= 128,
                "{line}"
            );
            let (value, at) = rest.split_once(' ').expect("a moment");
            let (value, at): (f64, f64) = (value.parse().unwrap(), at.parse().unwrap());
            assert!(value > before.max(0.0) && value <= number && at > 1.7e9, "{line}");
            let [("trace_id", trace)] = own.as_slice() else { panic!("{line}") };
            assert!(trace.len() == 32 && trace.bytes().all(|byte| byte.is_ascii_hexdigit()), "{line}");
            found.push((series.to_owned(), (*trace).to_owned(), number));
        }
        (before, below) = (number, value);
    }
    assert!(families.len() > 40, "{}", families.len());
    found
}

#[test]
fn requests_whose_trace_is_recorded_are_exemplars() {
    let (upstream, collector) = (FakeUpstream::echoing(), FakeCollector::healthy());
    let gate = Gatehouse::with(upstream.address(), telling(collector.server.address()));
    assert_eq!(exemplars(&gate.handle().openmetrics()), []);
    ask(&gate, &TRACE.replace('0', "1"), "00");
    ask(&gate, TRACE, "01");
    gate.wait_metric("portcullis_requests_total{api=\"api\",route=\"/{*rest}\",version=\"\",method=\"GET\",status=\"200\",outcome=\"served\"}", 2.0);
    let text = gate.handle().openmetrics();
    let found = exemplars(&text);
    assert_eq!(found.len(), 3, "each part of the time in its bucket: {found:?}");
    for part in ["total", "gateway", "upstream"] {
        let of_part = found.iter().find(|(series, ..)| series.contains(&format!("part=\"{part}\"")));
        let (series, trace, _) = of_part.unwrap_or_else(|| panic!("{part}: {found:?}"));
        assert!(series.contains("api=\"api\",route=\"/{*rest}\"") && trace == TRACE, "{found:?}");
    }
    // A name that two families would share.
    assert!(
        text.contains("# TYPE portcullis_connections gauge\n")
            && text.contains("# TYPE portcullis_connections_total unknown\n")
    );
    let plain = gate.handle().metrics();
    assert!(
        !plain.contains(TRACE)
            && !plain.contains("# EOF")
            && plain.contains("# TYPE portcullis_requests_total counter\n")
    );
}

#[test]
fn without_a_collector_there_are_none() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    ask(&gate, TRACE, "01");
    gate.wait_metric("portcullis_connections_total", 1.0);
    assert_eq!(exemplars(&gate.handle().openmetrics()), []);
}
