//! One binary takes over from another under load: no request fails, no connection is refused, no WebSocket and no long download breaks;
//! and where the new one does not serve, the old one does.

use crate::clients::websocket;
use crate::house::{PROTOCOLS, long_count};
use crate::support::{Running, folder, get, portcullis};
use portcullis_testkit::load::{Load, Protocol, Running as Loading};
use portcullis_testkit::{FakeUpstream, MoodyUpstream};
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tungstenite::Message;

/// Upgrades of one run.
const UPGRADES: u64 = 20;
/// A download, and the pauses within it: longer than an upgrade takes.
const PIECES: usize = 40;
const PIECE: usize = 1024;
const PAUSE: Duration = Duration::from_millis(100);

/// A gateway whose process changes.
struct Line {
    folder: PathBuf,
    first: Running,
    /// The process that serves.
    process: u32,
    address: SocketAddr,
    status: SocketAddr,
}

fn config(moody: SocketAddr, chat: SocketAddr, file: SocketAddr) -> String {
    format!(
        "version: 1
workers: 2
listeners: {{ plain: {{ bind: '127.0.0.1:0' }} }}
status: {{ bind: '127.0.0.1:0' }}
admin: {{ socket: admin.sock }}
access_log: {{ to: {{ file: access.log }} }}
shutdown: {{ deadline: 60s }}
defaults: {{ authn: public, limits: {{ per_address: {{ mode: off }}, per_principal: {{ mode: off }} }} }}
apis:
  chat: {{ hosts: ['*'], base_path: /chat, upstream: {{ targets: ['http://{chat}'] }}, routes: [{{ path: '', methods: [GET], websocket: {{ origins: ['*'] }} }}] }}
  file: {{ hosts: ['*'], base_path: /file, upstream: {{ targets: ['http://{file}'] }}, routes: [{{ path: '', methods: [GET] }}] }}
  proof: {{ hosts: ['*'], upstream: {{ targets: ['http://{moody}'] }}, routes: [{{ path: '/', methods: [any] }}, {{ path: '/{{*rest}}', methods: [any] }}] }}
"
    )
}

/// Sends its answer piece by piece.
fn slow_file() -> FakeUpstream {
    FakeUpstream::with(|talk| {
        while talk.request().is_some() {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
                PIECES * PIECE
            );
            if !talk.send(head) {
                return;
            }
            for _ in 0..PIECES {
                talk.pause(PAUSE);
                if !talk.send([b'x'; PIECE]) {
                    return;
                }
            }
        }
    })
}

/// Bytes of the download, whole or not.
fn download(address: SocketAddr) -> std::thread::JoinHandle<usize> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "GET /file HTTP/1.1\r\nHost: a.test\r\n\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 200"), "{line}");
    std::thread::spawn(move || {
        let mut head = String::new();
        while reader.read_line(&mut head).unwrap() > 2 {}
        let mut bytes = Vec::new();
        // Broken off is seen by its length.
        drop(reader.take((PIECES * PIECE) as u64).read_to_end(&mut bytes));
        bytes.len()
    })
}

// === impl Line ===

impl Line {
    fn start(name: &str, text: &str) -> Self {
        let folder = folder(name);
        fs::write(folder.join("line.yaml"), text).unwrap();
        let mut first = Running::start(portcullis(&folder, &["run", "-c", "line.yaml"]));
        let address = first.address("listening");
        let status = first.address("status");
        first.line("ready");
        Self { folder, process: first.child.id(), first, address, status }
    }

    /// What the command says, and its exit code.
    fn upgrade(&mut self, binary: &Path) -> (Option<i32>, Value) {
        let words = ["upgrade", binary.to_str().unwrap(), "--socket", "admin.sock", "--format", "json"];
        let output = portcullis(&self.folder, &words).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
        if let Some(process) = value["details"]["process"].as_u64() {
            self.process = u32::try_from(process).unwrap();
        }
        (output.status.code(), value)
    }

    fn next(&mut self) {
        let (before, (code, value)) = (self.process, self.upgrade(Path::new(env!("CARGO_BIN_EXE_portcullis"))));
        assert_eq!((code, &value["upgraded"]), (Some(0), &Value::Bool(true)), "{value}");
        assert_ne!(self.process, before, "{value}");
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Whoever took over is nobody's child.
        drop(Command::new("kill").arg("-KILL").arg(self.process.to_string()).status());
    }
}

#[test]
fn upgrades_fail_nothing_that_is_under_way() {
    let (moody, file) = (MoodyUpstream::start(), slow_file());
    let text = config(moody.address(), websocket::echoing(), file.address());
    let mut line = Line::start("upgrade", &text);
    let address = line.address;
    let start = |protocol| Load { name: format!("{protocol:?}"), ..Load::new(address, protocol) }.start();
    let loads: Vec<(Protocol, Loading)> = PROTOCOLS.into_iter().map(|protocol| (protocol, start(protocol))).collect();
    let mut downloads = Vec::new();
    let mut talks = Vec::new();
    for round in 0..long_count().unwrap_or(UPGRADES) {
        let mut socket = websocket::connect(address, None).expect("a conversation");
        socket.send(Message::text(format!("before {round}"))).unwrap();
        assert_eq!(socket.read().unwrap(), Message::text(format!("before {round}")));
        downloads.push(download(address));
        line.next();
        // With the process before, for longer than until the next one has come.
        talks.push(socket);
        let from = talks.len().saturating_sub(3);
        for socket in &mut talks[from..] {
            socket.send(Message::text("after")).unwrap();
            assert_eq!(socket.read().unwrap(), Message::text("after"), "round {round}");
        }
    }
    assert_eq!(
        downloads.into_iter().map(|one| one.join().unwrap()).filter(|bytes| *bytes != PIECES * PIECE).count(),
        0
    );
    for (protocol, load) in loads {
        let tally = load.stop();
        println!("upgrade under load, {protocol:?}: {tally}");
        assert_eq!((tally.failures(), tally.mismatched, tally.unreachable), (0, 0, 0), "{protocol:?}: {tally}");
        assert!(tally.good > 200, "no load: {tally}");
        if protocol == Protocol::Http1 {
            assert_eq!(tally.again, 0, "a connection was closed without a word: {tally}");
        }
    }
    let metrics = get(line.status, "/metrics");
    assert!(metrics.contains("portcullis_ready 1"), "the last one is who answers: {metrics}");
    drop(talks);
    line.first.line("stopped how=drained");
    assert_eq!(line.first.ended(), 0, "the first one has ended by itself");
    let drained = portcullis(&line.folder, &["drain", "--socket", "admin.sock"]).output().unwrap();
    assert_eq!(drained.status.code(), Some(0), "{}", String::from_utf8_lossy(&drained.stderr));
    assert!(!line.folder.join("admin.sock").exists(), "the last one takes the socket along");
}

#[test]
fn what_does_not_serve_changes_nothing() {
    let (moody, file) = (MoodyUpstream::start(), slow_file());
    let text = config(moody.address(), websocket::echoing(), file.address());
    let mut line = Line::start("upgrade-not", &text);
    let load = Load::new(line.address, Protocol::Http1).start();
    let script = |name: &str, text: &str| {
        let path = line.folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let cases = [
        (script("ends", "exit 3"), "it ended without a word"),
        (
            script("other", "dd bs=65536 count=1 of=/dev/null 2>/dev/null; echo hello >&0; sleep 1"),
            "an answer that is not known here",
        ),
        (line.folder.join("line.yaml"), "cannot be started"),
    ];
    let process = line.process;
    for (binary, why) in cases {
        let (code, value) = line.upgrade(&binary);
        assert_eq!((code, &value["upgraded"]), (Some(1), &Value::Bool(false)), "{value}");
        assert!(value["text"].as_str().unwrap().contains(why), "{why}: {value}");
    }
    // A configuration that the new one refuses is told with its line; the old one serves on with the one in force.
    fs::write(line.folder.join("line.yaml"), text.replace("workers: 2", "wokers: 2")).unwrap();
    let (code, value) = line.upgrade(Path::new(env!("CARGO_BIN_EXE_portcullis")));
    assert!(code == Some(1) && value["text"].as_str().unwrap().contains("wokers"), "{value}");
    // So is a listener whose address is taken, which is found late; the admin socket is still where it was.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let another = format!("127.0.0.1:0' }}, other: {{ bind: '{}' }} }}\nstatus", taken.local_addr().unwrap());
    fs::write(line.folder.join("line.yaml"), text.replacen("127.0.0.1:0' } }\nstatus", &another, 1)).unwrap();
    let (code, value) = line.upgrade(Path::new(env!("CARGO_BIN_EXE_portcullis")));
    assert!(code == Some(1) && value["text"].as_str().unwrap().contains("other"), "{value}");
    // A setting that only a start can change, and workers that become more and fewer.
    let (code, _) = {
        fs::write(line.folder.join("line.yaml"), text.replace("workers: 2", "workers: 3")).unwrap();
        line.upgrade(Path::new(env!("CARGO_BIN_EXE_portcullis")))
    };
    assert_eq!(code, Some(0));
    fs::write(line.folder.join("line.yaml"), text.replace("workers: 2", "workers: 1")).unwrap();
    line.next();
    assert_ne!(line.process, process);
    let tally = load.stop();
    assert_eq!((tally.failures(), tally.mismatched, tally.unreachable, tally.again), (0, 0, 0, 0), "{tally}");
    assert!(tally.good > 100, "no load: {tally}");
}
