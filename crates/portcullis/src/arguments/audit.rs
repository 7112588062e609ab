//! What can be asked of an audit.

use super::Config;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct AuditQuestion {
    #[command(flatten)]
    pub(crate) config: Config,
    /// List the rules, with why and what to do, instead of looking at anything
    #[arg(long)]
    pub(crate) list: bool,
    /// Findings that are let be, each with a reason and a day until which: JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) waivers: Option<PathBuf>,
    /// Exit with 1 if something at least so bad was found
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = Least::High)]
    pub(crate) fail_on: Least,
    /// An earlier report in JSON: say what is new since, what is gone, and fail for what is new only
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    pub(crate) compare: Option<PathBuf>,
    /// Look into this database of vulnerabilities as well, as `portcullis vulns` does
    #[arg(long, value_name = "DIR")]
    pub(crate) db: Option<PathBuf>,
    /// Text for people, JSON for programs, SARIF for code hosts and editors, HTML to pass on
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = AuditFormat::Text)]
    pub(crate) format: AuditFormat,
}

/// In which form an audit is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuditFormat {
    Text,
    Json,
    Sarif,
    Html,
}

/// From which severity on an audit fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Least {
    Low,
    Medium,
    High,
    Critical,
}
