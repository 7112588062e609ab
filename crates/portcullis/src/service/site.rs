//! The portal's pages from a plan, with the files that they are made of.

use crate::ending::Stop;
use portcullis_config::plan::Plan;
use portcullis_portal::Site;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// LIMIT: bytes of a document, of a page, of a logo.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// All pages. Problems are explained below `problems`.
pub(crate) fn site(plan: &Plan, problems: &str) -> Result<Site, Stop> {
    let site = portcullis_portal::site(plan, problems, &mut |path| bounded(path).map_err(|error| error.to_string()));
    site.map_err(|unreadable| Stop::environment(unreadable.to_string()))
}

/// A whole file that is not larger than it may be.
#[expect(clippy::disallowed_methods, reason = "`take` bounds it")]
pub(crate) fn bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(std::io::Error::other("it is larger than 16 MiB"));
    }
    Ok(bytes)
}
