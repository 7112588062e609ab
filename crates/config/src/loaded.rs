//! From files to a checked plan: the order of reading, typing and checking, and what is kept for later questions.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::check::{Check, check};
use crate::diagnostic::Failure;
use crate::file::File;
use crate::plan::Plan;
use crate::read::{Read, read_bytes, read_file};
use crate::recover::{Outside, recover};
use crate::sources::Sources;
use crate::texts;
use crate::tree::{At, NodeId, Tree};
use crate::values::{Environment, ValueSource, resolve};

/// A configuration without mistakes.
pub struct Loaded {
    /// What the data path compiles.
    pub plan: Plan,
    pub(crate) file: File,
    pub(crate) tree: Tree,
    pub(crate) root: NodeId,
    pub(crate) sources: Sources,
    pub(crate) outside: Outside,
}

impl Loaded {
    /// The files that hold values of their own, `{ file: PATH }`: mostly secrets.
    #[must_use]
    pub fn value_files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        add_value_files(&mut files, &self.sources, &self.tree, &self.outside);
        files
    }
}

/// Loads a configuration file and what it includes, or says everything that is wrong with it.
pub fn load(path: &Path, environment: &Environment) -> Result<Loaded, Failure> {
    finish(read_file(path, environment), environment)
}

/// Loads a configuration that is in memory. `name` is how messages call it; relative paths in it are relative to
/// `folder`.
pub fn load_text(name: &str, text: &str, folder: &Path, environment: &Environment) -> Result<Loaded, Failure> {
    load_bytes(name, text.as_bytes().to_vec(), folder, environment)
}

pub(crate) fn load_bytes(
    name: &str,
    bytes: Vec<u8>,
    folder: &Path,
    environment: &Environment,
) -> Result<Loaded, Failure> {
    finish(read_bytes(name, bytes, folder, environment), environment)
}

fn finish(read: Read, environment: &Environment) -> Result<Loaded, Failure> {
    let Read { mut sources, mut tree, root, mut report, mut files, incomplete } = read;
    let Some(root) = root else { return Err(failure(report, sources, files)) };
    let (file, outside) = recover::<File>(&mut tree, root, &sources, environment, &mut report);
    add_value_files(&mut files, &sources, &tree, &outside);
    let Some(file) = file else { return Err(failure(report, sources, files)) };
    let cedar = texts::read(&file, &At::root(&tree, root), (&mut sources, &mut files), environment, &mut report);
    let hash = digest(&sources);
    let context = Check {
        sources: &sources,
        environment,
        outside: &outside,
        texts: &cedar,
        report: &mut report,
        incomplete,
        lacks_contract: false,
        named: Default::default(),
        has_mask_key: false,
        version_field: None,
        key_field: String::new(),
        accounts: 0,
        waf_sets: Vec::new(),
        waf: None,
        dangers: Vec::new(),
        warnings: Vec::new(),
        watched: files,
    };
    let plan = check(context, &file, &At::root(&tree, root), hash);
    match report.is_empty() {
        true => Ok(Loaded { plan, file, tree, root, sources, outside }),
        false => Err(failure(report, sources, plan.watched)),
    }
}

/// The files that hold values, or should have.
fn add_value_files(files: &mut Vec<PathBuf>, sources: &Sources, tree: &Tree, outside: &Outside) {
    let mut named: Vec<PathBuf> = Vec::new();
    for (id, source) in outside {
        if let ValueSource::File(name) = source {
            named.push(resolve(sources.folder(tree.node(*id).span.file), name));
        }
    }
    // The map has no order of its own.
    named.sort();
    for path in named {
        if !files.contains(&path) {
            files.push(path);
        }
    }
}

fn failure(report: crate::diagnostic::Report, sources: Sources, files: Vec<PathBuf>) -> Failure {
    let (diagnostics, dropped) = report.into_sorted();
    Failure::new(diagnostics, dropped, sources).naming(files)
}

/// Over the texts of the configuration only: a digest that values from outside went into would tell about them.
fn digest(sources: &Sources) -> String {
    let mut hasher = blake3::Hasher::new();
    for source in sources.iter() {
        // The length keeps two texts apart from one that is both.
        hasher.update(&source.text.len().to_le_bytes());
        hasher.update(source.text.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

impl fmt::Debug for Loaded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The plan holds values from outside the file; whoever prints it whole has to ask for it.
        formatter.debug_struct("Loaded").field("hash", &self.plan.hash).finish_non_exhaustive()
    }
}
