//! Holds the gates against the interpreter without them over the suite and mutations of it:
//! `waf_equal FOLDER MUTATIONS [SEED]`. Exits with 1 at the first difference.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods, reason = "a command")]

use portcullis_waf::ftw::{Suite, compare_gates, core_rules};
use portcullis_waf::{Disk, RuleSet};

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(folder), Some(count)) = (arguments.first(), arguments.get(1).and_then(|n| n.parse::<usize>().ok()))
    else {
        eprintln!("usage: waf_equal FOLDER MUTATIONS [SEED]");
        return std::process::ExitCode::FAILURE;
    };
    let seed = arguments.get(2).and_then(|s| s.parse().ok()).unwrap_or(1);
    let suite = match Suite::folder(folder, &Disk) {
        Ok(suite) => suite,
        Err(e) => {
            eprintln!("{e}");
            return std::process::ExitCode::FAILURE;
        }
    };
    for paranoia in 1..=4 {
        let rules = match RuleSet::load(&core_rules(folder, paranoia), &Disk) {
            Ok(rules) => rules,
            Err(mistakes) => {
                eprintln!("{mistakes:?}");
                return std::process::ExitCode::FAILURE;
            }
        };
        println!("paranoia {paranoia}: {:?}, tables {} bytes", rules.counts(), rules.gate_bytes());
        match compare_gates(&rules, &suite, count / 4, seed) {
            Ok(requests) => println!("{requests} requests: the same"),
            Err(difference) => {
                println!("{difference}");
                return std::process::ExitCode::FAILURE;
            }
        }
    }
    std::process::ExitCode::SUCCESS
}
