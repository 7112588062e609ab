//! What is asked of a running gateway over its admin socket: how it is, to reload, to end.

mod ask;
pub(super) mod contracts;
pub(super) mod findings;
pub(super) mod limits;
mod show;

use crate::arguments::{Control, Format, Upgrade};
use crate::ending::{Ending, Stop};
use crate::hex::digits;
use crate::output::{note, report};
use crate::service;
use ask::{Answer, Asking};
use portcullis_types::Clock;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a gateway that drains is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How it is.
pub(super) fn status(control: &Control) -> Result<Ending, Stop> {
    let answer = Asking::to(socket(control)?).ask("GET", "/status")?;
    let status = expected(answer, 200)?;
    report(control.form.format, || show::status(&status), || status.clone())?;
    Ok(Ending::Done)
}

/// Takes over the configuration, or says what is wrong with it.
pub(super) fn reload(control: &Control) -> Result<Ending, Stop> {
    // A file with mistakes is an answer already; the gateway would give the same.
    let socket = named_socket(control)?;
    let answer = Asking::to(socket).ask("POST", "/reload")?;
    let done = answer.status == 200;
    if !done && answer.status != 409 {
        return Err(unexpected(&answer));
    }
    let member = |name: &str| answer.body.get(name).cloned().unwrap_or_default();
    let text = || match done {
        true => format!(
            "reloaded, configuration {}",
            member("details").get("config_hash").and_then(Value::as_str).unwrap_or("?")
        ),
        false => {
            format!("{}\nnot reloaded: the configuration in force stays", member("text").as_str().unwrap_or_default())
        }
    };
    report(control.form.format, text, || json!({ "reloaded": done, "details": member("details") }))?;
    Ok(if done { Ending::Done } else { Ending::No })
}

/// Lets another program take over, or says why it does not.
pub(super) fn upgrade(question: &Upgrade) -> Result<Ending, Stop> {
    let control = &question.control;
    let cannot = |error: std::io::Error| Stop::environment(format!("{}: {error}", question.binary.display()));
    let binary = std::fs::canonicalize(&question.binary).map_err(cannot)?;
    let name = binary.to_str().ok_or_else(|| Stop::environment("the program's path is no text"))?;
    let answer = Asking::to(socket(control)?).ask("POST", &format!("/upgrade?binary={}", digits(name)))?;
    let done = answer.status == 200;
    if !done && answer.status != 409 {
        return Err(unexpected(&answer));
    }
    let member = |name: &str| answer.body.get(name).cloned().unwrap_or_default();
    let words = || member("text").as_str().unwrap_or_default().to_owned();
    let text = || if done { words() } else { format!("not upgraded, everything stays as it is: {}", words()) };
    report(control.form.format, text, || json!({ "upgraded": done, "text": words(), "details": member("details") }))?;
    Ok(if done { Ending::Done } else { Ending::No })
}

/// Lets it end, and tells how that goes.
pub(super) fn drain(control: &Control) -> Result<Ending, Stop> {
    let asking = Asking::to(socket(control)?);
    let clock = Clock::system();
    let mut looked = clock.millis();
    let mut last = expected(asking.ask("POST", "/drain")?, 202)?;
    let mut told = None;
    loop {
        let left = last.get("connections").and_then(Value::as_u64).unwrap_or(0);
        if told != Some(left) && control.form.format == Format::Text {
            note(&format!(
                "{}, {left} connections are open",
                last.get("phase").and_then(Value::as_str).unwrap_or("draining")
            ));
        }
        told = Some(left);
        // SLEEP: between two looks; the gateway's own deadline ends it.
        std::thread::sleep(LOOK_EVERY);
        // A gateway that answers no more has ended.
        let asked = clock.millis();
        let Ok(answer) = asking.ask("GET", "/status") else { break };
        last = expected(answer, 200)?;
        looked = asked;
    }
    let left = told.unwrap_or(0);
    // A gateway that still answers says itself what it cut off. Until the deadline one ends only when nothing is open any more.
    // Whoever sees it late cannot tell whether what was open then ended in time, and does not say so.
    let said = last.get("cut_off").and_then(Value::as_u64).unwrap_or(0);
    let left = left.max(said);
    let since = Duration::from_millis(clock.millis().saturating_sub(looked));
    let deadline = last.get("ends_within_ms").and_then(Value::as_u64).map(Duration::from_millis);
    let cut = said > 0 || left > 0 && deadline.is_some_and(|deadline| deadline <= since + 2 * LOOK_EVERY);
    let text =
        || if cut { format!("ended at its deadline with {left} connections open") } else { "drained".to_owned() };
    report(control.form.format, text, || json!({ "drained": !cut, "last_connections": left }))?;
    Ok(if cut { Ending::No } else { Ending::Done })
}

/// One question and its answer.
pub(super) fn ask_once(socket: &Path, method: &str, path: &str) -> Result<(u16, Value), Stop> {
    Asking::to(socket.to_owned()).ask(method, path).map(|answer| (answer.status, answer.body))
}

/// The same where the configuration is not what is asked about: its mistakes only hide the socket.
fn socket(control: &Control) -> Result<PathBuf, Stop> {
    named_socket(control).map_err(|stop| match stop {
        Stop::Mistakes(failure) => {
            note(failure.render(false).trim_end());
            Stop::environment(format!(
                "{} has mistakes, so that it does not say where the gateway is asked; name the socket with `--socket PATH`",
                control.config.path.display()
            ))
        }
        Stop::Unfit(_) | Stop::Environment(_) => stop,
    })
}

/// Where the gateway is asked: as the command line says, else as its configuration does.
fn named_socket(control: &Control) -> Result<PathBuf, Stop> {
    if let Some(path) = &control.socket {
        return Ok(path.clone());
    }
    let path = &control.config.path;
    let loaded = service::read(path)?;
    loaded.plan.admin.socket.ok_or_else(|| {
        Stop::environment(format!(
            "{} has no admin socket; add `admin: {{ socket: admin.sock }}` and start the gateway again",
            path.display()
        ))
    })
}

fn expected(answer: Answer, status: u16) -> Result<Value, Stop> {
    if answer.status == status { Ok(answer.body) } else { Err(unexpected(&answer)) }
}

fn unexpected(answer: &Answer) -> Stop {
    let text = answer.body.get("text").and_then(Value::as_str).unwrap_or("it gave an answer that is not known here");
    Stop::environment(format!("the gateway did not do it: {text} (status {})", answer.status))
}
