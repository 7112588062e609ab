//! What can be asked about contracts.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub(crate) enum ContractCommand {
    /// Find what is wrong with an OpenAPI document and what is unwise in it; exits 1 if that is more than notes
    Check(CheckContract),
}

#[derive(Args, Debug)]
pub(crate) struct CheckContract {
    /// The document: OpenAPI 3.0 or 3.1, YAML or JSON
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// How to say it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ContractFormat,
}

/// The forms of a report about a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ContractFormat {
    // Coloured on a terminal.
    #[default]
    Text,
    // One document.
    Json,
    // For code hosts and editors.
    Sarif,
}
