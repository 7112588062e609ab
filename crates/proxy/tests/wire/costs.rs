//! What answers say that they cost: charged on top of what was charged to get in, within bounds, and not told to callers.

use crate::http2::peer::{Peer, get};
use crate::limits::{ask, before, from, limit, limited_with, policy, rate, told};
use portcullis_config::plan::{AnswerCostPlan, KeyPart, LimitPlan};
use portcullis_limit::Unit;
use portcullis_testkit::gateway::Gatehouse;
use portcullis_testkit::{Answer, Client, FakeUpstream, Talk};

const CAPPED: &str = "portcullis_limit_answer_cost_capped_total{limit=\"defaults.limits.work\"}";

fn work(most: u64, keep: bool) -> LimitPlan {
    let answer_cost = Some(AnswerCostPlan { header: "x-cost".into(), most, keep });
    LimitPlan { answer_cost, ..limit("work", vec![KeyPart::Address], vec![policy("work", rate(100), Unit::Cost)]) }
}

/// A server that answers with the fields that the request asks for: `Want: X-Cost: 5|X-Cost: 6`.
fn priced() -> FakeUpstream {
    FakeUpstream::with(|talk: &mut Talk| {
        while let Some(heard) = talk.request() {
            let wanted = heard.field("want").unwrap_or_default();
            let named = wanted.split('|').filter(|line| !line.is_empty());
            let lines: String = named.map(|line| format!("{line}\r\n")).collect();
            if !talk.send(format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: 2\r\n\r\nok").as_bytes()) {
                return;
            }
        }
    })
}

fn ask_for(gate: &Gatehouse, address: &str, wanted: &str) -> Answer {
    let want = if wanted.is_empty() { String::new() } else { format!("Want: {wanted}\r\n") };
    let request = format!("GET /a HTTP/1.1\r\nHost: api.test\r\nX-Forwarded-For: {address}\r\n{want}\r\n");
    Client::connect(gate.address()).ask(request)
}

/// What is left for an address, by an answer that costs nothing more than 1.
fn left(gate: &Gatehouse, address: &str) -> u64 {
    let answer = ask_for(gate, address, "");
    let text = told(&answer).1.unwrap().to_owned();
    let left = text.strip_prefix("\"work\";r=").and_then(|rest| rest.split(';').next()).unwrap();
    left.parse::<u64>().unwrap() + 1
}

#[test]
fn an_answer_is_charged_what_it_says_and_no_more_than_may_be() {
    let upstream = priced();
    let gate = before(&upstream, vec![work(40, false)]);
    let mut capped = 0.0;
    for (row, (fields, expected, is_capped)) in [
        ("", 99, false),
        ("X-Cost: 30", 70, false),
        ("X-Cost: 1", 99, false),
        // Never cheaper than what was charged to get in.
        ("x-cost: 0", 99, false),
        ("X-Cost: 40", 60, false),
        ("X-Cost: 41", 60, true),
        // What cannot be told is the most.
        ("X-Cost: -5", 60, true),
        ("X-Cost: 3.5", 60, true),
        ("X-Cost: many", 60, true),
        ("X-Cost:", 60, true),
        ("X-Cost: 99999999999999999999", 60, true),
        ("X-Cost: 3|X-Cost: 3", 60, true),
        ("X-Other: 30", 99, false),
    ]
    .into_iter()
    .enumerate()
    {
        let address = format!("192.0.2.{row}");
        let answer = ask_for(&gate, &address, fields);
        assert_eq!((answer.status, answer.field("x-cost")), (200, None), "{fields}");
        assert_eq!(left(&gate, &address), expected, "{fields}");
        capped += f64::from(u8::from(is_capped));
        gate.wait_metric(CAPPED, capped);
    }
}

#[test]
fn what_an_answer_costs_keeps_its_caller_out_and_nobody_else() {
    let upstream = priced();
    let gate = before(&upstream, vec![work(u64::MAX, false)]);
    for _ in 0..2 {
        // Ninety are owed from the second on, since one was enough to get in.
        assert_eq!(ask_for(&gate, "192.0.2.1", "X-Cost: 95").status, 200);
    }
    let refused = ask_for(&gate, "192.0.2.1", "X-Cost: 1");
    assert_eq!((refused.status, told(&refused).1), (429, Some("\"work\";r=0;t=327600")));
    // 190 of 100 are spent, and one comes back in an hour.
    assert_eq!(refused.field("retry-after"), Some("327600"));
    assert_eq!(from(&gate, "192.0.2.2").status, 200);
}

#[test]
fn it_is_charged_before_its_body_is_read_and_over_both_versions() {
    let upstream = FakeUpstream::with(|talk: &mut Talk| {
        if talk.request().is_some() && talk.send(b"HTTP/1.1 200 OK\r\nX-Cost: 100\r\nContent-Length: 5\r\n\r\nfi") {
            // The answer never ends.
            talk.hang();
        }
    });
    let gate = before(&upstream, vec![work(100, false)]);
    let mut slow = Client::connect(gate.address());
    slow.send("GET /a HTTP/1.1\r\nHost: api.test\r\n\r\n");
    assert_eq!(slow.read_exactly(12), b"HTTP/1.1 200", "it has begun");
    assert_eq!(ask(&gate, "").status, 429, "charged while it goes on");

    let upstream = priced();
    let gate = before(&upstream, vec![work(100, false)]);
    let mut request = get("/a");
    request.headers_mut().insert("want", "X-Cost: 60".parse().unwrap());
    let answer = Peer::connect(gate.address()).ask(request, b"");
    assert_eq!((answer.status, answer.field("x-cost")), (200, None));
    assert_eq!(ask_for(&gate, "127.0.0.1", "").field("ratelimit"), Some("\"work\";r=39;t=3600"));
}

#[test]
fn callers_get_the_field_only_where_that_is_said() {
    let upstream = priced();
    let gate = before(&upstream, vec![work(100, true)]);
    assert_eq!(ask_for(&gate, "192.0.2.1", "X-Cost: 7").field("x-cost"), Some("7"));
    // Whoever is exempt is not charged, and still not told.
    let exempt = vec![portcullis_types::Network::parse("192.0.2.0/24").unwrap()];
    let gate = before(&upstream, vec![LimitPlan { exempt, ..work(100, false) }]);
    assert_eq!(ask_for(&gate, "192.0.2.1", "X-Cost: 7").field("x-cost"), None);
}

#[test]
fn what_an_operation_costs_counts_towards_what_its_answer_says() {
    let upstream = priced();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        limited_with(plan, vec![work(100, false)], |limits| limits.cost = 10)
    });
    assert_eq!(ask_for(&gate, "192.0.2.1", "X-Cost: 12").field("ratelimit"), Some("\"work\";r=90;t=3600"));
    assert_eq!(ask_for(&gate, "192.0.2.1", "X-Cost: 5").field("ratelimit"), Some("\"work\";r=78;t=3600"));
    assert_eq!(ask_for(&gate, "192.0.2.1", "").field("ratelimit"), Some("\"work\";r=68;t=3600"));
}
