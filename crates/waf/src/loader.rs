//! Where rule files come from. The only part of the crate that touches files, behind a trait, so that rule sets
//! load the same from a directory, from memory, and in tests.

use std::path::Path;

/// LIMIT: the size of one rule or data file.
const FILE_BYTES: u64 = 16 << 20;

/// A place that rule files and data files are read from.
pub trait Source {
    /// The file's content.
    ///
    /// # Errors
    /// Says why it can't be read.
    fn read(&self, path: &str) -> Result<String, String>;

    /// The files that a pattern means, sorted. A pattern has `*` and `?` in its last part only.
    ///
    /// # Errors
    /// Says why the folder can't be listed.
    fn expand(&self, pattern: &str) -> Result<Vec<String>, String>;
}

/// Files on disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

/// Files in memory, by name: for embedded rules and for tests.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    files: Vec<(String, String)>,
}

// === impl Memory ===

impl Memory {
    /// Adds a file.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.files.push((name.into(), text.into()));
        self
    }
}

impl Source for Memory {
    fn read(&self, path: &str) -> Result<String, String> {
        let found = self.files.iter().find(|(name, _)| name == path);
        found.map(|(_, text)| text.clone()).ok_or_else(|| format!("there is no file `{path}`"))
    }

    fn expand(&self, pattern: &str) -> Result<Vec<String>, String> {
        let mut names: Vec<String> = self
            .files
            .iter()
            .filter(|(name, _)| glob(pattern.as_bytes(), name.as_bytes()))
            .map(|(n, _)| n.clone())
            .collect();
        names.sort();
        Ok(names)
    }
}

impl Source for Disk {
    fn read(&self, path: &str) -> Result<String, String> {
        let size = std::fs::metadata(path).map_err(|e| format!("can't read `{path}`: {e}"))?.len();
        if size > FILE_BYTES {
            return Err(format!("`{path}` is larger than {FILE_BYTES} bytes"));
        }
        let bytes = std::fs::read(path).map_err(|e| format!("can't read `{path}`: {e}"))?;
        String::from_utf8(bytes).map_err(|_| format!("`{path}` isn't UTF-8"))
    }

    fn expand(&self, pattern: &str) -> Result<Vec<String>, String> {
        let path = Path::new(pattern);
        let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|n| n.to_str())) else {
            return Ok(Vec::new());
        };
        if folder.to_string_lossy().contains(['*', '?']) {
            return Err(format!("`{pattern}`: a pattern is possible in the last part only"));
        }
        let mut names = Vec::new();
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        for entry in std::fs::read_dir(folder).map_err(|e| format!("can't list `{}`: {e}", folder.display()))? {
            let entry = entry.map_err(|e| format!("can't list `{}`: {e}", folder.display()))?;
            let file = entry.file_name();
            if let Some(file) = file.to_str()
                && glob(name.as_bytes(), file.as_bytes())
            {
                names.push(folder.join(file).to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }
}

/// Whether a name fits a pattern of `*` and `?`.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || name.get(n) == Some(c) => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    p = at + 1;
                    n = from + 1;
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == b'*')
}

/// A path named in a file, relative to that file.
pub(crate) fn beside(file: &str, path: &str) -> String {
    if Path::new(path).is_absolute() {
        return path.to_owned();
    }
    match Path::new(file).parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.join(path).to_string_lossy().into_owned(),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, name, expect) in
            [("*.conf", "a.conf", true), ("*.conf", "a.conf.example", false), ("a?c*", "abcd", true), ("", "x", false)]
        {
            assert_eq!(glob(pattern.as_bytes(), name.as_bytes()), expect, "{pattern} {name}");
        }
    }

    #[test]
    fn paths_are_relative_to_the_file_that_names_them() {
        assert_eq!(beside("/a/b.conf", "c.data"), "/a/c.data");
        assert_eq!(beside("/a/b.conf", "/c.data"), "/c.data");
        assert_eq!(beside("b.conf", "c.data"), "c.data");
    }
}
