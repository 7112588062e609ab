//! What can be asked about rules against attacks.

use super::Form;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub(crate) enum WafCommand {
    /// Load rules, count them, and tell what their files say in vain
    Check(CheckRules),
    /// Run the regression suite of the OWASP Core Rule Set in process
    Test(TestRules),
    /// Show every rule that matches a request, on what, and why
    Explain(ExplainAttack),
    /// Propose exceptions for what rules matched in an access log
    Tune(TuneRules),
}

/// Which rules.
#[derive(Args, Debug)]
pub(crate) struct RuleSource {
    /// A folder with the OWASP Core Rule Set instead of the built-in rules
    #[arg(long, value_name = "DIR")]
    pub(crate) crs: Option<PathBuf>,
    /// A file of rules and exceptions that comes after them
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// How careful they are
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(1..=4))]
    pub(crate) paranoia: Option<u8>,
}

#[derive(Args, Debug)]
pub(crate) struct CheckRules {
    #[command(flatten)]
    pub(crate) source: RuleSource,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Args, Debug)]
pub(crate) struct TestRules {
    /// A folder with the Core Rule Set and its tests
    #[arg(long, value_name = "DIR")]
    pub(crate) suite: PathBuf,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Args, Debug)]
pub(crate) struct ExplainAttack {
    /// A file with a request as it is sent: request line, header lines, an empty line, the body
    #[arg(value_name = "REQUEST")]
    pub(crate) request: PathBuf,
    /// A file with the answer to it: status line, header lines, an empty line, the body without a content coding
    #[arg(long, value_name = "FILE")]
    pub(crate) answer: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) source: RuleSource,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Args, Debug)]
pub(crate) struct TuneRules {
    /// An access log of the gateway, best of a time with `mode: observe` and without attacks
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,
    #[command(flatten)]
    pub(crate) form: Form,
}
