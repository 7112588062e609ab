//! `demo`: a sample API, a gateway in front of it on loopback, and what to try. `--tour` checks it with real requests.

mod callers;
mod collector;
mod live;
mod mail;
mod members;
mod sample;
mod site;
mod stock;
mod upstream;

pub(crate) use callers::{Callers, PASSWORD_FILE};
pub(crate) use members::Member;
pub(crate) use sample::OPAQUE_TOKEN;
pub(crate) use site::{STAFF, Site};
pub(crate) use upstream::Upstreams;

use crate::arguments::{self, Format};
use crate::ending::{Ending, Stop};
use crate::output::{bold, faint, say};
use crate::service::{Journal, Signals, WATCH_INTERVAL};
use crate::tour;
use site::Ports;

/// A configuration that is refused, for the tour.
pub(crate) const UNDECIDED: &str = include_str!("demo/undecided.yaml");

/// Serves until told to stop, or takes the tour.
pub(crate) fn demo(arguments: &arguments::Demo) -> Result<Ending, Stop> {
    let signals = Signals::listen()?;
    if arguments.tour {
        // A folder and ports of its own: a demo that runs beside it is not disturbed.
        let folder = arguments.data_dir.join("tour");
        return tour::tour(
            Site::start(&folder, Ports::Any, Journal::Silent, &signals)?,
            signals,
            arguments.form.format,
        );
    }
    let site = Site::start(&arguments.data_dir, Ports::Friendly, Journal::Screen(Format::Text), &signals)?;
    say(&guide(&site)?)?;
    site.service.serve(&signals, WATCH_INTERVAL)
}

fn guide(site: &Site) -> Result<String, Stop> {
    let authority = site.authority_file().display().to_string();
    let folder = site.folder.display();
    let (secure, status) = (site.address("secure")?.port(), site.service.status_address());
    let console = site.service.console_address().map_or_else(String::new, |address| address.to_string());
    let portal = site.service.portal_address().map_or_else(String::new, |address| address.to_string());
    let [first, second] = site.upstreams.addresses();
    let curl = |rest: &str, why: &str| format!("  curl --cacert {authority} {rest}\n      {}\n", faint(why));
    let base = format!("https://localhost:{secure}");
    let mut text = format!(
        "\n{title}\n\n  gateway        {base}\n  status         http://{status}/   (readiness, metrics, what each problem means)\n\
         \x20 console        http://{console}/   (as demo, with the password in console-password.txt)\n\
         \x20 portal         http://{portal}/   (to make keys, sign in as dev with the same password)\n\
         \x20 sample API     http://{first} and http://{second}, for the gateway only\n  everything is in {folder}:\n\
         \x20   configuration {config}, access log {log}, authority {authority}\n\n{try_title}\n\n",
        title = bold("Portcullis stands in front of a sample API."),
        config = site.config_file().display(),
        log = site.log_file().display(),
        try_title = bold("Try it in another terminal"),
    );
    for (rest, why) in [
        (format!("{base}/orders/v1/1001"), "an order, through TLS 1.3"),
        (format!("{base}/orders/v2/1001"), "the same order in version 2 of the API"),
        (format!("-X DELETE {base}/users/7"), "an operation that is closed: a problem with a code and a request id"),
        (
            format!("-i --path-as-is '{base}/orders/v1/..%2f..%2fusers'"),
            "a path that servers read differently is refused",
        ),
        (format!("-i {base}/account"), "who may not be anonymous: 401, and how to prove who you are"),
        (
            format!("{base}/account -H \"X-API-Key: $(cat {folder}/api-key.txt)\""),
            "with a key: the API is told whose it is, and never sees it",
        ),
        (
            format!("{base}/account -H \"Authorization: Bearer $(cat {folder}/token.txt)\""),
            "with a token of the demo's issuer",
        ),
        (format!("-i {base}/lab/slow"), "an API that is too slow"),
        (format!("-i {base}/down"), "an API that is not there"),
        (format!("{base}/lab/echo -H 'X-Consumer-ID: admin'"), "what the API sees: your claim to be somebody is gone"),
    ] {
        text.push_str(&curl(&rest, why));
    }
    text.push_str(&format!(
        "  curl -i http://localhost:{secure}/orders/v1/1001\n      {}\n  tail -f {}\n      {}\n\n{}\n",
        faint("plain HTTP to a port that speaks TLS: one clear answer, no redirect"),
        site.log_file().display(),
        faint("one record per request: who decided what, and how long it took"),
        bold("Ctrl-C ends it. `portcullis demo --tour` checks all of this by itself."),
    ));
    Ok(text)
}
