//! Masking of answers against a plain parse-and-print of the same documents, in one process, and what it adds to a request that
//! goes through the gateway.

use super::Options;
use super::cost::cpu_per_request_us;
use super::example::example;
use super::figure::{Figure, Target};
use super::load::{CONNECTIONS, answer, answers_with, wrk};
use super::peers::{Subject, Workplace, build, gateway_with, upstream};
use crate::needs::{Source, Tool};

pub(super) const TOOLS: &[Tool] = &[
    Tool { name: "nginx", why: "the upstream", source: Source::Apt("nginx-light") },
    Tool { name: "wrk", why: "load as fast as it goes", source: Source::Apt("wrk") },
    Tool { name: "openssl", why: "the certificate of the workplace", source: Source::Apt("openssl") },
    Tool { name: "getconf", why: "the unit of the kernel's accounting", source: Source::Apt("libc-bin") },
];
pub(super) const PARTS: &[&str] = &["places", "detectors", "gateway"];

/// What is masked of the upstream's answer, a few hundred bytes of JSON.
const MASK: &str = "mask: [{ fields: [\"$.email\", \"$.ssn\"], show: { partial: { last: 4 } } }, { detect: [card, iban], show: nulled }]";

/// Figures by their prefix in the example's lines: the pace of masking, and how many times that of parse-and-print it is.
const FIGURES: [(&str, &str, &str); 4] = [
    ("places_1kb", "mask_places_1kb", "mask_places_1kb_ratio"),
    ("places_1mb", "mask_places_1mb", "mask_places_1mb_ratio"),
    ("detectors_1kb", "mask_detectors_1kb", "mask_detectors_1kb_ratio"),
    ("detectors_1mb", "mask_detectors_1mb", "mask_detectors_1mb_ratio"),
];

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>, String> {
    let mut figures =
        if options.wants("places") || options.wants("detectors") { in_process(options)? } else { Vec::new() };
    if options.wants("gateway") {
        figures.extend(through_the_gateway(options)?);
    }
    Ok(figures)
}

/// The same requests through a gateway that masks and one that does not, in turn.
fn through_the_gateway(options: &Options) -> Result<[Figure; 2], String> {
    let binary = build()?;
    let place = Workplace::new()?;
    let upstream = upstream(&place)?;
    let start = |mask: &str, name: &str| -> Result<Subject, String> {
        let more = [("@MASK@", mask.to_owned())];
        gateway_with(&place, &upstream, &binary, include_str!("shape.yaml"), &more, place.file(name))
    };
    let (plain, masking) = (start("", "plain.access")?, start(MASK, "masking.access")?);
    answers_with(plain.plain_port, &upstream.body)?;
    let masked = answer(masking.plain_port, "")?;
    if !masked.starts_with("HTTP/1.1 200") || masked.contains("ada@example.com") || !masked.contains(".com") {
        return Err(format!("the answer is not masked:\n{masked}"));
    }
    let cost = |subject: &Subject| {
        let load = || wrk(subject.plain_port, options.seconds);
        cpu_per_request_us(subject, "", CONNECTIONS, load).map(|(cost, _)| cost)
    };
    [&plain, &masking].into_iter().try_for_each(|subject| wrk(subject.plain_port, 1).map(drop))?;
    let (mut added, mut ratios) = (Vec::new(), Vec::new());
    for round in 1..=options.pairs {
        let (before, after) = (cost(&plain)?, cost(&masking)?);
        eprintln!("gateway {round}: {before:.2} us without, {after:.2} us with masking");
        added.push(after - before);
        ratios.push(after / before);
    }
    let figure = |name, unit, samples| Figure { name, unit, target: Target::Stated, samples };
    Ok([figure("mask_gateway_added_us", "us/request", added), figure("mask_gateway_cpu_ratio", "x", ratios)])
}

fn in_process(options: &Options) -> Result<Vec<Figure>, String> {
    let mut example = example("portcullis-mask", "pace");
    let output = example.arg(options.pairs.to_string()).output().map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("the example does not run: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut figures = Vec::new();
    for (name, pace, ratio) in FIGURES {
        if !options.wants(name.split('_').next().unwrap_or_default()) {
            continue;
        }
        let pairs: Vec<(f64, f64)> = text.lines().filter_map(|line| pair(line, name)).collect();
        let of = |side: fn(&(f64, f64)) -> f64| pairs.iter().map(side).collect();
        figures.push(Figure { name: pace, unit: "MB/s", target: Target::Stated, samples: of(|pair| pair.0) });
        // To mask a document costs no more than to read and write it.
        let target = Target::AtLeast(1.0);
        figures.push(Figure { name: ratio, unit: "x", target, samples: of(|pair| pair.0 / pair.1) });
    }
    Ok(figures)
}

/// The two sides of a pair: `places_1kb 0 500.1 200.2`.
fn pair(line: &str, name: &str) -> Option<(f64, f64)> {
    let mut words = line.split(' ');
    let named = words.next() == Some(name);
    let mut numbers = words.skip(1).filter_map(|word| word.parse().ok());
    let pair = (numbers.next()?, numbers.next()?);
    named.then_some(pair)
}

#[cfg(test)]
mod tests {
    use super::pair;

    #[test]
    fn lines_are_read() {
        assert_eq!(pair("places_1kb 0 500.5 200.0", "places_1kb"), Some((500.5, 200.0)));
        assert_eq!(pair("places_1kb 0 500.5 200.0", "places_1mb"), None);
        assert_eq!(pair("places_1kb 0 x", "places_1kb"), None);
    }
}
