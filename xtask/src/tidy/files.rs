//! The text files of the repository, read once; what git ignores and what is not text is left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// LIMIT: a larger file is data, not something a person wrote.
const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// Folders of files that others wrote, or that hold the exact bytes a test compares.
const KEPT_AS_THEY_CAME: &[&str] =
    &["vendor", "third_party", "suites", "crs", "corpus", "fixtures", "golden", "snapshots"];

/// All text files by their path from the root, and the paths of everything else that exists.
#[derive(Debug, Default)]
pub(super) struct Tree {
    texts: BTreeMap<PathBuf, String>,
    others: Vec<PathBuf>,
}

impl Tree {
    /// A tree of made-up files, for tests.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Tree {
        let texts = files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
        Tree { texts, others: Vec::new() }
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_path(), text.as_str()))
    }

    pub(super) fn with_extension(&self, extension: &'static str) -> impl Iterator<Item = (&Path, &str)> {
        self.texts().filter(move |(path, _)| path.extension().is_some_and(|found| found == extension))
    }

    /// Files that people of this repository write by hand; suites and recorded answers keep their bytes as they came.
    pub(super) fn handwritten(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.texts().filter(|(path, _)| !path.iter().any(|part| KEPT_AS_THEY_CAME.iter().any(|name| part == *name)))
    }

    pub(super) fn text(&self, path: &Path) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Whether the path is a file, or a folder that holds one.
    pub(super) fn has(&self, path: &Path) -> bool {
        let all = self.texts.keys().chain(&self.others);
        path.as_os_str().is_empty() || all.into_iter().any(|file| file.starts_with(path))
    }
}

/// Reads the tree below `root`.
pub(super) fn read_tree(root: &Path) -> Result<Tree, String> {
    let ignored = fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
    let ignored: Vec<PathBuf> =
        ignored.lines().filter_map(|line| line.trim().strip_prefix('/')).map(PathBuf::from).collect();
    let mut tree = Tree::default();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(root.join(&folder)).map_err(|error| format!("{}: {error}", folder.display()))?;
        for entry in entries {
            let entry = entry.map_err(|error| format!("{}: {error}", folder.display()))?;
            let path = folder.join(entry.file_name());
            let kind = entry.file_type().map_err(|error| format!("{}: {error}", path.display()))?;
            let skipped = [".git", "node_modules"].iter().any(|name| entry.file_name() == *name);
            if skipped || ignored.contains(&path) {
                continue;
            }
            if kind.is_dir() {
                folders.push(path);
            } else {
                let size = entry.metadata().map_or(0, |metadata| metadata.len());
                match fs::read_to_string(root.join(&path)) {
                    Ok(text) if size <= FILE_BYTES_MAX => drop(tree.texts.insert(path, text)),
                    Ok(_) | Err(_) => tree.others.push(path),
                }
            }
        }
    }
    Ok(tree)
}
