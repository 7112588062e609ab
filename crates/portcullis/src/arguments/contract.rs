//! What can be asked about contracts.

use super::Control;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub(crate) enum ContractCommand {
    /// Find what is wrong with an OpenAPI document and what is unwise in it; exits 1 if that is more than notes
    Check(CheckContract),
    /// Show what a running gateway has seen: operations that a document does not have, those that nobody uses, and undeclared
    /// fields of answers
    Report(ReportContract),
    /// Find what changes for callers between two states of a contract; exits 1 if anything breaks them, or might
    ///
    /// Breaking changes are errors (D001 to D027), those whose effect nobody can tell by rule are warnings, compatible ones notes.
    Diff(DiffContracts),
}

#[derive(Args, Debug)]
pub(crate) struct DiffContracts {
    /// The contract as callers know it: OpenAPI 3.0 or 3.1, YAML or JSON
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,
    /// The contract that takes its place
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
    /// How to say it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ContractFormat,
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

#[derive(Args, Debug)]
pub(crate) struct ReportContract {
    /// Of this API only
    #[arg(value_name = "API")]
    pub(crate) api: Option<String>,
    #[command(flatten)]
    pub(crate) control: Control,
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
