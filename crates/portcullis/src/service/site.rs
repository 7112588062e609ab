//! The portal's pages from a plan, with the files that they are made of.

use crate::ending::Stop;
use portcullis_config::plan::Plan;
use portcullis_portal::{Portal, Site, Unreadable};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// LIMIT: bytes of a document, of a page, of a logo.
pub(crate) const FILE_BYTES_MAX: u64 = 16 << 20;

/// All pages. Problems are explained below `problems`.
pub(crate) fn site(plan: &Plan, problems: &str) -> Result<Site, Stop> {
    portcullis_portal::site(plan, problems, &mut fetch).map_err(|error| told(&error))
}

/// What they are made from.
pub(crate) fn model(plan: &Plan, problems: &str) -> Result<Portal, Stop> {
    Portal::of(plan, problems, &mut fetch).map_err(|error| told(&error))
}

fn fetch(path: &Path) -> Result<Vec<u8>, String> {
    bounded(path, FILE_BYTES_MAX).map_err(|error| error.to_string())
}

fn told(error: &Unreadable) -> Stop {
    Stop::environment(error.to_string())
}

/// A whole file that has no more bytes than it may.
#[expect(clippy::disallowed_methods, reason = "`take` bounds it")]
pub(crate) fn bounded(path: &Path, bytes_max: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max {
        return Err(std::io::Error::other(format!("it has more than {bytes_max} bytes")));
    }
    Ok(bytes)
}
