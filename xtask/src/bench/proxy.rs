//! The gateway as a plain proxy against a bare nginx: CPU per request, tail latency, handshakes, memory.
//!
//! nginx writes no log; the gateway routes, logs, counts and adds its headers. Every number of work done is checked:
//! a gateway that answered wrongly or logged too little has no figures.

use std::path::{Path, PathBuf};

use super::Options;
use super::cost::cpu_per_request_us;
use super::figure::{Figure, Target, median};
use super::idle::kb_per_connection;
use super::load::{
    CONNECTIONS, HTTP2_UNDER_WAY, LogTail, Seen, answers_with, handshakes, http2, negotiated, p99_us, wrk,
};
use super::peers::{Subject, Upstream, Workplace, build, gateway, nginx, stand_in, upstream};
use crate::needs::{Source, Tool};

pub(super) const TOOLS: &[Tool] = &[
    Tool { name: "nginx", why: "the upstream and the peer", source: Source::Apt("nginx-light") },
    Tool { name: "wrk", why: "load as fast as it goes", source: Source::Apt("wrk") },
    Tool { name: "h2load", why: "load at a fixed rate, and over HTTP/2", source: Source::Apt("nghttp2-client") },
    Tool { name: "openssl", why: "the certificate and the handshakes", source: Source::Apt("openssl") },
    Tool { name: "python3", why: "idle connections by the thousand, also with TLS", source: Source::Apt("python3") },
    Tool { name: "getconf", why: "the unit of the kernel's accounting", source: Source::Apt("libc-bin") },
];

pub(super) const PARTS: &[&str] = &["cpu", "http2", "p99", "tls", "memory", "idle10k"];

/// Idle connections of the parts `memory` and `idle10k`.
const IDLE: u32 = 2_000;
const IDLE_MANY: u32 = 10_000;

/// Both subjects, running.
struct Pair<'o> {
    place: Workplace,
    upstream: Upstream,
    nginx: Subject,
    ours: Subject,
    /// What stands in our place; nginx where there is none.
    binary: Option<PathBuf>,
    options: &'o Options,
}

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>, String> {
    let binary = if options.stand_in { None } else { Some(build()?) };
    let place = Workplace::new()?;
    let upstream = upstream(&place)?;
    let nginx = nginx(&place, &upstream)?;
    let ours = start(&place, &upstream, binary.as_deref())?;
    let at_rest = ours.server.resident_kb() / 1024.0;
    let pair = Pair { place, upstream, nginx, ours, binary, options };
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
        let names = ["memory_idle_connection_plain_kb", "memory_idle_connection_tls_kb"];
        figures.extend(pair.idle(IDLE, names)?);
    }
    if options.wants("idle10k") {
        figures.extend(pair.idle(IDLE_MANY, ["idle10k_connection_plain_kb", "idle10k_connection_tls_kb"])?);
    }
    if options.wants("cpu") {
        figures.push(pair.cpu()?);
    }
    if options.wants("http2") {
        figures.push(pair.http2()?);
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
        self.cpu_ratio("cpu", "proxy_cpu_ratio", |subject| subject.plain_port, wrk, CONNECTIONS)
    }

    /// Both speak HTTP/2 with the client, in the clear, and HTTP/1.1 with the upstream.
    fn http2(&self) -> Result<Figure, String> {
        self.cpu_ratio("http2", "http2_cpu_ratio", |subject| subject.http2_port, http2, HTTP2_UNDER_WAY)
    }

    fn cpu_ratio(
        &self,
        part: &str,
        name: &'static str,
        port: fn(&Subject) -> u16,
        load: Load,
        under_way: u32,
    ) -> Result<Figure, String> {
        let mut ratios = Vec::new();
        for subject in [&self.nginx, &self.ours] {
            load(port(subject), 1)?;
        }
        for round in 1..=self.options.pairs {
            let cost = |subject: &Subject| {
                cpu_per_request_us(subject, "", under_way, || load(port(subject), self.options.seconds))
            };
            let ((theirs, peak), (ours, rate)) = (cost(&self.nginx)?, cost(&self.ours)?);
            eprintln!(
                "{part} {round}: nginx {theirs:.2} us at {peak:.0}/s, {} {ours:.2} us at {rate:.0}/s, ratio {:.3}",
                self.ours.name,
                ours / theirs
            );
            ratios.push(ours / theirs);
        }
        Ok(Figure { name, unit: "x", target: Target::AtMost(1.0), samples: ratios })
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

    /// What so many idle connections cost each, plain and with TLS; while they are open, others are served.
    fn idle(&self, count: u32, names: [&'static str; 2]) -> Result<[Figure; 2], String> {
        let certificate = self.place.file("tls.crt");
        // Each has a gateway of its own: what one leaves behind would hide what the other costs.
        let measured = |port: fn(&Subject) -> u16, certificate: Option<&Path>| {
            let fresh = start(&self.place, &self.upstream, self.binary.as_deref())?;
            let serves = || (0..100).try_for_each(|_| answers_with(fresh.plain_port, &self.upstream.body));
            kb_per_connection(&fresh.server, port(&fresh), certificate, count, serves)
        };
        let plain = measured(|subject| subject.plain_port, None)?;
        let tls = measured(|subject| subject.tls_port, Some(&certificate))?;
        let figure =
            |name, most, value| Figure { name, unit: "KB", target: Target::AtMost(most), samples: vec![value] };
        let [of_plain, of_tls] = names;
        Ok([figure(of_plain, 12.0, plain), figure(of_tls, 40.0, tls)])
    }
}

fn start(place: &Workplace, upstream: &Upstream, binary: Option<&Path>) -> Result<Subject, String> {
    match binary {
        Some(binary) => gateway(place, upstream, binary),
        None => stand_in(place, upstream),
    }
}

/// Load on a port for some seconds.
type Load = fn(u16, u32) -> Result<Seen, String>;

/// A number of requests; beyond four thousand million nobody waits for the end.
pub(super) fn whole(count: f64) -> u32 {
    format!("{:.0}", count.clamp(1.0, f64::from(u32::MAX))).parse().unwrap_or(u32::MAX)
}
