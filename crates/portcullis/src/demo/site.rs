//! The demo's place: its folder, its ports, the sample API and the gateway in front of it.

use super::callers::Callers;
use super::upstream::Upstreams;
use super::{collector, mail};
use crate::ending::Stop;
use crate::service::{Journal, Service, Signals};
use portcullis_proxy::AUTHORITY_FILE;
use portcullis_types::Clock;
use portcullis_types::civil::Moment;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const CONFIG: &str = include_str!("portcullis.yaml");
/// How long a version of the sample API has been gone.
const GONE_S: u64 = 30 * 24 * 60 * 60;
/// What the configuration names, and is the same at each start.
const FILES: [(&str, &str); 5] = [
    ("shop.yaml", include_str!("shop.yaml")),
    ("staff.yaml", STAFF),
    ("ledger.yaml", include_str!("ledger.yaml")),
    ("desk.cedar", include_str!("desk.cedar")),
    ("answers.conf", include_str!("answers.conf")),
];
pub(crate) const STAFF: &str = include_str!("staff.yaml");

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) folder: PathBuf,
    pub(crate) upstreams: Upstreams,
    pub(crate) callers: Callers,
    pub(crate) service: Service,
}

/// Which ports to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ports {
    /// Those that are easy to remember, where they are free.
    Friendly,
    /// Whichever are free.
    Any,
}

// === impl Site ===

impl Site {
    /// Writes the configuration and starts what it speaks of.
    pub(crate) fn start(folder: &Path, ports: Ports, journal: Journal, signals: &Signals) -> Result<Self, Stop> {
        let cannot = |error: std::io::Error| {
            Stop::environment(format!(
                "{} cannot be written: {error}; name another folder with --data-dir",
                folder.display()
            ))
        };
        fs::create_dir_all(folder).map_err(cannot)?;
        let upstreams = Upstreams::start()?;
        let config = folder.join("portcullis.yaml");
        let collector = collector::start(&folder.join("security.log"))?;
        let mail = mail::start(&folder.join("mail.txt"))?;
        fs::write(&config, configuration(&upstreams, ports, [collector, mail])).map_err(cannot)?;
        for (name, text) in FILES {
            fs::write(folder.join(name), text).map_err(cannot)?;
        }
        let callers = Callers::make(folder, &upstreams)?;
        let text = fs::read_to_string(&config).map_err(cannot)?;
        fs::write(&config, text.replace("@FEED@", &callers.patcher.public().map_err(Stop::environment)?.to_string()))
            .map_err(cannot)?;
        let service = Service::start(&config, journal, signals)?;
        Ok(Self { folder: folder.to_owned(), upstreams, callers, service })
    }

    /// Where a listener listens.
    pub(crate) fn address(&self, listener: &str) -> Result<SocketAddr, Stop> {
        let handle = self.service.handle();
        let found = handle.addresses().iter().find(|(name, _)| &**name == listener).map(|(_, address)| *address);
        found.ok_or_else(|| Stop::environment(format!("the demo has no listener `{listener}`")))
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder.join("portcullis.yaml")
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        self.folder.join("access.log")
    }

    /// Where the running gateway is asked how it is.
    pub(crate) fn admin_socket(&self) -> PathBuf {
        self.folder.join("admin.sock")
    }

    /// What clients trust.
    pub(crate) fn authority_file(&self) -> PathBuf {
        self.folder.join("tls").join(AUTHORITY_FILE)
    }
}

fn configuration(upstreams: &Upstreams, ports: Ports, [collector, mail]: [SocketAddr; 2]) -> String {
    let [first, second] = upstreams.addresses();
    let friendly = |port| if ports == Ports::Friendly && is_free(port) { port } else { 0 };
    let mut text = CONFIG.to_owned();
    for (name, port) in [
        ("@SECURE@", friendly(8443)),
        ("@SMALL@", friendly(8081)),
        ("@BEHIND@", friendly(8082)),
        ("@STATUS@", friendly(9901)),
        ("@PORTAL@", friendly(9902)),
        ("@CONSOLE@", friendly(9903)),
        ("@SYSLOG@", collector.port()),
        ("@MAIL@", mail.port()),
        ("@A@", first.port()),
        ("@B@", second.port()),
        ("@STOCK@", upstreams.stock().port()),
        ("@DOWN@", upstreams.nobody().port()),
    ] {
        text = text.replace(name, &port.to_string());
    }
    let now = Clock::system().wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let gone = Moment::of_unix(now.saturating_sub(GONE_S).cast_signed()).rfc3339();
    text.replace("@GONE@", gone.split('T').next().unwrap_or_default())
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
