//! Runs the regression suite in process and prints what failed: `waf_suite FOLDER [PARANOIA] [ungated]`.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods, reason = "a command")]

use portcullis_waf::ftw::{Suite, core_rules, core_rules_overrides, run};
use portcullis_waf::{Disk, RuleSet};

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(folder) = arguments.first() else {
        eprintln!("usage: waf_suite FOLDER [PARANOIA] [ungated]");
        return std::process::ExitCode::FAILURE;
    };
    let paranoia = arguments.get(1).and_then(|p| p.parse().ok()).unwrap_or(4);
    let ungated = arguments.get(2).is_some_and(|a| a == "ungated");
    let outcome = (|| -> Result<usize, String> {
        let suite = Suite::folder(folder, &Disk)?;
        let started = std::time::Instant::now();
        let rules = RuleSet::load(&core_rules(folder, paranoia), &Disk)
            .map_err(|d| d.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
        println!("loaded {:?} in {:?}", rules.counts(), started.elapsed());
        let started = std::time::Instant::now();
        let report = run(&rules, &suite, core_rules_overrides(), |t| if ungated { t.ungated() } else { t })?;
        for failure in &report.failed {
            println!("failed {}: {}", failure.test, failure.why);
        }
        for used in &report.overridden {
            println!("overridden {}: {}", used.test, used.reason);
        }
        println!(
            "{} passed, {} failed, {} requests in {:?}",
            report.passed,
            report.failed.len(),
            report.stages,
            started.elapsed()
        );
        Ok(report.failed.len())
    })();
    match outcome {
        Ok(0) => std::process::ExitCode::SUCCESS,
        Ok(_) => std::process::ExitCode::FAILURE,
        Err(e) => {
            eprintln!("{e}");
            std::process::ExitCode::FAILURE
        }
    }
}
