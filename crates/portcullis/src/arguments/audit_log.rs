//! What can be asked about the audit log.

use super::{Config, Form, Format};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub(crate) enum AuditLogCommand {
    /// Look whether every line is as it was written, and tell where one is not
    Verify {
        #[command(flatten)]
        question: AuditLogQuestion,
        #[command(flatten)]
        form: Form,
    },
    /// Show the last entries, newest last
    Show(ShowAuditLog),
    /// Write all entries to standard output, one JSON object a line
    Export(ExportAuditLog),
}

/// Which log, and what is known of it from elsewhere.
#[derive(Args, Debug)]
pub(crate) struct AuditLogQuestion {
    #[command(flatten)]
    pub(crate) config: Config,
    /// The folder of the store, instead of the one that the configuration names
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The first line that has to be there, if older segments were moved away
    #[arg(long, value_name = "LINE", default_value_t = 1)]
    pub(crate) from: u64,
    /// A line that has to be there, as `verify` printed it earlier; may be given several times
    #[arg(long, value_name = "LINE:HASH")]
    pub(crate) anchor: Vec<String>,
    /// A public key whose seals count, instead of the one beside the store; may be given several times
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ShowAuditLog {
    #[command(flatten)]
    pub(crate) question: AuditLogQuestion,
    /// How many
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub(crate) last: u16,
    /// Only what begins with this, such as `keys`
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<String>,
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Args, Debug)]
pub(crate) struct ExportAuditLog {
    #[command(flatten)]
    pub(crate) question: AuditLogQuestion,
}
