//! The folder of a store: the database, and beside it the file of the hashing keys. Nobody but its owner reads it.

use crate::{PepperFile, SigningFile, Store, StoreError};
use portcullis_auth::key::Peppers;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

const DATABASE: &str = "keys.redb";
const HASHING_KEYS: &str = "hashing-keys";
const SIGNING_KEYS: &str = "signing-keys";

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

    fn make(&self) -> std::io::Result<()> {
        if Path::new(&self.0).is_dir() {
            return Ok(());
        }
        DirBuilder::new().mode(0o700).create(&self.0)
    }
}
