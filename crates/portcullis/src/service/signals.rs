//! What is asked of us: SIGHUP to reload, SIGUSR1 to open logs anew, SIGTERM and SIGINT to stop, and the same over the admin socket.

use crate::ending::Stop;
use portcullis_console::Order;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

// LIMIT: requests that wait to be heard; one more of the same kind would say nothing new.
const WAITING_MAX: usize = 16;

/// What was asked.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Read the configuration again.
    Reload,
    /// Open the files of records anew.
    Reopen,
    /// End.
    Stop,
    /// What a command asked for over the admin socket.
    Told(Order),
}

/// Hears what is asked, in order.
#[derive(Debug)]
pub(crate) struct Signals {
    heard: Receiver<Asked>,
    sender: SyncSender<Asked>,
}

/// Asks for the end from within.
#[derive(Debug)]
pub(crate) struct Stopper(SyncSender<Asked>);

/// Puts what others ask for among the signals.
#[derive(Debug)]
pub(crate) struct Teller(SyncSender<Asked>);

// === impl Signals ===

impl Signals {
    /// From now on signals are heard here and do not end the process by themselves.
    pub(crate) fn listen() -> Result<Self, Stop> {
        let refused = |error: std::io::Error| Stop::environment(format!("signals cannot be handled: {error}"));
        let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGUSR1, SIGTERM, SIGINT]).map_err(refused)?;
        let (sender, heard) = sync_channel(WAITING_MAX);
        let kept = sender.clone();
        let listening = move || {
            for signal in signals.forever() {
                let asked = match signal {
                    SIGHUP => Asked::Reload,
                    SIGUSR1 => Asked::Reopen,
                    _ => Asked::Stop,
                };
                if !tell(&sender, asked) {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("signals".to_owned()).spawn(listening).map_err(refused)?;
        Ok(Self { heard, sender: kept })
    }

    /// The next request, for so long.
    pub(crate) fn next(&self, wait: Duration) -> Result<Asked, RecvTimeoutError> {
        self.heard.recv_timeout(wait)
    }

    /// For those who ask over the admin socket.
    pub(crate) fn teller(&self) -> Teller {
        Teller(self.sender.clone())
    }

    /// For a part of this process that knows when the work is done.
    pub(crate) fn stopper(&self) -> Stopper {
        Stopper(self.sender.clone())
    }
}

// === impl Stopper ===

impl Stopper {
    /// As if the system had asked.
    pub(crate) fn stop(self) {
        let _heard = tell(&self.0, Asked::Stop);
    }
}

// === impl Teller ===

impl Teller {
    /// Whether it will be heard.
    pub(crate) fn tell(&self, asked: Asked) -> bool {
        self.0.try_send(asked).is_ok()
    }
}

/// Whether anybody still listens.
fn tell(sender: &SyncSender<Asked>, asked: Asked) -> bool {
    !matches!(sender.try_send(asked), Err(TrySendError::Disconnected(_)))
}
