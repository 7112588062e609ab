//! Every document of a folder, loaded and linted: how many load, what keeps the others from it, and how long it takes.
//!
//! `cargo run --profile dist -p portcullis-contract --example sweep -- FOLDER`

use portcullis_contract::{Options, Severity, lint, load};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[derive(Default)]
struct Sum {
    documents: usize,
    loaded: usize,
    operations: usize,
    bytes: usize,
    reasons: BTreeMap<&'static str, usize>,
    examples: BTreeMap<&'static str, Vec<String>>,
    slowest: (Duration, String),
    all: Duration,
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the machine's clock")]
fn one(path: &Path, sum: &mut Sum) {
    let Ok(bytes) = std::fs::read(path) else { return };
    let name = path.to_string_lossy().into_owned();
    let start = Instant::now();
    let loaded = load(&name, &bytes, Options::default(), &mut |_| None);
    let took = start.elapsed();
    let found = lint(&name, &bytes, &mut |_| None);
    if loaded.diagnostics.iter().any(|one| one.code == "version") {
        return;
    }
    sum.documents += 1;
    sum.bytes += bytes.len();
    sum.all += took;
    if took > sum.slowest.0 {
        sum.slowest = (took, format!("{name} ({} KiB)", bytes.len() / 1024));
    }
    if let Some(contract) = &loaded.contract {
        sum.loaded += 1;
        sum.operations += contract.operations().len();
    }
    let mut reasons: Vec<_> = loaded.diagnostics.iter().filter(|one| one.severity == Severity::Error).collect();
    reasons.dedup_by_key(|one| one.code);
    reasons.sort_by_key(|one| one.code);
    reasons.dedup_by_key(|one| one.code);
    for one in reasons {
        *sum.reasons.entry(one.code).or_default() += 1;
        let examples = sum.examples.entry(one.code).or_default();
        if examples.len() < 8 {
            examples.push(one.to_string());
        }
    }
    for one in &found {
        *sum.reasons.entry(one.code).or_default() += 1;
    }
}

fn files(folder: &Path, all: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("");
        if path.is_dir() {
            files(&path, all);
        } else if matches!(ending, "json" | "yaml" | "yml") {
            all.push(path);
        }
    }
}

#[expect(clippy::print_stdout, reason = "a measurement prints its figures")]
fn main() {
    let (mut all, mut sum) = (Vec::new(), Sum::default());
    files(Path::new(&std::env::args().nth(1).unwrap_or_else(|| ".".to_owned())), &mut all);
    all.sort();
    all.iter().for_each(|path| one(path, &mut sum));
    println!("{} documents, {} load, {} operations", sum.documents, sum.loaded, sum.operations);
    println!("{} MiB in {:?}; slowest {:?}: {}", sum.bytes >> 20, sum.all, sum.slowest.0, sum.slowest.1);
    sum.reasons.iter().for_each(|(code, count)| println!("{code:<14} {count:>7}"));
    sum.examples.values().flatten().for_each(|text| println!("{text}"));
}
