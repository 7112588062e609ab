//! Slow clients over HTTP/1: the four modes of slowhttptest, each against a gateway of its own: the gateway ends them by its
//! limits, at a bounded cost, and serves a good client throughout.

use crate::floods::beside_good_clients;
use crate::house::{House, Setup};
use portcullis_testkit::MoodyUpstream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Slow connections at once, and how many of them are opened a second.
const CONNECTIONS: &str = "300";
const PER_SECOND: &str = "150";
/// How long a mode lasts: several times the limits below.
const SECONDS: Duration = Duration::from_secs(8);
const LIMITS: &str = "{ head_timeout: 2s, body_idle_timeout: 2s, idle_timeout: 2s }";
/// Slow connections that are certainly there, and what is there without them: good clients and a probe.
const SOME: f64 = 100.0;
const FEW: f64 = 16.0;
/// LIMIT: what so many slow connections may cost.
const GROWTH_MB_MAX: f64 = 48.0;
const CPU_MS_MAX: u64 = 4_000;

fn mode(name: &'static str, path: &str, options: &[&str]) {
    let upstream = MoodyUpstream::start();
    let house =
        House::start(Setup { limits: LIMITS, upstream: ", timeout: 3s", ..Setup::new(name, &[upstream.address()]) });
    let prefix = house.folder.join("slow");
    let mut peak = 0.0_f64;
    let mut fell = false;
    let began = Instant::now();
    let mut took = Duration::ZERO;
    beside_good_clients(&house, name, GROWTH_MB_MAX, CPU_MS_MAX, || {
        let mut tool = Command::new("slowhttptest");
        tool.args(options).args(["-c", CONNECTIONS, "-r", PER_SECOND, "-p", "3", "-g", "-o"]);
        tool.arg(&prefix)
            .args(["-l", &SECONDS.as_secs().to_string()])
            .args(["-u", &format!("http://{}{path}", house.plain)]);
        let tool = tool.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut tool = tool
            .unwrap_or_else(|error| panic!("{error}: slowhttptest is missing; `cargo xtask test needs` installs it"));
        while tool.try_wait().expect("it can be waited for").is_none() {
            let open = house.metric("portcullis_connections");
            peak = peak.max(open);
            fell |= peak > SOME && open < FEW;
            // SLEEP: between two looks; the tool ends by itself.
            std::thread::sleep(Duration::from_millis(50));
        }
        took = began.elapsed();
    });
    // Seconds, closed, pending, connected, and whether its own probe was served; a line for each second.
    let table = std::fs::read_to_string(prefix.with_extension("csv")).unwrap_or_else(|error| panic!("{error}"));
    let rows: Vec<Vec<u32>> = table
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|word| word.trim().parse().expect("a number")).collect())
        .collect();
    let last = rows.last().expect("a row");
    println!("{name}: {peak} connections at once; after {} s {} had noticed their end", last[0], last[1]);
    assert!(rows.iter().all(|row| row[4] > 0), "its own probe was not served:\n{table}");
    // The tool stops before its time when none of its connections is left. A client that does not read does not notice its
    // end; the gateway knows.
    let all_noticed = took + Duration::from_secs(1) < SECONDS;
    assert!(fell || all_noticed, "slow connections stay; after {took:?}:\n{table}");
    house.stop();
}

#[test]
fn a_slow_head_is_ended() {
    mode("slow-head", "/n/x", &["-H", "-i", "1", "-x", "24", "-t", "GET"]);
}

#[test]
fn a_slow_body_is_ended() {
    mode("slow-body", "/n/x", &["-B", "-i", "1", "-x", "10", "-s", "8192", "-t", "POST"]);
}

#[test]
fn ranges_by_the_thousand_cost_nothing() {
    mode("ranges", "/n/x", &["-R", "-a", "10", "-b", "3000", "-t", "HEAD"]);
}

#[test]
fn a_slow_reader_is_ended() {
    mode("slow-read", "/large", &["-X", "-w", "16", "-y", "32", "-n", "1", "-z", "8", "-k", "1", "-t", "GET"]);
}
