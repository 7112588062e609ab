//! What can be asked of the feed.

use super::{Config, Form};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum FeedCommand {
    /// Make a key that signs, in a file that is not there yet; its public half is printed
    Key(FeedKey),
    /// Sign a bundle, or add a signature to one that others have signed
    Sign(SignBundle),
    /// Say whether a bundle would be taken over, and which routes its patches are about
    Check(BundleQuestion),
    /// Say which requests of an access record a bundle would have refused
    Try(TryBundle),
    /// Take a bundle over; a running gateway has it in force within a second
    Take(TakeBundle),
    /// Show which bundle is in force and how far it goes
    Status(FeedQuestion),
    /// Let requests pass that the bundle in force would refuse, and have them noted
    Observe(FeedQuestion),
    /// Refuse what the bundle in force is about
    Enforce(FeedQuestion),
    /// Go back to the bundle before, or to none where there was none
    Rollback(FeedQuestion),
}

#[derive(Args, Debug)]
pub(crate) struct FeedKey {
    /// Where the key goes
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct SignBundle {
    /// A bundle: its text in JSON, or one that was signed already
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The key that signs
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Where it goes; a file that is there stays as it is
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct BundleQuestion {
    #[command(flatten)]
    pub(crate) config: Config,
    /// The bundle
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Args, Debug)]
pub(crate) struct TryBundle {
    #[command(flatten)]
    pub(crate) question: BundleQuestion,
    /// Access records in JSON, a line each
    #[arg(long, value_name = "FILE")]
    pub(crate) records: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct TakeBundle {
    #[command(flatten)]
    pub(crate) question: BundleQuestion,
    /// Let what it is about pass, and have it noted
    #[arg(long)]
    pub(crate) observe: bool,
}

#[derive(Args, Debug)]
pub(crate) struct FeedQuestion {
    #[command(flatten)]
    pub(crate) config: Config,
    #[command(flatten)]
    pub(crate) form: Form,
}
