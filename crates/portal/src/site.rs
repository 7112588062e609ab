//! What pages come to: files by their path, each with its media type. Whoever serves or writes them needs nothing else.

use crate::pages::{Frame, Look};
use std::collections::{BTreeMap, BTreeSet};

/// All files of a portal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    files: BTreeMap<String, File>,
    /// Whom its pages call.
    called: BTreeSet<String>,
    frame: Frame,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its media type.
    pub media_type: &'static str,
    /// What is in it.
    pub body: Vec<u8>,
}

pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";
pub(crate) const MARKDOWN: &str = "text/markdown; charset=utf-8";
pub(crate) const STYLE: &str = "text/css; charset=utf-8";
pub(crate) const SCRIPT: &str = "text/javascript; charset=utf-8";
pub(crate) const OPENAPI: &str = "application/vnd.oai.openapi+json;version=3.1";
pub(crate) const LINKSET: &str = "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"";

// === impl Site ===

impl Site {
    pub(crate) fn add(&mut self, path: impl Into<String>, media_type: &'static str, body: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), File { media_type, body: body.into() });
    }

    pub(crate) fn calls(&mut self, origin: &str) {
        self.called.insert(origin.to_owned());
    }

    pub(crate) fn looks(&mut self, look: &Look) {
        self.frame = Frame(look.clone());
    }

    /// The frame of its pages, for those that are made for one visitor.
    #[must_use]
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// The origins that its pages call, which a policy for them has to let through (`connect-src`).
    pub fn called(&self) -> impl Iterator<Item = &str> {
        self.called.iter().map(String::as_str)
    }

    /// Every file with its path, sorted.
    pub fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// The file at a path without a slash in front: `apis/orders/v1/index.html`.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// The file that an address leads to: a folder's is its `index.html`.
    #[must_use]
    pub fn at(&self, address: &str) -> Option<&File> {
        let path = address.strip_prefix('/')?;
        if path.is_empty() || path.ends_with('/') {
            return self.file(&format!("{path}index.html"));
        }
        self.file(path)
    }

    /// How much it is.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.files.values().map(|file| file.body.len()).sum()
    }
}
