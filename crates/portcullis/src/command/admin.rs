//! `admin`: what is prepared for the console; and passwords, read without showing them.

use crate::audit::random;
use crate::ending::{Ending, Stop};
use crate::output;
use portcullis_auth::password::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, PasswordHash};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{BufRead as _, IsTerminal as _, Read as _, Stdin};

/// Reads a password and prints its hash.
pub(super) fn password() -> Result<Ending, Stop> {
    output::say(&read_hash()?)?;
    Ok(Ending::Done)
}

/// Reads a password and makes its hash.
pub(super) fn read_hash() -> Result<String, Stop> {
    let stdin = std::io::stdin();
    let password = match Silence::begin(&stdin) {
        None => line(&stdin)?,
        Some(_silence) => {
            output::note("Password, which is not shown:");
            let first = line(&stdin)?;
            output::note("The same again:");
            if line(&stdin)? != first {
                return Err(Stop::environment("the two differ; nothing was made"));
            }
            first
        }
    };
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(Stop::environment(format!("a password has at least {PASSWORD_CHARS_MIN} characters")));
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(Stop::environment(format!("a password has at most {PASSWORD_BYTES_MAX} bytes")));
    }
    let hash = PasswordHash::make(&password, &random()?);
    hash.ok_or_else(|| Stop::environment("there is no memory for it"))
}

/// The next line, without its end.
fn line(stdin: &Stdin) -> Result<String, Stop> {
    let mut text = String::new();
    let most = u64::try_from(PASSWORD_BYTES_MAX).unwrap_or(u64::MAX) + 2;
    let read = stdin.lock().take(most).read_line(&mut text);
    read.map_err(|error| Stop::environment(format!("the password cannot be read: {error}")))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// A terminal that does not show what is typed, as long as this is there.
struct Silence<'s>(&'s Stdin, Termios);

// === impl Silence ===

impl<'s> Silence<'s> {
    /// `None` where it is no terminal.
    fn begin(stdin: &'s Stdin) -> Option<Self> {
        let before = stdin.is_terminal().then(|| tcgetattr(stdin).ok()).flatten()?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(stdin, OptionalActions::Now, &silent).ok()?;
        Some(Self(stdin, before))
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // A terminal that is gone shows nothing any more.
        let _shown = tcsetattr(self.0, OptionalActions::Now, &self.1);
    }
}
