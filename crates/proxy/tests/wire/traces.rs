//! Traces: whose goes on, what a collector is told, that it is told nothing secret, and that no collector can hold up or
//! break anything.

use crate::check::GOOD;
use crate::collector::{FakeCollector, attribute, encoded_well, export, of_kind, telling};
use crate::http2::peer::Peer;
use portcullis_config::plan::{Continue, ExportPlan, TracingPlan, UpstreamTlsPlan};
use portcullis_testkit::certificates::{self, Authority};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::Gatehouse;
use portcullis_testkit::{Client, FakeUpstream, Talk};
use std::time::{Duration, Instant};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

#[test]
fn a_request_is_two_spans_and_the_upstream_sees_the_inner_one() {
    let (upstream, collector) = (FakeUpstream::echoing(), FakeCollector::healthy());
    let gate = Gatehouse::with(upstream.address(), telling(collector.server.address()));
    let answer = Client::connect(gate.address()).ask(format!(
        "GET /a/b?token=s3cr3t HTTP/1.1\r\nHost: API.test\r\ntraceparent: 00-{TRACE}-{PARENT}-01\r\n\
         tracestate: a=1, b=2\r\nAuthorization: Bearer s3cr3t\r\nCookie: s3cr3t\r\nUser-Agent: s3cr3t\r\n\r\n"
    ));
    let spans = collector.spans(2);
    let (server, client) = (&of_kind(&spans, 2)[0], &of_kind(&spans, 3)[0]);
    for span in [server, client] {
        encoded_well(span, &["startTimeUnixNano", "endTimeUnixNano"]);
        assert_eq!(span["traceId"], TRACE);
        assert!(span.get("status").is_none(), "unset: {span}");
        assert!(span["startTimeUnixNano"].as_str() <= span["endTimeUnixNano"].as_str());
    }
    assert_eq!((server["parentSpanId"].as_str(), &client["parentSpanId"]), (Some(PARENT), &server["spanId"]));
    assert_ne!(server["spanId"], client["spanId"]);
    let inner = client["spanId"].as_str().unwrap();
    assert!(answer.text().contains(&format!("traceparent: 00-{TRACE}-{inner}-01\r\n")), "{}", answer.text());
    assert!(answer.text().contains("tracestate: a=1,b=2\r\n"), "{}", answer.text());
    assert!(client["startTimeUnixNano"].as_str() >= server["startTimeUnixNano"].as_str(), "within its parent");
    assert!(client["endTimeUnixNano"].as_str() <= server["endTimeUnixNano"].as_str(), "within its parent");
    assert_eq!((server["name"].as_str(), client["name"].as_str()), (Some("GET /{*rest}"), Some("GET")));
    assert_eq!((server["flags"].as_u64(), client["flags"].as_u64()), (Some(0x301), Some(0x101)));
    for (key, value) in [
        ("http.request.method", "GET"),
        ("url.path", "/a/b"),
        ("url.scheme", "http"),
        ("http.route", "/{*rest}"),
        ("server.address", "api.test"),
        ("client.address", "127.0.0.1"),
        ("http.response.status_code", "200"),
        ("network.protocol.version", "1.1"),
        ("portcullis.api", "api"),
        ("portcullis.outcome", "served"),
        ("portcullis.request_id", answer.field("x-request-id").unwrap()),
    ] {
        assert_eq!(attribute(server, key), Some(value), "{key} in {server}");
    }
    assert_eq!(attribute(client, "server.port"), Some(upstream.address().port().to_string().as_str()));
    assert_eq!(attribute(client, "http.response.status_code"), Some("200"));
    let log = &collector.logs(1)[0];
    encoded_well(log, &["timeUnixNano", "observedTimeUnixNano"]);
    assert_eq!((&log["traceId"], &log["spanId"]), (&server["traceId"], &server["spanId"]));
    assert_eq!(
        (log["severityNumber"].as_u64(), log["body"]["stringValue"].as_str()),
        (Some(9), Some("GET 200 served"))
    );
    let heard = collector.heard.lock().unwrap();
    let resource = &heard[0].1.as_object().unwrap().values().next().unwrap()[0]["resource"];
    assert_eq!(attribute(resource, "service.name"), Some("gate"));
    assert!(!format!("{heard:?}").contains("3cr3t"), "nothing secret leaves: {heard:?}");
    assert!(collector.server.text().contains("x-tenant: s3cr3t-tenant\r\n"), "the collector's own header does");
    assert!(!gate.records().text().contains("s3cr3t"));
}

#[test]
fn failures_are_told_as_such() {
    let (upstream, collector) = (FakeUpstream::nobody(), FakeCollector::healthy());
    let gate = Gatehouse::with(upstream, telling(collector.server.address()));
    let ask = |request: &str| Client::connect(gate.address()).ask(request).status;
    assert_eq!(ask(GOOD), 502);
    assert_eq!(ask("BREW /%2f HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    let spans = collector.spans(3);
    let (servers, client) = (of_kind(&spans, 2), &of_kind(&spans, 3)[0]);
    let failed = servers.iter().find(|span| attribute(span, "http.response.status_code") == Some("502")).unwrap();
    let refused = servers.iter().find(|span| attribute(span, "http.response.status_code") == Some("400")).unwrap();
    assert_eq!((failed["status"]["code"].as_u64(), client["status"]["code"].as_u64()), (Some(2), Some(2)));
    assert_eq!(attribute(failed, "error.type"), attribute(client, "error.type"));
    assert_eq!(attribute(failed, "portcullis.stage"), Some("forward"));
    assert!(attribute(client, "http.response.status_code").is_none(), "there was no answer");
    assert!(refused.get("status").is_none(), "a client's mistake is no failure of ours");
    assert_eq!((refused["name"].as_str(), attribute(refused, "http.request.method")), (Some("HTTP"), Some("_OTHER")));
    assert_eq!(attribute(refused, "portcullis.reason"), Some("ambiguous_target"));
    assert!(attribute(refused, "url.path").is_none(), "only what is canonical");
    assert!(!format!("{spans:?}").contains("BREW"), "no names of clients");
    let mut severities: Vec<_> = collector.logs(2).iter().map(|log| log["severityNumber"].as_u64().unwrap()).collect();
    severities.sort_unstable();
    assert_eq!(severities, [13, 17]);
}

#[test]
fn a_client_is_followed_only_as_far_as_the_configuration_says() {
    let (upstream, collector) = (FakeUpstream::echoing(), FakeCollector::healthy());
    let sent = |continues: Continue, sample_millionths: u32, flags: &str| {
        let gate = Gatehouse::with(upstream.address(), |plan| {
            let mut export = export(collector.server.address());
            export.logs = false;
            plan.tracing = TracingPlan { continues, sample_millionths, export: Some(export) };
        });
        let answer = Client::connect(gate.address()).ask(format!(
            "GET / HTTP/1.1\r\nHost: a\r\ntraceparent: 00-{TRACE}-{PARENT}-{flags}\r\ntracestate: a=1\r\n\r\n"
        ));
        let text = answer.text();
        let trace = text.split("traceparent: 00-").nth(1).unwrap()[..52].to_owned();
        let recorded = || -> f64 {
            ["sent", "failed", "dropped"]
                .iter()
                .map(|result| {
                    gate.metric(&format!("portcullis_otlp_items_total{{signal=\"spans\",result=\"{result}\"}}"))
                })
                .sum()
        };
        if trace.ends_with('1') || trace.ends_with('3') {
            eventually("two spans", || (recorded() > 1.5).then_some(()));
        }
        (trace.starts_with(TRACE), text.contains("tracestate: a=1"), trace[50..].to_owned())
    };
    let all = 1_000_000;
    // What the client says of its own trace counts, whatever share of others is recorded.
    assert_eq!(sent(Continue::Always, 0, "01"), (true, true, "01".to_owned()));
    assert_eq!(sent(Continue::Always, all, "00"), (true, true, "00".to_owned()));
    assert_eq!(sent(Continue::Always, all, "fe"), (true, true, "02".to_owned()), "unknown flags end here");
    assert_eq!(sent(Continue::Never, 0, "01"), (false, false, "02".to_owned()));
    assert_eq!(sent(Continue::Never, all, "00"), (false, false, "03".to_owned()));
}

#[test]
fn a_state_without_its_trace_ends_here() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let forwarded = |lines: &str| {
        Client::connect(gate.address()).ask(format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n")).text().to_lowercase()
    };
    let parent = format!("traceparent: 00-{TRACE}-{PARENT}-01\r\n");
    let good = forwarded(&format!("{parent}tracestate: a=1\r\nTraceState: b=2\r\n"));
    assert!(good.contains(TRACE) && good.contains("tracestate: a=1,b=2\r\n"), "{good}");
    assert_eq!(good.matches("tracestate").count(), 1, "{good}");
    for lines in [
        "tracestate: a=1\r\n".to_owned(),
        "traceparent: 00-x\r\ntracestate: a=1\r\n".to_owned(),
        format!("{parent}{parent}tracestate: a=1\r\n"),
        format!("{parent}tracestate: a=1,a=2\r\n"),
        format!("{parent}tracestate: a=1\r\ntracestate: broken\r\n"),
        format!("{parent}tracestate: a={}\r\n", "x".repeat(600)),
    ] {
        assert!(!forwarded(&lines).contains("tracestate"), "{lines}");
    }
    assert!(!forwarded(&format!("{parent}{parent}")).contains(TRACE), "two parents are none");
}

#[test]
fn a_collector_that_says_no_is_asked_again_or_not_as_the_protocol_says() {
    let upstream = FakeUpstream::echoing();
    let metric = |gate: &Gatehouse, result: &str| {
        gate.metric(&format!("portcullis_otlp_items_total{{signal=\"spans\",result=\"{result}\"}}"))
    };
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    let later = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
    let partial = "{\"partialSuccess\":{\"rejectedSpans\":\"1\"}}";
    let partial = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{partial}", partial.len());
    for (answers, sent, rejected, requests) in [
        (vec![later, "HTTP/1.1 429 Too Many\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", ok], 2.0, 0.0, 3),
        (vec!["HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"], 0.0, 2.0, 1),
        (vec!["HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"], 0.0, 2.0, 1),
        (vec![partial.as_str()], 1.0, 1.0, 1),
    ] {
        let collector = FakeCollector::answering(&answers);
        let gate = Gatehouse::with(upstream.address(), |plan| {
            telling(collector.server.address())(plan);
            plan.tracing.export.as_mut().unwrap().logs = false;
        });
        let begun = Instant::now();
        assert_eq!(Client::connect(gate.address()).ask(GOOD).status, 200);
        eventually("the spans' end", || (metric(&gate, "sent") + metric(&gate, "rejected") > 1.5).then_some(()));
        assert_eq!((metric(&gate, "sent"), metric(&gate, "rejected")), (sent, rejected), "{answers:?}");
        assert_eq!(collector.heard.lock().unwrap().len(), requests, "{answers:?}");
        assert!(answers.len() < 3 || begun.elapsed() >= Duration::from_secs(1), "it came back too early");
    }
}

#[test]
fn no_collector_holds_up_a_request_or_the_end() {
    let upstream = FakeUpstream::echoing();
    let silent = FakeUpstream::with(Talk::hang);
    let busy = FakeCollector::answering(&["HTTP/1.1 503 No\r\nRetry-After: 100000\r\nContent-Length: 0\r\n\r\n"]);
    for (collector, what) in
        [(FakeUpstream::nobody(), "dead"), (silent.address(), "silent"), (busy.server.address(), "busy")]
    {
        let mut gate = Gatehouse::with(upstream.address(), |plan| {
            telling(collector)(plan);
            let export = plan.tracing.export.as_mut().unwrap();
            export.queue = 10;
        });
        let mut client = Client::connect(gate.address());
        for _ in 0..200 {
            assert_eq!(client.ask(GOOD).status, 200, "{what}");
        }
        let count = |gate: &Gatehouse, result: &str| -> f64 {
            ["spans", "logs"]
                .iter()
                .map(|signal| {
                    gate.metric(&format!("portcullis_otlp_items_total{{signal=\"{signal}\",result=\"{result}\"}}"))
                })
                .sum()
        };
        eventually("drops", || (count(&gate, "dropped") > 500.0).then_some(()));
        let begun = Instant::now();
        gate.stop(Duration::ZERO);
        assert!(begun.elapsed() < Duration::from_secs(8), "{what}: the end took {:?}", begun.elapsed());
        assert_eq!(count(&gate, "dropped") + count(&gate, "failed"), 600.0, "{what}: every item is accounted for");
        assert_eq!(gate.records().wait_for(200).len(), 200, "{what}: the log has nothing to do with it");
    }
}

#[test]
fn the_last_items_leave_before_the_end() {
    let (upstream, collector) = (FakeUpstream::echoing(), FakeCollector::healthy());
    let mut gate = Gatehouse::with(upstream.address(), telling(collector.server.address()));
    let mut client = Client::connect(gate.address());
    for _ in 0..50 {
        assert_eq!(client.ask(GOOD).status, 200);
    }
    gate.stop(Duration::ZERO);
    assert_eq!((collector.spans(100).len(), collector.logs(50).len()), (100, 50));
}

#[test]
fn an_encrypted_collector_is_always_verified() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let upstream = FakeUpstream::echoing();
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    for (authority, works) in [(&ours, true), (&theirs, false)] {
        let config = certificates::server(&authority.leaf(&["127.0.0.1"]));
        let collector = FakeCollector::start(&[ok], |script| FakeUpstream::with_tls(config, script));
        let mut gate = Gatehouse::with(upstream.address(), |plan| {
            telling(collector.server.address())(plan);
            let export = plan.tracing.export.as_mut().unwrap();
            export.collector.tls = true;
            export.tls = Some(UpstreamTlsPlan { ca_file: Some(ours.file()), ..UpstreamTlsPlan::default() });
        });
        assert_eq!(Client::connect(gate.address()).ask(GOOD).status, 200);
        if works {
            assert_eq!(collector.spans(2).len(), 2);
        }
        gate.stop(Duration::ZERO);
        let failed = gate.metric("portcullis_otlp_items_total{signal=\"spans\",result=\"failed\"}");
        assert_eq!((failed > 0.5, collector.heard.lock().unwrap().is_empty()), (!works, !works));
    }
}

#[test]
fn without_a_collector_nothing_is_counted() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let answer = Client::connect(gate.address()).ask(GOOD);
    assert!(answer.text().contains("traceparent: 00-"), "the upstream is told the trace all the same");
    assert_eq!(gate.records().of(answer.field("x-request-id").unwrap())["status"], 200);
    for signal in ["spans", "logs"] {
        for result in ["sent", "dropped", "rejected", "failed"] {
            let series = format!("portcullis_otlp_items_total{{signal=\"{signal}\",result=\"{result}\"}}");
            assert!(gate.metric(&series) < 0.5, "{series}");
        }
    }
}

#[test]
fn whose_traces_go_on_can_be_reloaded_and_the_collector_cannot() {
    let (upstream, collector) = (FakeUpstream::echoing(), FakeCollector::healthy());
    let gate = Gatehouse::with(upstream.address(), telling(collector.server.address()));
    let mut client = Client::connect(gate.address());
    let mut follows = || {
        client
            .ask(format!("GET / HTTP/1.1\r\nHost: a\r\ntraceparent: 00-{TRACE}-{PARENT}-01\r\n\r\n"))
            .text()
            .contains(TRACE)
    };
    assert!(follows());
    let mut plan = gate.plan();
    plan.tracing.continues = Continue::Never;
    gate.handle().reload(plan.clone()).expect("taken over");
    assert!(!follows(), "from the next request on");
    for change in [
        (|export: &mut Option<ExportPlan>| *export = None) as fn(&mut Option<ExportPlan>),
        |export| export.as_mut().unwrap().logs = false,
        |export| export.as_mut().unwrap().headers.clear(),
    ] {
        let mut plan = plan.clone();
        change(&mut plan.tracing.export);
        let error = gate.handle().reload(plan).expect_err("refused").to_string();
        assert!(error.contains("tracing") && error.contains("restart") && !error.contains("s3cr3t"), "{error}");
    }
    assert!(!follows(), "what is in force stays");
}

#[test]
fn a_request_in_http2_is_told_like_any_other() {
    let (upstream, collector) = (FakeUpstream::echoing(), FakeCollector::healthy());
    let gate = Gatehouse::with(upstream.address(), telling(collector.server.address()));
    let request = http::Request::get("http://api.test/a?token=s3cr3t")
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
        .header("tracestate", "a=1")
        .header("tracestate", "b=2")
        .body(())
        .unwrap();
    let text = Peer::connect(gate.address()).ask(request, b"").text();
    let spans = collector.spans(2);
    let (server, client) = (&of_kind(&spans, 2)[0], &of_kind(&spans, 3)[0]);
    encoded_well(server, &["startTimeUnixNano", "endTimeUnixNano"]);
    assert_eq!(attribute(server, "network.protocol.version"), Some("2"));
    assert_eq!((server["parentSpanId"].as_str(), &client["parentSpanId"]), (Some(PARENT), &server["spanId"]));
    let inner = client["spanId"].as_str().unwrap();
    assert!(text.contains(&format!("traceparent: 00-{TRACE}-{inner}-01\r\ntracestate: a=1,b=2\r\n")), "{text}");
    assert!(!format!("{spans:?}").contains("s3cr3t"), "no query");
}
