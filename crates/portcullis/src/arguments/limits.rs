//! What can be asked about limits.

use super::Control;
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub(crate) enum LimitsCommand {
    /// List all limits with what they had no room for, or show what one account has left
    Show(ShowLimits),
    /// Forget what one account has spent
    Reset(ResetLimit),
}

#[derive(Args, Debug)]
pub(crate) struct ShowLimits {
    /// A limit, by where it is written: `defaults.limits.per_address`
    #[arg(value_name = "LIMIT", requires = "values")]
    pub(crate) limit: Option<String>,
    /// What names the account, part by part as the limit's key: `192.0.2.7`
    #[arg(value_name = "VALUE")]
    pub(crate) values: Vec<String>,
    #[command(flatten)]
    pub(crate) control: Control,
}

#[derive(Args, Debug)]
pub(crate) struct ResetLimit {
    /// A limit, by where it is written: `defaults.limits.per_address`
    #[arg(value_name = "LIMIT")]
    pub(crate) limit: String,
    /// What names the account, part by part as the limit's key: `192.0.2.7`
    #[arg(value_name = "VALUE", required = true)]
    pub(crate) values: Vec<String>,
    #[command(flatten)]
    pub(crate) control: Control,
}
