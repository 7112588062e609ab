//! What can be asked of the program. Parser, help, manual pages and completions all come from here.

mod access;
mod admin;
mod audit;
mod audit_log;
mod contract;
mod evidence;
mod feed;
mod findings;
mod help;
mod identity;
mod limits;
mod mask;
mod pentest;
mod portal;
mod supply;
mod versions;
mod waf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;

pub(crate) use access::{Access, AccessCommand};
pub(crate) use admin::AdminCommand;
pub(crate) use audit::{AuditFormat, AuditQuestion, Least};
pub(crate) use audit_log::{AuditLogCommand, AuditLogQuestion, ExportAuditLog, ShowAuditLog};
pub(crate) use contract::{CheckContract, ContractCommand, ContractFormat, DiffContracts, ReportContract};
pub(crate) use evidence::{EvidenceCommand, EvidenceKey, MakeEvidence, VerifyEvidence};
pub(crate) use feed::{BundleQuestion, FeedCommand, FeedKey, FeedQuestion, SignBundle, TakeBundle, TryBundle};
pub(crate) use findings::{FindingsCommand, Pardon};
pub(crate) use identity::{CreateKey, ExplainToken, JwtCommand, Keys, KeysCommand, RevokeTokens, TokensCommand};
pub(crate) use limits::{LimitsCommand, ResetLimit, ShowLimits};
pub(crate) use mask::MaskCommand;
pub(crate) use pentest::{PentestFormat, PentestQuestion};
pub(crate) use portal::{AccountCommand, ExportPortal, PortalCommand, RequestsCommand};
pub(crate) use supply::{VulnsFormat, VulnsQuestion};
pub(crate) use versions::{VersionsCommand, VersionsReport};
pub(crate) use waf::{CheckRules, ExplainAttack, RuleSource, TestRules, TuneRules, WafCommand};

/// An API security gateway: fifteen practices, on by default, in one binary
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, max_term_width = 100, after_help = help::START)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a sample API behind the gateway on this machine
    ///
    /// Two servers of a small shop, with corners where things go wrong, and the gateway in front of them on loopback.
    /// Configuration, certificates and access log are left in a folder to look at; change the configuration while it
    /// runs.
    #[command(after_help = help::DEMO)]
    Demo(Demo),
    /// Write a first configuration from an OpenAPI contract
    ///
    /// Every operation becomes a route, and nobody may call any of them until you decide who may.
    #[command(after_help = help::INIT)]
    Init(Init),
    /// Find all mistakes of a configuration, each with its line and a way out
    #[command(after_help = help::VALIDATE)]
    Validate(Reading),
    /// Serve what a configuration says, and reload it when it changes
    ///
    /// SIGHUP or a change of a file (the configuration, what it includes, certificates and keys) reloads all of it or
    /// nothing. SIGTERM and Ctrl-C let open requests end; a second one ends at once.
    #[command(after_help = help::RUN)]
    Run(Run),
    /// Show how a running gateway is: listeners, connections, reloads, certificates and when they expire, upstreams
    #[command(after_help = help::STATUS)]
    Status(Control),
    /// Let a running gateway take over its configuration, or hear what is wrong with it
    #[command(after_help = help::RELOAD)]
    Reload(Control),
    /// Let a running gateway end: not ready first, then no new connections, then open requests end
    #[command(after_help = help::DRAIN)]
    Drain(Control),
    /// Prepare who may come into the console of a gateway
    #[command(after_help = help::ADMIN)]
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// Show the limits of a running gateway and what a caller has left, or forget what he has spent
    #[command(after_help = help::LIMITS)]
    Limits {
        #[command(subcommand)]
        command: LimitsCommand,
    },
    /// Show what callers of a running gateway do that is unusual, or forget it
    #[command(after_help = help::FINDINGS)]
    Findings {
        #[command(subcommand)]
        command: FindingsCommand,
    },
    /// Let another binary of Portcullis take over from a running gateway, without a connection refused
    ///
    /// The running gateway starts it, gives it its listening sockets and drains once it serves. If it does not, everything stays
    /// as it is, and this says why.
    #[command(after_help = help::UPGRADE)]
    Upgrade(Upgrade),
    /// List every route: who may call it, where it goes and which line says so
    #[command(after_help = help::ROUTES)]
    Routes(Reading),
    /// Show every setting that applies to a route, and the line that decides it
    #[command(after_help = help::EFFECTIVE_POLICY)]
    EffectivePolicy(EffectivePolicy),
    /// Show what each stage decides about a request, without sending it
    ///
    /// The very stages that serve requests decide; nothing is sent and no port is opened.
    #[command(after_help = help::EXPLAIN)]
    Explain(Explain),
    /// Show who may do what, what a change does to that, and whether the rules do what their tests say
    #[command(after_help = help::ACCESS)]
    Access(Access),
    /// Look into OpenAPI documents
    #[command(after_help = help::CONTRACT)]
    Contract {
        #[command(subcommand)]
        command: ContractCommand,
    },
    /// Show who sees what of answers, and what a token stands for
    #[command(after_help = help::MASK)]
    Mask {
        #[command(subcommand)]
        command: MaskCommand,
    },
    /// Write the pages that developers read: made from the policy that is in force, so that they say what the gateway does
    #[command(after_help = help::PORTAL)]
    Portal {
        #[command(subcommand)]
        command: PortalCommand,
    },
    /// Show who still calls which version of an API
    #[command(after_help = help::VERSIONS)]
    Versions {
        #[command(subcommand)]
        command: VersionsCommand,
    },
    /// Make, list, replace and revoke the API keys of the store
    ///
    /// A running gateway takes every change over within a second, on every core.
    #[command(after_help = help::KEYS)]
    Keys(Keys),
    /// Look into tokens
    #[command(after_help = help::JWT)]
    Jwt {
        #[command(subcommand)]
        command: JwtCommand,
    },
    /// Take back tokens before they expire
    #[command(after_help = help::TOKENS)]
    Tokens {
        #[command(subcommand)]
        command: TokensCommand,
    },
    /// Look at a configuration and what belongs to it for what is weak, and say what to do about it
    ///
    /// Certificates, files and API keys that the configuration names are looked at as well; nothing is changed.
    #[command(after_help = help::AUDIT)]
    Audit(AuditQuestion),
    /// Attack an API that you run, within bounds, and hear what let the attacks through and what stops them
    ///
    /// Its contract says what may be asked, credentials as whom. Nothing that may leave something behind is sent without
    /// `--destructive`.
    #[command(after_help = help::PENTEST)]
    Pentest(Box<PentestQuestion>),
    /// Put together what shows how an API is protected, sign it, and prove later that nobody changed it
    #[command(after_help = help::EVIDENCE)]
    Evidence {
        #[command(subcommand)]
        command: EvidenceCommand,
    },
    /// Close known holes by signed bundles of virtual patches and rules: sign, check, try, take over, observe, step back
    ///
    /// A running gateway has what is taken over in force within a second, on every core.
    #[command(after_help = help::FEED)]
    Feed {
        #[command(subcommand)]
        command: FeedCommand,
    },
    /// Print what this program is made of: a bill of materials in CycloneDX 1.6
    ///
    /// The list is in the binary, and once more where scanners of binaries look for it (`.dep-v0`).
    #[command(after_help = help::SBOM)]
    Sbom,
    /// Show which known vulnerabilities are about what this program is made of
    ///
    /// Nothing is fetched: the database is a folder.
    #[command(after_help = help::VULNS)]
    Vulns(VulnsQuestion),
    /// Show who changed what, and prove that nobody changed the answer
    #[command(after_help = help::AUDIT_LOG)]
    AuditLog {
        #[command(subcommand)]
        command: AuditLogCommand,
    },
    /// Look into rules against attacks: load them, test them, ask why one matches, find exceptions
    #[command(after_help = help::WAF)]
    Waf {
        #[command(subcommand)]
        command: WafCommand,
    },
    /// Print the JSON Schema of the configuration, for editors
    #[command(after_help = help::SCHEMA)]
    Schema,
    /// List the reasons for which a request is not served, or explain one
    #[command(after_help = help::PROBLEMS)]
    Problems(Problems),
    /// Print the version and how this binary was built
    #[command(after_help = help::VERSION)]
    Version(Version),
    /// Print completions for a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions(Completions),
    /// Print the manual page of the program, or of one command
    #[command(after_help = help::MAN)]
    Man(Man),
}

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Send real requests through each practice, print what was expected and what came back, and end
    #[arg(long)]
    pub(crate) tour: bool,
    /// Where configuration, certificates and access log go; nothing is written anywhere else
    #[arg(long, value_name = "DIR", default_value = "portcullis-demo")]
    pub(crate) data_dir: PathBuf,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Args, Debug)]
pub(crate) struct Init {
    /// The contract: OpenAPI 3, YAML or JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) openapi: PathBuf,
    /// Where requests go, such as http://127.0.0.1:9000
    #[arg(long, value_name = "URL")]
    pub(crate) upstream: String,
    /// Where the configuration is written; a file that is there stays as it is
    #[arg(long, short, value_name = "FILE", default_value = "portcullis.yaml")]
    pub(crate) output: PathBuf,
}

/// Commands that read a configuration and need nothing else.
#[derive(Args, Debug)]
pub(crate) struct Reading {
    #[command(flatten)]
    pub(crate) config: Config,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Take over from the gateway at the other end of standard input, which started this one
    #[arg(long, hide = true)]
    pub(crate) take_over: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Upgrade {
    /// The program that is to serve from now on
    #[arg(value_name = "NEW_BINARY")]
    pub(crate) binary: PathBuf,
    #[command(flatten)]
    pub(crate) control: Control,
}

/// Commands that ask a running gateway.
#[derive(Args, Debug)]
pub(crate) struct Control {
    #[command(flatten)]
    pub(crate) config: Config,
    /// The admin socket, instead of the one that the configuration names
    #[arg(long, value_name = "PATH", conflicts_with = "path")]
    pub(crate) socket: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Args, Debug)]
pub(crate) struct EffectivePolicy {
    #[command(flatten)]
    pub(crate) config: Config,
    /// A route's id (`getOrder`, `orders/v1/getOrder`), or its method and path (`GET /orders/{id}`)
    #[arg(value_name = "ROUTE")]
    pub(crate) route: String,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Args, Debug)]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) config: Config,
    /// The method, such as GET
    #[arg(value_name = "METHOD")]
    pub(crate) method: String,
    /// The whole URL, or a path with the host in a header
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// A header field, `Name: value`; as often as needed
    #[arg(long = "header", short = 'H', value_name = "LINE")]
    pub(crate) headers: Vec<String>,
    /// A file that holds the body
    #[arg(long, value_name = "FILE")]
    pub(crate) body: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Args, Debug)]
pub(crate) struct Problems {
    /// A code, such as route_closed
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Args, Debug)]
pub(crate) struct Version {
    /// The same as `--format json`
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// For which shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: Shell,
}

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// A command; the program itself if left out
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Config {
    /// The configuration file
    #[arg(long = "config", short = 'c', value_name = "FILE", default_value = "portcullis.yaml")]
    pub(crate) path: PathBuf,
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Form {
    /// How it is written: for people or for programs
    #[arg(long, value_enum, value_name = "FORM", default_value_t)]
    pub(crate) format: Format,
}

/// For whom a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    // Aligned, and coloured on a terminal.
    #[default]
    Text,
    // One document.
    Json,
}

// === impl Format ===

impl Format {
    /// As it is written after `--format`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}
