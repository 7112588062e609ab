//! What can be asked about the developer portal.

use super::{Config, Form};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub(crate) enum PortalCommand {
    /// Write the portal as a static site: pages, documents for programs, plain texts
    ///
    /// The folder is made. One that is there has to be empty, or to hold an earlier export, of which what is gone is removed.
    Export(ExportPortal),
    /// Accounts of developers who make keys for themselves
    Account {
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Keys that developers have asked for, where their plan says that somebody has to approve
    Requests {
        #[command(subcommand)]
        command: RequestsCommand,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum AccountCommand {
    /// Let a developer sign in
    ///
    /// The password is the first line of standard input; on a terminal it is asked for twice and not shown. It has at least 12
    /// characters. Keys of the account are held by a consumer of its name.
    Create {
        #[command(flatten)]
        config: Config,
        /// What the account is called
        #[arg(value_name = "NAME")]
        name: String,
        /// Which of `portal.accounts.plans` it has
        #[arg(long, value_name = "PLAN")]
        plan: String,
        #[command(flatten)]
        form: Form,
    },
    /// List all accounts: plan, keys, since when
    List {
        #[command(flatten)]
        config: Config,
        #[command(flatten)]
        form: Form,
    },
    /// Give an account another password; whoever has signed in with the old one is out
    Password {
        #[command(flatten)]
        config: Config,
        /// What the account is called
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Give an account another plan; keys that it has stay as they are
    Plan {
        #[command(flatten)]
        config: Config,
        /// What the account is called
        #[arg(value_name = "NAME")]
        name: String,
        /// Which of `portal.accounts.plans` it has from now on
        #[arg(value_name = "PLAN")]
        plan: String,
    },
    /// Let an account in no more, and revoke its keys
    Close {
        #[command(flatten)]
        config: Config,
        /// What the account is called
        #[arg(value_name = "NAME")]
        name: String,
        /// Leave its keys as they are
        #[arg(long)]
        keep_keys: bool,
        #[command(flatten)]
        form: Form,
    },
    /// Let an account in again that was closed
    Open {
        #[command(flatten)]
        config: Config,
        /// What the account is called
        #[arg(value_name = "NAME")]
        name: String,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum RequestsCommand {
    /// List what waits: whose, for what, why
    List {
        #[command(flatten)]
        config: Config,
        #[command(flatten)]
        form: Form,
    },
    /// Let the key be made; whoever has asked makes it, and nobody else sees it
    Approve {
        #[command(flatten)]
        config: Config,
        /// The id of the request
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Let it not be made
    Decline {
        #[command(flatten)]
        config: Config,
        /// The id of the request
        #[arg(value_name = "ID")]
        id: String,
        /// Why, for whoever has asked
        #[arg(long, value_name = "TEXT", default_value = "")]
        why: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct ExportPortal {
    #[command(flatten)]
    pub(crate) config: Config,
    /// Where the site is written
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}
