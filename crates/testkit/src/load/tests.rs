//! The load against upstreams whose answers are known.

use super::{Load, Pace, Protocol};
use crate::moody::{Mood, MoodyUpstream};
use std::time::Duration;

#[test]
fn both_protocols_are_asked_and_checked() {
    let upstream = MoodyUpstream::start();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let tally = Load { requests: 400, ..Load::new(upstream.address(), protocol) }.run();
        assert_eq!((tally.good, tally.total(), tally.connections), (400, 400, 8), "{tally}");
        assert_eq!(tally.repeatable, 300, "{tally}");
    }
    assert_eq!((upstream.requests(), upstream.requests_over_http2()), (800, 400));
}

#[test]
fn a_rate_is_kept() {
    let upstream = MoodyUpstream::start();
    let load = Load { pace: Pace::Open(500.0), requests: 250, ..Load::new(upstream.address(), Protocol::Http1) };
    let tally = load.run();
    assert!(tally.good == 250 && tally.took >= Duration::from_millis(490), "{tally}");
}

#[test]
fn each_mood_is_seen_and_healed() {
    let upstream = MoodyUpstream::start();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        for (mood, good) in [
            (Mood::Well, true),
            (Mood::Slow(5), true),
            (Mood::Resetting, false),
            (Mood::HalfClosing, false),
            (Mood::Garbage, false),
            (Mood::Hung, false),
            (Mood::Killed, false),
        ] {
            upstream.become_(mood);
            let timeout = Duration::from_millis(if good { 10_000 } else { 300 });
            let load = Load { requests: 16, timeout, ..Load::new(upstream.address(), protocol) };
            let tally = load.run();
            let expected = if good { (16, 0) } else { (0, 16) };
            assert_eq!((tally.good, tally.failures()), expected, "{protocol:?} {mood:?}: {tally}");
            assert_eq!(tally.mismatched, 0, "{protocol:?} {mood:?}: {tally}");
            upstream.become_(Mood::Well);
            crate::deadline::eventually("it is well again", || {
                let tally = Load { requests: 1, ..Load::new(upstream.address(), protocol) }.run();
                (tally.good == 1).then_some(())
            });
        }
    }
    crate::deadline::eventually("no connection is left", || (upstream.open() == 0).then_some(()));
}

#[test]
fn an_answer_to_another_request_is_told_from_a_failure() {
    let upstream = crate::FakeUpstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n/n/x-0 .");
    let tally = Load { requests: 8, post_every: 0, ..Load::new(upstream.address(), Protocol::Http1) }.run();
    assert_eq!((tally.good, tally.mismatched, tally.failures()), (0, 8, 0), "{tally}");
    let upstream = crate::FakeUpstream::with(|talk| {
        talk.request();
        talk.send("HTTP/1.1 200 OK\r\nContent-Length: 80\r\n\r\n/n/x");
    });
    let tally = Load { requests: 8, post_every: 0, ..Load::new(upstream.address(), Protocol::Http1) }.run();
    assert_eq!((tally.mismatched, tally.examples.len()), (8, 5), "a wrong beginning is wrong: {tally}");
}
