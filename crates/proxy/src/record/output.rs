//! Standard output, or a file that is put aside when it is full and opened anew when somebody asks for it.

use portcullis_config::plan::RotationPlan;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Where lines are written.
#[derive(Debug)]
pub(super) enum Output {
    Stdout(io::Stdout),
    File(LogFile),
}

/// A file of lines.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    rotation: Option<RotationPlan>,
}

// === impl Output ===

impl Output {
    /// Writes whole lines.
    ///
    /// # Errors
    /// The system's; half a line may stand there then.
    pub(super) fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.write_all(lines).and_then(|()| stdout.flush()),
            Self::File(file) => file.write(lines),
        }
    }

    /// Opens a file anew, which something else has put aside.
    ///
    /// # Errors
    /// The system's; what was open stays open.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(_) => Ok(()),
            Self::File(file) => file.reopen(),
        }
    }
}

// === impl LogFile ===

impl LogFile {
    /// # Errors
    /// A file that cannot be opened for appending.
    pub(crate) fn open(path: &Path, rotation: Option<RotationPlan>) -> io::Result<Self> {
        let (file, bytes) = append(path)?;
        Ok(Self { path: path.to_owned(), file, bytes, rotation })
    }

    /// Writes whole lines, of which many may come at once. A file holds no more than it may, but for a line that is longer than that.
    ///
    /// # Errors
    /// The system's; half a line may stand there then.
    pub(crate) fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let Some(rotation) = self.rotation else { return self.append(lines) };
        let mut rest = lines;
        while !rest.is_empty() {
            let room = usize::try_from(rotation.bytes.saturating_sub(self.bytes)).unwrap_or(usize::MAX);
            let fitting =
                rest.get(..room).map_or(rest.len(), |part| memchr::memrchr(b'\n', part).map_or(0, |at| at + 1));
            let count = match fitting {
                0 if self.bytes > 0 => {
                    self.put_aside(rotation.keep)?;
                    continue;
                }
                0 => memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1),
                count => count,
            };
            let (now, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            self.append(now)?;
            rest = later;
        }
        Ok(())
    }

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.file.write_all(lines)?;
        self.bytes = self.bytes.saturating_add(lines.len() as u64);
        Ok(())
    }

    /// `log` becomes `log.1`, that one `log.2`, and the oldest is gone.
    fn put_aside(&mut self, keep: u32) -> io::Result<()> {
        for number in (1..keep).rev() {
            match fs::rename(self.older(number), self.older(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        fs::rename(&self.path, self.older(1))?;
        self.reopen()
    }

    fn reopen(&mut self) -> io::Result<()> {
        (self.file, self.bytes) = append(&self.path)?;
        Ok(())
    }

    fn older(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

fn append(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().create(true).append(true).mode(0o640).open(path)?;
    let bytes = file.metadata()?.len();
    Ok((file, bytes))
}

#[cfg(test)]
mod tests {
    use super::LogFile;
    use portcullis_config::plan::RotationPlan;
    use portcullis_testkit::scratch::Scratch;
    use std::fs;

    #[test]
    fn a_full_file_is_put_aside_and_the_oldest_is_gone() {
        let scratch = Scratch::new();
        let path = scratch.path().join("a.log");
        let rotation = Some(RotationPlan { bytes: 10, keep: 2 });
        let mut file = LogFile::open(&path, rotation).unwrap();
        for line in ["1111\n", "2222\n", "3333\n", "a line that is longer than a file\n", "5\n", "6\n"] {
            file.write(line.as_bytes()).unwrap();
        }
        let read = |name: &str| fs::read_to_string(scratch.path().join(name)).unwrap_or_default();
        assert_eq!(read("a.log"), "5\n6\n");
        assert_eq!(read("a.log.1"), "a line that is longer than a file\n");
        assert_eq!(read("a.log.2"), "3333\n");
        assert_eq!(read("a.log.3"), "", "two are kept");
        drop(file);
        let mut again = LogFile::open(&path, rotation).unwrap();
        again.write(b"7777777\n").unwrap();
        assert_eq!((read("a.log"), read("a.log.1")), ("7777777\n".to_owned(), "5\n6\n".to_owned()));
    }

    #[test]
    fn lines_that_come_at_once_turn_over_as_well() {
        let scratch = Scratch::new();
        let path = scratch.path().join("a.log");
        let mut file = LogFile::open(&path, Some(RotationPlan { bytes: 10, keep: 9 })).unwrap();
        file.write(b"1111\n2222\n3333\na line that is longer than a file\n5\n6\n").unwrap();
        let read = |name: &str| fs::read_to_string(scratch.path().join(name)).unwrap_or_default();
        assert_eq!(read("a.log.3"), "1111\n2222\n");
        assert_eq!(read("a.log.2"), "3333\n");
        assert_eq!(read("a.log.1"), "a line that is longer than a file\n");
        assert_eq!(read("a.log"), "5\n6\n");
    }

    #[test]
    fn a_file_that_was_moved_away_is_opened_anew() {
        let scratch = Scratch::new();
        let path = scratch.path().join("a.log");
        let mut file = LogFile::open(&path, None).unwrap();
        file.write(b"1\n").unwrap();
        fs::rename(&path, scratch.path().join("moved")).unwrap();
        file.write(b"2\n").unwrap();
        file.reopen().unwrap();
        file.write(b"3\n").unwrap();
        assert_eq!(fs::read_to_string(scratch.path().join("moved")).unwrap(), "1\n2\n");
        assert_eq!(fs::read_to_string(path).unwrap(), "3\n");
    }
}
