//! The security record: what belongs into it, once, apart from the access record; in a file that turns over, and at a collector
//! that dies.

use crate::check::GOOD;
use crate::identity::{House, either};
use portcullis_auth::key::KeyText;
use portcullis_config::plan::{
    BufferPlan, LogFormat, LogSink, Plan, RotationPlan, SecurityLogPlan, SyslogPlan, UpstreamTlsPlan, WafPlan,
    WafRulesPlan,
};
use portcullis_testkit::certificates::{self, Authority};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::scratch::Scratch;
use portcullis_testkit::{Client, FakeUpstream, SyslogServer};
use serde_json::Value;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;

fn to(sink: LogSink) -> SecurityLogPlan {
    SecurityLogPlan { sink, format: LogFormat::Json, rotation: None, queue: 10_000, buffer: None }
}

pub(crate) fn to_file(scratch: &Scratch) -> SecurityLogPlan {
    to(LogSink::File(scratch.path().join("security.log")))
}

fn syslog(server: SocketAddr) -> SyslogPlan {
    SyslogPlan { server: gateway::target(server), facility: 10, tls: None }
}

/// To a collector, with room for so many bytes.
fn to_collector(plan: SyslogPlan, scratch: &Scratch, bytes: u64) -> SecurityLogPlan {
    let buffer = Some(BufferPlan { folder: scratch.path().join("buffer"), bytes });
    SecurityLogPlan { buffer, ..to(LogSink::Syslog(plan)) }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |at| &text[..at]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))).collect()
}

/// The record of a request with this event.
pub(crate) fn record_of(scratch: &Scratch, id: &str, event: &str) -> Value {
    eventually(&format!("{event} of {id}"), || {
        let all = lines(&scratch.path().join("security.log"));
        all.into_iter().find(|record| record["request_id"] == id && record["event"] == event)
    })
}

/// Something that is refused; its id.
fn refused(gate: &Gatehouse) -> String {
    let answer = Client::connect(gate.address()).ask("GET /%2f HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(answer.status, 400);
    answer.field("x-request-id").unwrap().to_owned()
}

/// The ids of requests that a collector has read.
fn ids(server: &SyslogServer) -> HashSet<String> {
    let record = |message: &String| -> Value {
        let (header, record) = message.split_once(" - ").unwrap_or_else(|| panic!("{message}"));
        let words: Vec<&str> = header.split(' ').collect();
        assert!(words[0].starts_with('<') && words[0].ends_with(">1"), "{message}");
        assert_eq!((words.len(), words[1].len(), words[3]), (6, 24, "portcullis"), "{message}");
        serde_json::from_str(record).unwrap_or_else(|why| panic!("{why}: {message}"))
    };
    server.heard().iter().map(record).filter_map(|record| Some(record["request_id"].as_str()?.to_owned())).collect()
}

#[test]
fn every_refusal_is_told_and_nothing_else() {
    let (scratch, upstream) = (Scratch::new(), FakeUpstream::echoing());
    let waf = WafPlan { enforces: false, rules: WafRulesPlan::builtin().unwrap() };
    let gate = Gatehouse::with(upstream.address(), |plan| {
        plan.security_log = Some(to_file(&scratch));
        plan.waf = Some(waf.clone());
        gateway::each_route(plan, |route| route.waf = Some(waf.clone()));
    });
    let ask =
        |request: &str| Client::connect(gate.address()).ask(request).field("x-request-id").expect("an id").to_owned();
    let good = ask("GET /fine HTTP/1.1\r\nHost: a\r\n\r\n");
    let record = record_of(&scratch, &refused(&gate), "refused");
    assert_eq!((&record["stage"], &record["reason"]), (&"target".into(), &"ambiguous_target".into()), "{record}");
    assert!(record["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{record}");
    // What only observes is told, with what was found and none of what stood there.
    let attack = ask("GET /a?q=1%27+union+select+pass+from+users-- HTTP/1.1\r\nHost: a\r\n\r\n");
    let record = record_of(&scratch, &attack, "rule_match");
    let rules = record["waf"]["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["id"] == 100_302 && rule["variable"] == "ARGS:q"), "{record}");
    assert!(record["waf"]["score"].as_i64().unwrap() >= 5 && !record.to_string().contains("pass from"), "{record}");
    gate.handle().note_action("config.reload", "uid:0", &[("cause", "a \"test\"\n".to_owned())]);
    let done = eventually("an action", || {
        lines(&scratch.path().join("security.log")).into_iter().find(|record| record["event"] == "admin_action")
    });
    assert_eq!((&done["action"], &done["actor"]), (&"config.reload".into(), &"uid:0".into()), "{done}");
    assert_eq!(done["details"]["cause"], "a \"test\"\n");
    let text = std::fs::read_to_string(scratch.path().join("security.log")).unwrap();
    assert!(!text.contains(&good), "what is served is none of it: {text}");
    assert_eq!(lines(&scratch.path().join("security.log")).len(), 3, "{text}");
    for event in ["refused", "rule_match", "admin_action"] {
        gate.wait_metric(&format!("portcullis_security_events_total{{event=\"{event}\"}}"), 1.0);
    }
    gate.wait_metric("portcullis_security_records_total{result=\"written\"}", 3.0);
}

#[test]
fn credentials_are_told_when_they_fail_and_when_they_are_new() {
    let scratch = Scratch::new();
    let house = House::with(&either(), |plan| plan.security_log = Some(to_file(&scratch)));
    let (one, other): (KeyText, KeyText) = (house.key(|_| {}), house.key(|_| {}));
    let ask = |key: &str| {
        let request = format!("GET /a HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\n\r\n");
        let answer = Client::connect(house.gate().address()).ask(request);
        (answer.status, answer.field("x-request-id").unwrap().to_owned())
    };
    let good = |key: &KeyText| {
        let key = key.reveal().to_owned();
        eventually("a key that is known", || Some(ask(&key)).filter(|(status, _)| *status == 200)).1
    };
    let first = good(&one);
    let record = record_of(&scratch, &first, "credential_first_seen");
    assert_eq!((&record["principal"], &record["credential"]), (&"shop".into(), &one.id().into()), "{record}");
    let (again, second) = (good(&one), good(&other));
    record_of(&scratch, &second, "credential_first_seen");
    let last = if one.reveal().ends_with('x') { 'y' } else { 'x' };
    let wrong = format!("{}{last}", &one.reveal()[..one.reveal().len() - 1]);
    let (status, failed) = ask(&wrong);
    assert_eq!(status, 401);
    let record = record_of(&scratch, &failed, "credential_failed");
    assert_eq!((&record["stage"], &record["reason"]), (&"identify".into(), &"invalid_api_key".into()), "{record}");
    let answer = Client::connect(house.gate().address()).ask("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    record_of(&scratch, answer.field("x-request-id").unwrap(), "refused");
    let text = std::fs::read_to_string(scratch.path().join("security.log")).unwrap();
    assert!(!text.contains(&again), "known by then: {text}");
    for secret in [one.reveal(), other.reveal(), &wrong] {
        assert!(!text.contains(&secret[secret.len() - 20..]), "{text}");
    }
}

#[test]
fn a_connection_that_is_turned_away_is_told() {
    let (scratch, upstream, ours) = (Scratch::new(), FakeUpstream::echoing(), Authority::new());
    let files = ours.leaf(&["localhost"]);
    let gate = Gatehouse::with(upstream.address(), |plan| {
        plan.security_log = Some(to_file(&scratch));
        plan.listeners = vec![gateway::listener("secure", Some(gateway::tls(vec![files])))];
    });
    let mut stranger = Client::connect(gate.address());
    stranger.send(b"\x16\x03\x01\x00\x05hello");
    drop(stranger.rest());
    let record = eventually("a connection", || lines(&scratch.path().join("security.log")).into_iter().next());
    assert_eq!((&record["event"], &record["reason"]), (&"connection_refused".into(), &"tls_handshake".into()));
    assert_eq!(record["listener"], "secure", "{record}");
    assert!(record["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{record}");
}

#[test]
fn files_turn_over_and_are_opened_anew() {
    let (scratch, upstream) = (Scratch::new(), FakeUpstream::echoing());
    let gate = Gatehouse::with(upstream.address(), |plan| {
        let rotation = Some(RotationPlan { bytes: 8 * 1024, keep: 2 });
        plan.security_log = Some(SecurityLogPlan { rotation, ..to_file(&scratch) });
    });
    let file = |name: &str| scratch.path().join(name);
    let id = refused(&gate);
    record_of(&scratch, &id, "refused");
    eventually("three files", || {
        refused(&gate);
        file("security.log.2").exists().then_some(())
    });
    assert!(!file("security.log.3").exists(), "two are kept");
    for name in ["security.log.1", "security.log.2"] {
        let length = std::fs::metadata(file(name)).unwrap().len();
        assert!((1..=8 * 1024).contains(&length), "{name}: {length}");
        assert!(!lines(&file(name)).is_empty(), "whole lines");
    }
    std::fs::rename(file("security.log"), file("moved")).unwrap();
    std::fs::rename(gate.records().path(), file("access-moved")).unwrap();
    gate.handle().reopen_logs();
    let id = refused(&gate);
    record_of(&scratch, &id, "refused");
    assert_eq!(gate.records().of(&id)["reason"], "ambiguous_target", "the access log as well");
}

#[test]
fn a_collector_that_dies_loses_nothing_and_holds_nobody_up() {
    let (scratch, upstream) = (Scratch::new(), FakeUpstream::echoing());
    let server = SyslogServer::start();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        plan.security_log = Some(to_collector(syslog(server.address()), &scratch, 1 << 26));
    });
    let mut sent = HashSet::new();
    let mut load = |count: usize| {
        let mut client = Client::connect(gate.address());
        for _ in 0..count {
            let answer = client.ask("DELETE /a;b HTTP/1.1\r\nHost: a\r\n\r\n");
            assert_eq!(answer.status, 400, "requests notice nothing");
            sent.insert(answer.field("x-request-id").unwrap().to_owned());
            if answer.field("connection") == Some("close") {
                client = Client::connect(gate.address());
            }
        }
    };
    load(200);
    eventually("the first records", || (!ids(&server).is_empty()).then_some(()));
    load(100);
    server.kill();
    load(300);
    eventually("records on disk", || (gate.metric("portcullis_security_buffer_bytes") > 50_000.0).then_some(()));
    load(300);
    assert_eq!(Client::connect(gate.address()).ask(GOOD).status, 200);
    server.revive();
    load(100);
    eventually("all records", || sent.is_subset(&ids(&server)).then_some(()));
    gate.wait_metric("portcullis_security_buffer_bytes", 0.0);
    gate.wait_metric("portcullis_security_records_total{result=\"written\"}", 1_000.0);
    assert!(gate.metric("portcullis_security_records_total{result=\"dropped\"}") < 0.5);
    assert!(gate.metric("portcullis_security_records_total{result=\"failed\"}") < 0.5);
}

#[test]
fn what_the_collector_did_not_take_is_sent_after_a_restart() {
    let (scratch, upstream) = (Scratch::new(), FakeUpstream::echoing());
    let server = SyslogServer::start();
    server.kill();
    let before = |plan: &mut Plan| {
        plan.security_log = Some(to_collector(syslog(server.address()), &scratch, 1 << 26));
    };
    let gate = Gatehouse::with(upstream.address(), before);
    let id = refused(&gate);
    eventually("a record on disk", || (gate.metric("portcullis_security_buffer_bytes") > 100.0).then_some(()));
    drop(gate);
    server.revive();
    let _gate = Gatehouse::with(upstream.address(), before);
    eventually("the record of before", || ids(&server).contains(&id).then_some(()));
}

#[test]
fn a_full_buffer_drops_and_counts() {
    let (scratch, upstream) = (Scratch::new(), FakeUpstream::echoing());
    let server = SyslogServer::start();
    server.kill();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        plan.security_log = Some(to_collector(syslog(server.address()), &scratch, 1_000));
    });
    eventually("a record that finds no room", || {
        refused(&gate);
        (gate.metric("portcullis_security_records_total{result=\"dropped\"}") > 0.5).then_some(())
    });
    assert!(gate.metric("portcullis_security_buffer_bytes") <= 1_000.0);
    gate.wait_metric("portcullis_security_buffer_bytes_max", 1_000.0);
}

#[test]
fn a_collector_over_tls_is_verified() {
    let (scratch, upstream, ours) = (Scratch::new(), FakeUpstream::echoing(), Authority::new());
    let server = SyslogServer::start_tls(certificates::server(&ours.leaf(&["localhost", "127.0.0.1"])));
    let plan = |ca: &Authority| {
        let mut plan = syslog(server.address());
        plan.server.tls = true;
        plan.tls = Some(UpstreamTlsPlan { ca_file: Some(ca.file()), ..UpstreamTlsPlan::default() });
        plan
    };
    let gate = Gatehouse::with(upstream.address(), |all| {
        all.security_log = Some(to_collector(plan(&ours), &scratch, 1 << 20));
        all.access_log.sink = LogSink::Syslog(plan(&ours));
    });
    let id = refused(&gate);
    eventually("both records", || {
        let of = |kind: &str| {
            let heard = server.heard();
            heard.iter().any(|message| message.contains(&format!(" {kind} - ")) && message.contains(&id))
        };
        (of("security") && of("access")).then_some(())
    });
    gate.wait_metric("portcullis_security_records_total{result=\"written\"}", 1.0);
    gate.wait_metric("portcullis_access_records_total{result=\"written\"}", 1.0);
    let (stranger, scratch) = (Authority::new(), Scratch::new());
    let gate = Gatehouse::with(upstream.address(), |all| {
        all.security_log = Some(to_collector(plan(&stranger), &scratch, 1 << 20));
    });
    let id = refused(&gate);
    eventually("a record on disk", || (gate.metric("portcullis_security_buffer_bytes") > 100.0).then_some(()));
    assert!(!ids(&server).contains(&id), "nothing goes to a collector that is not the one that was named");
}
