//! `versions`: who still calls a version of an API.

use super::keys::{Opened, unusable};
use crate::arguments::{VersionsCommand, VersionsReport};
use crate::ending::{Ending, Stop};
use crate::output::{Table, faint, report};
use portcullis_config::plan::{LifecyclePlan, Plan};
use portcullis_store::{Caller, Calls};
use portcullis_types::civil::Moment;
use serde_json::{Value, json};

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// One version of the configuration, and who calls it.
struct Row {
    api: String,
    version: String,
    state: String,
    calls: Vec<Calls>,
}

/// Answers one of the questions.
pub(super) fn versions(command: &VersionsCommand) -> Result<Ending, Stop> {
    match command {
        VersionsCommand::Report(question) => tell(question),
    }
}

fn tell(question: &VersionsReport) -> Result<Ending, Stop> {
    let opened = Opened::at(&question.config.path)?;
    if let Some(api) = question.api.as_ref().filter(|name| !opened.plan.apis.iter().any(|api| *api.name == ***name)) {
        return Err(Stop::environment(format!("there is no API `{api}`; `portcullis routes` lists them")));
    }
    let since = question.days.map_or(0, |days| opened.now.saturating_sub(u64::from(days) * DAY_SECONDS));
    let calls = opened.store.calls().map_err(unusable)?;
    let mut rows = rows(&opened.plan, &calls, since, opened.now);
    rows.retain(|row| question.api.as_ref().is_none_or(|api| *api == row.api));
    report(question.form.format, || text(&rows), || json!({ "versions": rows.iter().map(row).collect::<Vec<_>>() }))?;
    Ok(Ending::Done)
}

fn rows(plan: &Plan, calls: &[Calls], since: u64, now: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    for api in &plan.apis {
        for version in &api.versions {
            let Some(name) = &version.name else { continue };
            let is_own = |one: &&Calls| *one.api == *api.name && *one.version == **name && one.last_at >= since;
            let mut calls: Vec<Calls> = calls.iter().filter(is_own).cloned().collect();
            calls.sort_by(|one, other| (other.count, &one.caller).cmp(&(one.count, &other.caller)));
            let state = version.lifecycle.as_deref().map_or("served".to_owned(), |life| state(life, now));
            rows.push(Row { api: api.name.to_string(), version: name.to_string(), state, calls });
        }
    }
    rows
}

/// What callers are told of a version.
fn state(life: &LifecyclePlan, now: u64) -> String {
    let is_past = |at: i64| u64::try_from(at).is_ok_and(|at| at <= now);
    let day = |at: i64| Moment::of_unix(at).rfc3339().chars().take(10).collect::<String>();
    match (life.deprecated_at, life.sunset_at) {
        (_, Some(sunset)) if is_past(sunset) => format!("gone since {}", day(sunset)),
        (Some(since), Some(sunset)) if is_past(since) => format!("deprecated, gone from {} on", day(sunset)),
        (_, Some(sunset)) => format!("gone from {} on", day(sunset)),
        (Some(since), None) if is_past(since) => format!("deprecated since {}", day(since)),
        (Some(since), None) => format!("deprecated from {} on", day(since)),
        (None, None) => "served".to_owned(),
    }
}

fn called(caller: &Caller) -> String {
    match caller {
        Caller::Unknown => "nobody in particular".to_owned(),
        Caller::Others => "others".to_owned(),
        Caller::Known { issuer, id } if issuer.is_empty() => id.clone(),
        Caller::Known { issuer, id } => format!("{id} ({issuer})"),
    }
}

fn text(rows: &[Row]) -> String {
    let mut table = Table::wide(["API", "VERSION", "STATE", "CALLER", "CALLS", "FIRST", "LAST"].into_iter());
    for row in rows {
        let known = || [row.api.clone(), row.version.clone(), row.state.clone()];
        if row.calls.is_empty() {
            table.add(known().into_iter().chain([faint("nobody"), "0".to_owned(), String::new(), String::new()]));
        }
        for one in &row.calls {
            let own =
                [called(&one.caller), one.count.to_string(), Moment::told(one.first_at), Moment::told(one.last_at)];
            table.add(known().into_iter().chain(own));
        }
    }
    if rows.is_empty() { "no API has versions\n".to_owned() } else { table.text() }
}

fn row(row: &Row) -> Value {
    let caller = |one: &Calls| {
        let (kind, issuer, id) = match &one.caller {
            Caller::Unknown => ("unknown", None, None),
            Caller::Others => ("others", None, None),
            Caller::Known { issuer, id } => ("known", Some(issuer).filter(|issuer| !issuer.is_empty()), Some(id)),
        };
        json!({
            "kind": kind,
            "issuer": issuer,
            "id": id,
            "calls": one.count,
            "first_at": Moment::told(one.first_at),
            "last_at": Moment::told(one.last_at),
        })
    };
    json!({
        "api": row.api,
        "version": row.version,
        "state": row.state,
        "callers": row.calls.iter().map(caller).collect::<Vec<_>>(),
    })
}
