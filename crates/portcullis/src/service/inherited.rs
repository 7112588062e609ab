//! Listening sockets that systemd opened for us (`sd_listen_fds(3)`), by the names of their listeners.

use crate::ending::Stop;
use listenfd::ListenFd;
use portcullis_config::Environment;
use portcullis_proxy::{Giver, Inherited};

// LIMIT: sockets that are taken over.
const SOCKETS_MAX: usize = 256;

/// What was handed over. `LISTEN_FDNAMES` says which is which; a single one without a name belongs to a single listener.
pub(super) fn inherited<'a>(
    environment: &Environment,
    mut listeners: impl Iterator<Item = &'a str>,
) -> Result<Vec<Inherited>, Stop> {
    let names = environment.variable("LISTEN_FDNAMES").unwrap_or_default();
    let mut passed = ListenFd::from_env();
    let count = passed.len();
    if count > SOCKETS_MAX {
        return Err(Stop::environment(format!("{count} sockets were handed over; at most {SOCKETS_MAX} are taken")));
    }
    let only = listeners.next().filter(|_| count == 1 && listeners.next().is_none()).map(str::to_owned);
    let mut names = names.split(':').filter(|name| !name.is_empty());
    let mut sockets = Vec::with_capacity(count);
    for index in 0..count {
        // Without `FileDescriptorName=` systemd names a socket after its unit.
        let name = names.next().filter(|name| *name != "unknown" && !name.ends_with(".socket")).map(str::to_owned);
        let Some(listener) = name.or_else(|| only.clone()) else {
            return Err(Stop::environment(format!(
                "socket {} was handed over without a name; `FileDescriptorName=` of the socket unit names its listener",
                index + 1
            )));
        };
        let refused =
            |why: String| Stop::environment(format!("the socket handed over as `{listener}` cannot be used: {why}"));
        let socket = passed.take_tcp_listener(index).map_err(|error| refused(error.to_string()))?;
        let socket = socket.ok_or_else(|| refused("it is gone".to_owned()))?;
        sockets.push(Inherited { giver: Giver::System, listener, socket });
    }
    Ok(sockets)
}
