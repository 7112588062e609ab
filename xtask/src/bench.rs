//! `cargo xtask bench`: us and a peer, measured in turn in one run, and one line for each figure.

mod access;
mod contract;
mod cost;
mod example;
mod figure;
mod growth;
mod identity;
mod idle;
mod limits;
mod load;
mod peers;
mod process;
mod proxy;
mod shape;
mod sharing;
mod soak;
mod waf;

pub(crate) use peers::build;
pub(crate) use soak::soak;

use crate::needs::{Tool, advice, missing};
use figure::Figure;

/// Fewer pairs say nothing about the spread.
const PAIRS_MIN: u32 = 5;
const SECONDS_DEFAULT: u32 = 5;
/// LIMIT: longer runs are asked for again.
const NUMBER_MAX: u32 = 3_600;

struct Benchmark {
    name: &'static str,
    purpose: &'static str,
    tools: &'static [Tool],
    parts: &'static [&'static str],
    /// Whether the peer can take our place in it.
    stand_in: bool,
    measure: fn(&Options) -> Result<Vec<Figure>, String>,
}

const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "proxy",
        purpose: "the gateway as a plain proxy against a bare nginx",
        tools: proxy::TOOLS,
        parts: proxy::PARTS,
        stand_in: true,
        measure: proxy::measure,
    },
    Benchmark {
        name: "identity",
        purpose: "callers with tokens and keys against Envoy's same chain and a bare nginx",
        tools: identity::TOOLS,
        parts: identity::PARTS,
        stand_in: false,
        measure: identity::measure,
    },
    Benchmark {
        name: "limits",
        purpose: "a decision about a limit in process, and limits that gateways share through a real store",
        tools: limits::TOOLS,
        parts: limits::PARTS,
        stand_in: false,
        measure: limits::measure,
    },
    Benchmark {
        name: "contract",
        purpose: "a request and an answer of 1 KB held to a contract, against a bare nginx",
        tools: contract::TOOLS,
        parts: contract::PARTS,
        stand_in: false,
        measure: contract::measure,
    },
    Benchmark {
        name: "shape",
        purpose: "masking of answers against a plain parse-and-print, and through the gateway",
        tools: shape::TOOLS,
        parts: shape::PARTS,
        stand_in: false,
        measure: shape::measure,
    },
    Benchmark {
        name: "access",
        purpose: "decisions about access in process: plain rules and ten Cedar policies",
        tools: access::TOOLS,
        parts: access::PARTS,
        stand_in: false,
        measure: access::measure,
    },
    Benchmark {
        name: "waf",
        purpose: "rules about attacks in process: the built-in ones and the OWASP Core Rule Set",
        tools: waf::TOOLS,
        parts: waf::PARTS,
        stand_in: false,
        measure: waf::measure,
    },
];

/// How a benchmark is to be run.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    pairs: u32,
    seconds: u32,
    json: bool,
    only: Option<String>,
    /// The peer itself stands in for the gateway, to see what the runner adds: ratios should be about 1.
    stand_in: bool,
}

impl Options {
    fn wants(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }

    fn read(mut words: &[&str], parts: &[&str]) -> Result<Options, String> {
        let mut options =
            Options { pairs: PAIRS_MIN, seconds: SECONDS_DEFAULT, json: false, only: None, stand_in: false };
        loop {
            words = match words {
                [] => return Ok(options),
                ["--stand-in", rest @ ..] => {
                    options.stand_in = true;
                    rest
                }
                ["--format", format @ ("json" | "text"), rest @ ..] => {
                    options.json = *format == "json";
                    rest
                }
                ["--pairs", count, rest @ ..] => {
                    options.pairs = number("--pairs", count, PAIRS_MIN)?;
                    rest
                }
                ["--seconds", count, rest @ ..] => {
                    options.seconds = number("--seconds", count, 1)?;
                    rest
                }
                ["--only", part, rest @ ..] if parts.contains(part) => {
                    options.only = Some((*part).to_owned());
                    rest
                }
                ["--only", ..] => return Err(format!("--only takes one of: {}", parts.join(", "))),
                [other, ..] => return Err(format!("`{other}` is not understood here; see `cargo xtask help`")),
            };
        }
    }
}

fn number(option: &str, word: &str, least: u32) -> Result<u32, String> {
    let number = word.parse().ok().filter(|number| (least..=NUMBER_MAX).contains(number));
    number.ok_or_else(|| format!("{option} takes a number from {least} to {NUMBER_MAX}, not `{word}`"))
}

/// Runs one benchmark. `Ok(false)` means that a target was missed.
pub(crate) fn bench(words: &[&str]) -> Result<bool, String> {
    let (name, rest) = match words {
        [] | ["--list", ..] => {
            for bench in BENCHMARKS {
                println!("{:<9} {} (parts: {})", bench.name, bench.purpose, bench.parts.join(", "));
            }
            return Ok(true);
        }
        [name, rest @ ..] => (*name, rest),
    };
    let benchmark = BENCHMARKS.iter().find(|bench| bench.name == name);
    let benchmark =
        benchmark.ok_or_else(|| format!("there is no benchmark `{name}`; see `cargo xtask bench --list`"))?;
    let options = Options::read(rest, benchmark.parts)?;
    if options.stand_in && !benchmark.stand_in {
        return Err(format!("no peer can stand in for the gateway in `{name}`: leave `--stand-in` out"));
    }
    // A benchmark installs nothing: what it compares with is a choice of whoever runs it.
    let absent = missing(benchmark.tools);
    if !absent.is_empty() {
        return Err(format!("this benchmark needs tools that are missing:\n{}", advice(&absent)));
    }
    warn_if_busy();
    let figures = (benchmark.measure)(&options)?;
    if options.json {
        let rows: Vec<String> = figures.iter().map(Figure::json).collect();
        println!("[\n  {}\n]", rows.join(",\n  "));
    } else {
        figures.iter().for_each(|figure| println!("{}", figure.line()));
    }
    Ok(figures.iter().all(Figure::is_met))
}

/// The pairs share whatever else runs, but tails and peaks do not forgive it.
fn warn_if_busy() {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let busy = load.split(' ').next().and_then(|number| number.parse::<f64>().ok()).filter(|number| *number > 0.5);
    if let Some(number) = busy {
        eprintln!("note: this machine is busy (load {number}); latencies will spread");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        let parts = &["cpu"];
        let read = |words: &[&str]| Options::read(words, parts);
        let plain = Options { pairs: 5, seconds: 5, json: false, only: None, stand_in: false };
        assert_eq!(read(&[]), Ok(plain));
        let full = Options { pairs: 7, seconds: 2, json: true, only: Some("cpu".to_owned()), stand_in: true };
        let words = ["--pairs", "7", "--seconds", "2", "--format", "json", "--only", "cpu", "--stand-in"];
        assert_eq!(read(&words), Ok(full));
        for bad in [&["--pairs", "4"][..], &["--seconds", "x"], &["--only", "gpu"], &["--format", "xml"], &["x"]] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
