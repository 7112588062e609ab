//! A folder for each test, the real binary in it, and golden files.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use portcullis_types::Clock;

/// Enough for a busy machine; nothing waits that long when all is well.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Compares with a golden file and says how to accept what differs.
pub(crate) fn golden(path: &Path, actual: &str) {
    #[expect(clippy::disallowed_methods, reason = "asks whether golden files are to be written")]
    let update = std::env::var_os("UPDATE").is_some();
    if update {
        fs::write(path, actual).expect("the golden file can be written");
        return;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert!(
        expected == actual,
        "{} differs; if the new text is right, `UPDATE=1 cargo nextest run -p portcullis` writes it\n\
         --- expected\n{expected}\n--- actual\n{actual}",
        path.display()
    );
}

/// A fresh folder with the files of `tests/files` in it.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).expect("a folder");
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    for entry in fs::read_dir(files).expect("tests/files") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, folder.join(path.file_name().expect("a name"))).expect("a copy");
    }
    folder
}

/// The binary, in a folder, with nothing in its environment that changes what it prints.
pub(crate) fn portcullis(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

/// A running process, and the lines that it writes to standard error.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) lines: Receiver<String>,
    clock: Clock,
    pub(crate) seen: Vec<String>,
}

impl Running {
    /// Starts and listens to standard error.
    pub(crate) fn start(command: Command) -> Self {
        Self::start_with(command, Stdio::null())
    }

    /// The same, with another standard output.
    pub(crate) fn start_with(mut command: Command, stdout: Stdio) -> Self {
        let mut child = command.stdout(stdout).stderr(Stdio::piped()).spawn().expect("it starts");
        let stderr = child.stderr.take().expect("standard error");
        let (sender, lines) = sync_channel(1000);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, clock: Clock::system(), seen: Vec::new() }
    }

    /// The next line with this text in it.
    pub(crate) fn line(&mut self, with: &str) -> String {
        let due = self.clock.millis() + 30_000;
        while self.clock.millis() < due {
            match self.lines.recv_timeout(Duration::from_millis(100)) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(with) {
                        return line;
                    }
                }
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
            }
        }
        panic!("no line with `{with}`; there were:\n{}", self.seen.join("\n"));
    }

    /// The address in the next line with this text in it.
    pub(crate) fn address(&mut self, with: &str) -> SocketAddr {
        let line = self.line(with);
        let address = line.split("address=").nth(1).and_then(|rest| rest.split(' ').next()).expect("an address");
        address.parse().expect("an address")
    }

    pub(crate) fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().expect("sh").success(), "{line}");
    }

    /// Sends a signal again and again until the process has ended.
    pub(crate) fn signal_until_ended(&mut self, name: &str) {
        let due = self.clock.millis() + 30_000;
        while self.child.try_wait().expect("it can be waited for").is_none() {
            assert!(self.clock.millis() < due, "it does not end");
            self.signal(name);
            // SLEEP: between two signals; the deadline is above.
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits for the end and returns the exit code.
    pub(crate) fn ended(&mut self) -> i32 {
        let due = self.clock.millis() + 30_000;
        while self.clock.millis() < due {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return status.code().expect("an exit code");
            }
            // SLEEP: between two looks; the deadline is above.
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it does not end");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Asks without TLS and returns the whole answer as text.
pub(crate) fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE).expect("it listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("it reads");
    answer(stream)
}

/// Everything until the other side closes.
pub(crate) fn answer(stream: TcpStream) -> String {
    let mut text = String::new();
    stream.take(10_000_000).read_to_string(&mut text).expect("an answer");
    text
}

/// Asks until the answer has this text in it.
pub(crate) fn get_until(address: SocketAddr, path: &str, with: &str) -> String {
    let clock = Clock::system();
    let due = clock.millis() + 30_000;
    loop {
        let answer = get(address, path);
        if answer.contains(with) || clock.millis() > due {
            assert!(answer.contains(with), "no `{with}` in\n{answer}");
            return answer;
        }
        // SLEEP: between two looks; the deadline is above.
        std::thread::sleep(Duration::from_millis(10));
    }
}
