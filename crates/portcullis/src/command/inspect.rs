//! What a configuration says: whether it is sound, what it serves, and why.

use super::access::matrix::closed;
use crate::arguments::{EffectivePolicy, Format, Reading};
use crate::ending::{Ending, Stop};
use crate::output::{Table, bold, complain, faint, good, report, say};
use crate::service::{check, read};
use portcullis_config::plan::{Danger, Origin, Plan};
use portcullis_config::{Loaded, PolicyLine, RouteRow};
use serde_json::{Value, json};
use std::path::Path;

/// All mistakes, or what a sound configuration holds.
pub(super) fn validate(reading: &Reading) -> Result<Ending, Stop> {
    let (path, format) = (&reading.config.path, reading.form.format);
    let outcome = read(path).and_then(|loaded| check(&loaded.plan).map(|()| loaded.plan));
    match (outcome, format) {
        (Ok(plan), _) => {
            report(format, || sound(path, &plan), || sound_json(&plan))?;
            Ok(Ending::Done)
        }
        (Err(Stop::Mistakes(failure)), Format::Text) => say(&failure.render(true)).map(|()| Ending::No),
        (Err(Stop::Mistakes(failure)), Format::Json) => {
            let mut value = failure.to_json();
            if let Some(members) = value.as_object_mut() {
                members.insert("valid".to_owned(), Value::Bool(false));
            }
            say(&format!("{value:#}")).map(|()| Ending::No)
        }
        (Err(stop @ Stop::Unfit(_)), Format::Text) => {
            complain(&stop);
            Ok(Ending::No)
        }
        (Err(Stop::Unfit(text)), Format::Json) => {
            let diagnostic = json!({ "code": "cannot-be-served", "message": text });
            let value = json!({ "diagnostics": [diagnostic], "not_shown": 0, "valid": false });
            say(&format!("{value:#}")).map(|()| Ending::No)
        }
        (Err(stop @ Stop::Environment(_)), _) => Err(stop),
    }
}

fn sound(path: &Path, plan: &Plan) -> String {
    let mut text = format!(
        "{}: {}\n  {}, {}, {}, {} watched\n  hash {}\n",
        path.display(),
        good("valid"),
        counted(plan.listeners.len(), "listener"),
        counted(plan.apis.len(), "API"),
        counted(route_count(plan), "route"),
        counted(plan.watched.len(), "file"),
        plan.hash
    );
    for danger in &plan.dangers {
        text.push_str(&format!("  {} {}: {}\n", bold("danger"), danger.origin, danger.message));
    }
    for warning in &plan.warnings {
        text.push_str(&format!("  {} {}: {}\n", bold("warning"), warning.origin, warning.message));
    }
    for (operation, origin) in closed(plan) {
        text.push_str(&format!("  {} {origin}: no rule allows anybody {operation}\n", bold("closed")));
    }
    text
}

fn sound_json(plan: &Plan) -> Value {
    let said = |all: &[Danger]| -> Vec<Value> {
        let one = |one: &Danger| json!({ "setting": one.path, "message": one.message, "place": place(&one.origin) });
        all.iter().map(one).collect()
    };
    json!({
        "valid": true,
        "listeners": plan.listeners.len(),
        "apis": plan.apis.len(),
        "routes": route_count(plan),
        "watched": plan.watched.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
        "hash": plan.hash,
        "dangers": said(&plan.dangers),
        "warnings": said(&plan.warnings),
        "closed": closed(plan)
            .iter()
            .map(|(operation, origin)| json!({ "operation": operation, "place": place(origin) }))
            .collect::<Vec<_>>(),
        "diagnostics": [],
    })
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn route_count(plan: &Plan) -> usize {
    plan.apis.iter().flat_map(|api| &api.versions).map(|version| version.routes.len()).sum()
}

/// Every route.
pub(super) fn routes(reading: &Reading) -> Result<Ending, Stop> {
    let rows = portcullis_config::routes(&read(&reading.config.path)?);
    let text = || {
        let mut table = Table::new(["METHODS", "PATH", "HOSTS", "CALLERS", "API", "ID", "GOES TO", "WRITTEN AT"]);
        for row in &rows {
            table.row([
                row.methods.join(","),
                row.path.clone(),
                row.hosts.join(","),
                row.authn.clone(),
                api_name(row),
                row.id.clone(),
                row.targets.join(" "),
                row.origin.to_string(),
            ]);
        }
        table.text()
    };
    report(reading.form.format, text, || json!({ "routes": rows.iter().map(route).collect::<Vec<_>>() }))?;
    Ok(Ending::Done)
}

fn api_name(row: &RouteRow) -> String {
    row.version.as_ref().map_or_else(|| row.api.clone(), |version| format!("{} {version}", row.api))
}

fn route(row: &RouteRow) -> Value {
    let mut members = row.members();
    members.insert("place".to_owned(), place(&row.origin));
    members.into()
}

fn place(origin: &Origin) -> Value {
    json!({ "file": &*origin.file, "line": origin.line })
}

/// Every setting of the routes with this name.
pub(super) fn effective_policy(question: &EffectivePolicy) -> Result<Ending, Stop> {
    let loaded = read(&question.config.path)?;
    let found = portcullis_config::effective_policy(&loaded, &question.route);
    if found.is_empty() {
        let path = question.config.path.display();
        let text = format!("{path} has no route `{}`; `portcullis routes -c {path}` lists them", question.route);
        return Err(Stop::Unfit(text));
    }
    let text = || found.iter().map(|(row, lines)| policy_text(row, lines)).collect::<Vec<_>>().join("\n");
    report(question.form.format, text, || {
        let members: Vec<Value> = found.iter().map(|(row, lines)| policy_json(row, lines)).collect();
        json!({ "routes": members })
    })?;
    Ok(Ending::Done)
}

/// What applies to every route, and the line that decides it.
pub(super) fn policies(loaded: &Loaded) -> Value {
    let mut all = Vec::new();
    for row in portcullis_config::routes(loaded) {
        let name = row
            .version
            .as_ref()
            .map_or_else(|| format!("{}/{}", row.api, row.id), |version| format!("{}/{version}/{}", row.api, row.id));
        let found = portcullis_config::effective_policy(loaded, &name);
        all.extend(found.iter().map(|(row, lines)| policy_json(row, lines)));
    }
    Value::Array(all)
}

fn policy_text(row: &RouteRow, lines: &[PolicyLine]) -> String {
    let mut table = Table::new(["SETTING", "VALUE", "DECIDED AT"]);
    for line in lines {
        let origin = line.origin.as_ref().map_or_else(|| faint("built in"), ToString::to_string);
        table.row([line.setting.clone(), line.value.clone(), origin]);
    }
    let title = format!("{} {} ({} {})", row.methods.join(","), row.path, api_name(row), row.id);
    format!("{}\nwritten at {}\n\n{}", bold(&title), row.origin, table.text())
}

fn policy_json(row: &RouteRow, lines: &[PolicyLine]) -> Value {
    let settings: Vec<Value> = lines
        .iter()
        .map(|line| json!({ "setting": line.setting, "value": line.value, "place": line.origin.as_ref().map(place) }))
        .collect();
    json!({ "route": route(row), "settings": settings })
}
