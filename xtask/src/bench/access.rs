//! What decisions about access cost in process: plain rules, and ten Cedar policies. The examples of the two engines measure;
//! here their figures are collected.

use super::Options;
use super::figure::{Figure, Target};
use crate::command;
use crate::needs::Tool;

pub(super) const TOOLS: &[Tool] = &[];
pub(super) const PARTS: &[&str] = &["rules", "policies"];

/// The examples by part, with their figures and what is asked of each, in nanoseconds a decision.
const EXAMPLES: &[(&str, &str, &str, &[&str], f64)] = &[
    (
        "rules",
        "portcullis-access",
        "rule_cost",
        &["access_role_and_scope", "access_last_of_ten_rules", "access_owner", "access_tenant_role_and_scope"],
        300.0,
    ),
    (
        "policies",
        "portcullis-policy",
        "policy_cost",
        &["access_ten_policies_of_roles", "access_ten_policies_of_objects"],
        5_000.0,
    ),
];

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>, String> {
    let mut figures = Vec::new();
    for (_, package, example, names, most) in EXAMPLES.iter().filter(|(part, ..)| options.wants(part)) {
        let words = ["run", "--quiet", "--profile", "dist", "--package", package, "--example", example];
        // A figure that is missed makes the example fail, and is a figure all the same.
        let output = command::program("cargo").args(words).output().map_err(|error| format!("cargo: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        for name in *names {
            let samples = samples(&text, name).ok_or_else(|| {
                format!("{example} has no figure {name}: {}", String::from_utf8_lossy(&output.stderr).trim())
            })?;
            figures.push(Figure { name, unit: "ns/decision", target: Target::AtMost(*most), samples });
        }
    }
    Ok(figures)
}

/// The least, the middle and the greatest of what was measured.
pub(super) fn samples(text: &str, name: &str) -> Option<Vec<f64>> {
    let rest = text.lines().find_map(|line| line.strip_prefix("figure ")?.strip_prefix(name)?.strip_prefix(' '))?;
    let mut words = rest.split(' ');
    let middle = words.next()?.parse().ok()?;
    let (low, high) = words.nth(2)?.split_once("..")?;
    Some(vec![low.parse().ok()?, middle, high.parse().ok()?])
}

#[cfg(test)]
mod tests {
    use super::samples;

    #[test]
    fn figures_are_read() {
        let text = "figure a_b 7 ns/decision spread 5..9 target <= 300 met\nfigure a 8 ns/decision spread 6..9 target <= 3 missed";
        assert_eq!(samples(text, "a"), Some(vec![6.0, 8.0, 9.0]));
        assert_eq!(samples(text, "a_b"), Some(vec![5.0, 7.0, 9.0]));
        assert_eq!(samples(text, "b"), None);
    }
}
