//! Each fuzz target's function over mutated seeds. An input that ever broke one becomes a seed here.

use portcullis_h1::{fuzz_body, fuzz_compose, fuzz_head, fuzz_response_head};
use portcullis_proxy::{fuzz_forwarded, fuzz_proxy_header};
use portcullis_testkit::Dice;
use portcullis_testkit::fuzz::{
    ANSWER_SEEDS, BODY_PIECES, BODY_SEEDS, COMPOSE_PIECES, COMPOSE_SEEDS, HEAD_PIECES, HEAD_SEEDS, TARGET_PIECES,
    TARGET_SEEDS, fuzz_forward, mutate,
};
use portcullis_types::fuzz_target;

fn smoke(seeds: &[&str], pieces: &[&str], rounds: usize, run: impl Fn(&[u8])) {
    for seed in seeds {
        run(seed.as_bytes());
    }
    let mut dice = Dice::new(1);
    for _ in 0..rounds {
        let mut bytes = dice.pick(seeds).as_bytes().to_vec();
        mutate(&mut bytes, pieces, &mut dice);
        run(&bytes);
    }
}

#[test]
fn fuzz_smoke_head() {
    smoke(HEAD_SEEDS, HEAD_PIECES, 20_000, fuzz_head);
}

#[test]
fn fuzz_smoke_compose() {
    smoke(COMPOSE_SEEDS, COMPOSE_PIECES, 50_000, fuzz_compose);
}

#[test]
fn fuzz_smoke_response_head() {
    smoke(ANSWER_SEEDS, HEAD_PIECES, 20_000, fuzz_response_head);
}

#[test]
fn fuzz_smoke_body() {
    smoke(BODY_SEEDS, BODY_PIECES, 20_000, fuzz_body);
}

#[test]
fn fuzz_smoke_target() {
    smoke(TARGET_SEEDS, TARGET_PIECES, 50_000, fuzz_target);
}

#[test]
fn fuzz_smoke_forward() {
    smoke(HEAD_SEEDS, HEAD_PIECES, 10_000, fuzz_forward);
}

#[test]
fn fuzz_smoke_proxy_header() {
    let binary: &[&[u8]] = &[
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\x0a\0\0\x01\xdc\x04\x01\xbb",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x11\xc0\0\x02\x07\x0a\0\0\x01\xdc\x04\x01\xbb\x04\0\x02\0\0",
        b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0",
    ];
    let mut dice = Dice::new(1);
    for _ in 0..20_000 {
        let mut bytes = dice.pick(binary).to_vec();
        mutate(&mut bytes, &["\x03\0\x04", "\x20\0\x05", "\x21", "\x20", "\0\x0c", "\r\n"], &mut dice);
        fuzz_proxy_header(&bytes);
    }
    let lines = [
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n",
        "PROXY TCP6 2001:db8::7 ::1 1 2\r\nGET / HTTP/1.1\r\n\r\n",
        "PROXY UNKNOWN\r\n",
        "PROXY UNKNOWN x y 1 2\r\n",
    ];
    smoke(&lines, &["PROXY ", "TCP4 ", "TCP6 ", "UNKNOWN", "::", "65535", "0", " ", "\r\n"], 20_000, fuzz_proxy_header);
}

#[test]
fn fuzz_smoke_forwarded() {
    let seeds = [
        "for=192.0.2.60;proto=http;by=203.0.113.43",
        "for=192.0.2.43, for=\"[2001:db8:cafe::17]:4711\";host=\"a.example:8443\"",
        "for=_hidden, for=unknown;secret=\"a\\\"b\"",
        "192.0.2.1, 2001:db8::1,[2001:db8::2]:80,10.0.0.1:99,unknown",
        "192.0.2.1, 10.0.0.1https, http",
    ];
    let pieces = ["for=", "proto=", "https", "\"", "\\", ";", ",", "[", "]", "::ffff:", "_", "unknown", ":80", "255"];
    smoke(&seeds, &pieces, 50_000, fuzz_forwarded);
}
