//! What systemd is told about the process (`sd_notify(3)`): ready, reloading, stopping, and that it is alive. Without
//! systemd nothing is said. Whether it is alive is asked of the workers: a process whose workers hang is restarted.

use crate::ending::Stop;
use portcullis_config::Environment;
use portcullis_types::{Clock, Millis};
use rustix::time::{ClockId, clock_gettime};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// A worker looks around ten times a second; one that has not for so long hangs.
const LIVELY_WITHIN: Duration = Duration::from_secs(2);

/// Towards systemd.
#[derive(Debug)]
pub(super) struct Notify {
    socket: Option<UnixDatagram>,
    /// How often a sign of life is due, and when the last one was given.
    watchdog: Option<(Millis, Millis)>,
    clock: Clock,
}

// === impl Notify ===

impl Notify {
    /// As the environment says. A socket that is named and cannot be reached is a mistake: systemd would wait in vain.
    pub(super) fn new(environment: &Environment) -> Result<Self, Stop> {
        let clock = Clock::system();
        let Ok(name) = environment.variable("NOTIFY_SOCKET") else {
            return Ok(Self { socket: None, watchdog: None, clock });
        };
        let refused = |error: std::io::Error| {
            Stop::environment(format!("NOTIFY_SOCKET {name:?} cannot be reached: {error}; unset it outside of systemd"))
        };
        let address = match name.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name),
            None => SocketAddr::from_pathname(&name),
        };
        let socket = UnixDatagram::unbound().map_err(refused)?;
        socket.connect_addr(&address.map_err(refused)?).map_err(refused)?;
        // A manager that does not read must not hold us up.
        socket.set_nonblocking(true).map_err(refused)?;
        let number = |name| environment.variable(name).ok().and_then(|text| text.parse::<u64>().ok());
        let for_us = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|usec| *usec > 0 && for_us).map(|usec| (usec / 2000, 0));
        Ok(Self { socket: Some(socket), watchdog, clock })
    }

    pub(super) fn ready(&self, status: &str) {
        self.say(&format!("READY=1\nSTATUS={}", one_line(status)));
    }

    /// Another process is the service from now on.
    pub(super) fn succeeded_by(&self, process: u32) {
        self.say(&format!("MAINPID={process}\nREADY=1"));
    }

    /// The moment lets systemd tell this reload from the one before.
    pub(super) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let usec = now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1000);
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={usec}\nSTATUS=reloading"));
    }

    pub(super) fn stopping(&self, status: &str) {
        self.say(&format!("STOPPING=1\nSTATUS={}", one_line(status)));
    }

    /// How long one may wait before the next sign of life.
    pub(super) fn interval(&self, wished: Duration) -> Duration {
        // Twice as often as due, so that a late turn is no missing sign.
        self.watchdog.map_or(wished, |(every, _)| wished.min(Duration::from_millis(every / 2).max(SHORTEST)))
    }

    /// A sign of life, if one is due and deserved.
    pub(super) fn alive(&mut self, is_lively: impl Fn(Duration) -> bool) {
        let Some((every, last)) = &mut self.watchdog else { return };
        let now = self.clock.millis();
        let due = *last == 0 || now.saturating_sub(*last) >= *every / 2;
        if due && is_lively(LIVELY_WITHIN) {
            *last = now.max(1);
            self.say("WATCHDOG=1");
        }
    }

    fn say(&self, text: &str) {
        if let Some(socket) = &self.socket {
            // There is nobody to tell that telling failed.
            drop(socket.send(text.as_bytes()));
        }
    }
}

/// The service loop does not turn faster than this.
const SHORTEST: Duration = Duration::from_millis(10);

/// A line feed would begin another assignment.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
