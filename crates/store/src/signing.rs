//! The file of the keys by which the gateway signs what it says about callers, beside the store.
//!
//! One line a key, `<second> <64 hexadecimal digits>`: from when on it signs, and its seed. The last one is published and does not sign
//! yet. Processes that share the file agree about who signs when without asking each other.

use crate::StoreError;
use crate::peppers::{digits, read_private, seed, write_private};
use std::path::PathBuf;

/// How long a key that signs no more is kept, in seconds.
const KEPT_SECONDS: u64 = 2 * 3600;
const FIRST_LINE: &str = "# Keys by which Portcullis signs what it says about callers. Nobody else may read them.";

/// Where the signing keys are.
#[derive(Clone, Debug)]
pub struct SigningFile(PathBuf);

// === impl SigningFile ===

impl SigningFile {
    /// The file at this path.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The keys in the order in which they sign, at least one of them in the future. What is missing is made from `fresh`, to
    /// sign `every` so many seconds after the one before.
    ///
    /// # Errors
    /// A file that others can read, that is damaged, or that cannot be read or made.
    pub fn open(&self, fresh: [[u8; 32]; 2], every: u64, now: u64) -> Result<Vec<(u64, [u8; 32])>, StoreError> {
        let [first, next] = fresh;
        let mut keys = match self.read() {
            Err(StoreError::Io(_, error)) if error.kind() == std::io::ErrorKind::NotFound => {
                self.write(&[(now, first), (now.saturating_add(every), next)], false)?;
                return self.read();
            }
            outcome => outcome?,
        };
        if keys.iter().any(|(from, _)| *from > now) {
            return Ok(keys);
        }
        keys.push((now.saturating_add(every), next));
        // A key is of no use once its successor has signed for longer than statements are looked at.
        let over = keys.iter().skip(1).take_while(|(from, _)| from.saturating_add(KEPT_SECONDS) <= now).count();
        keys.drain(..over);
        self.write(&keys, true)?;
        self.read()
    }

    fn read(&self) -> Result<Vec<(u64, [u8; 32])>, StoreError> {
        let text = read_private(&self.0)?;
        let damaged = || StoreError::Damaged(self.0.clone(), "a line is not a second and 64 hexadecimal digits");
        let mut keys = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (from, digits) = line.split_once(' ').ok_or_else(damaged)?;
            keys.push((from.parse().map_err(|_| damaged())?, seed(digits).ok_or_else(damaged)?));
        }
        keys.sort_by_key(|(from, _)| *from);
        if keys.is_empty() { Err(StoreError::Damaged(self.0.clone(), "it holds no key")) } else { Ok(keys) }
    }

    fn write(&self, keys: &[(u64, [u8; 32])], replace: bool) -> Result<(), StoreError> {
        let lines: String = keys.iter().map(|(from, seed)| format!("{from} {}\n", digits(seed))).collect();
        write_private(&self.0, &format!("{FIRST_LINE}\n{lines}"), replace)
    }
}
