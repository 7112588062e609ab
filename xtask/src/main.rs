//! Repository chores of Portcullis: the checks that CI runs, fuzzing and benchmarks.
//!
//! Standard library only, so that the first `cargo xtask` on a new machine builds in a second and can install the rest.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks through its output")]
#![allow(clippy::disallowed_methods, reason = "chores time real processes and read the caller's environment")]

mod bench;
mod command;
mod fuzz;
mod json;
mod licences;
mod needs;
mod prove;
mod spdx;
mod test;
mod tidy;
mod toml;

use std::process::ExitCode;

const HELP: &str = "\
Repository chores of Portcullis

usage: cargo xtask COMMAND

  test                    everything CI runs; every step runs, and the failed ones are named at the end
  test STEP...            only these steps
  test --list             the steps and what each is for
  tidy                    the house rules alone (same as `test tidy`)
  fuzz --list             the fuzz targets
  fuzz TARGET [--minutes N]
                          fuzzes one target (default: 10 minutes); findings stay in fuzz/artifacts
  bench --list            the benchmarks
  bench NAME [--pairs N] [--seconds N] [--only PART] [--format text|json] [--stand-in]
                          measures us and a peer in turn (at least 5 pairs) and prints a line for each figure;
                          --stand-in puts the peer in our place, to see what the runner itself adds
  soak [--minutes N] [--publish]
                          half load for long (default: 30 minutes); memory, CPU, files and latency go to target/soak as a
                          table and a plot, or to docs/concepts; fails where memory is not flat
  chaos [--requests N]    upstreams killed, hung, slowed and worse under so many requests (default: 1000000), each of
                          which must get its own answer
  reload [--reloads N]    so many reloads under load (default: 1000), in process and of the release build
  masked [--megabytes N]  one answer of so many megabytes (default: 1024), masked while it passes; fails where memory grows
                          with it
  help                    this text

Exit codes: 0 all good, 1 a check failed or a target was missed, 2 wrong usage.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(true)
        }
        ["test", rest @ ..] => test::test(rest),
        ["tidy"] => test::test(&["tidy"]),
        ["bench", rest @ ..] => bench::bench(rest),
        ["soak", rest @ ..] => bench::soak(rest),
        ["chaos", rest @ ..] => prove::chaos(rest),
        ["reload", rest @ ..] => prove::reload(rest),
        ["masked", rest @ ..] => prove::masked(rest),
        ["fuzz", rest @ ..] => fuzz::fuzz(rest),
        [other, ..] => Err(format!("there is no command `{other}`; `cargo xtask help` lists all")),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}
