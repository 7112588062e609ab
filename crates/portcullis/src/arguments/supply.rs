//! What can be asked about what the program is made of.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct VulnsQuestion {
    /// A checkout of RustSec's database (`rustsec/advisory-db` at GitHub), or a folder with entries of OSV in JSON
    #[arg(long, value_name = "DIR")]
    pub(crate) db: PathBuf,
    /// Warn when the newest entry of the database is older than so many days
    #[arg(long, value_name = "DAYS", default_value_t = 14)]
    pub(crate) max_age: u32,
    /// Exit with 1 for a database that is too old, too
    #[arg(long)]
    pub(crate) fail_on_age: bool,
    /// Text for people, JSON for programs, metrics as a file for a collector of Prometheus
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = VulnsFormat::Text)]
    pub(crate) format: VulnsFormat,
}

/// In which form it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum VulnsFormat {
    Text,
    Json,
    Metrics,
}
