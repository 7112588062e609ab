//! What can be asked about masked values.

use super::{Config, Reading};
use clap::Subcommand;

#[derive(Subcommand, Debug)]
pub(crate) enum MaskCommand {
    /// Show what each caller sees of each field: a row for each field, a column for each role, scope, consumer or claim
    Report(Reading),
    /// Print what a token of `show: tokenise` stands for; exits 1 if it is none of this configuration's
    ///
    /// Of tokens that are digits nobody can tell whether they were made here.
    Reveal {
        #[command(flatten)]
        config: Config,
        /// The token
        #[arg(value_name = "TOKEN")]
        token: String,
    },
}
