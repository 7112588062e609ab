//! What can be asked about findings.

use super::Control;
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub(crate) enum FindingsCommand {
    /// List what was found unusual, with the numbers that made it and what followed
    Show(Control),
    /// Forget what was found about a caller or an address, and stop what followed
    Pardon(Pardon),
}

#[derive(Args, Debug)]
pub(crate) struct Pardon {
    /// The caller or the address, as `findings show` names it
    #[arg(value_name = "WHO")]
    pub(crate) who: String,
    #[command(flatten)]
    pub(crate) control: Control,
}
