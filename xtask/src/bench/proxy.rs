//! The gateway as a plain proxy against a bare nginx: CPU per request, tail latency, handshakes, memory.
//!
//! nginx writes no log; the gateway routes, logs, counts and adds its headers. Every number of work done is checked:
//! a gateway that answered wrongly or logged too little has no figures.

use super::Options;
use super::figure::{Figure, Target, median};
use super::idle::kb_per_connection;
use super::load::{CONNECTIONS, LogTail, answers_with, handshakes, negotiated, p99_us, wrk};
use super::peers::{Subject, Upstream, Workplace, build, gateway, nginx, stand_in, upstream};
use crate::needs::{Source, Tool};

pub(super) const TOOLS: &[Tool] = &[
    Tool { name: "nginx", why: "the upstream and the peer", source: Source::Apt("nginx-light") },
    Tool { name: "wrk", why: "load as fast as it goes", source: Source::Apt("wrk") },
    Tool { name: "h2load", why: "load at a fixed rate", source: Source::Apt("nghttp2-client") },
    Tool { name: "openssl", why: "the certificate and the handshakes", source: Source::Apt("openssl") },
    Tool { name: "python3", why: "2,000 idle connections with TLS", source: Source::Apt("python3") },
    Tool { name: "getconf", why: "the unit of the kernel's accounting", source: Source::Apt("libc-bin") },
];

pub(super) const PARTS: &[&str] = &["cpu", "p99", "tls", "memory"];

/// Both subjects, running.
struct Pair<'o> {
    place: Workplace,
    upstream: Upstream,
    nginx: Subject,
    ours: Subject,
    options: &'o Options,
}

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>, String> {
    let binary = if options.stand_in { None } else { Some(build()?) };
    let place = Workplace::new()?;
    let upstream = upstream(&place)?;
    let nginx = nginx(&place, &upstream)?;
    let start = || match &binary {
        Some(binary) => gateway(&place, &upstream, binary),
        None => stand_in(&place, &upstream),
    };
    let ours = start()?;
    let at_rest = ours.server.resident_kb() / 1024.0;
    let pair = Pair { place, upstream, nginx, ours, options };
    answers_with(pair.nginx.plain_port, &pair.upstream.body)?;
    answers_with(pair.ours.plain_port, &pair.upstream.body)?;
    let mut figures = Vec::new();
    // Memory comes first: load leaves buffers behind that would hide what a connection costs.
    if options.wants("memory") {
        figures.push(Figure {
            name: "memory_at_rest_mb",
            unit: "MB",
            target: Target::AtMost(30.0),
            samples: vec![at_rest],
        });
        figures.extend(pair.memory()?);
    }
    if options.wants("cpu") {
        figures.push(pair.cpu()?);
    }
    if options.wants("p99") {
        figures.push(pair.p99()?);
    }
    if options.wants("tls") {
        figures.push(pair.tls()?);
    }
    Ok(figures)
}

impl Pair<'_> {
    fn cpu(&self) -> Result<Figure, String> {
        let mut ratios = Vec::new();
        for subject in [&self.nginx, &self.ours] {
            wrk(subject.plain_port, 1)?;
        }
        for round in 1..=self.options.pairs {
            let (theirs, peak) = self.cpu_per_request_us(&self.nginx)?;
            let (ours, rate) = self.cpu_per_request_us(&self.ours)?;
            eprintln!(
                "cpu {round}: nginx {theirs:.2} us at {peak:.0}/s, {} {ours:.2} us at {rate:.0}/s, ratio {:.3}",
                self.ours.name,
                ours / theirs
            );
            ratios.push(ours / theirs);
        }
        Ok(Figure { name: "proxy_cpu_ratio", unit: "x", target: Target::AtMost(1.0), samples: ratios })
    }

    fn cpu_per_request_us(&self, subject: &Subject) -> Result<(f64, f64), String> {
        let mut log = subject.access_log.as_deref().map(LogTail::new);
        let before = subject.server.cpu_us();
        let seen = wrk(subject.plain_port, self.options.seconds)?;
        // The log is waited for before the clock is read: lines written late are paid for as well.
        if let Some(lines) = log.as_mut().map(LogTail::new_lines) {
            // wrk drops the requests that are under way when its time is up; the server may have answered them.
            if lines < seen.requests || lines > seen.requests + CONNECTIONS {
                return Err(format!("{} logged {lines} of {} requests", subject.name, seen.requests));
            }
        }
        let spent = subject.server.cpu_us() - before;
        Ok((spent / f64::from(seen.requests), seen.per_second))
    }

    /// Both get the same load, half of what nginx can take.
    fn p99(&self) -> Result<Figure, String> {
        let peaks = (0..3).map(|_| wrk(self.nginx.plain_port, self.options.seconds).map(|seen| seen.per_second));
        let rate = median(&peaks.collect::<Result<Vec<f64>, String>>()?) / 2.0;
        let requests = whole(rate * f64::from(self.options.seconds));
        let mut ratios = Vec::new();
        for round in 1..=self.options.pairs {
            let theirs = self.p99_of(&self.nginx, requests, rate)?;
            let ours = self.p99_of(&self.ours, requests, rate)?;
            eprintln!("p99 {round}: nginx {theirs:.0} us, {} {ours:.0} us at {rate:.0}/s", self.ours.name);
            ratios.push(ours / theirs);
        }
        Ok(Figure { name: "proxy_p99_ratio", unit: "x", target: Target::AtMost(1.2), samples: ratios })
    }

    fn p99_of(&self, subject: &Subject, requests: u32, rate: f64) -> Result<f64, String> {
        let mut log = subject.access_log.as_deref().map(LogTail::new);
        let p99 = p99_us(subject.plain_port, requests, rate, &self.upstream.body, &self.place.file("latencies"))?;
        match log.as_mut().map(LogTail::new_lines) {
            Some(lines) if lines != requests => Err(format!("{} logged {lines} of {requests} requests", subject.name)),
            Some(_) | None => Ok(p99),
        }
    }

    fn tls(&self) -> Result<Figure, String> {
        let (theirs, ours) = (negotiated(self.nginx.tls_port)?, negotiated(self.ours.tls_port)?);
        if theirs != ours {
            return Err(format!("the handshakes differ, so their cost cannot be compared:\n{theirs}\n{ours}"));
        }
        eprintln!("tls: both agree on {ours}");
        let mut ratios = Vec::new();
        let per_cpu_second = |subject: &Subject| -> Result<f64, String> {
            let before = subject.server.cpu_us();
            let count = handshakes(subject.tls_port, self.options.seconds)?;
            Ok(count / ((subject.server.cpu_us() - before) / 1e6))
        };
        for round in 1..=self.options.pairs {
            let theirs = per_cpu_second(&self.nginx)?;
            let ours = per_cpu_second(&self.ours)?;
            eprintln!("tls {round}: nginx {theirs:.0}, {} {ours:.0} handshakes per CPU second", self.ours.name);
            ratios.push(ours / theirs);
        }
        let name = "tls_handshakes_per_cpu_second_ratio";
        Ok(Figure { name, unit: "x", target: Target::AtLeast(1.0), samples: ratios })
    }

    fn memory(&self) -> Result<[Figure; 2], String> {
        let certificate = self.place.file("tls.crt");
        let server = &self.ours.server;
        let plain = kb_per_connection(server, self.ours.plain_port, None)?;
        let tls = kb_per_connection(server, self.ours.tls_port, Some(&certificate))?;
        let figure =
            |name, most, value| Figure { name, unit: "KB", target: Target::AtMost(most), samples: vec![value] };
        Ok([figure("memory_idle_connection_plain_kb", 12.0, plain), figure("memory_idle_connection_tls_kb", 40.0, tls)])
    }
}

/// A number of requests; beyond four thousand million nobody waits for the end.
fn whole(count: f64) -> u32 {
    format!("{:.0}", count.clamp(1.0, f64::from(u32::MAX))).parse().unwrap_or(u32::MAX)
}
