//! `portal`: the pages that developers read, written to a folder.

use crate::arguments::{ExportPortal, PortalCommand};
use crate::ending::{Ending, Stop};
use crate::output::say;
use crate::service::{FILE_BYTES_MAX, bounded, model, read, site};
use portcullis_portal::Site;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Lists what an export has written, so that the next one knows what is its own.
const LIST: &str = ".portcullis-portal";

/// Answers one of the questions.
pub(super) fn portal(command: &PortalCommand) -> Result<Ending, Stop> {
    match command {
        PortalCommand::Export(question) => export(question),
        PortalCommand::Account { command } => super::accounts::account(command),
        PortalCommand::Requests { command } => super::accounts::requests(command),
    }
}

/// What the pages say of `RateLimit-Policy` of the operation with this path.
pub(super) fn limit_fields_told(config: &Path, path: &str, method: &str) -> Result<Option<String>, Stop> {
    let portal = model(&read(config)?.plan, "")?;
    let mut operations = portal.versions().flat_map(|version| &version.operations);
    let found = operations.find(|operation| operation.path == path && operation.method == method);
    Ok(found.and_then(|operation| operation.limit_fields.policy.clone()))
}

fn export(question: &ExportPortal) -> Result<Ending, Stop> {
    let mut plan = read(&question.config.path)?.plan;
    // A folder lets nobody in.
    plan.portal.iter_mut().for_each(|portal| portal.accounts = None);
    let site = site(&plan, &format!("http://{}/problems/", plan.status.bind))?;
    let folder = &question.folder;
    let before = written_before(folder)?;
    write(folder, &site, &before)?;
    let count = site.files().count();
    say(&format!("{count} files are written to {}; begin with index.html", folder.display()))?;
    Ok(Ending::Done)
}

/// What an earlier export has written there.
fn written_before(folder: &Path) -> Result<BTreeSet<String>, Stop> {
    let cannot = |error: std::io::Error| Stop::environment(format!("{} cannot be read: {error}", folder.display()));
    let is_empty = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(cannot(error)),
        Ok(mut entries) => entries.next().is_none(),
    };
    if is_empty {
        return Ok(BTreeSet::new());
    }
    match bounded(&folder.join(LIST), FILE_BYTES_MAX) {
        Ok(list) => Ok(String::from_utf8_lossy(&list).lines().map(str::to_owned).collect()),
        Err(_) => Err(Stop::environment(format!(
            "{} is not empty and holds no earlier export; name a folder that is empty or not there",
            folder.display()
        ))),
    }
}

fn write(folder: &Path, site: &Site, before: &BTreeSet<String>) -> Result<(), Stop> {
    let cannot = |path: &Path, error: &std::io::Error| {
        Stop::environment(format!("{} cannot be written: {error}", path.display()))
    };
    let now: BTreeSet<String> = site.files().map(|(path, _)| path.to_owned()).collect();
    // Before anything is written, so that whatever interrupts it leaves nothing that is not known.
    let list: Vec<&str> = now.union(before).map(String::as_str).collect();
    fs::create_dir_all(folder).map_err(|error| cannot(folder, &error))?;
    let place = folder.join(LIST);
    fs::write(&place, list.join("\n")).map_err(|error| cannot(&place, &error))?;
    for (path, file) in site.files() {
        let path = folder.join(path);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, &file.body));
        made.map_err(|error| cannot(&path, &error))?;
    }
    for path in before.difference(&now).filter_map(|path| below(folder, path)) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(cannot(&path, &error)),
            Ok(()) | Err(_) => {}
        }
    }
    let list: Vec<&str> = now.iter().map(String::as_str).collect();
    fs::write(&place, list.join("\n")).map_err(|error| cannot(&place, &error))
}

/// A path of the list; one that leads out of the folder was not written by us.
fn below(folder: &Path, path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    path.components().all(|part| matches!(part, Component::Normal(_))).then(|| folder.join(path))
}
