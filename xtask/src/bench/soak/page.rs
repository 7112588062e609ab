//! The page about the last published run; every number on it comes from that run.

use super::super::figure::median;
use super::{RISE_MB_MAX, Sample, Soak};

/// The page.
pub(super) fn page(soak: &Soak) -> String {
    let of = |field: fn(&Sample) -> f64| soak.samples.iter().map(field).collect::<Vec<f64>>();
    let minutes = soak.samples.last().map_or(0.0, |sample| sample.minute);
    let first = soak.samples.first().map_or(0.0, |sample| sample.resident_mb);
    let last = soak.samples.last().map_or(0.0, |sample| sample.resident_mb);
    format!(
        "# A soak at half load

What the release build holds and costs while it serves half of what a client on the same machine could get through it, over
HTTP/1.1 and HTTP/2 at once, with an access record for every request. `cargo xtask soak --publish` makes this page and its plot anew; it fails where the straight
line through the last two thirds of the run rises by more than {RISE_MB_MAX} MB in ten minutes.

![memory, CPU, open files and latency over time](soak.svg)

| figure | value |
|---|---|
| length | {minutes:.0} minutes |
| requests, each answered with 200 and the whole body | {:.0} |
| offered load | {:.0}/s over HTTP/1.1 and as many over HTTP/2 |
| resident memory at the first sample and at the last | {first:.1} MB, {last:.1} MB |
| rise of the line through the last two thirds | {:+.2} MB in ten minutes |
| largest difference there | {:.2} MB |
| CPU, median | {:.0} % of one core |
| p99, median over the rounds | {:.2} ms over HTTP/1.1, {:.2} ms over HTTP/2 |

The load comes in rounds of ten seconds, each over new connections, so that taking and leaving them is part of it; a sample is
taken after each round. Load, upstream and gateway share one machine of two cores, so that latencies are theirs together.
",
        soak.requests,
        soak.per_second,
        soak.rise_mb(),
        soak.spread_mb(),
        median(&of(|sample| sample.cpu_percent)),
        median(&of(|sample| sample.http1_p99_ms)),
        median(&of(|sample| sample.http2_p99_ms)),
    )
}
