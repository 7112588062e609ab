//! Load on a server: wrk as fast as it goes, h2load at a given rate, openssl for handshakes; and what they saw.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::command::{program, read};

pub(super) const CONNECTIONS: u32 = 32;
const HTTP2_CONNECTIONS: u32 = 8;
const HTTP2_STREAMS: u32 = 8;
/// What may be under way when the time is up.
pub(super) const HTTP2_UNDER_WAY: u32 = HTTP2_CONNECTIONS * HTTP2_STREAMS;
/// What a client of an API asks for: a route with a parameter, and a query.
const TARGET: &str = "/users/1?fields=name,email&sort=asc&page=2";
const HEADERS: [&str; 2] =
    ["User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "Accept: application/json"];

/// What wrk saw.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) requests: u32,
    pub(super) per_second: f64,
}

/// One connection after the other, closed loop, for some seconds.
pub(super) fn wrk(port: u16, seconds: u32) -> Result<Seen, String> {
    let mut wrk = program("wrk");
    wrk.args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s"), "--latency"]);
    for header in HEADERS {
        wrk.args(["-H", header]);
    }
    seen_by_wrk(&read(wrk.arg(format!("http://127.0.0.1:{port}{TARGET}")))?)
}

/// The same with a field of a file for each request, in turn; with `once` each is used once, and that was all.
pub(super) fn wrk_as(port: u16, seconds: u32, callers: &Path, script: &Path, once: bool) -> Result<Seen, String> {
    let callers = ("CALLERS", callers.as_os_str());
    let once = once.then_some(("ONCE", OsStr::new("1")));
    let all: Vec<_> = std::iter::once(callers).chain(once).collect();
    wrk_with(port, seconds, script, &all)
}

/// The same with requests that a script makes, which is told what it needs to know.
pub(super) fn wrk_with(port: u16, seconds: u32, script: &Path, told: &[(&str, &OsStr)]) -> Result<Seen, String> {
    let mut wrk = program("wrk");
    wrk.args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s"), "--latency", "-s"]).arg(script);
    for header in HEADERS {
        wrk.args(["-H", header]);
    }
    wrk.envs(told.iter().copied());
    seen_by_wrk(&read(wrk.arg(format!("http://127.0.0.1:{port}{TARGET}")))?)
}

fn seen_by_wrk(text: &str) -> Result<Seen, String> {
    if let Some(line) = text.lines().find(|line| line.contains("Non-2xx") || line.contains("Socket errors")) {
        return Err(format!("wrk saw answers that are no good: {}", line.trim()));
    }
    let requests = text.lines().find_map(|line| line.trim().split_once(" requests in ")?.0.parse().ok());
    let per_second = text.lines().find_map(|line| line.strip_prefix("Requests/sec:")?.trim().parse().ok());
    let (Some(requests), Some(per_second)) = (requests, per_second) else {
        return Err(format!("wrk printed something unexpected:\n{text}"));
    };
    Ok(Seen { requests, per_second })
}

/// Exactly `requests` requests, `per_second` of them a second, each answered with 200 and as many bytes as `body` has; and
/// the slowest of the fastest 99 % in microseconds.
pub(super) fn p99_us(port: u16, requests: u32, per_second: f64, body: &str, log: &Path) -> Result<f64, String> {
    let options = ["--h1".to_owned(), format!("-c{CONNECTIONS}")];
    at_rate(port, &options, CONNECTIONS, requests, per_second, body, log)
}

/// The same over HTTP/2.
pub(super) fn p99_http2_us(port: u16, requests: u32, per_second: f64, body: &str, log: &Path) -> Result<f64, String> {
    let options = [format!("-c{HTTP2_CONNECTIONS}"), format!("-m{HTTP2_STREAMS}")];
    at_rate(port, &options, HTTP2_CONNECTIONS, requests, per_second, body, log)
}

fn at_rate(
    port: u16,
    options: &[String],
    connections: u32,
    requests: u32,
    per_second: f64,
    body: &str,
    log: &Path,
) -> Result<f64, String> {
    drop(fs::remove_file(log));
    let mut h2load = program("h2load");
    h2load.args(options).args(["-t1", &format!("-n{requests}")]);
    h2load.args(["--rps", &format!("{:.2}", per_second / f64::from(connections))]);
    // Each connection has a clock of its own. Started together they would all fire at once, and the figure would be that
    // of bursts; one after the other, by a time that is no multiple of theirs, they spread.
    h2load.args(["-r1", "--rate-period=11ms", &format!("--log-file={}", log.display())]);
    for header in HEADERS {
        h2load.args(["-H", header]);
    }
    let text = read(h2load.arg(format!("http://127.0.0.1:{port}{TARGET}")))?;
    let expected = format!("status codes: {requests} 2xx, 0 3xx, 0 4xx, 0 5xx");
    let bytes = format!("({}) data", requests as usize * body.len());
    if !text.contains(&expected) || !text.contains(&bytes) {
        return Err(format!("h2load saw answers that are no good:\n{text}"));
    }
    let log = fs::read_to_string(log).map_err(|error| format!("{}: {error}", log.display()))?;
    percentile_99(&log).ok_or_else(|| "h2load left no latencies".to_owned())
}

/// As many requests as go over HTTP/2 in some seconds, in the clear by prior knowledge.
pub(super) fn http2(port: u16, seconds: u32) -> Result<Seen, String> {
    let mut h2load = program("h2load");
    h2load.args(["-t1", &format!("-c{HTTP2_CONNECTIONS}"), &format!("-m{HTTP2_STREAMS}"), &format!("-D{seconds}")]);
    for header in HEADERS {
        h2load.args(["-H", header]);
    }
    seen_by_h2load(&read(h2load.arg(format!("http://127.0.0.1:{port}{TARGET}")))?)
}

fn seen_by_h2load(text: &str) -> Result<Seen, String> {
    let line = |start: &str| text.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default();
    let counts = |start: &str| -> Vec<(u32, &str)> {
        let pair = |part: &'_ str| -> Option<(u32, String)> {
            let (count, name) = part.trim().split_once(' ')?;
            Some((count.parse().ok()?, name.to_owned()))
        };
        let known = ["done", "succeeded", "failed", "errored", "timeout", "2xx", "3xx", "4xx", "5xx"];
        let named = |(count, name): (u32, String)| known.iter().find(|have| **have == name).map(|have| (count, *have));
        line(start).split(',').filter_map(pair).filter_map(named).collect()
    };
    let all: Vec<(u32, &str)> = [counts("requests:"), counts("status codes:")].concat();
    let count = |name: &str| all.iter().find(|(_, have)| *have == name).map(|(count, _)| *count);
    let bad = ["failed", "errored", "timeout", "3xx", "4xx", "5xx"].iter().any(|name| count(name) != Some(0));
    let per_second = line("finished in ").split(", ").nth(1).and_then(|rate| rate.strip_suffix(" req/s")?.parse().ok());
    let (Some(requests), Some(good), Some(per_second)) = (count("done"), count("2xx"), per_second) else {
        return Err(format!("h2load printed something unexpected:\n{text}"));
    };
    // Heads may have come whose bodies had not when the time was up.
    if bad || requests == 0 || good < requests || good > requests + HTTP2_UNDER_WAY || !text.contains("protocol: h2c") {
        return Err(format!("h2load saw answers that are no good, or none of HTTP/2:\n{text}"));
    }
    Ok(Seen { requests, per_second })
}

/// The 99th percentile of the third column.
fn percentile_99(log: &str) -> Option<f64> {
    let mut times: Vec<u32> = log.lines().filter_map(|line| line.split('\t').nth(2)?.parse().ok()).collect();
    times.sort_unstable();
    times.get((times.len() * 99).div_ceil(100).checked_sub(1)?).copied().map(f64::from)
}

/// What a client and the server agree on: protocol, cipher, key exchange and kind of certificate.
pub(super) fn negotiated(port: u16) -> Result<String, String> {
    let mut openssl = program("openssl");
    let text = read(openssl.args(["s_client", "-tls1_3", "-connect", &format!("127.0.0.1:{port}")]))?;
    let told = ["New, TLSv1.3", "Server Temp Key:", "Peer signature type:"];
    let lines = told.map(|start| text.lines().find(|line| line.starts_with(start)).unwrap_or_default());
    let complete = lines.iter().all(|line| !line.is_empty());
    if complete { Ok(lines.join("; ")) } else { Err(format!("port {port} made no full TLS 1.3 handshake:\n{text}")) }
}

/// Full TLS 1.3 handshakes, one after the other, each on a connection of its own.
pub(super) fn handshakes(port: u16, seconds: u32) -> Result<f64, String> {
    let mut openssl = program("openssl");
    openssl.args([
        "s_time",
        "-new",
        "-tls1_3",
        "-time",
        &seconds.to_string(),
        "-connect",
        &format!("127.0.0.1:{port}"),
    ]);
    let text = read(&mut openssl)?;
    let line = text.lines().find(|line| line.contains("connections in") && line.contains("real seconds"));
    let count = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    count.filter(|count| *count > 0.0).ok_or_else(|| format!("openssl s_time made no connection:\n{text}"))
}

/// One request by hand: the answer is 200 and carries exactly this body.
pub(super) fn answers_with(port: u16, body: &str) -> Result<(), String> {
    let answer = answer(port, "")?;
    let good = answer.starts_with("HTTP/1.1 200") && answer.ends_with(body);
    if good { Ok(()) } else { Err(format!("port {port} answered something else:\n{answer}")) }
}

/// The whole answer to a request with one more header line, or none.
pub(super) fn answer(port: u16, line: &str) -> Result<String, String> {
    let line = if line.is_empty() { String::new() } else { format!("{line}\r\n") };
    exchange(port, &format!("GET {TARGET} HTTP/1.1\r\nHost: 127.0.0.1\r\n{line}Connection: close\r\n\r\n"))
}

/// The whole answer to a request after which the connection closes.
pub(super) fn exchange(port: u16, request: &str) -> Result<String, String> {
    let attempt = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        // LIMIT: the answer is known to be small.
        stream.take(1024 * 1024).read_to_string(&mut answer)?;
        Ok(answer)
    };
    attempt().map_err(|error| format!("port {port}: {error}"))
}

/// What a gateway says at its status port: the value of a series without labels.
pub(super) fn metric(port: u16, series: &str) -> Result<f64, String> {
    let text = exchange(port, "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.trim().parse().ok());
    value.ok_or_else(|| format!("port {port} has no metric `{series}`"))
}

/// Counts the lines that a server adds to its log.
#[derive(Debug)]
pub(super) struct LogTail {
    path: PathBuf,
    read_bytes: u64,
    /// What a line has to have in it to be counted.
    with: &'static str,
}

impl LogTail {
    pub(super) fn new(path: &Path) -> LogTail {
        LogTail::of(path, "")
    }

    /// Counts only lines with this text in them.
    pub(super) fn of(path: &Path, with: &'static str) -> LogTail {
        let mut tail = LogTail { path: path.to_owned(), read_bytes: 0, with };
        tail.new_lines();
        tail
    }

    /// How many lines there are since the last call, once no more are coming.
    pub(super) fn new_lines(&mut self) -> u32 {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut lines = self.count();
        loop {
            std::thread::sleep(Duration::from_millis(300));
            let more = self.count();
            lines += more;
            if more == 0 || Instant::now() > deadline {
                return lines;
            }
        }
    }

    fn count(&mut self) -> u32 {
        let Ok(mut file) = fs::File::open(&self.path) else { return 0 };
        if file.seek(SeekFrom::Start(self.read_bytes)).is_err() {
            return 0;
        }
        let (mut reader, mut line, mut lines) = (BufReader::with_capacity(1 << 20, file), Vec::new(), 0);
        // LIMIT: a line is as long as the server makes it; what is not whole yet is read again.
        while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) && line.ends_with(b"\n") {
            self.read_bytes += line.len() as u64;
            lines += u32::from(self.with.is_empty() || find(&line, self.with.as_bytes()));
            line.clear();
        }
        lines
    }
}

fn find(line: &[u8], with: &[u8]) -> bool {
    line.windows(with.len()).any(|window| window == with)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrk_is_understood() {
        let good = "Running 2s test\n  76443 requests in 2.10s, 35.21MB read\nRequests/sec:  36402.50\n";
        assert_eq!(seen_by_wrk(good), Ok(Seen { requests: 76_443, per_second: 36_402.5 }));
        for bad in ["", "  1 requests in 1s\nRequests/sec: 1\n  Non-2xx or 3xx responses: 5\n"] {
            assert!(seen_by_wrk(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_h2load_saw_is_read() {
        let text = |failed: u32, wrong: u32| {
            format!(
                "Application protocol: h2c\n\nfinished in 5.00s, 24108.80 req/s, 3.45MB/s\nrequests: 120544 total, 120608 \
                 started, 120544 done, 120544 succeeded, {failed} failed, 0 errored, 0 timeout\nstatus codes: 120544 2xx, 0 \
                 3xx, {wrong} 4xx, 0 5xx\n"
            )
        };
        assert_eq!(seen_by_h2load(&text(0, 0)), Ok(Seen { requests: 120_544, per_second: 24_108.8 }));
        for bad in [String::new(), text(1, 0), text(0, 1), text(0, 0).replace("h2c", "http/1.1")] {
            assert!(seen_by_h2load(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_percentile_is_the_value_below_which_99_of_100_lie() {
        let rows = |count: u32| (1..=count).rev().map(|time| format!("1\t200\t{time}\n")).collect::<String>();
        for (count, expected) in [(0, None), (1, Some(1.0)), (100, Some(99.0)), (1_000, Some(990.0))] {
            assert_eq!(percentile_99(&rows(count)), expected);
        }
    }
}
