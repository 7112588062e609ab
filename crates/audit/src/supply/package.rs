//! The packages that a program was built from, as `build.rs` writes them down.

use serde_json::Value;
use std::fmt;

/// Where a package comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The registry crates.io.
    Registry,
    /// The program's own sources.
    Local,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: semver::Version,
    /// Where it comes from.
    pub origin: Origin,
    /// Its licence, as an expression of SPDX.
    pub licence: String,
    /// SHA-256 of its archive, in hexadecimal digits, if it comes from a registry.
    pub checksum: Option<String>,
    /// Whether it only helps to build the program, and is not in it.
    pub build: bool,
    /// Positions in the list of what it was built with.
    pub dependencies: Vec<usize>,
}

/// What is wrong with a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackagesError(String);

/// Reads the list; the program itself is its first entry.
///
/// # Errors
/// It is not such a list.
pub fn packages(text: &str) -> Result<Vec<Package>, PackagesError> {
    let value: Value = serde_json::from_str(text).map_err(|error| PackagesError(error.to_string()))?;
    let listed =
        value.get("packages").and_then(Value::as_array).ok_or_else(|| PackagesError("no packages".to_owned()))?;
    listed
        .iter()
        .enumerate()
        .map(|(at, one)| package(one, listed.len()).ok_or_else(|| PackagesError(format!("package {at} is none"))))
        .collect()
}

fn package(value: &Value, count: usize) -> Option<Package> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let dependencies = value
        .get("dependencies")?
        .as_array()?
        .iter()
        .map(|at| at.as_u64().and_then(|at| usize::try_from(at).ok()).filter(|at| *at < count));
    Some(Package {
        name: text("name")?.to_owned(),
        version: semver::Version::parse(text("version")?).ok()?,
        origin: match text("source")? {
            "crates.io" => Origin::Registry,
            "local" => Origin::Local,
            _ => return None,
        },
        licence: text("licence")?.to_owned(),
        checksum: text("checksum").map(str::to_owned),
        build: text("kind") == Some("build"),
        dependencies: dependencies.collect::<Option<Vec<_>>>()?,
    })
}

impl fmt::Display for PackagesError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for PackagesError {}
