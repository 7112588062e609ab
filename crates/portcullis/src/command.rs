//! One function for each command of the command line.

mod about;
mod access;
mod accounts;
mod admin;
mod audit;
mod audit_log;
mod contract;
mod control;
mod evidence;
mod explain;
mod feed;
mod inspect;
mod keys;
mod mask;
mod pentest;
mod portal;
mod supply;
mod tokens;
mod versions;
mod waf;
mod write;

use crate::arguments::{
    AdminCommand, Arguments, Command, FindingsCommand, JwtCommand, LimitsCommand, Run, TokensCommand,
};
use crate::demo;
use crate::ending::{Ending, Stop};
use crate::service::{Journal, Service, Signals, WATCH_INTERVAL};
use crate::signed::PublicKey;
use control::{findings, limits};
use portcullis_audit_log::Damage;
use std::path::Path;

/// Does what was asked for.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Stop> {
    match &arguments.command {
        Command::Demo(demo) => demo::demo(demo),
        Command::Init(init) => write::init(init),
        Command::Validate(reading) => inspect::validate(reading),
        Command::Run(run) => serve(run),
        Command::Upgrade(question) => control::upgrade(question),
        Command::Status(control) => control::status(control),
        Command::Reload(control) => control::reload(control),
        Command::Drain(control) => control::drain(control),
        Command::Admin { command: AdminCommand::Password } => admin::password(),
        Command::Findings { command: FindingsCommand::Show(control) } => findings::show(control),
        Command::Findings { command: FindingsCommand::Pardon(pardon) } => findings::pardon(pardon),
        Command::Limits { command: LimitsCommand::Show(question) } => limits::show(question),
        Command::Limits { command: LimitsCommand::Reset(question) } => limits::reset(question),
        Command::Routes(reading) => inspect::routes(reading),
        Command::EffectivePolicy(question) => inspect::effective_policy(question),
        Command::Explain(question) => explain::explain(question),
        Command::Access(question) => access::access(question),
        Command::Contract { command } => contract::contract(command),
        Command::Mask { command } => mask::mask(command),
        Command::Portal { command } => portal::portal(command),
        Command::Versions { command } => versions::versions(command),
        Command::Keys(keys) => keys::keys(&keys.command),
        Command::Jwt { command: JwtCommand::Explain(question) } => tokens::explain(question),
        Command::Tokens { command: TokensCommand::Revoke(question) } => tokens::revoke(question),
        Command::Audit(question) => audit::audit(question),
        Command::Pentest(question) => pentest::pentest(question),
        Command::Evidence { command } => evidence::evidence(command),
        Command::Feed { command } => feed::feed(command),
        Command::Sbom => supply::sbom(),
        Command::Vulns(question) => supply::vulns(question),
        Command::AuditLog { command } => audit_log::audit_log(command),
        Command::Waf { command } => waf::waf(command),
        Command::Schema => write::schema(),
        Command::Problems(question) => about::problems(question),
        Command::Version(version) => about::version(version),
        Command::Completions(completions) => write::completions(completions),
        Command::Man(man) => write::man(man),
    }
}

/// What of a configuration is weak, but for what is let be, and what is known against the program where there is a database.
pub(crate) fn audited(
    path: &Path,
    waivers: Option<&Path>,
    database: Option<&Path>,
) -> Result<portcullis_audit::Report, Stop> {
    audit::report(&crate::service::read(path)?, waivers, database)
}

/// What this program is made of.
pub(crate) fn bill_of_materials() -> Result<serde_json::Value, Stop> {
    supply::bill()
}

/// Evidence about a configuration, signed by a key that is forgotten at once, and the half of it that checks.
pub(crate) fn evidence_about(config: &Path) -> Result<(String, PublicKey), Stop> {
    evidence::about(config)
}

/// Whether that key signed exactly this.
pub(crate) fn is_evidence(sealed: &str, signer: &PublicKey) -> bool {
    evidence::is_sealed(sealed, signer)
}

/// Takes over a bundle of virtual patches, or says by which code it is refused.
pub(crate) fn take_bundle(config: &Path, sealed: &str) -> Result<(), &'static str> {
    feed::take_over(config, sealed.as_bytes())
}

/// Goes back to the bundle of virtual patches before.
pub(crate) fn step_back(config: &Path) -> Result<(), Stop> {
    feed::step_back(config)
}

/// What a light penetration test finds.
pub(crate) fn openings(target: &str, contract: &Path, ca: &Path) -> Result<portcullis_pentest::Report, Stop> {
    pentest::openings(target, contract, ca)
}

/// The last entries of the audit log beside a store.
pub(crate) fn audit_log_tail(store: &Path, count: usize) -> Result<Vec<serde_json::Value>, Stop> {
    audit_log::tail(store, count)
}

/// What is wrong first with the audit log in a folder, which was sealed by the key beside this store.
pub(crate) fn audit_log_damage(store: &Path, folder: &Path) -> Result<Option<Damage>, Stop> {
    audit_log::damage(store, folder)
}

/// What is said of the limits that a request without credentials meets.
pub(crate) fn limits_of(config: &Path, target: &str) -> Result<String, Stop> {
    explain::limits(config, target)
}

/// What the developer portal says that an operation answers in `RateLimit-Policy`.
pub(crate) fn limit_fields_told(config: &Path, path: &str, method: &str) -> Result<Option<String>, Stop> {
    portal::limit_fields_told(config, path, method)
}

/// One question to a running gateway: status and body of its answer.
pub(crate) fn ask(socket: &Path, method: &str, path: &str) -> Result<(u16, serde_json::Value), String> {
    control::ask_once(socket, method, path).map_err(|stop| stop.summary())
}

fn serve(run: &Run) -> Result<Ending, Stop> {
    // Before anything is started, so that nobody is ended by a signal that came too early.
    let signals = Signals::listen()?;
    let (path, journal) = (&run.reading.config.path, Journal::Screen(run.reading.form.format));
    let service = if run.take_over {
        Service::start_over(path, journal, &signals)?
    } else {
        Service::start(path, journal, &signals)?
    };
    service.serve(&signals, WATCH_INTERVAL)
}
