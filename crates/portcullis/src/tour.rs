//! `demo --tour`: each practice that is built, with a real request, what was expected and what came back.

mod access;
mod answers;
mod attacked;
mod budget;
mod callers;
mod client;
mod control;
mod developer;
mod edge;
mod evidence;
mod gateway;
mod inputs;
mod life;
mod patched;
mod protocols;
mod records;
mod relief;
mod report;
mod shown;
mod unusual;

use crate::arguments::Format;
use crate::demo::{Callers, Site, Upstreams};
use crate::ending::{Ending, Stop};
use crate::service::Signals;
use client::{Answer, Client};
use portcullis_proxy::Handle;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// So that the tour does not wait long for a changed file to be seen.
const WATCH_INTERVAL: Duration = Duration::from_millis(100);

/// One thing that was tried.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    practice: &'static str,
    request: String,
    expected: String,
    got: String,
    ok: bool,
}

/// What rows may ask and look at.
pub(crate) struct Scene<'a> {
    client: Client,
    /// What clients trust.
    authority: PathBuf,
    upstreams: &'a Upstreams,
    callers: &'a Callers,
    handle: Handle,
    secure: SocketAddr,
    small: SocketAddr,
    behind: SocketAddr,
    admin: PathBuf,
    /// Where developers sign in.
    portal: Option<SocketAddr>,
    status: SocketAddr,
    config: PathBuf,
    log: PathBuf,
}

/// What came back in words, and whether it is what was expected. An error is words of another kind.
type Outcome = Result<(String, bool), String>;

/// Takes the tour against a site that nobody else uses.
pub(crate) fn tour(site: Site, signals: Signals, format: Format) -> Result<Ending, Stop> {
    let secure = site.address("secure")?;
    let authority = site.authority_file();
    let client = Client::new(&authority, secure).map_err(Stop::environment)?;
    let (config, log, folder) = (site.config_file(), site.log_file(), site.folder.clone());
    let (small, behind, admin) = (site.address("small")?, site.address("behind")?, site.admin_socket());
    let (status, portal) = (site.service.status_address(), site.service.portal_address());
    let Site { upstreams, callers, service, .. } = site;
    let handle = service.handle();
    let stopper = signals.stopper();
    let serving = std::thread::Builder::new().name("service".to_owned()).spawn(move || {
        // It ends when it is told to, after the last row.
        service.serve(&signals, WATCH_INTERVAL)
    });
    let serving = serving.map_err(|error| Stop::environment(format!("no thread for the gateway: {error}")))?;
    let scene = Scene {
        client,
        authority,
        upstreams: &upstreams,
        callers: &callers,
        handle,
        secure,
        small,
        behind,
        admin,
        portal,
        status,
        config,
        log,
    };
    let mut rows = Vec::new();
    let practices = [
        edge::rows,
        callers::rows,
        budget::rows,
        relief::rows,
        access::rows,
        answers::rows,
        inputs::rows,
        gateway::rows,
        protocols::rows,
        shown::rows,
        developer::rows,
        unusual::rows,
        records::rows,
        control::rows,
        evidence::rows,
        attacked::rows,
        patched::rows,
        life::rows,
    ];
    for practice in practices {
        rows.extend(practice(&scene));
    }
    stopper.stop();
    drop(serving.join());
    report::report(format, &rows, &folder)?;
    let all = rows.iter().all(|row| row.ok);
    Ok(if all { Ending::Done } else { Ending::No })
}

// === impl Row ===

impl Row {
    fn new(practice: &'static str, request: &str, expected: &str, outcome: Outcome) -> Self {
        let (got, ok) = outcome.unwrap_or_else(|error| (error, false));
        Self { practice, request: request.to_owned(), expected: expected.to_owned(), got, ok }
    }

    /// Expects status and, where it is a problem, its code: `404 route_not_found`.
    fn brief(practice: &'static str, request: &str, expected: &str, answer: Result<Answer, String>) -> Self {
        let outcome = answer.map(|answer| (answer.brief(), answer.brief() == expected));
        Self::new(practice, request, expected, outcome)
    }
}

// === impl Scene ===

impl Scene<'_> {
    /// Sends bytes that must be refused with this status and code, reach no upstream, and leave the gateway well.
    fn refused(&self, practice: &'static str, request: &str, expected: &str, bytes: &[u8]) -> Row {
        let before = self.upstreams.asked();
        let outcome = self.client.raw(bytes).and_then(|answer| {
            let reached = self.upstreams.asked() - before;
            let good = self.client.get("/orders/v1/1001", "")?;
            let mut got = answer.brief();
            if reached > 0 {
                got.push_str(&format!(", {reached} requests reached the API"));
            }
            if good.status != 200 {
                got.push_str(&format!(", then a good request got {}", good.brief()));
            }
            let ok = got == expected;
            Ok((got, ok))
        });
        Row::new(practice, request, expected, outcome)
    }

    /// The line with a token of somebody whom the sample API knows as its customer 7.
    fn bearer(&self) -> Result<String, String> {
        let token = self.callers.token(300).map_err(|stop| stop.summary())?;
        Ok(format!("Authorization: Bearer {token}\r\n"))
    }

    /// Looks again until something is so, for ten seconds.
    fn eventually(&self, mut look: impl FnMut() -> Option<String>) -> Option<String> {
        let clock = self.client.clock();
        let due = clock.millis() + 10_000;
        loop {
            let found = look();
            if found.is_some() || clock.millis() >= due {
                return found;
            }
            // SLEEP: between two looks; the deadline is above.
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The value of a series without labels.
    fn metric(&self, name: &str) -> Option<u64> {
        let text = self.handle.metrics();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok())
    }
}
