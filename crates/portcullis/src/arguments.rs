//! What can be asked of the program. Parser, help, manual pages and completions all come from here.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// An API security gateway: fifteen practices, on by default, in one binary.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, propagate_version = false, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a sample API behind the gateway on this machine, to look at and to play with
    #[command(after_help = "\
Examples:
  portcullis demo           serves until Ctrl-C and prints lines to try
  portcullis demo --tour    sends real requests through each practice and checks what comes back")]
    Demo(Demo),
}

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Send real requests through each practice, print what was expected and what came back, and end
    #[arg(long)]
    pub(crate) tour: bool,
    /// Where configuration, certificates and access log go; nothing is written anywhere else
    #[arg(long, value_name = "DIR", default_value = "portcullis-demo")]
    pub(crate) data_dir: PathBuf,
    /// How the tour's table is written
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// For whom a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned text for people
    #[default]
    Text,
    /// JSON for programs
    Json,
}
