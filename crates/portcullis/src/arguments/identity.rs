//! What can be asked about keys and tokens.

use super::{Config, Form};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct Keys {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

#[derive(Subcommand, Debug)]
pub(crate) enum KeysCommand {
    /// Make a key and print it, this once
    Create(CreateKey),
    /// List all keys: of whom, for what, how long, last used
    List {
        #[command(flatten)]
        config: Config,
        #[command(flatten)]
        form: Form,
    },
    /// Make a key in place of another one, which goes on opening for a while
    Rotate {
        #[command(flatten)]
        config: Config,
        /// The id of the key that is replaced
        #[arg(value_name = "ID")]
        id: String,
        /// How many hours both open
        #[arg(long, value_name = "HOURS", default_value_t = 24)]
        overlap_hours: u32,
        #[command(flatten)]
        form: Form,
    },
    /// Let keys open nothing any more
    Revoke {
        #[command(flatten)]
        config: Config,
        /// Ids of keys
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
        #[command(flatten)]
        form: Form,
    },
    /// Revoke every key of ours that stands in a file: a log, a paste, a repository's history
    Leaked {
        #[command(flatten)]
        config: Config,
        /// The file; `-` for standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        form: Form,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CreateKey {
    #[command(flatten)]
    pub(crate) config: Config,
    /// Who holds it: the id that APIs are told
    #[arg(long, value_name = "ID")]
    pub(crate) consumer: String,
    /// The name that APIs are told; by default the id
    #[arg(long, value_name = "NAME")]
    pub(crate) username: Option<String>,
    /// What it may do; as often as needed
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// As whom; as often as needed
    #[arg(long = "role", value_name = "ROLE")]
    pub(crate) roles: Vec<String>,
    /// An API that it is for; by default all that take keys
    #[arg(long = "api", value_name = "API")]
    pub(crate) apis: Vec<String>,
    /// A network that it may come from, such as 192.0.2.0/24; by default all
    #[arg(long = "network", value_name = "NETWORK")]
    pub(crate) networks: Vec<String>,
    /// In how many days it ends; by default never
    #[arg(long, value_name = "DAYS")]
    pub(crate) expires_days: Option<u32>,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Subcommand, Debug)]
pub(crate) enum JwtCommand {
    /// Show every check of a token, passed or failed, against the issuers of a configuration
    Explain(ExplainToken),
}

#[derive(Args, Debug)]
pub(crate) struct ExplainToken {
    #[command(flatten)]
    pub(crate) config: Config,
    /// The token; `-` reads it from standard input, where no other user of the machine sees it
    #[arg(value_name = "TOKEN")]
    pub(crate) token: String,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Subcommand, Debug)]
pub(crate) enum TokensCommand {
    /// Revoke one token, or all that a subject or a session has got until now
    Revoke(RevokeTokens),
}

#[derive(Args, Debug)]
pub(crate) struct RevokeTokens {
    #[command(flatten)]
    pub(crate) config: Config,
    /// The issuer, by its name in the configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) issuer: String,
    /// One token, by its `jti`
    #[arg(long, value_name = "ID", conflicts_with_all = ["sub", "sid"], required_unless_present_any = ["sub", "sid"])]
    pub(crate) jti: Option<String>,
    /// Every token of a subject until now
    #[arg(long, value_name = "SUBJECT", conflicts_with = "sid")]
    pub(crate) sub: Option<String>,
    /// Every token of a session until now
    #[arg(long, value_name = "SESSION")]
    pub(crate) sid: Option<String>,
    /// In how many days it can be forgotten, because the last of these tokens has expired; by default never
    #[arg(long, value_name = "DAYS")]
    pub(crate) forget_days: Option<u32>,
}
