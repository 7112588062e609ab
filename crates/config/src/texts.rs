//! Files that the configuration names and whose texts have places of their own: what is wrong in one is shown there.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, Report, quote};
use crate::file::{Authz, File};
use crate::sources::{FileId, Sources};
use crate::tree::{At, NodeId};
use crate::values::{Environment, resolve};

/// LIMIT: bytes of one file with policies, and of such files.
const POLICY_BYTES_MAX: u64 = 1024 * 1024;
const FILES_MAX: usize = 256;

/// Where the text of a file is that stands at a place of the configuration.
pub(crate) type Texts = HashMap<NodeId, FileId>;

/// Reads them all; those that cannot be read are reported and left out.
pub(crate) fn read(
    file: &File,
    root: &At<'_>,
    (sources, watched): (&mut Sources, &mut Vec<PathBuf>),
    environment: &Environment,
    report: &mut Report,
) -> Texts {
    let mut reader = Reader { sources, watched, environment, report, known: HashMap::new(), texts: Texts::new() };
    let defaults = file.defaults.as_ref();
    reader.authz(&root.key("defaults"), defaults.and_then(|defaults| defaults.authz.as_ref()));
    let section = root.key("apis");
    for (name, api) in &file.apis {
        let at = section.key(name);
        reader.authz(&at, api.authz.as_ref());
        let routes = at.key("routes");
        for (index, route) in api.routes.iter().flatten().enumerate() {
            reader.authz(&routes.index(index), route.authz.as_ref());
        }
        let versions = at.key("versions");
        for (name, version) in api.versions.iter().flatten() {
            let at = versions.key(name);
            reader.authz(&at, version.authz.as_ref());
            let routes = at.key("routes");
            for (index, route) in version.routes.iter().flatten().enumerate() {
                reader.authz(&routes.index(index), route.authz.as_ref());
            }
        }
    }
    reader.texts
}

struct Reader<'r> {
    sources: &'r mut Sources,
    watched: &'r mut Vec<PathBuf>,
    environment: &'r Environment,
    report: &'r mut Report,
    known: HashMap<PathBuf, FileId>,
    texts: Texts,
}

// === impl Reader ===

impl Reader<'_> {
    fn authz(&mut self, level: &At<'_>, written: Option<&Authz>) {
        let Some(cedar) = written.and_then(|written| written.cedar.as_ref()) else { return };
        let authz = level.key("authz");
        let section = authz.key("cedar");
        let list = section.key("policies");
        for (index, name) in cedar.policies.iter().enumerate() {
            let at = list.index(index);
            if !at.is_tainted() {
                self.text(&at, &name.0);
            }
        }
    }

    fn text(&mut self, at: &At<'_>, name: &str) {
        let path = resolve(self.sources.folder(at.node().span.file), name);
        if let Some(known) = self.known.get(&path) {
            self.texts.insert(at.id(), *known);
            return;
        }
        let read = match self.known.len() < FILES_MAX {
            true => self.environment.read(&path, POLICY_BYTES_MAX),
            false => Err(format!("there are more than {FILES_MAX} such files")),
        };
        if !self.watched.contains(&path) {
            self.watched.push(path.clone());
        }
        let text = read.and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned()));
        match text {
            Ok(text) => {
                let folder = path.parent().map(PathBuf::from).unwrap_or_default();
                let file = self.sources.add(&path.to_string_lossy(), text, &folder);
                self.known.insert(path, file);
                self.texts.insert(at.id(), file);
            }
            Err(why) => {
                let message = format!("the file {} cannot be read: {why}", quote(name));
                let help = "paths are relative to the file that they are written in";
                self.report.push(Diagnostic::new("unreadable-file", at.span(), message).path(at.path()).help(help));
            }
        }
    }
}
