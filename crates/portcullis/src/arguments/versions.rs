//! What can be asked about versions.

use super::{Config, Form};
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub(crate) enum VersionsCommand {
    /// Show who still calls each version: a row for each caller, with how often, since when and when last
    ///
    /// The gateway writes its counts into the store every two seconds. Calls that were refused before anybody was identified, and
    /// those of public routes, are nobody's.
    Report(VersionsReport),
}

#[derive(Args, Debug)]
pub(crate) struct VersionsReport {
    #[command(flatten)]
    pub(crate) config: Config,
    /// Only this API
    #[arg(long, value_name = "NAME")]
    pub(crate) api: Option<String>,
    /// Only callers of the last so many days
    #[arg(long, value_name = "DAYS")]
    pub(crate) days: Option<u32>,
    #[command(flatten)]
    pub(crate) form: Form,
}
