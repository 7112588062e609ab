//! What can be asked of evidence.

use super::{Config, Form};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Make a key that signs, in a file that is not there yet; its public half is printed
    Key(EvidenceKey),
    /// Put together what shows how an API is protected, and sign it
    Make(Box<MakeEvidence>),
    /// Prove that nobody changed it, and say what is in it
    Verify(VerifyEvidence),
}

#[derive(Args, Debug)]
pub(crate) struct EvidenceKey {
    /// Where the key goes
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct MakeEvidence {
    #[command(flatten)]
    pub(crate) config: Config,
    /// The key that signs
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Where it goes; a file that is there stays as it is
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Findings that are let be, as of `audit`
    #[arg(long, value_name = "FILE")]
    pub(crate) waivers: Option<PathBuf>,
    /// A report of `pentest --format json`
    #[arg(long, value_name = "FILE")]
    pub(crate) pentest: Option<PathBuf>,
    /// Tests of who may do what, as of `access test`; they are run
    #[arg(long, value_name = "FILE")]
    pub(crate) tests: Option<PathBuf>,
    /// A database of vulnerabilities, as of `vulns`
    #[arg(long, value_name = "DIR")]
    pub(crate) db: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyEvidence {
    /// The evidence
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The public key that it has to be signed by
    #[arg(long, value_name = "KEY")]
    pub(crate) signer: String,
    #[command(flatten)]
    pub(crate) form: Form,
}
