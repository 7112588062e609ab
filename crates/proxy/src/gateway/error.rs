//! Why a gateway does not start or does not take over a configuration: one line that says what to do.

use crate::snapshot::CompileError;
use crate::trace::export::ExportError;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// Why a gateway does not start. The text is one line that says what to do.
#[derive(Debug)]
pub enum StartError {
    /// The plan cannot be compiled.
    Compile(CompileError),
    /// An address cannot be listened on.
    Listen {
        /// The listener's name.
        listener: Arc<str>,
        /// Its address.
        bind: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// A socket that was inherited belongs to no listener.
    Inherited(String),
    /// A log cannot be kept: which one, and why.
    Log(String),
    /// The store cannot be opened.
    Store(io::Error),
    /// The system grants no threads or randomness.
    System(io::Error),
}

/// Why a reload was not taken over; the configuration in force stays.
#[derive(Debug)]
pub enum ReloadError {
    /// The plan cannot be compiled.
    Compile(CompileError),
    /// A setting that only a restart can change: its path.
    NeedsRestart(String),
    /// A listener that it adds cannot be bound.
    Listen(StartError),
    /// The gateway is about to end.
    Draining,
}

// === impl StartError ===

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compile(error) => error.fmt(formatter),
            Self::Listen { listener, bind, source } => {
                write!(formatter, "listeners.{listener}: cannot listen on {bind}: {}", listen_advice(source))
            }
            Self::Inherited(text) | Self::Log(text) => formatter.write_str(text),
            Self::Store(error) => write!(formatter, "store: {error}"),
            Self::System(error) => write!(formatter, "the system refuses what is needed to start: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

fn listen_advice(source: &io::Error) -> String {
    let is = |kind| source.kind() == kind;
    if is(io::ErrorKind::AddrInUse) {
        "the port is taken by another process; stop it or choose another port".to_owned()
    } else if is(io::ErrorKind::PermissionDenied) {
        "this needs a privilege; choose a port above 1023 or grant CAP_NET_BIND_SERVICE".to_owned()
    } else if is(io::ErrorKind::AddrNotAvailable) {
        "this is no address of this machine; use one that is, or 0.0.0.0".to_owned()
    } else {
        source.to_string()
    }
}

impl From<ExportError> for StartError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Tls(error) => Self::Compile(CompileError::Tls { place: "tracing".to_owned(), error }),
            ExportError::System(error) => Self::System(error),
        }
    }
}

// === impl ReloadError ===

impl fmt::Display for ReloadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compile(error) => error.fmt(formatter),
            Self::Listen(error) => error.fmt(formatter),
            Self::Draining => formatter.write_str("the gateway drains; start it again with the new configuration"),
            Self::NeedsRestart(setting) => write!(formatter, "a change of {setting} needs a restart"),
        }
    }
}

impl std::error::Error for ReloadError {}
