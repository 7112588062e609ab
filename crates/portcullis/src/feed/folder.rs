//! What is remembered of the feed, in a folder of the store: the bundle in force, the one before, and the greatest version that ever was.

use crate::hex::digits;
use crate::service::bounded;
use aws_lc_rs::digest::{SHA256, digest};
use portcullis_patch::{BUNDLE_BYTES_CAP, Stage};
use serde_json::{Value, json};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// LIMIT: bytes of what is remembered.
const STATE_BYTES_MAX: u64 = 4 * 1024;

#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
    state: PathBuf,
}

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// The greatest version that was ever taken over; 0 if none was.
    pub(crate) greatest: u64,
    /// What it said, so that nobody else can have its number.
    pub(crate) greatest_digest: String,
    pub(crate) current: Option<Entry>,
    pub(crate) previous: Option<Entry>,
}

/// A bundle that was taken over, and how far it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) version: u64,
    pub(crate) stage: Stage,
}

/// Keeps other processes from changing what is remembered.
pub(super) struct Lock(#[expect(dead_code, reason = "closing it unlocks")] File);

/// What of two texts tells whether they are the same.
pub(super) fn digest_of(text: &str) -> String {
    digits(digest(&SHA256, text.as_bytes()))
}

// === impl Folder ===

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { state: path.join("state.json"), path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn state_file(&self) -> &Path {
        &self.state
    }

    /// Waits for whoever else changes something; none of them takes long.
    pub(super) fn lock(&self) -> io::Result<Lock> {
        if !self.path.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.path)?;
        }
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(self.path.join("lock"))?;
        file.lock()?;
        Ok(Lock(file))
    }

    /// What is remembered; nothing where nothing ever was.
    pub(super) fn state(&self) -> io::Result<State> {
        match bounded(&self.state, STATE_BYTES_MAX) {
            Ok(bytes) => State::read(&bytes).ok_or_else(|| {
                io::Error::other(format!("{} is damaged; nobody knows what is in force", self.state.display()))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(State::default()),
            Err(error) => Err(error),
        }
    }

    /// Remembers, and drops bundles that nobody can ask for any more.
    pub(super) fn write(&self, state: &State) -> io::Result<()> {
        self.put_whole(&self.state, format!("{:#}\n", state.to_json()).as_bytes())?;
        let kept: Vec<u64> =
            [&state.current, &state.previous].into_iter().flatten().map(|entry| entry.version).collect();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let version = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".bundle")?.parse::<u64>().ok());
            if version.is_some_and(|version| !kept.contains(&version)) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    pub(super) fn put(&self, version: u64, sealed: &[u8]) -> io::Result<()> {
        self.put_whole(&self.bundle(version), sealed)
    }

    pub(super) fn get(&self, version: u64, bytes_max: u64) -> io::Result<Vec<u8>> {
        bounded(&self.bundle(version), bytes_max.min(BUNDLE_BYTES_CAP))
    }

    fn bundle(&self, version: u64) -> PathBuf {
        self.path.join(format!("{version}.bundle"))
    }

    /// Whoever reads finds the old text or the new one, and after a death as well.
    fn put_whole(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let fresh = path.with_extension("new");
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        File::open(&self.path)?.sync_all()
    }
}

// === impl State ===

impl State {
    fn to_json(&self) -> Value {
        let entry = |entry: &Option<Entry>| {
            entry.as_ref().map(|entry| json!({ "version": entry.version, "stage": entry.stage.name() }))
        };
        json!({
            "greatest": self.greatest, "greatest_digest": self.greatest_digest,
            "current": entry(&self.current), "previous": entry(&self.previous),
        })
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let entry = |name: &str| {
            let entry = value.get(name)?;
            if entry.is_null() {
                return Some(None);
            }
            let stage = Stage::named(entry.get("stage")?.as_str()?)?;
            Some(Some(Entry { version: entry.get("version")?.as_u64()?, stage }))
        };
        Some(Self {
            greatest: value.get("greatest")?.as_u64()?,
            greatest_digest: value.get("greatest_digest")?.as_str()?.to_owned(),
            current: entry("current")?,
            previous: entry("previous")?,
        })
    }
}
