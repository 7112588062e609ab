//! What is not in the configuration: how files are kept, what certificates say, how keys are used.

use crate::supply::Known;
use std::path::PathBuf;

/// Everything that was looked up for the rules.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Seconds since 1970.
    pub now: u64,
    /// Files that hold secrets, records or settings.
    pub files: Vec<FileFact>,
    /// Certificates that listeners show.
    pub certificates: Vec<CertificateFact>,
    /// API keys that are not revoked.
    pub keys: Vec<KeyFact>,
    /// What is known against the program, if somebody looked.
    pub known: Option<Known>,
}

/// A file.
#[derive(Clone, Debug)]
pub struct FileFact {
    /// Where.
    pub path: PathBuf,
    /// Its permission bits.
    pub mode: u32,
    /// What is in it.
    pub holds: FileUse,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileUse {
    /// A private key, a password: nobody else may read it.
    Secret,
    /// Records: nobody else may change them.
    Records,
    /// What the gateway is made from: nobody else may change it.
    Settings,
}

/// A certificate that is shown to clients.
#[derive(Clone, Debug)]
pub struct CertificateFact {
    /// By which listener.
    pub listener: String,
    /// From which file.
    pub path: PathBuf,
    /// The DNS names in it, in lower case.
    pub names: Vec<String>,
    /// Seconds since 1970 from when it is good.
    pub not_before: i64,
    /// Seconds since 1970 until when it is good.
    pub not_after: i64,
    /// Its key.
    pub key: KeyKind,
    /// Whether it was signed with a digest that can be forged (MD5, SHA-1).
    pub weak_digest: bool,
}

/// A key of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA of so many bits.
    Rsa(usize),
    /// Any other.
    Other,
}

/// An API key.
#[derive(Clone, Debug)]
pub struct KeyFact {
    /// Its id.
    pub id: String,
    /// Who holds it.
    pub consumer: String,
    /// Seconds since 1970 when it was made.
    pub created_at: u64,
    /// Seconds since 1970 when it was used last.
    pub last_used_at: Option<u64>,
    /// Seconds since 1970 when it ends.
    pub expires_at: Option<u64>,
    /// Whether it opens all APIs.
    pub all_apis: bool,
    /// Whether it has scopes or roles.
    pub has_rights: bool,
    /// Whether it has been replaced by another one.
    pub replaced: bool,
}
