//! The folder of a store: the database, and beside it the file of the hashing keys. Nobody but its owner reads it.

use crate::peppers::{digits, read_private, seed, write_private};
use crate::{PepperFile, SigningFile, Store, StoreError};
use portcullis_auth::key::Peppers;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

const DATABASE: &str = "keys.redb";
const HASHING_KEYS: &str = "hashing-keys";
const SIGNING_KEYS: &str = "signing-keys";
const FEED: &str = "feed";
const AUDIT_LOG: &str = "audit-log";
const AUDIT_KEY: &str = "audit-key";
const AUDIT_KEY_FIRST_LINE: &str = "# The key that seals Portcullis's audit log. Nobody else may read it.";

/// Where a store lives.
#[derive(Clone, Debug)]
pub struct Home(PathBuf);

// === impl Home ===

impl Home {
    /// The folder at this path.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Whether there is a store in it.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.0.join(DATABASE).exists()
    }

    /// Opens what is in it, or makes it: the folder, the database, and a first hashing key from `fresh`.
    ///
    /// # Errors
    /// What cannot be made, opened or read.
    pub fn open(&self, fresh: [u8; 32]) -> Result<(Store, Peppers), StoreError> {
        self.make().map_err(|error| StoreError::Io(self.0.clone(), error))?;
        let peppers = PepperFile::new(self.0.join(HASHING_KEYS)).open(fresh)?;
        Ok((Store::open(&self.0.join(DATABASE))?, peppers))
    }

    /// Where the keys are by which the gateway signs what it says about callers.
    #[must_use]
    pub fn signing_keys(&self) -> SigningFile {
        SigningFile::new(self.0.join(SIGNING_KEYS))
    }

    /// The folder of what is remembered of the feed. It need not be there.
    #[must_use]
    pub fn feed(&self) -> PathBuf {
        self.0.join(FEED)
    }

    /// The folder of the audit log. It need not be there.
    #[must_use]
    pub fn audit_log(&self) -> PathBuf {
        self.0.join(AUDIT_LOG)
    }

    /// The seed of the key that seals the audit log; `fresh` becomes it where there is none yet.
    ///
    /// # Errors
    /// A file that others can read, that is damaged, or that cannot be read or made.
    pub fn audit_key(&self, fresh: &[u8; 32]) -> Result<[u8; 32], StoreError> {
        self.make().map_err(|error| StoreError::Io(self.0.clone(), error))?;
        let path = self.0.join(AUDIT_KEY);
        let text = match read_private(&path) {
            Err(StoreError::Io(_, error)) if error.kind() == std::io::ErrorKind::NotFound => {
                write_private(&path, &format!("{AUDIT_KEY_FIRST_LINE}\n{}\n", digits(fresh)), false)?;
                read_private(&path)?
            }
            outcome => outcome?,
        };
        let line = text.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
        seed(line).ok_or(StoreError::Damaged(path, "it does not hold 64 hexadecimal digits"))
    }

    fn make(&self) -> std::io::Result<()> {
        if Path::new(&self.0).is_dir() {
            return Ok(());
        }
        DirBuilder::new().mode(0o700).create(&self.0)
    }
}
