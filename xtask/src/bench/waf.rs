//! What rules about attacks cost in process, over thousands of different requests: the built-in rules, and the OWASP
//! Core Rule Set as it is shipped, which is read from where the suites are. The example measures; here its figures are
//! collected.

use super::Options;
use super::example::{example, figures};
use super::figure::Figure;
use crate::needs::Tool;
use std::path::Path;

pub(super) const TOOLS: &[Tool] = &[];
pub(super) const PARTS: &[&str] = &["builtin", "core"];

/// Figures with what is asked of each; a request in microseconds, hostile bytes in nanoseconds each.
const FIGURES: &[(&str, &str, f64)] = &[
    ("builtin_get_4_arguments", "us", 2.0),
    ("builtin_json_1k_200_prose", "us", 10.0),
    ("builtin_json_1k_half_prose", "us", 15.0),
    ("builtin_hostile", "ns/byte", 100.0),
    ("core_get_4_arguments", "us", 10.0),
    ("core_json_1k_200_prose", "us", 25.0),
    ("core_json_1k_half_prose", "us", 35.0),
    ("core_suite_attacks", "us", 50.0),
    ("core_hostile", "ns/byte", 100.0),
];

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>, String> {
    let named = std::env::var("PORTCULLIS_SUITES").unwrap_or_else(|_| "../shared/suites".to_owned());
    let rules = Path::new(&named).join("crs");
    if !rules.is_dir() {
        return Err(format!("the rules to measure are missing: {} (set PORTCULLIS_SUITES)", rules.display()));
    }
    let wanted = FIGURES.iter().filter(|(name, ..)| options.wants(name.split('_').next().unwrap_or_default()));
    let wanted: Vec<_> = wanted.copied().collect();
    let mut example = example("portcullis-waf", "waf_bench");
    figures(example.arg(&rules).arg(options.pairs.to_string()).args(&options.only), &wanted)
}
