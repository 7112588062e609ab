//! Servers that a benchmark starts: stopped when dropped, and asked what they cost through the kernel's own accounting.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{program, read};

const READY_TIME_MAX: Duration = Duration::from_secs(10);
const STOP_TIME_MAX: Duration = Duration::from_secs(10);

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    ticks_per_second: f64,
}

impl Server {
    /// Starts a server with as many open files as the machine lets it have, and waits until all ports answer.
    pub(super) fn start(words: &[&str], output: &Path, ports: &[u16]) -> Result<Server, String> {
        let line = words.join(" ");
        let file = File::create(output).map_err(|error| format!("{}: {error}", output.display()))?;
        let copy = file.try_clone().map_err(|error| format!("{}: {error}", output.display()))?;
        let ticks = read(program("getconf").arg("CLK_TCK"))?;
        let ticks_per_second = ticks.trim().parse().map_err(|error| format!("getconf CLK_TCK: {error}"))?;
        let mut shell = program("sh");
        shell.args(["-c", "ulimit -n \"$(ulimit -H -n)\"; exec \"$@\"", "sh"]).args(words);
        shell.stdin(Stdio::null()).stdout(file).stderr(copy);
        let child = shell.spawn().map_err(|error| format!("cannot start `{line}`: {error}"))?;
        let mut server = Server { child, ticks_per_second };
        server
            .wait_ready(ports)
            .map_err(|why| format!("`{line}` {why}:\n{}", fs::read_to_string(output).unwrap_or_default().trim()))?;
        Ok(server)
    }

    fn wait_ready(&mut self, ports: &[u16]) -> Result<(), String> {
        let deadline = Instant::now() + READY_TIME_MAX;
        for port in ports {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_err() {
                if let Ok(Some(status)) = self.child.try_wait() {
                    return Err(format!("ended ({status})"));
                }
                if Instant::now() > deadline {
                    return Err(format!("does not answer on port {port}"));
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }

    /// CPU microseconds, user and system, of all threads of the process and its children since they started.
    pub(super) fn cpu_us(&self) -> f64 {
        let ticks: u32 = self.family().iter().filter_map(|pid| ticks(&status_words(*pid)?)).sum();
        f64::from(ticks) / self.ticks_per_second * 1e6
    }

    /// Resident memory of the process and its children.
    pub(super) fn resident_kb(&self) -> f64 {
        let of = |pid: &u32| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
            line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()
        };
        self.family().iter().filter_map(of).sum()
    }

    /// Open files of the process and its children.
    pub(super) fn open_files(&self) -> usize {
        let of = |pid: &u32| fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
        self.family().iter().map(of).sum()
    }

    fn family(&self) -> Vec<u32> {
        let own = self.child.id();
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = all.filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok());
        let parent = |pid: u32| status_words(pid)?.get(1)?.parse::<u32>().ok();
        let mut family: Vec<u32> = numbers.filter(|pid| parent(*pid) == Some(own)).collect();
        family.push(own);
        family
    }
}

/// Waits until a port of a server that runs answers as well.
pub(super) fn wait_for(port: u16) -> Result<(), String> {
    until(&format!("port {port} answers"), || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())
}

/// Waits for something, but not for ever.
pub(super) fn until(what: &str, is_so: impl Fn() -> bool) -> Result<(), String> {
    let deadline = Instant::now() + READY_TIME_MAX;
    while !is_so() {
        if Instant::now() > deadline {
            return Err(format!("waited in vain until {what}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// The words of `/proc/PID/stat` after the name, which may hold anything.
fn status_words(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

fn ticks(words: &[String]) -> Option<u32> {
    Some(words.get(11)?.parse::<u32>().ok()? + words.get(12)?.parse::<u32>().ok()?)
}

impl Drop for Server {
    /// A polite signal first: killed outright, nginx would leave its workers behind.
    fn drop(&mut self) {
        if let Ok(Some(_)) = self.child.try_wait() {
            return;
        }
        let asked = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status();
        let deadline = Instant::now() + STOP_TIME_MAX;
        while asked.is_ok() && Instant::now() < deadline {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
