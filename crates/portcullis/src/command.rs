//! One function for each command of the command line.

mod about;
mod access;
mod audit;
mod audit_log;
mod contract;
mod control;
mod explain;
mod inspect;
mod keys;
mod mask;
mod pentest;
mod portal;
mod tokens;
mod versions;
mod waf;
mod write;

use crate::arguments::{Arguments, Command, FindingsCommand, JwtCommand, LimitsCommand, Reading, TokensCommand};
use crate::demo;
use crate::ending::{Ending, Stop};
use crate::service::{Journal, Service, Signals, WATCH_INTERVAL};
use control::{findings, limits};
use portcullis_audit_log::Damage;
use std::path::Path;

/// Does what was asked for.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Stop> {
    match &arguments.command {
        Command::Demo(demo) => demo::demo(demo),
        Command::Init(init) => write::init(init),
        Command::Validate(reading) => inspect::validate(reading),
        Command::Run(reading) => serve(reading),
        Command::Status(control) => control::status(control),
        Command::Reload(control) => control::reload(control),
        Command::Drain(control) => control::drain(control),
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
        Command::AuditLog { command } => audit_log::audit_log(command),
        Command::Waf { command } => waf::waf(command),
        Command::Schema => write::schema(),
        Command::Problems(question) => about::problems(question),
        Command::Version(version) => about::version(version),
        Command::Completions(completions) => write::completions(completions),
        Command::Man(man) => write::man(man),
    }
}

/// Rule and place of everything that is weak in a configuration.
pub(crate) fn weaknesses(path: &Path) -> Result<Vec<(&'static str, String)>, Stop> {
    audit::weaknesses(path)
}

/// What a light penetration test finds.
pub(crate) fn openings(target: &str, contract: &Path, ca: &Path) -> Result<portcullis_pentest::Report, Stop> {
    pentest::openings(target, contract, ca)
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

fn serve(reading: &Reading) -> Result<Ending, Stop> {
    // Before anything is started, so that nobody is ended by a signal that came too early.
    let signals = Signals::listen()?;
    let service = Service::start(&reading.config.path, Journal::Screen(reading.form.format), &signals)?;
    service.serve(&signals, WATCH_INTERVAL)
}
