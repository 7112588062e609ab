//! What can be asked about the developer portal.

use super::Config;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub(crate) enum PortalCommand {
    /// Write the portal as a static site: pages, documents for programs, plain texts
    ///
    /// The folder is made. One that is there has to be empty, or to hold an earlier export, of which what is gone is removed.
    Export(ExportPortal),
}

#[derive(Args, Debug)]
pub(crate) struct ExportPortal {
    #[command(flatten)]
    pub(crate) config: Config,
    /// Where the site is written
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}
