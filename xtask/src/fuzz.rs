//! `cargo xtask fuzz` and the smoke that CI runs instead of hours of fuzzing.
//!
//! Targets live in `fuzz/fuzz_targets/NAME.rs` and call the same function as a seeded test `fuzz_smoke_NAME` in the crate
//! they attack: the test keeps what fuzzing learnt, on stable Rust, in every run.

use std::fs;

use crate::command::{answers, program, root, run};
use crate::needs::{Source, Tool, install};

const MINUTES_DEFAULT: u32 = 10;
/// LIMIT: a day; a longer run is asked for again.
const MINUTES_MAX: u32 = 24 * 60;

const TOOLS: &[Tool] = &[
    Tool { name: "cargo-fuzz", why: "drives libFuzzer", source: Source::Cargo("cargo-fuzz@0.13.2") },
    Tool { name: "c++", why: "builds libFuzzer", source: Source::Apt("build-essential") },
];

/// `cargo xtask fuzz --list` or `cargo xtask fuzz TARGET [--minutes N]`.
pub(crate) fn fuzz(words: &[&str]) -> Result<bool, String> {
    let targets = targets();
    let (target, minutes) = match words {
        ["--list"] => {
            targets.iter().for_each(|name| println!("{name}"));
            return Ok(true);
        }
        [target] => (*target, MINUTES_DEFAULT),
        [target, "--minutes", number] => (*target, minutes(number)?),
        _ => return Err("usage: cargo xtask fuzz --list | TARGET [--minutes N]".to_owned()),
    };
    if !targets.iter().any(|name| name == target) {
        return Err(format!("there is no fuzz target `{target}`; there are: {}", targets.join(", ")));
    }
    install(TOOLS)?;
    let mut cargo = program("cargo");
    // libFuzzer's instrumentation is unstable; where no nightly toolchain is installed, the stable one is told to allow it.
    if answers(program("cargo").args(["+nightly", "--version"])) {
        cargo.arg("+nightly").env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    } else {
        cargo.env("RUSTC_BOOTSTRAP", "1");
    }
    let seconds = format!("-max_total_time={}", minutes * 60);
    cargo.args(["fuzz", "run", target, "--", &seconds, "-timeout=10", "-rss_limit_mb=4096", "-print_final_stats=1"]);
    let outcome = run(&mut cargo);
    if let Err(why) = &outcome {
        println!("{why}\nthe input is in fuzz/artifacts/{target}; add it as a seed of the test `fuzz_smoke_{target}`");
    }
    Ok(outcome.is_ok())
}

fn minutes(number: &str) -> Result<u32, String> {
    let minutes = number.parse().ok().filter(|minutes| (1..=MINUTES_MAX).contains(minutes));
    minutes.ok_or_else(|| format!("--minutes takes a number from 1 to {MINUTES_MAX}, not `{number}`"))
}

/// Names of the targets, in order.
fn targets() -> Vec<String> {
    let Ok(files) = fs::read_dir(root().join("fuzz/fuzz_targets")) else { return Vec::new() };
    let names = files.flatten().map(|file| file.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter_map(|name| name.strip_suffix(".rs").map(str::to_owned)).collect();
    names.sort();
    names
}

/// The `fuzz` step: every target still builds and has its smoke test, which runs with all others in the step `nextest`.
pub(crate) fn targets_build() -> Result<(), String> {
    let targets = targets();
    if targets.is_empty() {
        println!("there are no fuzz targets yet");
        return Ok(());
    }
    let code = crate::tidy::code_of_crates()?;
    let without = without_smoke(&targets, &code);
    let mut check = program("cargo");
    // A path here keeps libfuzzer-sys from compiling libFuzzer: checking types needs no C++ compiler.
    check.args(["check", "--manifest-path", "fuzz/Cargo.toml", "--locked"]).env("CUSTOM_LIBFUZZER_PATH", "/dev/null");
    check.env("CARGO_TARGET_DIR", root().join("target"));
    run(&mut check)?;
    if without.is_empty() { Ok(()) } else { Err(format!("no test `fuzz_smoke_NAME` for: {}", without.join(", "))) }
}

fn without_smoke<'t>(targets: &'t [String], code: &str) -> Vec<&'t str> {
    let has = |target: &str| code.contains(&format!("fn fuzz_smoke_{target}("));
    targets.iter().map(String::as_str).filter(|target| !has(target)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_without_a_smoke_test_are_named() {
        let targets = ["head".to_owned(), "body".to_owned()];
        assert_eq!(without_smoke(&targets, "fn fuzz_smoke_head() {}"), ["body"]);
    }

    #[test]
    fn minutes_have_bounds() {
        assert_eq!(minutes("10"), Ok(10));
        assert!(minutes("0").is_err() && minutes("x").is_err() && minutes("9999").is_err());
    }
}
