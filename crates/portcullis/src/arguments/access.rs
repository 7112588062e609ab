//! What can be asked about who may do what.

use super::{Config, Form};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct Access {
    #[command(subcommand)]
    pub(crate) command: AccessCommand,
}

#[derive(Subcommand, Debug)]
pub(crate) enum AccessCommand {
    /// Show who may do what: a row for each operation, a column for each role
    Matrix {
        #[command(flatten)]
        config: Config,
        #[command(flatten)]
        form: Form,
    },
    /// Show who gains and who loses between two configurations; exits 1 if somebody gains
    Diff {
        /// The configuration of before
        #[arg(value_name = "OLD")]
        old: PathBuf,
        /// The configuration of after
        #[arg(value_name = "NEW")]
        new: PathBuf,
        #[command(flatten)]
        form: Form,
    },
    /// Run tests of the rules, and name the rules that no test has met
    Test {
        #[command(flatten)]
        config: Config,
        /// The tests, in YAML
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Exit 1 as well if a rule is met by no test
        #[arg(long)]
        all_rules: bool,
        #[command(flatten)]
        form: Form,
    },
}
