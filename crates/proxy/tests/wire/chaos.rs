//! Streams of requests, mutated: what reaches the upstream is what the codec reads in the stream, request by request and
//! nothing else. A disagreement between the two is a desynchronisation.

use crate::check::{good_request_works, well_formed};
use portcullis_config::plan::Plan;
use portcullis_h1::{Body, Framing, HeadLimits, HeadScan, Part, RequestHead, ResponseHead};
use portcullis_proxy::explain_raw;
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::fuzz::{ANSWER_SEEDS, BODY_PIECES, HEAD_PIECES, HEAD_SEEDS, mutate};
use portcullis_testkit::gateway::{self, Gatehouse, PROBLEM_BASE};
use portcullis_testkit::{Client, Dice, FakeUpstream};
use std::time::Duration;

const THREADS: u64 = 4;
const CASES: u64 = 500;
const SHORT: Duration = Duration::from_millis(300);
/// Ends a stream that is in step at once; one that is out of step waits for its time to be up.
const LAST: &str = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// What must be forwarded, and what may be begun on top of it.
#[derive(Debug, Default)]
struct Expected {
    lines: Vec<String>,
    begun: Option<String>,
}

/// Reads the stream as the gateway should.
fn expected(plan: &Plan, mut rest: &[u8]) -> Expected {
    let limits = &plan.listeners[0].limits;
    let limits = HeadLimits {
        head_bytes_max: limits.head_bytes,
        target_bytes_max: limits.target_bytes,
        fields_max: limits.headers,
    };
    let mut expected = Expected::default();
    loop {
        rest = rest.strip_prefix(b"\r\n").unwrap_or(rest);
        let Ok(Some(length)) = HeadScan::default().find(rest, limits.head_bytes_max) else { return expected };
        let (raw, tail) = rest.split_at(length);
        let mut head = RequestHead::default();
        if head.parse(raw, &limits).is_err() {
            return expected;
        }
        let explained = explain_raw(plan, PROBLEM_BASE, raw, false).expect("the plan is a good one");
        let body = skip(head.framing(), tail);
        if let Some(forwarded) = explained.forwarded {
            let line = forwarded.lines().next().unwrap().to_owned();
            let Some(used) = body else {
                expected.begun = Some(line);
                return expected;
            };
            expected.lines.push(line);
            rest = &tail[used..];
        } else {
            // A refusal keeps the connection only where the rest of the message is told apart for certain.
            let certain = !head.expects_continue() && head.framing() != Framing::Chunked;
            let Some(used) = body.filter(|_| certain) else { return expected };
            if explained.problem.is_some_and(|(status, _)| status == 413) {
                return expected;
            }
            rest = &tail[used..];
        }
        if !head.keep_alive() {
            return expected;
        }
    }
}

/// The length of a whole body.
fn skip(framing: Framing, bytes: &[u8]) -> Option<usize> {
    let (mut body, mut used) = (Body::new(framing), 0);
    loop {
        match body.next(&bytes[used..]).ok()? {
            Part::Data(range) => used += range.end,
            Part::End(count) => return Some(used + count),
            Part::More(_) => return None,
        }
    }
}

fn stream(dice: &mut Dice) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..=dice.roll(3) {
        let mut request = dice.pick(HEAD_SEEDS).as_bytes().to_vec();
        if dice.one_in(2) {
            let pieces = if dice.one_in(2) { BODY_PIECES } else { HEAD_PIECES };
            mutate(&mut request, pieces, dice);
        }
        bytes.extend_from_slice(&request);
    }
    bytes.extend_from_slice(LAST.as_bytes());
    bytes
}

/// Returns how many requests were forwarded.
fn run(thread: u64) -> usize {
    let mut forwarded = 0;
    let upstream = FakeUpstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let gate = Gatehouse::with(upstream.address(), |plan| {
        gateway::limit(plan, |limits| {
            limits.head_timeout = SHORT;
            limits.body_idle_timeout = SHORT;
            limits.idle_timeout = SHORT;
        });
        // A connection for each request, so that each can be looked at.
        gateway::each_upstream(plan, |upstream| upstream.idle_connections = 0);
    });
    let plan = gate.plan();
    for number in 0..CASES {
        let seed = thread * 1_000_000 + number;
        let bytes = stream(&mut Dice::new(seed));
        let before = upstream.bytes().len();
        let mut client = Client::connect(gate.address());
        // The gateway may have heard enough before everything is sent.
        drop(client.try_send(&bytes));
        drop(client.rest());
        eventually("the upstream is done", || (upstream.open() == 0).then_some(()));
        let seen = upstream.bytes()[before..].to_vec();
        let about = format!("seed {seed}: {:?}", String::from_utf8_lossy(&bytes));
        let mut lines = Vec::new();
        for one in seen.iter().filter(|one| !one.is_empty()) {
            well_formed(one, &about);
            lines.push(String::from_utf8_lossy(one).lines().next().unwrap().to_owned());
        }
        let expected = expected(&plan, &bytes);
        forwarded += lines.len();
        let exactly = lines == expected.lines;
        let begun = lines
            .split_last()
            .is_some_and(|(last, whole)| Some(last) == expected.begun.as_ref() && whole == expected.lines);
        assert!(exactly || begun, "{about}\nforwarded {lines:#?}\nbut {expected:#?}");
        if number % 20 == 0 {
            good_request_works(&gate, &about);
        }
    }
    forwarded
}

#[test]
fn the_upstream_gets_what_the_codec_reads_and_nothing_else() {
    let threads: Vec<_> = (0..THREADS).map(|thread| std::thread::spawn(move || run(thread))).collect();
    let forwarded: usize = threads.into_iter().map(|thread| thread.join().expect("gateway and codec agree")).sum();
    println!("chaos: {} streams, {forwarded} requests forwarded", THREADS * CASES);
    assert!(forwarded > 1000, "{forwarded} requests are no test");
}

/// Status and body of an answer as the codec reads it, the connection ending after `bytes`; `None` where it is none or
/// breaks off. What follows it belongs to nobody.
fn read_answer(mut bytes: &[u8]) -> Option<(u16, Vec<u8>)> {
    let limits = HeadLimits::default();
    let mut head = ResponseHead::default();
    for _ in 0..=16 {
        let length = HeadScan::default().find(bytes, limits.head_bytes_max).ok()??;
        let (raw, rest) = bytes.split_at(length);
        head.parse(raw, false, &limits).ok()?;
        bytes = rest;
        if head.status() == 101 {
            return None;
        }
        if head.is_interim() {
            continue;
        }
        let (mut body, mut data) = (Body::new(head.framing()), Vec::new());
        loop {
            match body.next(bytes).ok()? {
                Part::Data(range) => {
                    data.extend_from_slice(&bytes[range.clone()]);
                    bytes = &bytes[range.end..];
                }
                Part::End(_) => return Some((head.status(), data)),
                Part::More(_) => return body.closed().ok().map(|()| (head.status(), data)),
            }
        }
    }
    None
}

fn answer_bytes(seed: u64) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    let mut bytes = Vec::new();
    for _ in 0..=dice.roll(2) {
        // Without the first letter, which tells the fuzz target whether the question was HEAD.
        let mut answer = dice.pick(ANSWER_SEEDS).as_bytes()[1..].to_vec();
        if answer.ends_with(b"chunked\r\n\r\n") {
            answer.extend_from_slice(b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n");
        }
        if dice.one_in(2) {
            let pieces = if dice.one_in(2) { BODY_PIECES } else { HEAD_PIECES };
            mutate(&mut answer, pieces, &mut dice);
        }
        bytes.extend_from_slice(&answer);
    }
    bytes
}

#[test]
fn the_client_gets_the_answer_that_the_codec_reads_and_nothing_else() {
    let upstream = FakeUpstream::with(|talk| {
        while let Some(heard) = talk.request() {
            let target = heard.target();
            match target.trim_start_matches("/seed/").parse() {
                Ok(seed) => {
                    talk.send(answer_bytes(seed));
                    return talk.finish();
                }
                Err(_) => talk.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{target}", target.len())),
            };
        }
    });
    let gate = Gatehouse::before(upstream.address());
    let (mut whole, mut client) = (0, Client::connect(gate.address()));
    for seed in 0..THREADS * CASES {
        client.send(format!("GET /seed/{seed} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let answer = client.try_answer(false);
        let bytes = answer_bytes(seed);
        let expected = read_answer(&bytes);
        let about =
            format!("seed {seed}: {:?}\nread as {expected:?}\npassed on {answer:?}", String::from_utf8_lossy(&bytes));
        let answer = answer.unwrap_or_else(|| panic!("no answer, {about}"));
        match expected {
            Some((status, body)) => {
                assert!(answer.whole && answer.status == status && answer.body == body, "{about}");
                whole += 1;
            }
            None => assert!(answer.status == 502 || !answer.whole, "{about}"),
        }
        if !answer.whole || answer.says_close() {
            client = Client::connect(gate.address());
        }
        let next = client.ask(format!("GET /next/{seed} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!((next.status, next.text()), (200, format!("/next/{seed}")), "after {about}");
    }
    println!("chaos: {} answers, {whole} of them whole", THREADS * CASES);
    assert!(whole > 300, "{whole} whole answers are no test");
}
