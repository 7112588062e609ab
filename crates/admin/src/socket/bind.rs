//! A socket in the file system that nobody else could open at any moment: it is made in a folder of ours and moved to
//! its place. What lies in that place is looked at first.

use super::AdminError;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// A socket's place; the file goes with it, as long as it is still the same one.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    file: (u64, u64),
    owner: u32,
    /// Whether it is ours to take away: not before we serve at one that a predecessor made, nor after a successor does.
    is_ours: bool,
}

pub(super) fn bind(path: &Path) -> Result<(UnixListener, Place), AdminError> {
    let error = |error| AdminError::System(path.to_owned(), error);
    look(path)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = parent.join(format!(".admin-{}", std::process::id()));
    // What a process with the same number left behind.
    drop(fs::remove_dir_all(&folder));
    fs::DirBuilder::new().mode(0o700).create(&folder).map_err(error)?;
    let made = make(&folder.join("s"), path);
    drop(fs::remove_dir_all(&folder));
    made.map_err(error)
}

fn make(first: &Path, path: &Path) -> io::Result<(UnixListener, Place)> {
    let listener = UnixListener::bind(first)?;
    listener.set_nonblocking(true)?;
    fs::set_permissions(first, fs::Permissions::from_mode(0o600))?;
    let metadata = fs::symlink_metadata(first)?;
    fs::rename(first, path)?;
    let place =
        Place { path: path.to_owned(), file: (metadata.dev(), metadata.ino()), owner: metadata.uid(), is_ours: true };
    Ok((listener, place))
}

/// Makes sure that only a socket of a dead process is replaced.
fn look(path: &Path) -> Result<(), AdminError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(AdminError::System(path.to_owned(), error)),
    };
    if !found.file_type().is_socket() {
        return Err(AdminError::NoSocket(path.to_owned()));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        Ok(_) => Err(AdminError::Taken(path.to_owned())),
        Err(error) => Err(AdminError::System(path.to_owned(), error)),
    }
}

// === impl Place ===

impl Place {
    /// Of a socket that a predecessor made, and still answers.
    pub(super) fn found(path: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(path)?;
        if !metadata.file_type().is_socket() {
            return Err(io::Error::other("it is no socket any more"));
        }
        Ok(Self {
            path: path.to_owned(),
            file: (metadata.dev(), metadata.ino()),
            owner: metadata.uid(),
            is_ours: false,
        })
    }

    /// From now on the file is ours.
    pub(super) fn take(&mut self) {
        self.is_ours = true;
    }

    /// From now on it is somebody else's.
    pub(super) fn leave(&mut self) {
        self.is_ours = false;
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whom the socket belongs to: the user that we run as.
    pub(super) fn owner(&self) -> u32 {
        self.owner
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let same = |found: &fs::Metadata| (found.dev(), found.ino()) == self.file;
        if self.is_ours && fs::symlink_metadata(&self.path).as_ref().is_ok_and(same) {
            // If it stays, the next start replaces it.
            drop(fs::remove_file(&self.path));
        }
    }
}
