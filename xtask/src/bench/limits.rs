//! What a decision about a limit costs in process, with few callers and with many; the same for whole requests, which `growth`
//! measures; and, with a real store, what `sharing` measures.
//!
//! The first figures come from `crates/limit/examples/decision_cost.rs`, which counts the CPU time of its own thread: this machine may
//! do other things as well.

use super::Options;
use super::example::example;
use super::figure::{Figure, Target};
use super::growth;
use super::sharing;
use crate::command::read;
use crate::needs::{Source, Tool};

pub(super) const TOOLS: &[Tool] = &[
    Tool { name: "nginx", why: "the upstream", source: Source::Apt("nginx-light") },
    Tool { name: "wrk", why: "load as fast as it goes", source: Source::Apt("wrk") },
    Tool { name: "openssl", why: "a certificate for the workplace", source: Source::Apt("openssl") },
    Tool { name: "redis-server", why: "a store that gateways share", source: Source::Apt("redis-server") },
    Tool { name: "getconf", why: "the unit of the kernel's accounting", source: Source::Apt("libc-bin") },
];
pub(super) const PARTS: &[&str] = &["process", "keys", "store"];

/// By the names that the example prints.
const FIGURES: [(&str, &str, Target); 9] = [
    ("limit_local_decision_ns", "ns/decision", Target::AtMost(300.0)),
    ("limit_local_decision_100k_keys_ns", "ns/decision", Target::AtMost(300.0)),
    ("limit_local_decision_of_8_workers_ns", "ns/decision", Target::AtMost(300.0)),
    ("limit_local_decision_100k_keys_of_8_workers_ns", "ns/decision", Target::AtMost(300.0)),
    ("limit_local_decision_and_a_read_ns", "ns/decision", Target::Stated),
    ("limit_local_decision_growth", "x", Target::Stated),
    // Many callers are the same as few, but for the one read of memory that any table of accounts takes whose caller was not
    // seen lately: few callers, each with such a read, are the measure. What it comes to in a request, `growth` measures.
    ("limit_local_decision_growth_beyond_a_read", "x", Target::AtMost(1.10)),
    ("limit_leased_decision_ns", "ns/decision", Target::AtMost(300.0)),
    ("limit_store_waits_share", "of requests", Target::AtMost(0.05)),
];

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>, String> {
    let mut figures = Vec::new();
    if options.wants("process") {
        figures.extend(in_process(options)?);
    }
    if options.wants("keys") {
        figures.push(growth::measure(options)?);
    }
    if options.wants("store") {
        figures.extend(sharing::measure(options)?);
    }
    Ok(figures)
}

fn in_process(options: &Options) -> Result<Vec<Figure>, String> {
    let pairs = options.pairs.to_string();
    let text = read(example("portcullis-limit", "decision_cost").args(["--samples", &pairs]))?;
    let samples_of = |name: &str| -> Vec<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix("samples ")?.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_default().split(' ').filter_map(|number| number.parse().ok()).collect()
    };
    let figure = |(name, unit, target): (&'static str, &'static str, Target)| -> Result<Figure, String> {
        let samples = samples_of(name);
        if samples.is_empty() {
            Err(format!("no samples of `{name}`"))
        } else {
            Ok(Figure { name, unit, target, samples })
        }
    };
    FIGURES.into_iter().map(figure).collect()
}
