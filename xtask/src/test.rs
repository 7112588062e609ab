//! `cargo xtask test`: the steps CI runs, each announced and timed, all of them run whatever fails.

use std::time::{Duration, Instant};

use crate::command::{program, run};
use crate::{fuzz, licences, needs, tidy};

struct Step {
    name: &'static str,
    purpose: &'static str,
    run: fn() -> Result<(), String>,
}

/// Cheap steps come first, so that a slip shows early; every build uses the same profile and features as its neighbours.
const STEPS: &[Step] = &[
    Step { name: "needs", purpose: "the tools the tests use are there, or get installed", run: needs::needs },
    Step { name: "fmt", purpose: "the code is formatted", run: fmt },
    Step { name: "tidy", purpose: "the house rules hold", run: tidy::tidy },
    Step { name: "licences", purpose: "licences, bans and sources of all dependencies", run: licences::licences },
    Step { name: "clippy", purpose: "no lint speaks", run: clippy },
    Step { name: "nextest", purpose: "all tests", run: nextest },
    Step { name: "doctest", purpose: "the examples in the documentation run", run: doctest },
    Step {
        name: "fuzz",
        purpose: "every fuzz target builds and has its seeded smoke among the tests",
        run: fuzz::targets_build,
    },
    Step { name: "doc", purpose: "the documentation builds without a warning", run: doc },
];

/// Runs the named steps, or all. `Ok(false)` means that one failed; an error means that none ran.
pub(crate) fn test(words: &[&str]) -> Result<bool, String> {
    if words == ["--list"] {
        for step in STEPS {
            println!("{:<9} {}", step.name, step.purpose);
        }
        return Ok(true);
    }
    let known = |word: &str| STEPS.iter().any(|step| step.name == word);
    if let Some(stranger) = words.iter().find(|word| !known(word)) {
        return Err(format!("there is no step `{stranger}`; `cargo xtask test --list` lists all"));
    }
    let chosen = STEPS.iter().filter(|step| words.is_empty() || words.contains(&step.name));
    let results: Vec<Ran> = chosen.map(announce_and_run).collect();
    print!("{}", summary(&results));
    Ok(results.iter().all(|ran| ran.failure.is_none()))
}

struct Ran {
    name: &'static str,
    took: Duration,
    failure: Option<String>,
}

fn announce_and_run(step: &Step) -> Ran {
    println!("\n=== {}: {}", step.name, step.purpose);
    let started = Instant::now();
    let failure = (step.run)().err();
    let took = started.elapsed();
    match &failure {
        None => println!("=== {}: ok in {:.1} s", step.name, took.as_secs_f64()),
        Some(why) => println!("=== {}: FAILED in {:.1} s: {why}", step.name, took.as_secs_f64()),
    }
    Ran { name: step.name, took, failure }
}

/// The closing lines; the last has the form that CI counts by.
fn summary(results: &[Ran]) -> String {
    let mut text = String::from("\n=== summary\n");
    for ran in results {
        let verdict = if ran.failure.is_none() { "ok" } else { "FAILED" };
        text += &format!("{:<9} {verdict:<6} {:>8.1} s\n", ran.name, ran.took.as_secs_f64());
    }
    for ran in results {
        if let Some(why) = &ran.failure {
            text += &format!("{} failed: {why}\n", ran.name);
        }
    }
    let failed = results.iter().filter(|ran| ran.failure.is_some()).count();
    text + &format!("{} passed, {failed} failed\n", results.len() - failed)
}

fn fmt() -> Result<(), String> {
    run(program("cargo").args(["fmt", "--all", "--check"]))
}

fn clippy() -> Result<(), String> {
    let mut cargo = program("cargo");
    cargo.args(["clippy", "--workspace", "--all-targets", "--locked", "--keep-going", "--", "-D", "warnings"]);
    run(&mut cargo)
}

fn nextest() -> Result<(), String> {
    run(program("cargo").args(["nextest", "run", "--workspace", "--locked", "--profile", "ci"]))
}

fn doctest() -> Result<(), String> {
    run(program("cargo").args(["test", "--doc", "--workspace", "--locked", "--quiet"]))
}

fn doc() -> Result<(), String> {
    let mut cargo = program("cargo");
    cargo.args(["doc", "--workspace", "--no-deps", "--locked", "--keep-going"]).env("RUSTDOCFLAGS", "-D warnings");
    run(&mut cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_ends_with_the_line_that_is_counted() {
        let ran = |name, failure: Option<&str>| Ran {
            name,
            took: Duration::from_millis(1_250),
            failure: failure.map(str::to_owned),
        };
        let text = summary(&[ran("fmt", None), ran("tidy", Some("2 findings")), ran("doc", None)]);
        assert!(text.contains("fmt       ok          1.2 s\n"), "{text}");
        assert!(text.contains("tidy failed: 2 findings\n"), "{text}");
        assert!(text.ends_with("\n2 passed, 1 failed\n"), "{text}");
    }

    #[test]
    fn a_step_that_does_not_exist_is_named() {
        let error = test(&["fmt", "lint"]).unwrap_err();
        assert!(error.contains("`lint`"), "{error}");
    }
}
