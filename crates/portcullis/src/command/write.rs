//! What is generated: a first configuration, the schema, completions and manual pages.

use crate::arguments::{Arguments, Completions, Init, Man};
use crate::ending::{Ending, Stop};
use crate::output::say;
use clap::CommandFactory as _;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

// LIMIT: bytes of a contract.
const CONTRACT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Writes a first configuration, and never over one that is there.
pub(super) fn init(init: &Init) -> Result<Ending, Stop> {
    let contract = contract(&init.openapi)?;
    let text = portcullis_config::init(&contract, &init.upstream)?;
    let shown = init.output.display();
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system's own list grows; the rest is told in its words")]
    let mut file = OpenOptions::new().write(true).create_new(true).open(&init.output).map_err(|error| {
        Stop::environment(match error.kind() {
            ErrorKind::AlreadyExists => format!("{shown} is there already; name another file with `--output FILE`"),
            ErrorKind::NotFound => format!("{shown}: the folder is not there; make it, or name another file"),
            _ => format!("{shown} cannot be written: {error}"),
        })
    })?;
    file.write_all(text.as_bytes())
        .map_err(|error| Stop::environment(format!("{shown} cannot be written: {error}")))?;
    say(&format!(
        "{shown} is written; nobody may call anything yet.\n\
         Next: decide who may call what (look for `authn`), then `portcullis validate -c {shown}` and \
         `portcullis run -c {shown}`."
    ))?;
    Ok(Ending::Done)
}

fn contract(path: &Path) -> Result<String, Stop> {
    let shown = path.display();
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system's own list grows; the rest is told in its words")]
    let cannot = |error: std::io::Error| {
        Stop::environment(match error.kind() {
            ErrorKind::NotFound => format!("{shown} is not there; name the contract with `--openapi FILE`"),
            ErrorKind::IsADirectory => format!("{shown} is a folder; name the contract in it"),
            ErrorKind::InvalidData => format!("{shown} is not UTF-8; a contract is YAML or JSON"),
            _ => format!("{shown} cannot be read: {error}"),
        })
    };
    let mut text = String::new();
    let file = File::open(path).map_err(cannot)?;
    file.take(CONTRACT_BYTES_MAX).read_to_string(&mut text).map_err(cannot)?;
    Ok(text)
}

/// The JSON Schema of the configuration.
pub(super) fn schema() -> Result<Ending, Stop> {
    say(&format!("{:#}", portcullis_config::schema()))?;
    Ok(Ending::Done)
}

/// Completions for a shell.
pub(super) fn completions(completions: &Completions) -> Result<Ending, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut Arguments::command(), "portcullis", &mut script);
    say(&String::from_utf8_lossy(&script))?;
    Ok(Ending::Done)
}

/// A manual page.
pub(super) fn man(man: &Man) -> Result<Ending, Stop> {
    let mut program = Arguments::command();
    program.build();
    let command = match &man.command {
        None => program,
        Some(name) => {
            let found = program.find_subcommand(name).cloned();
            let unknown = || Stop::environment(format!("there is no command `{name}`; `portcullis --help` lists them"));
            found.ok_or_else(unknown)?
        }
    };
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(command).render(&mut page);
    rendered.map_err(|error| Stop::environment(format!("the page cannot be made: {error}")))?;
    say(&String::from_utf8_lossy(&page))?;
    Ok(Ending::Done)
}
