//! Masking of answers against a plain parse-and-print of the same documents, in one process.

use super::Options;
use super::figure::{Figure, Target};
use crate::command::program;
use crate::needs::Tool;

pub(super) const TOOLS: &[Tool] = &[];
pub(super) const PARTS: &[&str] = &["places", "detectors"];

/// Figures by their prefix in the example's lines: the pace of masking, and how many times that of parse-and-print it is.
const FIGURES: [(&str, &str, &str); 4] = [
    ("places_1kb", "mask_places_1kb", "mask_places_1kb_ratio"),
    ("places_1mb", "mask_places_1mb", "mask_places_1mb_ratio"),
    ("detectors_1kb", "mask_detectors_1kb", "mask_detectors_1kb_ratio"),
    ("detectors_1mb", "mask_detectors_1mb", "mask_detectors_1mb_ratio"),
];

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>, String> {
    if options.stand_in {
        return Err("nothing can stand in here: both sides are in one process".to_owned());
    }
    let mut cargo = program("cargo");
    cargo.args([
        "run",
        "--profile",
        "dist",
        "--locked",
        "--quiet",
        "--package",
        "portcullis-mask",
        "--example",
        "pace",
        "--",
    ]);
    let output = cargo.arg(options.pairs.to_string()).output().map_err(|error| format!("cargo: {error}"))?;
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
