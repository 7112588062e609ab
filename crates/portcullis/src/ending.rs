//! How a command ends, and the exit code that scripts rely on: 0 done, 1 the answer is "no", 2 usage or environment.

use portcullis_config::Failure;
use std::fmt;
use std::process::ExitCode;

/// A command that could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Done, or the answer is yes.
    Done,
    /// The answer is no: refused, not as expected, ended by force. What and why has been said.
    No,
}

/// Why a command could not do its work. Prints as what to say about it.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The configuration has mistakes.
    Mistakes(Box<Failure>),
    /// The configuration cannot be served: one line.
    Unfit(String),
    /// Something around us has to change first: one line that says what.
    Environment(String),
}

// === impl Ending ===

impl Ending {
    pub(crate) fn code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::No => ExitCode::from(1),
        }
    }
}

// === impl Stop ===

impl Stop {
    pub(crate) fn environment(text: impl Into<String>) -> Self {
        Self::Environment(text.into())
    }

    /// One line without colours.
    pub(crate) fn summary(&self) -> String {
        match self {
            Self::Mistakes(failure) => {
                let first = failure.diagnostics().first().map(|diagnostic| diagnostic.message.as_str());
                let (count, first) = (failure.diagnostics().len(), first.unwrap_or_default());
                format!("{count} mistakes in the configuration, the first: {first}")
            }
            Self::Unfit(text) | Self::Environment(text) => text.clone(),
        }
    }

    /// All of it without colours.
    pub(crate) fn plain(&self) -> String {
        match self {
            Self::Mistakes(failure) => failure.render(false).trim_end().to_owned(),
            Self::Unfit(text) | Self::Environment(text) => format!("error: {text}"),
        }
    }

    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Mistakes(_) | Self::Unfit(_) => ExitCode::from(1),
            Self::Environment(_) => ExitCode::from(2),
        }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Mistakes(Box::new(failure))
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mistakes(failure) => formatter.write_str(failure.render(true).trim_end()),
            Self::Unfit(text) | Self::Environment(text) => write!(formatter, "\u{1b}[1;31merror\u{1b}[0m: {text}"),
        }
    }
}
