//! Source archives of PyPI that tests read from: what our pins name, byte for byte, unpacked below cargo's target folder.
//! Nothing of them is installed, and nothing of them is part of the product.

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

pub(super) fn bring(pins: &str, name: &str) -> Result<(), String> {
    let (place, pin) = (place(name)?, pin(pins, name)?);
    let failed = |error: std::io::Error| format!("{}: {error}", place.display());
    if place.exists() {
        fs::remove_dir_all(&place).map_err(failed)?;
    }
    fs::create_dir_all(&place).map_err(failed)?;
    let list = place.join("requirements.txt");
    fs::write(&list, format!("{pin}\n")).map_err(failed)?;
    run(program("python3")
        .args([
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--require-hashes",
            "--disable-pip-version-check",
            "--no-binary",
            name,
        ])
        .arg("--requirement")
        .arg(&list)
        .arg("--dest")
        .arg(&place))?;
    let archive = archive(&place)?;
    run(program("tar")
        .args(["--extract", "--strip-components=1", "--file"])
        .arg(&archive)
        .arg("--directory")
        .arg(&place))?;
    // Last, so that a part is not taken for the whole next time.
    fs::write(place.join(MARK), pin).map_err(failed)
}

pub(super) fn by_hand(name: &str) -> String {
    format!("cargo xtask test needs, which brings it to target/pypi/{name}")
}

fn archive(place: &Path) -> Result<PathBuf, String> {
    let files = fs::read_dir(place).map_err(|error| format!("{}: {error}", place.display()))?;
    let is_archive = |path: &PathBuf| path.to_string_lossy().ends_with(".tar.gz");
    let found = files.flatten().map(|file| file.path()).find(is_archive);
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
        for name in ["jsonschema", "jsonschema-specifications"] {
            let pin = super::pin(super::super::SCHEMA_SUITE, name).unwrap();
            assert!(pin.starts_with(name) && pin.contains(" --hash=sha256:"), "{pin}");
        }
        assert!(super::pin(super::super::SCHEMA_SUITE, "json").is_err());
    }
}
