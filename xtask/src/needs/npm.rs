//! Packages of npm that tests start: what our lock file names, in a folder below cargo's target folder, without running
//! any script of a package. Nothing of them is part of the product.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{program, root, run, target_folder};

/// What says which packages, and which bytes of each.
const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// Whether what lies there is what the files of this folder of the repository ask for.
pub(super) fn is_installed(folder: &str, name: &str) -> bool {
    let Ok(place) = place(name) else { return false };
    let same = |file: &str| fs::read(root().join(folder).join(file)).ok() == fs::read(place.join(file)).ok();
    FILES.iter().all(|file| same(file)) && place.join("node_modules").join(name).is_dir()
}

pub(super) fn install(folder: &str, name: &str) -> Result<(), String> {
    let place = place(name)?;
    let failed = |error: std::io::Error| format!("{}: {error}", place.display());
    fs::create_dir_all(&place).map_err(failed)?;
    for file in FILES {
        fs::copy(root().join(folder).join(file), place.join(file)).map_err(failed)?;
    }
    let outcome = run(npm().arg("--prefix").arg(&place));
    if outcome.is_err() {
        // So that a part is not taken for the whole next time.
        drop(fs::remove_file(place.join(FILES[1])));
    }
    outcome
}

pub(super) fn by_hand(name: &str) -> String {
    format!("cargo xtask test needs, which brings it to target/npm/{name}")
}

fn npm() -> std::process::Command {
    let mut npm = program("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    npm
}

fn place(name: &str) -> Result<PathBuf, String> {
    target_folder().map(|target| Path::new(&target).join("npm").join(name))
}
