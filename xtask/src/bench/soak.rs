//! `cargo xtask soak`: half load over both versions of HTTP for long, in rounds; after each, what the gateway holds and what
//! it cost. Memory that grows fails.

#[path = "soak/page.rs"]
mod page;
#[path = "soak/plot.rs"]
mod plot;

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use super::load::{answers_with, p99_http2_us, p99_us, wrk};
use super::peers::{Workplace, build, gateway_logging, upstream};
use super::process::Server;
use super::proxy::whole;
use super::{figure, number, proxy};
use crate::command::root;
use crate::needs::{advice, missing};

const MINUTES_DEFAULT: u32 = 30;
/// One round: new connections, a fixed number of requests at a fixed rate, then a sample.
const ROUND_SECONDS: f64 = 10.0;
/// LIMIT: what the straight line through the last two thirds may rise in ten minutes, in megabytes.
const RISE_MB_MAX: f64 = 1.0;
/// LIMIT: how far apart any two samples of the last two thirds may lie, in megabytes.
const SPREAD_MB_MAX: f64 = 8.0;

/// What was seen at the end of a round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) minute: f64,
    pub(super) resident_mb: f64,
    /// Of one core.
    pub(super) cpu_percent: f64,
    pub(super) files: f64,
    pub(super) http1_p99_ms: f64,
    pub(super) http2_p99_ms: f64,
}

/// A whole run.
#[derive(Debug)]
pub(super) struct Soak {
    pub(super) samples: Vec<Sample>,
    /// Of each version.
    pub(super) per_second: f64,
    pub(super) requests: f64,
}

/// Runs it. `Ok(false)` means that memory is not flat.
pub(crate) fn soak(mut words: &[&str]) -> Result<bool, String> {
    let (mut minutes, mut publish) = (MINUTES_DEFAULT, false);
    loop {
        words = match words {
            [] => break,
            ["--minutes", count, rest @ ..] => {
                minutes = number("--minutes", count, 1)?;
                rest
            }
            ["--publish", rest @ ..] => {
                publish = true;
                rest
            }
            [other, ..] => return Err(format!("`{other}` is not understood here; see `cargo xtask help`")),
        };
    }
    let absent = missing(proxy::TOOLS);
    if !absent.is_empty() {
        return Err(format!("the soak needs tools that are missing:\n{}", advice(&absent)));
    }
    let soak = run(minutes)?;
    let folder = if publish { root().join("docs/concepts") } else { root().join("target/soak") };
    write(&folder, "soak.svg", &plot::svg(&soak.samples))?;
    write(&folder, "soak.md", &page::page(&soak))?;
    // The table is as long as the run; the plot and the page say what is in it.
    write(&root().join("target/soak"), "soak.tsv", &table(&soak.samples))?;
    let flat = soak.rise_mb() <= RISE_MB_MAX && soak.spread_mb() <= SPREAD_MB_MAX;
    println!(
        "soak: {:.0} requests in {minutes} minutes, memory {:+.2} MB in ten minutes (at most {RISE_MB_MAX}), spread {:.2} MB (at \
         most {SPREAD_MB_MAX}): {}",
        soak.requests,
        soak.rise_mb(),
        soak.spread_mb(),
        if flat { "flat" } else { "not flat" }
    );
    Ok(flat)
}

fn run(minutes: u32) -> Result<Soak, String> {
    let binary = build()?;
    let place = Workplace::new()?;
    let upstream = upstream(&place)?;
    // Every record is written, and none is kept: hours of them would fill the disk.
    let ours = gateway_logging(&place, &upstream, &binary, PathBuf::from("/dev/null"))?;
    answers_with(ours.plain_port, &upstream.body)?;
    let peaks = (0..3).map(|_| wrk(ours.plain_port, 3).map(|seen| seen.per_second));
    // Half of what it takes, shared by the two versions.
    let per_second = figure::median(&peaks.collect::<Result<Vec<f64>, String>>()?) / 4.0;
    let requests = whole(per_second * ROUND_SECONDS);
    let began = Instant::now();
    let mut soak = Soak { samples: Vec::new(), per_second, requests: 0.0 };
    let mut before = Cost::of(&ours.server);
    while began.elapsed().as_secs_f64() < f64::from(minutes) * 60.0 {
        let (port, body) = (ours.plain_port, upstream.body.as_str());
        let (http1, http2) = std::thread::scope(|scope| {
            let http1 = scope.spawn(|| p99_us(port, requests, per_second, body, &place.file("http1.latencies")));
            let http2 = p99_http2_us(ours.http2_port, requests, per_second, body, &place.file("http2.latencies"));
            (http1.join(), http2)
        });
        let http1 = http1.map_err(|_| "the load over HTTP/1.1 panicked".to_owned())??;
        soak.requests += 2.0 * f64::from(requests);
        let now = Cost::of(&ours.server);
        let sample = now.since(&before, began, http1, http2?);
        before = now;
        eprintln!("{}", line(&sample));
        soak.samples.push(sample);
    }
    Ok(soak)
}

struct Cost {
    at: Instant,
    cpu_us: f64,
    resident_kb: f64,
    files: usize,
}

impl Cost {
    fn of(server: &Server) -> Cost {
        let (cpu_us, resident_kb, files) = (server.cpu_us(), server.resident_kb(), server.open_files());
        Cost { at: Instant::now(), cpu_us, resident_kb, files }
    }

    fn since(&self, before: &Cost, began: Instant, http1_us: f64, http2_us: f64) -> Sample {
        let seconds = (self.at - before.at).as_secs_f64();
        Sample {
            minute: (self.at - began).as_secs_f64() / 60.0,
            resident_mb: self.resident_kb / 1024.0,
            cpu_percent: (self.cpu_us - before.cpu_us) / 1e6 / seconds * 100.0,
            files: f64::from(u32::try_from(self.files).unwrap_or(u32::MAX)),
            http1_p99_ms: http1_us / 1000.0,
            http2_p99_ms: http2_us / 1000.0,
        }
    }
}

impl Soak {
    /// What has settled: the first third warms up.
    fn settled(&self) -> &[Sample] {
        self.samples.get(self.samples.len() / 3..).unwrap_or_default()
    }

    /// By the line of least squares.
    pub(super) fn rise_mb(&self) -> f64 {
        let points = self.settled();
        let count = points.iter().map(|_| 1.0).sum::<f64>();
        let mean = |of: fn(&Sample) -> f64| points.iter().map(of).sum::<f64>() / count;
        let (x, y) = (mean(|sample| sample.minute), mean(|sample| sample.resident_mb));
        let both: f64 = points.iter().map(|sample| (sample.minute - x) * (sample.resident_mb - y)).sum();
        let square: f64 = points.iter().map(|sample| (sample.minute - x).powi(2)).sum();
        if square > 0.0 { both / square * 10.0 } else { f64::INFINITY }
    }

    pub(super) fn spread_mb(&self) -> f64 {
        let memory = || self.settled().iter().map(|sample| sample.resident_mb);
        memory().fold(f64::NEG_INFINITY, f64::max) - memory().fold(f64::INFINITY, f64::min)
    }
}

fn table(samples: &[Sample]) -> String {
    let rows: String = samples.iter().map(|sample| line(sample) + "\n").collect();
    format!("minute\tresident_mb\tcpu_percent\tfiles\thttp1_p99_ms\thttp2_p99_ms\n{rows}")
}

fn line(sample: &Sample) -> String {
    let Sample { minute, resident_mb, cpu_percent, files, http1_p99_ms, http2_p99_ms } = sample;
    format!("{minute:.2}\t{resident_mb:.2}\t{cpu_percent:.1}\t{files}\t{http1_p99_ms:.3}\t{http2_p99_ms:.3}")
}

fn write(folder: &std::path::Path, name: &str, text: &str) -> Result<(), String> {
    let path = folder.join(name);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
    written.map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{Sample, Soak};

    fn soak(memory: &[f64]) -> Soak {
        let sample = |(index, resident_mb): (usize, &f64)| Sample {
            minute: f64::from(u32::try_from(index).unwrap()),
            resident_mb: *resident_mb,
            cpu_percent: 50.0,
            files: 20.0,
            http1_p99_ms: 1.0,
            http2_p99_ms: 2.0,
        };
        Soak { samples: memory.iter().enumerate().map(sample).collect(), per_second: 1.0, requests: 1.0 }
    }

    #[test]
    fn growth_is_told_from_noise() {
        // The first third does not count.
        let settled = soak(&[1.0, 9.0, 20.0, 20.0, 20.0, 20.0]);
        assert!(settled.rise_mb().abs() < 1e-9 && settled.spread_mb() < 1e-9, "{settled:?}");
        let rising = soak(&[0.0, 0.0, 20.0, 20.2, 20.4, 20.6]);
        assert!((rising.rise_mb() - 2.0).abs() < 1e-9, "{}", rising.rise_mb());
        let noisy = soak(&[0.0, 0.0, 0.0, 20.0, 30.0, 30.0, 20.0, 20.0, 30.0]);
        assert!((noisy.spread_mb() - 10.0).abs() < 1e-9);
        assert!(soak(&[1.0]).rise_mb().is_infinite(), "one sample shows nothing");
    }

    #[test]
    fn the_plot_and_the_page_show_the_run() {
        let soak = soak(&[1.0, 9.0, 20.0, 20.0, 20.0, 20.0]);
        let svg = super::plot::svg(&soak.samples);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
        assert_eq!(svg.matches("<polyline").count(), 5, "one line each, two of latency");
        assert!(!svg.contains("NaN"), "{svg}");
        assert!(super::page::page(&soak).contains("+0.00 MB"), "{}", super::page::page(&soak));
    }
}
