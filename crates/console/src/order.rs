//! What is asked of the owner of the process, and by whom.

use crate::problem::Problem;
use portcullis_config::Loaded;
use serde_json::Value;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// A user of this machine, over the admin socket.
    Uid(u32),
    /// A user of the console, by his name.
    User(Arc<str>),
    /// A developer who has signed in to the portal, by the name of his account.
    Account(Arc<str>),
}

/// What is asked of the process.
#[derive(Debug)]
pub enum Order {
    /// Read the configuration again, and say what came of it.
    Reload {
        /// Who asks.
        by: By,
        /// Who waits for the outcome.
        answer: oneshot::Sender<Reloaded>,
    },
    /// Let another program take over, and say what came of it.
    Upgrade {
        /// Who asks.
        by: By,
        /// The program.
        binary: PathBuf,
        /// Who waits for the outcome.
        answer: oneshot::Sender<Reloaded>,
    },
    /// End, as after SIGTERM.
    Drain {
        /// Who asks.
        by: By,
    },
    /// Nothing: this is done, and has to be written down before.
    Note {
        /// Who does it.
        by: By,
        /// What, in words with points.
        what: &'static str,
        /// To what.
        details: Value,
        /// Who waits until it is written; `false` if it cannot be.
        written: Option<oneshot::Sender<bool>>,
    },
    /// Read the configuration and take nothing over.
    Look {
        /// Who waits for it.
        answer: oneshot::Sender<Result<Box<Loaded>, Reloaded>>,
    },
    /// The last entries of the audit log.
    Recall {
        /// At most so many.
        count: usize,
        /// Who waits for them; `None` without an audit log.
        answer: oneshot::Sender<Option<Vec<Value>>>,
    },
}

/// What came of a reload, or of an upgrade.
#[derive(Clone, Debug)]
pub struct Reloaded {
    /// Whether the configuration, or the gateway, was taken over.
    pub done: bool,
    /// What to tell people if not: everything that is wrong with it.
    pub text: String,
    /// The same for programs.
    pub details: Value,
}

/// Hands an order to the owner of the process; whether it was taken.
pub type Orders = Arc<dyn Fn(Order) -> bool + Send + Sync>;

/// Writes down what is about to be done, and waits for it.
pub(crate) fn note(orders: &Orders, by: &By, what: &'static str, details: Value) -> Result<(), Problem> {
    let (sender, told) = oneshot::channel();
    if !orders(Order::Note { by: by.clone(), what, details, written: Some(sender) }) {
        return Err(Problem::busy());
    }
    match told.blocking_recv() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Problem::unwritten()),
        Err(_) => Err(Problem::busy()),
    }
}

// === impl By ===

impl fmt::Display for By {
    /// As an actor of the audit log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uid(number) => write!(formatter, "uid:{number}"),
            Self::User(name) => write!(formatter, "user:{name}"),
            Self::Account(name) => write!(formatter, "account:{name}"),
        }
    }
}
