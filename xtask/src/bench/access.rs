//! What decisions about access cost in process: plain rules, and ten Cedar policies. The examples of the two engines measure;
//! here their figures are collected.

use super::Options;
use super::example::{example, figures};
use super::figure::Figure;
use crate::needs::Tool;

pub(super) const TOOLS: &[Tool] = &[];
pub(super) const PARTS: &[&str] = &["rules", "policies"];

const UNIT: &str = "ns/decision";

type Measured = (&'static str, &'static str, f64);

/// The examples by part, with their figures and what is asked of each.
const EXAMPLES: &[(&str, &str, &str, &[Measured])] = &[
    (
        "rules",
        "portcullis-access",
        "rule_cost",
        &[
            ("access_role_and_scope", UNIT, 300.0),
            ("access_last_of_ten_rules", UNIT, 300.0),
            ("access_owner", UNIT, 300.0),
            ("access_tenant_role_and_scope", UNIT, 300.0),
        ],
    ),
    (
        "policies",
        "portcullis-policy",
        "policy_cost",
        &[("access_ten_policies_of_roles", UNIT, 5_000.0), ("access_ten_policies_of_objects", UNIT, 5_000.0)],
    ),
];

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>, String> {
    let mut all = Vec::new();
    for (_, package, name, wanted) in EXAMPLES.iter().filter(|(part, ..)| options.wants(part)) {
        all.extend(figures(&mut example(package, name), wanted)?);
    }
    Ok(all)
}
