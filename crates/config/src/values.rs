//! Values from outside the file: `{ env: NAME }` and `{ file: PATH }`. The only place that reads the environment.
//! What is read here never appears in a message; only where it came from does.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// LIMIT: bytes of a value that stands in a file of its own.
const MAX_VALUE_BYTES: u64 = 64 * 1024;

/// What is wrong with a name that no variable can have.
pub(crate) const NO_NAME: &str = "is not the name of an environment variable";

/// What a configuration may ask for besides its own text.
#[derive(Clone)]
pub struct Environment {
    variables: Variables,
    disk: bool,
}

#[derive(Clone)]
enum Variables {
    Process,
    Fixed(BTreeMap<String, String>),
}

/// Where a value came from, which is all that is ever printed of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ValueSource {
    /// An environment variable.
    Env(Arc<str>),
    /// A file.
    File(Arc<str>),
}

impl Environment {
    /// The variables of this process, and its files.
    pub fn process() -> Self {
        Self { variables: Variables::Process, disk: true }
    }

    /// These variables, and the files of this process.
    pub fn fixed<K: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { variables: Variables::Fixed(variables), disk: true }
    }

    /// No variables and no files: everything that names one is a mistake.
    pub fn sealed() -> Self {
        Self { variables: Variables::Fixed(BTreeMap::new()), disk: false }
    }

    /// The value of a variable, or why there is none.
    #[expect(clippy::disallowed_methods, reason = "this is the one module that reads the environment")]
    pub fn variable(&self, name: &str) -> Result<String, &'static str> {
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            return Err(NO_NAME);
        }
        match &self.variables {
            Variables::Fixed(variables) => variables.get(name).cloned().ok_or("is not set"),
            Variables::Process => std::env::var(name).map_err(|error| match error {
                std::env::VarError::NotPresent => "is not set",
                std::env::VarError::NotUnicode(_) => "is not UTF-8",
            }),
        }
    }

    /// The text of a value's file without the line break at its end, or why there is none.
    pub(crate) fn value_file(&self, path: &Path) -> Result<String, String> {
        let bytes = self.read(path, MAX_VALUE_BYTES)?;
        let mut text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        let length = text.trim_end_matches(['\n', '\r']).len();
        text.truncate(length);
        Ok(text)
    }

    /// A whole file of at most `limit` bytes, or why not.
    pub(crate) fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, String> {
        if !self.disk {
            return Err("files are not read here".to_owned());
        }
        let file = File::open(path).map_err(|error| reason(&error))?;
        let is_folder = file.metadata().is_ok_and(|metadata| metadata.is_dir());
        if is_folder {
            return Err("it is a folder".to_owned());
        }
        let mut bytes = Vec::new();
        let mut limited = file.take(limit.saturating_add(1));
        let mut chunk = [0_u8; 16 * 1024];
        loop {
            match limited.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => bytes.extend_from_slice(chunk.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(reason(&error)),
            }
        }
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
            return Err(format!("it is larger than {limit} bytes"));
        }
        Ok(bytes)
    }

    /// Whether a file exists; always false where files are not read.
    pub(crate) fn is_file(&self, path: &Path) -> bool {
        self.disk && path.is_file()
    }

    /// Whether a folder exists; always false where files are not read.
    pub(crate) fn is_folder(&self, path: &Path) -> bool {
        self.disk && path.is_dir()
    }
}

impl fmt::Display for ValueSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(formatter, "(from env {name})"),
            Self::File(path) => write!(formatter, "(from file {path})"),
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Environment").field("disk", &self.disk).finish_non_exhaustive()
    }
}

/// A path in a file is relative to that file.
pub(crate) fn resolve(folder: &Path, path: &str) -> PathBuf {
    let path = path.strip_prefix("./").unwrap_or(path);
    folder.join(path)
}

fn reason(error: &io::Error) -> String {
    let kind = error.kind();
    if kind == io::ErrorKind::NotFound {
        "it does not exist".to_owned()
    } else if kind == io::ErrorKind::PermissionDenied {
        "it may not be read by this user".to_owned()
    } else {
        kind.to_string()
    }
}
