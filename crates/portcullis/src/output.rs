//! What goes to the screen: text for people or JSON for programs, aligned tables, colours on a terminal only.
//!
//! Texts are always styled; `anstream` takes the styles away where there is no terminal or `NO_COLOR` is set.

mod table;

pub(crate) use table::Table;

use crate::arguments::Format;
use crate::ending::Stop;
use serde_json::Value;
use std::io::{self, Write as _};

/// Writes to standard output. A reader that went away (`| head`) is not an error: it has what it wanted.
pub(crate) fn say(text: &str) -> Result<(), Stop> {
    let mut out = anstream::stdout().lock();
    let line_end = if text.ends_with('\n') { "" } else { "\n" };
    match write!(out, "{text}{line_end}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Stop::environment(format!("standard output cannot be written: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Says the same in the form that was asked for.
pub(crate) fn report(format: Format, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) -> Result<(), Stop> {
    match format {
        Format::Text => say(&text()),
        Format::Json => say(&format!("{:#}", json())),
    }
}

/// Says on standard error why a command ended. If even that is closed, the exit code has to do.
pub(crate) fn complain(stop: &Stop) {
    note(&stop.to_string());
}

/// One line on standard error.
pub(crate) fn note(text: &str) {
    let mut out = anstream::stderr().lock();
    drop(writeln!(out, "{text}"));
}

/// Text that stands out.
pub(crate) fn bold(text: &str) -> String {
    format!("\u{1b}[1m{text}\u{1b}[0m")
}

/// Text of a good outcome.
pub(crate) fn good(text: &str) -> String {
    format!("\u{1b}[32m{text}\u{1b}[0m")
}

/// Text of a bad outcome.
pub(crate) fn bad(text: &str) -> String {
    format!("\u{1b}[1;31m{text}\u{1b}[0m")
}

/// Text that only some readers need.
pub(crate) fn faint(text: &str) -> String {
    format!("\u{1b}[2m{text}\u{1b}[0m")
}
