//! A storm: clients of all kinds against an upstream that misbehaves by chance. Every answer belongs to its request, and
//! nothing is left over at the end.

use crate::check::good_request_works;
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::gateway::{self, Gatehouse};
use portcullis_testkit::{Client, Dice, FakeUpstream, Talk};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const CLIENTS: u64 = 8;
const LONG: Duration = Duration::from_secs(5);
const SEED: u64 = 20_261_123;

/// The target asks for a manner; the answer's body is the target and the request's body, so that pairing shows.
fn upstream() -> FakeUpstream {
    FakeUpstream::with(|talk| while turn(talk) {})
}

/// One request; whether the connection goes on.
fn turn(talk: &mut Talk) -> bool {
    let Some(mut heard) = talk.head() else { return false };
    let target = heard.target();
    let manner = target.split('/').nth(1).unwrap_or_default().to_owned();
    if manner == "deaf" {
        talk.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return false;
    }
    let Some(body) = talk.body(&heard) else { return false };
    heard.body = body;
    let to_head = heard.head.starts_with(b"HEAD ");
    let body =
        if heard.field("transfer-encoding").is_some() { String::new() } else { String::from_utf8(heard.body).unwrap() };
    let text = format!("{target} {body}");
    match manner.as_str() {
        "chunks" => {
            talk.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            if !to_head {
                for part in text.as_bytes().chunks(7) {
                    talk.send(format!("{:x}\r\n{}\r\n", part.len(), String::from_utf8_lossy(part)));
                }
                talk.send("0\r\n\r\n");
            }
            true
        }
        "end" => {
            talk.send(format!("HTTP/1.1 200 OK\r\n\r\n{}", if to_head { "" } else { &text }));
            false
        }
        "stale" => {
            talk.send(full(&text, to_head));
            false
        }
        "extra" => talk.send(format!("{}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged", full(&text, to_head))),
        "half" => {
            talk.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len() + 10));
            false
        }
        "garbage" => {
            talk.send("\u{1}\u{2}garbage\r\n\r\n");
            false
        }
        "rude" => false,
        "slow" => {
            talk.pause(Duration::from_millis(5));
            talk.send(full(&text, to_head))
        }
        "hints" => talk.send(format!("HTTP/1.1 103 Early Hints\r\n\r\n{}", full(&text, to_head))),
        _ => talk.send(full(&text, to_head)),
    }
}

fn full(text: &str, to_head: bool) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", text.len(), if to_head { "" } else { text })
}

const MANNERS: &[&str] =
    &["plain", "plain", "plain", "chunks", "end", "stale", "extra", "half", "garbage", "rude", "slow", "hints", "deaf"];

/// What a client asked, and what it may get.
struct Asked {
    manner: &'static str,
    text: String,
    chunked: bool,
    to_head: bool,
    /// Whether it can be sent again, so that a kept connection that closes is not its problem.
    repeatable: bool,
}

/// Manners after which there is no answer to pass on.
const FAILING: &[&str] = &["half", "garbage", "rude", "deaf"];

fn ask(dice: &mut Dice, nonce: &str) -> (String, Asked) {
    let manner = dice.pick(MANNERS);
    let method = dice.pick(&["GET", "POST", "PUT", "HEAD"]);
    let target = format!("/{manner}/{nonce}");
    let body = "b".repeat(dice.roll(40)) + nonce;
    let (lines, sent, chunked) = match (method, dice.roll(2)) {
        ("GET" | "HEAD", _) => (String::new(), String::new(), false),
        (_, 0) => (format!("Content-Length: {}\r\n", body.len()), body.clone(), false),
        _ => ("Transfer-Encoding: chunked\r\n".to_owned(), format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()), true),
    };
    let text = format!("{target} {}", if chunked || sent.is_empty() { "" } else { &body });
    let request = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{lines}\r\n{sent}");
    let (to_head, repeatable) = (method == "HEAD", matches!(method, "GET" | "HEAD"));
    (request, Asked { manner, text, chunked, to_head, repeatable })
}

/// Asks by chance until the time is up; returns how many answers came.
fn storm(address: SocketAddr, number: u64, until: Instant) -> usize {
    let mut dice = Dice::new(SEED + number);
    let mut answers = 0;
    for connection in 0.. {
        if Instant::now() >= until {
            return answers;
        }
        let mut client = Client::connect(address);
        for round in 0..20 {
            let burst: Vec<(String, Asked)> = (0..=dice.roll(3))
                .map(|index| ask(&mut dice, &format!("{number}-{connection}-{round}-{index}")))
                .collect();
            let bytes: String = burst.iter().map(|(request, _)| request.as_str()).collect();
            if client.try_send(&bytes).is_err() || dice.one_in(20) {
                // The client goes away without waiting.
                break;
            }
            let mut open = true;
            for (_, asked) in &burst {
                let Some(answer) = client.try_answer(asked.to_head) else {
                    open = false;
                    break;
                };
                answers += 1;
                let text = answer.text();
                let about = format!("seed {SEED}, {} asked {:?}: {answer:?}", asked.manner, asked.text);
                match (answer.status, asked.manner) {
                    (200, "half") => assert!(asked.to_head || !answer.whole, "{about}"),
                    (200, _) if answer.whole && !asked.to_head => assert_eq!(text, asked.text, "{about}"),
                    (200, _) => assert!(asked.to_head || asked.chunked || asked.text.starts_with(&text), "{about}"),
                    (403, "deaf") => {}
                    (502, manner) => assert!(FAILING.contains(&manner) || !asked.repeatable, "{about}"),
                    (_, _) => panic!("{about}"),
                }
                if !answer.whole || answer.says_close() {
                    open = false;
                    break;
                }
            }
            if !open {
                break;
            }
        }
    }
    answers
}

#[test]
fn no_answer_is_ever_given_to_another_request_and_nothing_is_left_over() {
    let upstream = upstream();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        plan.workers = std::num::NonZeroUsize::new(2);
        gateway::each_upstream(plan, |upstream| upstream.idle_timeout = Duration::from_millis(300));
    });
    let (address, until) = (gate.address(), Instant::now() + LONG);
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| std::thread::spawn(move || storm(address, number, until))).collect();
    let answers: usize =
        clients.into_iter().map(|client| client.join().expect("every answer belonged to its request")).sum();
    assert!(answers > 500, "{answers} answers are no storm");
    println!("storm: {answers} answers, {} requests upstream", upstream.requests());
    gate.wait_metric("portcullis_connections", 0.0);
    eventually("no connection to the upstream is left", || (upstream.open() == 0).then_some(()));
    assert!(!upstream.text().contains("forged"));
    good_request_works(&gate, "the storm");
}
