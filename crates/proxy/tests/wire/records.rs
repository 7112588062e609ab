//! Access records: one line a request, everything in it, nothing secret, and nothing that a client could forge.

use crate::check::GOOD;
use portcullis_config::plan::LogSink;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, FakeUpstream};
use std::time::Duration;

#[test]
fn a_record_says_what_happened() {
    let upstream = FakeUpstream::answering("HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello");
    let gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    let answer = client.ask("POST /a/b?c=d HTTP/1.1\r\nHost: API.test:81\r\nContent-Length: 3\r\n\r\nabc");
    let record = gate.records().of(answer.field("x-request-id").unwrap());
    for (member, value) in [
        ("listener", "plain"),
        ("api", "api"),
        ("route", "/{*rest}"),
        ("method", "POST"),
        ("host", "api.test"),
        ("target", "/a/b?c=*"),
        ("outcome", "served"),
    ] {
        assert_eq!(record[member], value, "{member} in {record}");
    }
    assert_eq!(record["status"], 201);
    assert_eq!(record["request_bytes"], 3);
    assert_eq!(record["target_server"], format!("http://{}", upstream.address()));
    assert_eq!(record["peer"], client.socket().local_addr().unwrap().to_string());
    assert!(record["response_bytes"].as_u64().unwrap() >= 5);
    let part = |name: &str| record[name].as_u64().unwrap_or_else(|| panic!("{name} in {record}"));
    assert!(part("total_us") > 0 && part("total_us") >= part("upstream_us"));
    assert_eq!(part("gateway_us"), part("total_us") - part("upstream_us"));
    assert_eq!(record["time"].as_str().unwrap().len(), "2026-11-23T21:50:45.123Z".len());
    assert_eq!(record["traceparent"].as_str().unwrap().len(), 55);
    assert_eq!((record["identify"].as_str(), record["receive"].as_str()), (Some("public"), Some("bounded")));
    assert_eq!(record["not_required"], "guard cors permit charge conform inspect", "a stage never disappears");
}

#[test]
fn a_refusal_says_where_and_why() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let row = |request: &str, stage: &str, reason: &str| {
        let answer = Client::connect(gate.address()).ask(request);
        let record = gate.records().of(answer.field("x-request-id").unwrap());
        assert_eq!((&record["stage"], &record["reason"]), (&stage.into(), &reason.into()), "{record}");
        assert_eq!(record["outcome"], "refused");
        assert_eq!(record["status"], answer.status);
        assert!(record["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{record}");
    };
    row("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", "head", "malformed_head");
    row("GET /%2f HTTP/1.1\r\nHost: a\r\n\r\n", "target", "ambiguous_target");
    row("GET /;a HTTP/1.1\r\nHost: a\r\n\r\n", "route", "ambiguous_target");
    row("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", "receive", "body_too_large");
    assert!(
        gate.metric("portcullis_decisions_total{stage=\"head\",decision=\"refused\",reason=\"malformed_head\"}") >= 1.0
    );
}

#[test]
fn values_of_the_query_stay_out_unless_they_are_shown() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        plan.access_log.show_query = vec!["page".to_owned(), "sort".to_owned()]
    });
    let secret = "s3cr3t";
    let mut client = Client::connect(gate.address());
    for query in [
        format!("token={secret}"),
        format!("page=2&token={secret}&sort=up"),
        secret.to_owned(),
        format!("&&{secret}"),
        format!("page[]={secret}"),
        format!("Page={secret}"),
        format!("a={secret}={secret}"),
        format!("={secret}"),
        format!("a=b;token={secret}"),
        format!("token=%73{}", &secret[1..]),
    ] {
        client.ask(format!(
            "GET /?{query} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\nCookie: {secret}\r\nX-Api-Key: {secret}\r\n\r\n"
        ));
    }
    let records = gate.records().wait_for(10);
    assert_eq!(records[1]["target"], "/?page=2&token=*&sort=up");
    assert!(!gate.records().text().contains("3cr3t"), "{}", gate.records().text());
}

#[test]
fn no_client_can_forge_a_line() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let forged = "{\"request_id\":\"forged\"}";
    let requests: Vec<Vec<u8>> = vec![
        format!("GET /%0a{forged} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes(),
        format!("GET /\"{forged}\\u000a HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes(),
        format!("GET /a?\"{forged}\\u000a HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes(),
        format!("G\n{forged}\n / HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nHost: a\n{forged}\n\r\n\r\n").into_bytes(),
        b"GET /\xff\xfe\x80\x1b[2J HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        b"GET /\xe2\x80\xa8 HTTP/1.1\r\nHost: a\r\nUser-Agent: \xe2\x80\xa8\r\n\r\n".to_vec(),
        b"\x1b[2J\x07\r\n\r\n".to_vec(),
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(4000)).into_bytes(),
        format!("GET /?{} HTTP/1.1\r\nHost: a\r\n\r\n", "x&".repeat(2000)).into_bytes(),
    ];
    for request in &requests {
        let mut client = Client::connect(gate.address());
        client.send(request);
        client.answer();
    }
    let records = gate.records().wait_for(requests.len());
    assert_eq!(records.len(), requests.len(), "one line a request");
    for record in &records {
        assert_ne!(record["request_id"], "forged");
        assert!(record.to_string().len() < 4096, "no request fills the disk");
    }
    let text = gate.records().text();
    assert!(text.bytes().all(|byte| byte == b'\n' || (0x20..=0x7e).contains(&byte)), "{text:?}");
}

#[test]
fn every_request_has_one_record_whatever_became_of_it() {
    let upstream = FakeUpstream::echoing();
    let mut gate = Gatehouse::before(upstream.address());
    let mut client = Client::connect(gate.address());
    client.send(GOOD.repeat(50));
    for _ in 0..50 {
        assert_eq!(client.answer().status, 200);
    }
    for _ in 0..10 {
        Client::connect(gate.address()).ask("GET / HTTP/1.1\r\n\r\n");
    }
    gate.stop(Duration::from_secs(2));
    let ids: std::collections::HashSet<String> =
        gate.records().all().iter().map(|record| record["request_id"].to_string()).collect();
    assert_eq!((ids.len(), gate.records().all().len()), (60, 60), "all are written when the gateway has stopped");
}

#[test]
fn a_log_that_cannot_keep_up_is_counted_and_blocks_nobody() {
    // A pipe that nobody reads: the writer stands still, and the requests do not.
    let scratch = portcullis_testkit::scratch::Scratch::new();
    let pipe = scratch.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo (coreutils)").success());
    // Opened for both, so that opening it for writing does not wait for a reader.
    let reader = std::fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    let upstream = FakeUpstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let mut gate = Gatehouse::with(upstream.address(), |plan| {
        plan.access_log.sink = LogSink::File(pipe.clone());
        plan.access_log.queue = 100;
    });
    let mut client = Client::connect(gate.address());
    for _ in 0..1500 {
        assert_eq!(client.ask(GOOD).status, 200);
    }
    let dropped = "portcullis_access_records_total{result=\"dropped\"}";
    portcullis_testkit::deadline::eventually("dropped records are counted", || {
        (gate.metric(dropped) > 0.0).then_some(())
    });
    // Somebody reads again, so that the writer can end.
    let drain = std::thread::spawn(move || {
        use std::io::Read;
        let mut room = [0u8; 65536];
        let mut reader = reader;
        while reader.read(&mut room).is_ok_and(|count| count > 0 && !room[..count].ends_with(b"the end\n")) {}
    });
    gate.stop(Duration::from_secs(2));
    std::fs::write(&pipe, "the end\n").unwrap();
    drain.join().unwrap();
}

#[test]
fn a_flood_of_unknown_paths_makes_no_new_series() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        gateway::each_route(plan, |route| route.template = format!("/api{}", route.template));
        plan.apis[0].versions[0].routes.truncate(1);
    });
    let mut client = Client::connect(gate.address());
    let series = |gate: &Gatehouse| gate.handle().metrics().lines().count();
    // Twice: a record is counted after its answer has left, and before the next request of its connection is read.
    for _ in 0..2 {
        client.ask("GET /0 HTTP/1.1\r\nHost: a\r\n\r\n");
        client.ask("M /api/ HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    client.ask("GET /0 HTTP/1.1\r\nHost: a\r\n\r\n");
    let before = series(&gate);
    for number in 0..200 {
        let answer = client.ask(format!("GET /unknown/{number} HTTP/1.1\r\nHost: h{number}\r\n\r\n"));
        assert_eq!(answer.status, 404);
        client.ask(format!("M{number} /api/ HTTP/1.1\r\nHost: h{number}\r\n\r\n"));
    }
    drop(gate.records().wait_for(405));
    assert_eq!(series(&gate), before, "{}", gate.handle().metrics());
}
