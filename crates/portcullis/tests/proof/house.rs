//! The gateway as a process of its own, with what the kernel says about it: memory, CPU, open files.

use crate::support::{Running, folder, get, portcullis};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::load::Protocol;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Names the number of requests or reloads of a long proof.
const COUNT: &str = "PORTCULLIS_PROOF_COUNT";
/// Names another binary than the one of this build: the release build.
const BINARY: &str = "PORTCULLIS_PROOF_BINARY";

/// What the clients of a proof speak.
pub(crate) const PROTOCOLS: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

/// The number asked for; `None` in the short form.
pub(crate) fn long_count() -> Option<u64> {
    std::env::var(COUNT).ok().map(|count| count.parse().unwrap_or_else(|_| panic!("{COUNT} is `{count}`")))
}

/// What of a configuration differs between proofs.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) name: &'static str,
    /// YAML of `limits` of both listeners.
    pub(crate) limits: &'static str,
    /// YAML of both listeners besides.
    pub(crate) listeners: &'static str,
    /// YAML of the TLS of the one that speaks it.
    pub(crate) tls: String,
    /// YAML of the upstream besides its targets.
    pub(crate) upstream: &'static str,
    /// YAML of more routes, a line each.
    pub(crate) routes: &'static str,
    pub(crate) targets: Vec<SocketAddr>,
    /// YAML of where records go.
    pub(crate) access_log: &'static str,
    /// YAML of who may call.
    pub(crate) authn: &'static str,
    /// YAML of more at the top, a line each.
    pub(crate) more: String,
}

/// A running gateway.
pub(crate) struct House {
    running: RefCell<Running>,
    pub(crate) plain: SocketAddr,
    pub(crate) tls: SocketAddr,
    status: SocketAddr,
    pub(crate) folder: PathBuf,
    setup: Setup,
}

/// What it has cost so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) resident_kb: u64,
    pub(crate) cpu_ms: u64,
    pub(crate) files: usize,
}

// === impl Setup ===

impl Setup {
    pub(crate) fn new(name: &'static str, targets: &[SocketAddr]) -> Self {
        let (access_log, authn, more) = ("off", "public", String::new());
        Self {
            name,
            limits: "{}",
            listeners: "",
            tls: String::new(),
            upstream: "",
            routes: "",
            targets: targets.to_vec(),
            access_log,
            authn,
            more,
        }
    }

    /// `spare` adds a route, so that two configurations differ.
    pub(crate) fn yaml(&self, spare: bool) -> String {
        let targets: Vec<String> = self.targets.iter().map(|target| format!("\"http://{target}\"")).collect();
        let (limits, upstream, routes, targets) = (self.limits, self.upstream, self.routes, targets.join(", "));
        let (tls, more_plain) = (&self.tls, if self.listeners.is_empty() { "" } else { ", " });
        let listeners = self.listeners;
        let (access_log, authn, more) = (self.access_log, self.authn, &self.more);
        let spare = if spare { "      - { path: /spare, methods: [GET] }\n" } else { "" };
        format!(
            "version: 1
workers: 2
listeners:
  plain: {{ bind: \"127.0.0.1:0\", limits: {limits}{more_plain}{listeners} }}
  secure:
    bind: \"127.0.0.1:0\"
    tls: {{ self_signed: {{ names: [localhost, a.test], directory: tls }}{tls} }}
    limits: {limits}
    {listeners}
status: {{ bind: \"127.0.0.1:0\" }}
access_log: {{ to: {access_log} }}
defaults: {{ authn: {authn}, limits: {{ per_address: {{ mode: off }}, per_principal: {{ mode: off }} }} }}
{more}apis:
  proof:
    hosts: [\"*\"]
    upstream: {{ targets: [{targets}]{upstream} }}
    routes:
{spare}{routes}      - {{ path: \"/\", methods: [any] }}
      - {{ path: \"/{{*rest}}\", methods: [any] }}
"
        )
    }
}

// === impl House ===

impl House {
    pub(crate) fn start(setup: Setup) -> Self {
        let folder = folder(&format!("proof-{}", setup.name));
        std::fs::write(folder.join("proof.yaml"), setup.yaml(false)).expect("the folder can be written");
        let mut command = portcullis(&folder, &["run", "-c", "proof.yaml"]);
        if let Some(binary) = std::env::var_os(BINARY) {
            command = Command::new(binary);
            command.args(["run", "-c", "proof.yaml"]).current_dir(&folder).env_clear().stdin(Stdio::null());
        }
        let mut running = Running::start(command);
        let mut listeners = [running.address("listening"), running.address("listening")];
        let status = running.address("status");
        running.line("ready");
        // Lines come in the order of the file; ask which one speaks TLS rather than rely on it.
        if !get(listeners[0], "/").starts_with("HTTP/1.1 ") {
            listeners.swap(0, 1);
        }
        let [plain, tls] = listeners;
        Self { running: RefCell::new(running), plain, tls, status, folder, setup }
    }

    /// A metric, 0 where there is none.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let text = get(self.status, "/metrics");
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.trim().parse().expect("a number"))
    }

    /// Everything that a path of the status listener answers.
    pub(crate) fn status(&self, path: &str) -> String {
        get(self.status, path)
    }

    /// Everything that it has written to standard error.
    pub(crate) fn said(&self) -> String {
        let running = &mut *self.running.borrow_mut();
        running.seen.extend(running.lines.try_iter());
        running.seen.join("\n")
    }

    /// What a command prints that reads the same configuration, on both of its outputs.
    pub(crate) fn command(&self, words: &[&str]) -> String {
        let output = portcullis(&self.folder, words).args(["-c", "proof.yaml"]).output().expect("it runs");
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")).concat()
    }

    pub(crate) fn wait_metric(&self, series: &str, value: f64) {
        eventually(&format!("{series} is {value}"), || ((self.metric(series) - value).abs() < 0.5).then_some(()));
    }

    pub(crate) fn cost(&self) -> Cost {
        cost(self.running.borrow().child.id())
    }

    /// Writes the other of two configurations and asks for a reload; waits until it is in force.
    pub(crate) fn reload(&self, number: u64, by_signal: bool) {
        let next = self.folder.join("next");
        std::fs::write(&next, self.setup.yaml(number.is_multiple_of(2))).expect("the folder can be written");
        std::fs::rename(&next, self.folder.join("proof.yaml")).expect("the file can be replaced");
        let mut running = self.running.borrow_mut();
        if by_signal {
            running.signal("HUP");
        }
        running.line("reloaded");
    }

    pub(crate) fn stop(self) {
        let mut running = self.running.into_inner();
        running.signal("TERM");
        assert_eq!(running.ended(), 0);
    }
}

/// Of any process; the kernel counts CPU in hundredths of a second on every Linux that we know of (`CLK_TCK`).
pub(crate) fn cost(pid: u32) -> Cost {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).expect("the process is there");
    let status = read("status");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    let resident_kb = resident.trim().trim_end_matches(" kB").parse().expect("a number");
    let stat = read("stat");
    let words: Vec<&str> = stat.rsplit_once(')').expect("a name").1.split_whitespace().collect();
    let ticks = |index: usize| words[index].parse::<u64>().expect("ticks");
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("open files").count();
    Cost { resident_kb, cpu_ms: (ticks(11) + ticks(12)) * 10, files }
}

impl Cost {
    /// Megabytes more than before.
    pub(crate) fn grown_mb(self, before: Cost) -> f64 {
        let kb = |cost: Cost| f64::from(u32::try_from(cost.resident_kb).expect("less than 4 TB"));
        (kb(self) - kb(before)) / 1024.0
    }
}
