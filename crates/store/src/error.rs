//! What can go wrong with the store. Whoever gets one of these refuses: nothing is served on a guess.

use portcullis_auth::key::RecordError;
use portcullis_auth::revocation::RevocationError;
use std::fmt;
use std::path::PathBuf;

/// Why the store did not do what it was asked.
#[derive(Debug)]
pub enum StoreError {
    /// Another program has the file open in another way.
    InUse(PathBuf),
    /// A file's mode lets others than its owner read it.
    Exposed(PathBuf, u32),
    /// A file that is not what it should be.
    Damaged(PathBuf, &'static str),
    /// A key that cannot be stored or read.
    Record(RecordError),
    /// A revocation that cannot be stored.
    Revocation(RevocationError),
    /// There is no such key.
    UnknownKey,
    /// There is one of this number already.
    Exists,
    /// What belongs to an account is not there, or belongs to another one.
    NotOwn(&'static str),
    /// There is one of this name already.
    Taken(&'static str),
    /// There are as many as there may be: so many of what.
    Full(usize, &'static str),
    /// It is not in the state for that.
    Unfit(&'static str),
    /// The file or the system said no.
    Io(PathBuf, std::io::Error),
    /// The database said no.
    Database(redb::Error),
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(path) => write!(formatter, "{}: another program has it open", path.display()),
            Self::Exposed(path, mode) => {
                write!(formatter, "{}: mode {mode:o} lets others read it; make it 600", path.display())
            }
            Self::Damaged(path, what) => write!(formatter, "{}: {what}", path.display()),
            Self::Record(error) => error.fmt(formatter),
            Self::Revocation(error) => error.fmt(formatter),
            Self::UnknownKey => formatter.write_str("there is no such key"),
            Self::Exists => formatter.write_str("there is a key of this id already"),
            Self::NotOwn(what) => write!(formatter, "there is no such {what}"),
            Self::Taken(what) => write!(formatter, "there is {what} of this name already"),
            Self::Full(most, what) => write!(formatter, "there may be {most} {what}, and there are"),
            Self::Unfit(why) => formatter.write_str(why),
            Self::Io(path, error) => write!(formatter, "{}: {error}", path.display()),
            Self::Database(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<RecordError> for StoreError {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

impl From<RevocationError> for StoreError {
    fn from(error: RevocationError) -> Self {
        Self::Revocation(error)
    }
}

macro_rules! from_database {
    ($($name:ident)+) => {
        $(impl From<redb::$name> for StoreError {
            fn from(error: redb::$name) -> Self {
                Self::Database(error.into())
            }
        })+
    };
}

from_database! { TransactionError TableError StorageError CommitError }
