//! One process takes over from another: the running gateway starts the new program, gives it its listening sockets over a socket pair,
//! and hears whether it serves. The sockets are the very same ones, so that nobody who waits at them is refused.
//!
//! A packet goes each way. Here: the names of the sockets as JSON, with the sockets beside it. Back: `ready`, or `no` and why.

use crate::arguments::Format;
use crate::ending::Stop;
use portcullis_proxy::{Giver, Inherited};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recv, recvmsg, send, sendmsg, socketpair,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

// LIMIT: sockets that are handed over; the system takes 253 at once.
const SOCKETS_MAX: usize = 240;
// LIMIT: bytes of a packet.
const PACKET_BYTES_MAX: usize = 64 * 1024;
// LIMIT: until the new program serves; ten thousand routes take a second.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How often somebody looks meanwhile whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const READY: &str = "ready";

/// What is handed over.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) listeners: Vec<Inherited>,
    pub(super) status: Option<TcpListener>,
    pub(super) portal: Option<TcpListener>,
    pub(super) console: Option<TcpListener>,
    /// With its path, since the socket itself does not know it.
    pub(super) admin: Option<(PathBuf, UnixListener)>,
}

/// The gateway that this one takes over from.
#[derive(Debug)]
pub(super) struct Predecessor(OwnedFd);

/// A program that was started to take over.
pub(super) struct Successor {
    child: Child,
    line: OwnedFd,
}

/// A socket at the place where it is wanted.
pub(super) fn at(given: Option<TcpListener>, wanted: SocketAddr) -> Option<TcpListener> {
    let fits = |have: SocketAddr| have.ip() == wanted.ip() && (have.port() == wanted.port() || wanted.port() == 0);
    given.filter(|socket| socket.local_addr().is_ok_and(fits))
}

// === impl Given ===

impl Given {
    /// Names and sockets.
    fn packed(self) -> (Vec<String>, Vec<OwnedFd>) {
        let listeners = self.listeners.into_iter().map(|one| (format!("listener:{}", one.listener), one.socket.into()));
        let status = self.status.map(|socket| ("status".to_owned(), socket.into()));
        let portal = self.portal.map(|socket| ("portal".to_owned(), socket.into()));
        let console = self.console.map(|socket| ("console".to_owned(), socket.into()));
        let admin = self.admin.map(|(path, socket)| (format!("admin:{}", path.display()), socket.into()));
        listeners.chain(status).chain(portal).chain(console).chain(admin).unzip()
    }

    fn unpacked(names: &[String], sockets: Vec<OwnedFd>) -> Result<Self, Stop> {
        if names.len() != sockets.len() {
            return Err(broken(&format!("{} sockets came for {} names", sockets.len(), names.len())));
        }
        let mut given = Self::default();
        for (name, socket) in names.iter().zip(sockets) {
            match name.split_once(':').unwrap_or((name, "")) {
                ("listener", listener) => given.listeners.push(Inherited {
                    giver: Giver::Predecessor,
                    listener: listener.to_owned(),
                    socket: socket.into(),
                }),
                ("status", _) => given.status = Some(socket.into()),
                ("portal", _) => given.portal = Some(socket.into()),
                ("console", _) => given.console = Some(socket.into()),
                ("admin", path) => given.admin = Some((path.into(), socket.into())),
                // Of a version that has more than this one: closed.
                _ => {}
            }
        }
        Ok(given)
    }
}

fn broken(why: &str) -> Stop {
    Stop::environment(format!("nothing can be taken over: {why}"))
}

// === impl Predecessor ===

impl Predecessor {
    /// At the other end of standard input.
    pub(super) fn at_standard_input() -> Result<(Self, Given), Stop> {
        let line = std::io::stdin().as_fd().try_clone_to_owned().map_err(|error| broken(&error.to_string()))?;
        let refused = |error: Errno| broken(&format!("{error}; `portcullis upgrade` starts what takes over"));
        set_socket_timeout(&line, Timeout::Recv, Some(READY_WITHIN)).map_err(refused)?;
        let mut bytes = vec![0; PACKET_BYTES_MAX];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_MAX))];
        let mut beside = RecvAncillaryBuffer::new(&mut space);
        let got = recvmsg(&line, &mut [IoSliceMut::new(&mut bytes)], &mut beside, RecvFlags::CMSG_CLOEXEC);
        let length = got.map_err(refused)?.bytes;
        let mut sockets = Vec::new();
        for message in beside.drain() {
            if let RecvAncillaryMessage::ScmRights(found) = message {
                sockets.extend(found);
            }
        }
        let names = serde_json::from_slice::<Vec<String>>(bytes.get(..length).unwrap_or_default());
        let names = names.map_err(|error| broken(&format!("what was told of the sockets is wrong: {error}")))?;
        Ok((Self(line), Given::unpacked(&names, sockets)?))
    }

    /// Says how it went. A predecessor that has gone meanwhile has nothing to hear.
    pub(super) fn tell<T>(&self, outcome: &Result<T, Stop>) {
        let text = match outcome {
            Ok(_) => READY.to_owned(),
            // Mistakes with their lines; anything else is one line, which whoever asked puts into a sentence.
            Err(stop @ Stop::Mistakes(_)) => format!("no\n{}", stop.plain()),
            Err(stop @ (Stop::Unfit(_) | Stop::Environment(_))) => format!("no\n{}", stop.summary()),
        };
        let most = text.floor_char_boundary(PACKET_BYTES_MAX);
        let _told = send(&self.0, text.get(..most).unwrap_or_default().as_bytes(), SendFlags::NOSIGNAL);
    }
}

// === impl Successor ===

impl Successor {
    /// Starts a program for a configuration and gives it sockets.
    pub(super) fn start(binary: &Path, config: &Path, format: Format, given: Given) -> Result<Self, String> {
        let (names, sockets) = given.packed();
        if sockets.len() > SOCKETS_MAX {
            return Err(format!("there are {} sockets; at most {SOCKETS_MAX} are handed over", sockets.len()));
        }
        let system = |error: Errno| error.to_string();
        let pair = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
        let (line, other) = pair.map_err(system)?;
        set_socket_timeout(&line, Timeout::Recv, Some(LOOK_EVERY)).map_err(system)?;
        set_socket_timeout(&line, Timeout::Send, Some(READY_WITHIN)).map_err(system)?;
        let mut command = Command::new(binary);
        command.args(["run", "--take-over", "--format", format.name(), "--config"]).arg(config);
        // What systemd said about us is not about it.
        for name in ["WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] {
            command.env_remove(name);
        }
        let child = command.stdin(Stdio::from(other)).spawn();
        // With it goes our side of the other end, so that its death is noticed.
        drop(command);
        let child = child.map_err(|error| format!("{} cannot be started: {error}", binary.display()))?;
        let started = Self { child, line };
        match started.give(&names, &sockets) {
            // One that has ended already may have said why.
            Ok(()) | Err(Errno::PIPE) => Ok(started),
            Err(error) => Err(started.end(&error.to_string())),
        }
    }

    fn give(&self, names: &[String], sockets: &[OwnedFd]) -> Result<(), Errno> {
        let text = serde_json::Value::from(names).to_string();
        let borrowed: Vec<_> = sockets.iter().map(|socket| socket.as_fd()).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_MAX))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        if !beside.push(SendAncillaryMessage::ScmRights(&borrowed)) {
            return Err(Errno::NOBUFS);
        }
        sendmsg(&self.line, &[IoSlice::new(text.as_bytes())], &mut beside, SendFlags::NOSIGNAL).map(drop)
    }

    /// Waits until it serves: the number of its process. If it does not, it is ended.
    pub(super) fn wait(mut self, mut meanwhile: impl FnMut()) -> Result<u32, String> {
        let mut bytes = vec![0; PACKET_BYTES_MAX];
        for _ in 0..READY_WITHIN.as_millis() / LOOK_EVERY.as_millis() {
            match recv(&self.line, &mut bytes[..], RecvFlags::empty()) {
                Ok((0, _)) | Err(Errno::CONNRESET) => return Err(self.gone()),
                Ok((length, _)) => {
                    let text = String::from_utf8_lossy(bytes.get(..length).unwrap_or_default()).into_owned();
                    if text == READY {
                        return Ok(self.child.id());
                    }
                    return Err(
                        self.end(text.strip_prefix("no\n").unwrap_or("it gave an answer that is not known here"))
                    );
                }
                Err(Errno::AGAIN | Errno::INTR) => meanwhile(),
                Err(error) => return Err(self.end(&error.to_string())),
            }
        }
        Err(self.end(&format!("it did not serve within {} seconds", READY_WITHIN.as_secs())))
    }

    fn gone(&mut self) -> String {
        // It has closed its end, which it does not do as long as it lives.
        drop(self.child.kill());
        match self.child.wait() {
            Ok(status) => format!("it ended without a word ({status}); is it a Portcullis that can take over?"),
            Err(error) => error.to_string(),
        }
    }

    fn end(mut self, why: &str) -> String {
        drop(self.child.kill());
        drop(self.child.wait());
        why.to_owned()
    }
}
