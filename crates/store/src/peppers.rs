//! The file of the hashing keys, apart from the store, so that who gets hold of one of the two has nothing.
//!
//! One line a key, `<number> <64 hexadecimal digits>`, the last one in use for new keys.

use crate::StoreError;
use portcullis_auth::key::{Pepper, Peppers};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

// LIMIT: bytes of the file, and with them the hashing keys that are kept.
const FILE_BYTES_MAX: u64 = 16 * 1024;
const FIRST_LINE: &str = "# Hashing keys of Portcullis. Without this file no API key can be verified; keep a copy.";

/// Where the hashing keys are.
#[derive(Clone, Debug)]
pub struct PepperFile(PathBuf);

// === impl PepperFile ===

impl PepperFile {
    /// The file at this path.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Reads the file; makes it with a first key from `fresh` if there is none.
    ///
    /// # Errors
    /// A file that others can read, that is damaged, or that cannot be read or made.
    pub fn open(&self, fresh: [u8; 32]) -> Result<Peppers, StoreError> {
        match self.read() {
            Err(StoreError::Io(_, error)) if error.kind() == std::io::ErrorKind::NotFound => {
                self.write(&Peppers::new(Pepper::new(1, fresh), Vec::new()), false)?;
                self.read()
            }
            outcome => outcome,
        }
    }

    /// Reads the file.
    ///
    /// # Errors
    /// As [`PepperFile::open`], and a file that is not there.
    pub fn read(&self) -> Result<Peppers, StoreError> {
        let text = read_private(&self.0)?;
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let mut all = Vec::new();
        for line in lines {
            let pepper = parse(line).ok_or_else(|| self.damaged("a line is not a number and 64 hexadecimal digits"))?;
            if all.iter().any(|have: &Pepper| have.number() == pepper.number()) {
                return Err(self.damaged("a number stands twice"));
            }
            all.push(pepper);
        }
        let current = all.pop().ok_or_else(|| self.damaged("it holds no key"))?;
        Ok(Peppers::new(current, all))
    }

    /// Adds a hashing key, which hashes new keys from now on; the earlier ones go on verifying.
    ///
    /// # Errors
    /// As [`PepperFile::read`], and a file that cannot be written.
    pub fn rotate(&self, fresh: [u8; 32]) -> Result<Peppers, StoreError> {
        let old = self.read()?;
        let mut earlier = old.earlier().to_vec();
        earlier.push(old.current().clone());
        let highest = earlier.iter().map(Pepper::number).max().unwrap_or(0);
        let number = highest.checked_add(1).ok_or_else(|| self.damaged("there are no more numbers"))?;
        let new = Peppers::new(Pepper::new(number, fresh), earlier);
        self.write(&new, true)?;
        self.read()
    }

    /// Takes out hashing keys that no record names any more.
    ///
    /// # Errors
    /// As [`PepperFile::rotate`].
    pub fn prune(&self, in_use: impl Fn(u32) -> bool) -> Result<Peppers, StoreError> {
        let old = self.read()?;
        let earlier = old.earlier().iter().filter(|pepper| in_use(pepper.number())).cloned().collect();
        self.write(&Peppers::new(old.current().clone(), earlier), true)?;
        self.read()
    }

    /// Whole or not at all: a new file takes the place of the old one, or, for the first one, only of none.
    fn write(&self, peppers: &Peppers, replace: bool) -> Result<(), StoreError> {
        let mut text = format!("{FIRST_LINE}\n");
        for pepper in peppers.earlier().iter().chain([peppers.current()]) {
            text.push_str(&format!("{} {}\n", pepper.number(), digits(pepper.expose())));
        }
        write_private(&self.0, &text, replace)
    }

    fn damaged(&self, what: &'static str) -> StoreError {
        StoreError::Damaged(self.0.clone(), what)
    }
}

fn parse(line: &str) -> Option<Pepper> {
    let (number, digits) = line.split_once(' ')?;
    Some(Pepper::new(number.parse().ok()?, seed(digits)?))
}

/// 32 bytes as they stand in a file.
pub(crate) fn digits(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 32 bytes of a file.
pub(crate) fn seed(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0u8; 32];
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// The text of a file that nobody but its owner can read.
pub(crate) fn read_private(path: &Path) -> Result<String, StoreError> {
    let io = |error| StoreError::Io(path.to_owned(), error);
    let file = File::open(path).map_err(io)?;
    let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(StoreError::Exposed(path.to_owned(), mode));
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(io)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(StoreError::Damaged(path.to_owned(), "it is too long"));
    }
    Ok(text)
}

/// Whole or not at all: a new file takes the place of the old one, or, for the first one, only of none.
pub(crate) fn write_private(path: &Path, text: &str, replace: bool) -> Result<(), StoreError> {
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(StoreError::Damaged(path.to_owned(), "it would hold too many keys; take out the unused ones"));
    }
    let fresh = path.with_extension("new");
    let at = |path: &Path, error| StoreError::Io(path.to_owned(), error);
    if fresh.exists() {
        fs::remove_file(&fresh).map_err(|error| at(&fresh, error))?;
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh);
    let mut file = file.map_err(|error| at(&fresh, error))?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(|error| at(&fresh, error))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| at(&fresh, error))?;
    if replace {
        fs::rename(&fresh, path).map_err(|error| at(path, error))?;
    } else {
        // Two processes that start at once must not each have their own: a link is made only where nothing is.
        let linked = fs::hard_link(&fresh, path);
        fs::remove_file(&fresh).map_err(|error| at(&fresh, error))?;
        match linked {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(at(path, error)),
            Ok(()) | Err(_) => {}
        }
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| at(path, error))
}
