//! `cargo xtask chaos`, `cargo xtask reload` and `cargo xtask masked`: the long forms of tests, against the release build.

use crate::bench::build;
use crate::command::{program, run};

const REQUESTS: u32 = 1_000_000;
const RELOADS: u32 = 1_000;
/// The tests of chaos share the requests among them.
const CHAOS: &[&str] = &[
    "chaos::chaos_never_pairs_an_answer_with_another_request_and_leaves_nothing",
    "chaos::chaos_over_http2_upstream_does_neither",
];
const RELOAD: &[&str] =
    &["reload::a_thousand_reloads_fail_no_request", "reload::reloads_by_signal_and_by_file_fail_no_request"];

const MEGABYTES: u32 = 1_024;
const MASKED: &[&str] = &["masked::memory_does_not_grow_with_an_answer"];

/// An answer of so many megabytes, masked on its way.
pub(crate) fn masked(words: &[&str]) -> Result<bool, String> {
    prove(MASKED, number(words, "--megabytes", MEGABYTES)?)
}

/// Chaos under so many requests.
pub(crate) fn chaos(words: &[&str]) -> Result<bool, String> {
    let requests = number(words, "--requests", REQUESTS)?;
    prove(CHAOS, requests.div_ceil(u32::try_from(CHAOS.len()).unwrap_or(1)))
}

/// So many reloads under load.
pub(crate) fn reload(words: &[&str]) -> Result<bool, String> {
    prove(RELOAD, number(words, "--reloads", RELOADS)?)
}

fn number(words: &[&str], option: &str, default: u32) -> Result<u32, String> {
    match words {
        [] => Ok(default),
        [word, count] if *word == option => {
            let count = count.parse().ok().filter(|count| *count >= 100);
            count.ok_or_else(|| format!("{option} takes a number from 100"))
        }
        _ => Err(format!("only `{option} N` is understood here; see `cargo xtask help`")),
    }
}

/// `Ok(false)` means that one of them failed; all run.
fn prove(tests: &[&str], count: u32) -> Result<bool, String> {
    let binary = build()?;
    let mut all = true;
    for test in tests {
        let mut cargo = program("cargo");
        cargo.args(["test", "--locked", "--package", "portcullis", "--test", "proof", "--", "--exact", "--nocapture"]);
        cargo.arg(test).env("PORTCULLIS_PROOF_COUNT", count.to_string()).env("PORTCULLIS_PROOF_BINARY", &binary);
        if let Err(why) = run(&mut cargo) {
            println!("{why}");
            all = false;
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_number_is_read_or_refused() {
        assert_eq!(number(&[], "--reloads", 7), Ok(7));
        assert_eq!(number(&["--reloads", "200"], "--reloads", 7), Ok(200));
        for bad in [&["--reloads"][..], &["--reloads", "99"], &["--reloads", "x"], &["--requests", "200"]] {
            assert!(number(bad, "--reloads", 7).is_err(), "{bad:?}");
        }
    }
}
