//! Bodies that are small on the way and large once somebody looks into them: bombs of each coding, and JSON that is deep, wide or
//! endless. Each meets its named limit and its metric, costs little, and a good client is served beside it.

use crate::floods::beside_good_clients;
use crate::house::{House, Setup};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use portcullis_testkit::{Client, MoodyUpstream};
use std::io::Write as _;
use std::net::SocketAddr;

/// LIMIT: what the gateway may have grown by after a row; the limits of one body are 10 MiB of output and one of JSON.
const GROWTH_MB_MAX: f64 = 40.0;
/// LIMIT: CPU for it; an unoptimised build included.
const CPU_MS_MAX: u64 = 12_000;
/// How often each is sent, over four connections at the same time.
const TIMES: usize = 5;
const CONNECTIONS: usize = 4;
const MIB: usize = 1 << 20;

/// What is sent, and what it must come to.
struct Row {
    about: &'static str,
    coding: &'static str,
    body: Vec<u8>,
    answer: (u16, &'static str),
    stage: &'static str,
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// A frame of zstd (RFC 8878) of blocks that say "this byte, 128 KiB times": four bytes each.
fn zstd(blocks: usize) -> Vec<u8> {
    const BLOCK: u32 = 128 << 10;
    // Magic number; a window of 1 MiB and nothing else in the frame's header.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 10 << 3];
    for number in 1..=blocks {
        let header = (BLOCK << 3) | (1 << 1) | u32::from(number == blocks);
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.push(b' ');
    }
    frame
}

fn bombs() -> Vec<Row> {
    let row = |about, coding, body| Row { about, coding, body, answer: (413, "body_inflated"), stage: "receive" };
    vec![
        row("64 MiB of blanks in gzip", "gzip", gzip(&vec![b' '; 64 * MIB])),
        row("64 MiB of blanks in deflate", "deflate", deflate(&vec![b' '; 64 * MIB])),
        row("gzip in gzip", "gzip, gzip", gzip(&gzip(&vec![b' '; 64 * MIB]))),
        row("a gibibyte of blanks in zstd", "zstd", zstd(8_192)),
    ]
}

fn json() -> Vec<Row> {
    let row = |about, text: String| Row {
        about,
        coding: "",
        body: text.into_bytes(),
        answer: (400, "malformed_json"),
        stage: "conform",
    };
    let half = MIB / 2 - 1;
    let members: Vec<String> = (0..50_000).map(|number| format!("\"k{number}\":0")).collect();
    vec![
        row("lists within lists, never closed", "[".repeat(MIB - 1)),
        row("lists within lists", format!("{}{}", "[".repeat(half), "]".repeat(half))),
        row("objects within objects", "{\"a\":".repeat(MIB / 6)),
        row("one object of fifty thousand members", format!("{{{}}}", members.join(","))),
        row("a list of half a million", format!("[{}0]", "0,".repeat(half - 1))),
        row("a number of a megabyte", "1".repeat(MIB - 1)),
        Row { coding: "gzip", body: gzip(&vec![b'['; 60_000]), ..row("depth in gzip", String::new()) },
    ]
}

fn send(gateway: SocketAddr, row: &Row) {
    let mut client = Client::connect(gateway);
    let coding = if row.coding.is_empty() { String::new() } else { format!("Content-Encoding: {}\r\n", row.coding) };
    let head = format!(
        "POST /n/1 HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\n{coding}Content-Length: {}\r\n\r\n",
        row.body.len()
    );
    let answer = client.ask([head.as_bytes(), &row.body].concat());
    assert_eq!((answer.status, answer.code().as_str()), row.answer, "{}", row.about);
}

#[test]
fn bombs_and_deep_json_meet_their_limits_beside_good_clients() {
    let upstream = MoodyUpstream::start();
    let routes = "      - { path: \"/n/{id}\", methods: [any], bodies: { json: { strict: true } } }\n";
    let house = House::start(Setup { routes, ..Setup::new("bombs", &[upstream.address()]) });
    for row in bombs().iter().chain(&json()) {
        let (_, reason) = row.answer;
        let series =
            format!("portcullis_decisions_total{{stage=\"{}\",decision=\"refused\",reason=\"{reason}\"}}", row.stage);
        let before = house.metric(&series);
        beside_good_clients(&house, row.about, GROWTH_MB_MAX, CPU_MS_MAX, || {
            std::thread::scope(|scope| {
                for _ in 0..CONNECTIONS {
                    let gateway = house.plain;
                    scope.spawn(move || (0..TIMES).for_each(|_| send(gateway, row)));
                }
            });
        });
        let counted = u32::try_from(CONNECTIONS * TIMES).unwrap();
        house.wait_metric(&series, before + f64::from(counted));
    }
    // What only looks like one is served.
    let good = format!("{{\"deep\": {}0{}}}", "[".repeat(20), "]".repeat(20));
    for (coding, body) in [("", good.clone().into_bytes()), ("Content-Encoding: gzip\r\n", gzip(good.as_bytes()))] {
        let head = format!(
            "POST /n/1 HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\n{coding}Content-Length: {}\r\n\r\n",
            body.len()
        );
        let answer = Client::connect(house.plain).ask([head.as_bytes(), &body].concat());
        assert_eq!(answer.status, 200, "{coding}: {}", answer.text());
    }
    house.stop();
}
