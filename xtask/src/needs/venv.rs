//! Programs of PyPI that tests start: what our pins name, in an environment of its own below cargo's target folder. Nothing of it
//! is part of the product.

use std::fs;
use std::path::PathBuf;

use crate::command::{program, root, run, target_folder};

/// Says which pins an environment was made from.
const MARK: &str = ".pins";

/// Whether what lies there is what the pins ask for.
pub(super) fn is_here(pins: &str, name: &str) -> bool {
    let Ok(place) = place(name) else { return false };
    let wanted = fs::read(root().join(pins)).ok();
    wanted.is_some() && fs::read(place.join(MARK)).ok() == wanted && place.join("bin").join(name).is_file()
}

pub(super) fn make(pins: &str, name: &str) -> Result<(), String> {
    let (place, pins) = (place(name)?, root().join(pins));
    let failed = |error: std::io::Error| format!("{}: {error}", place.display());
    if place.exists() {
        fs::remove_dir_all(&place).map_err(failed)?;
    }
    run(program("python3").args(["-m", "venv"]).arg(&place))?;
    let python = place.join("bin/python");
    let mut pip = program(&python.to_string_lossy());
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--requirement"]);
    run(pip.arg(&pins))?;
    // Last, so that a part is not taken for the whole next time.
    fs::copy(&pins, place.join(MARK)).map(drop).map_err(failed)
}

pub(super) fn by_hand(name: &str) -> String {
    format!("cargo xtask test needs, which brings it to target/venv/{name}")
}

fn place(name: &str) -> Result<PathBuf, String> {
    target_folder().map(|target| target.join("venv").join(name))
}
