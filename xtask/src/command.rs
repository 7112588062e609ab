//! Starting other programs from the root of the repository, and finding them on the search path.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::json::Value;

/// The root of the repository this binary was built from.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// A program to be started in the root of the repository.
///
/// `cargo run` describes `xtask` itself in the environment. A cargo that we start would hand these variables to build
/// scripts, and those that watch them would run again, and again under a plain `cargo build`: so they are taken out.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    for (key, _) in std::env::vars_os() {
        let key = key.to_string_lossy();
        let describes_xtask = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
        if describes_xtask.iter().any(|prefix| key.starts_with(prefix)) {
            command.env_remove(key.as_ref());
        }
    }
    command
}

/// Runs a program whose output the caller's terminal shows, after printing its command line.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let line = shown(command);
    println!("$ {line}");
    let status = command.stdin(Stdio::null()).status().map_err(|error| format!("cannot start `{line}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` failed ({status})")) }
}

/// Runs a program whose standard output is nobody's business.
pub(crate) fn run_quietly(command: &mut Command) -> Result<(), String> {
    let line = shown(command);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let status = status.map_err(|error| format!("cannot start `{line}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` failed ({status})")) }
}

/// Runs a program and returns what it wrote to its standard output; its standard error becomes the message.
pub(crate) fn read(command: &mut Command) -> Result<String, String> {
    let line = shown(command);
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("cannot start `{line}`: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("`{line}` failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim()))
}

/// Whether a program answers when asked for its version.
pub(crate) fn answers(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Where a program lies on the search path. Servers are often in `sbin`, which is not on everybody's path.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(usual).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Where cargo puts what it builds.
pub(crate) fn target_folder() -> Result<PathBuf, String> {
    let metadata = read(program("cargo").args(["metadata", "--format-version", "1", "--no-deps", "--locked"]))?;
    let metadata = Value::parse(&metadata)?;
    Ok(metadata.text("target_directory").map_or_else(|| root().join("target"), PathBuf::from))
}

fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}
