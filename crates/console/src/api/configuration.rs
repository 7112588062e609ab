//! The configuration: what is in force, where each part of it is written, what a reload would change, and the reload.

use crate::problem::Problem;
use crate::table::{Call, Kind, Member, Outcome, needs};
use portcullis_config::plan::Plan;
use portcullis_config::{Loaded, PolicyLine, RouteRow, effective_policy};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};

pub(crate) const ROUTES: &[Member] = &[needs(
    "routes",
    Kind::Objects,
    "API, version, id, hosts, methods, path, who may call, servers, line, requests, refused",
)];
pub(crate) const POLICY: &[Member] = &[needs(
    "policies",
    Kind::Objects,
    "each route that fits, with `settings`: name, value, line, whether it is locked",
)];
pub(crate) const ANSWER: &[Member] = &[
    needs("config_hash", Kind::Text, "digest of the texts in force"),
    needs("files", Kind::Texts, "every file that was read or is named"),
    needs("dangers", Kind::Objects, "settings that weaken the gateway, with their line"),
];
pub(crate) const DIFFERENCE: &[Member] = &[
    needs("config_hash", Kind::MaybeText, "digest of the file's text; `null` where it has mistakes"),
    needs("same", Kind::Flag, "whether nothing would change"),
    needs("sections", Kind::Texts, "parts of the configuration that differ"),
    needs("changes", Kind::Objects, "settings of routes that differ: route, setting, before, after, line"),
    needs("mistakes", Kind::Object, "what is wrong with the file; empty where nothing is"),
];
pub(crate) const RELOADED: &[Member] = &[
    needs("reloaded", Kind::Flag, "whether it was taken over"),
    needs("details", Kind::Object, "the new digest, or what is wrong"),
];

/// The name by which a policy is asked for, which no other route has.
pub(crate) fn name_of(row: &RouteRow) -> String {
    match &row.version {
        Some(version) => format!("{}/{version}/{}", row.api, row.id),
        None => format!("{}/{}", row.api, row.id),
    }
}

pub(crate) fn routes(call: &Call<'_>) -> Outcome {
    let loaded = call.desk.loaded();
    let traffic = call.desk.handle.traffic();
    let routes = portcullis_config::routes(&loaded).into_iter().map(|row| {
        let key = (row.api.clone(), row.version.clone().unwrap_or_default(), row.path.clone());
        let (requests, refused) = traffic.routes.get(&key).copied().unwrap_or_default();
        let mut members = route(&row);
        members.insert("requests".to_owned(), requests.into());
        members.insert("refused".to_owned(), refused.into());
        Value::from(members)
    });
    Ok(json!({ "routes": routes.collect::<Vec<Value>>() }))
}

fn route(row: &RouteRow) -> Map<String, Value> {
    let mut members = row.members();
    members.insert("name".to_owned(), name_of(row).into());
    members.insert("line".to_owned(), row.origin.to_string().into());
    members
}

pub(crate) fn policy(call: &Call<'_>) -> Outcome {
    let loaded = call.desk.loaded();
    let found = effective_policy(&loaded, call.query.value("route").unwrap_or_default());
    if found.is_empty() {
        return Err(Problem::nothing("no route has this name"));
    }
    let policies = found.iter().map(|(row, lines)| {
        let mut members = route(row);
        members.insert("settings".to_owned(), lines.iter().map(setting).collect());
        Value::from(members)
    });
    Ok(json!({ "policies": policies.collect::<Vec<Value>>() }))
}

fn setting(line: &PolicyLine) -> Value {
    json!({
        "setting": line.setting,
        "value": line.value,
        "line": line.origin.as_ref().map(ToString::to_string),
        "locked": line.locked,
    })
}

pub(crate) fn in_force(call: &Call<'_>) -> Outcome {
    let plan = call.desk.handle.plan();
    let dangers = plan.dangers.iter().map(
        |danger| json!({ "setting": danger.path, "line": danger.origin.to_string(), "consequence": danger.message }),
    );
    Ok(json!({
        "config_hash": plan.hash,
        "files": plan.watched.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
        "dangers": dangers.collect::<Vec<_>>(),
    }))
}

pub(crate) fn difference(call: &Call<'_>) -> Outcome {
    let fresh = match call.desk.candidate()? {
        Ok(fresh) => fresh,
        Err(refused) => {
            return Ok(json!({
                "config_hash": null, "same": false, "sections": [], "changes": [], "mistakes": refused.details,
            }));
        }
    };
    let running = call.desk.loaded();
    let (sections, changes) = (sections(&running, &fresh), changes(&running, &fresh));
    Ok(json!({
        "config_hash": fresh.plan.hash,
        "same": sections.is_empty() && changes.is_empty(),
        "sections": sections,
        "changes": changes,
        "mistakes": {},
    }))
}

/// Parts of the configuration that differ. Only their names are told: their values may be secrets. A plan is taken apart whole, so that
/// none of it can be forgotten here.
pub(crate) fn sections(old: &Loaded, new: &Loaded) -> Vec<&'static str> {
    let old = &old.plan;
    let Plan {
        listeners,
        status,
        portal,
        admin,
        workers,
        access_log,
        security_log,
        shared_store,
        anomalies,
        alerts,
        feed,
        tracing,
        shutdown_grace,
        shutdown_deadline,
        identity,
        mask_key,
        dns,
        waf,
        apis,
        // They follow from the rest, or from the text alone.
        dangers: _,
        warnings: _,
        watched: _,
        hash: _,
    } = &new.plan;
    let differs = [
        ("listeners", old.listeners != *listeners),
        ("status", old.status != *status),
        ("portal", old.portal != *portal),
        ("admin", old.admin != *admin),
        ("workers", old.workers != *workers),
        ("access_log", old.access_log != *access_log),
        ("security_log", old.security_log != *security_log),
        ("shared_store", old.shared_store != *shared_store),
        ("anomalies", old.anomalies != *anomalies),
        ("alerts", old.alerts != *alerts),
        ("feed", old.feed != *feed),
        ("tracing", old.tracing != *tracing),
        ("shutdown", (old.shutdown_grace, old.shutdown_deadline) != (*shutdown_grace, *shutdown_deadline)),
        ("store, issuers, signers, proofs, api_keys, identity_token", old.identity != *identity),
        ("mask_key", old.mask_key != *mask_key),
        ("dns", old.dns != *dns),
        ("defaults.waf", old.waf != *waf),
        ("apis", old.apis != *apis),
    ];
    differs.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
}

// LIMIT: changes in one answer.
const CHANGES_MAX: usize = 500;

/// Settings of routes that differ.
fn changes(old: &Loaded, new: &Loaded) -> Vec<Value> {
    if old.plan.hash == new.plan.hash {
        return Vec::new();
    }
    let (before, after) = (portcullis_config::routes(old), portcullis_config::routes(new));
    let names = |rows: &[RouteRow]| rows.iter().map(name_of).collect::<HashSet<_>>();
    let (names_before, names_after) = (names(&before), names(&after));
    let is_same = |api: &str| {
        let of = |loaded: &Loaded| loaded.plan.apis.iter().find(|plan| &*plan.name == api).cloned();
        of(old) == of(new)
    };
    let mut same = HashMap::new();
    let mut changes = Vec::new();
    let change = |route: &str, setting: &str, before: Option<&str>, after: Option<&str>, line: String| json!({ "route": route, "setting": setting, "before": before, "after": after, "line": line });
    for row in &before {
        let name = name_of(row);
        if !names_after.contains(&name) {
            changes.push(change(&name, "(the route)", Some(&row.path), None, row.origin.to_string()));
        }
    }
    for row in &after {
        if changes.len() >= CHANGES_MAX {
            break;
        }
        let name = name_of(row);
        if !names_before.contains(&name) {
            changes.push(change(&name, "(the route)", None, Some(&row.path), row.origin.to_string()));
            continue;
        }
        // To ask for every setting of every route takes long.
        if *same.entry(row.api.as_str()).or_insert_with(|| is_same(&row.api)) {
            continue;
        }
        let lines = |loaded: &Loaded| {
            effective_policy(loaded, &name).into_iter().next().map(|(_, lines)| lines).unwrap_or_default()
        };
        let (old_lines, new_lines) = (lines(old), lines(new));
        for line in &new_lines {
            let other = old_lines.iter().find(|other| other.setting == line.setting);
            if other.is_none_or(|other| other.value != line.value) {
                let origin = line.origin.as_ref().map(ToString::to_string).unwrap_or_default();
                changes.push(change(
                    &name,
                    &line.setting,
                    other.map(|other| other.value.as_str()),
                    Some(&line.value),
                    origin,
                ));
            }
        }
        for line in old_lines.iter().filter(|line| !new_lines.iter().any(|other| other.setting == line.setting)) {
            changes.push(change(&name, &line.setting, Some(&line.value), None, String::new()));
        }
    }
    changes.truncate(CHANGES_MAX);
    changes
}

pub(crate) fn reload(call: &Call<'_>) -> Outcome {
    if call.is_dry {
        return match call.desk.candidate()? {
            Ok(fresh) => Ok(json!({ "reloaded": false, "details": { "config_hash": fresh.plan.hash } })),
            Err(refused) => Ok(json!({ "reloaded": false, "details": refused.details })),
        };
    }
    // The owner of the process writes down who asked and what came of it.
    let reloaded = call.desk.reload(&call.by)?;
    if reloaded.done {
        return Ok(json!({ "reloaded": true, "details": reloaded.details }));
    }
    let detail = reloaded
        .details
        .get("message")
        .and_then(Value::as_str)
        .unwrap_or("the configuration has mistakes; the one in force stays");
    Err(Problem::refused(detail.to_owned()))
}
