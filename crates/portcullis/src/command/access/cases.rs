//! `access test`: what the rules decide about made-up callers, against what a file expects of them.

use crate::arguments::Format;
use crate::ending::{Ending, Stop};
use crate::output::{Table, bad, good, report};
use crate::service::{read, unwritten};
use portcullis_auth::principal::{Principal, Scheme};
use portcullis_config::plan::Plan;
use portcullis_config::{AccessCase, Environment, access_cases};
use portcullis_proxy::{ExplainRequest, Permission, Supposed, suppose};
use serde_json::{Value, json};
use std::path::Path;

/// Says yes if everything is decided as expected.
pub(super) fn run(config: &Path, file: &Path, all_rules: bool, format: Format) -> Result<Ending, Stop> {
    let (text, json, ending) = outcome(config, file, all_rules)?;
    report(format, || text, || json)?;
    Ok(ending)
}

/// What came of it, for people and for programs.
pub(super) fn outcome(config: &Path, file: &Path, all_rules: bool) -> Result<(String, Value, Ending), Stop> {
    let plan = read(config)?.plan;
    let cases = access_cases(file, &Environment::process())?;
    let supposed: Vec<Supposed> = cases.iter().map(supposed).collect();
    let decided = suppose(&unwritten(&plan), &supposed).map_err(|error| Stop::Unfit(error.to_string()))?;
    let results: Vec<(&AccessCase, &Permission, Option<String>)> =
        cases.iter().zip(&decided).map(|(case, permission)| (case, permission, wrong(case, permission))).collect();
    let rules = rules(&plan);
    let missed: Vec<&(String, String)> =
        rules.iter().filter(|rule| !decided.iter().any(|one| meets(one, rule))).collect();
    let failed = results.iter().filter(|(.., wrong)| wrong.is_some()).count();
    let ending = if failed > 0 || (all_rules && !missed.is_empty()) { Ending::No } else { Ending::Done };
    Ok((text(&results, rules.len(), &missed), to_json(&results, rules.len(), &missed), ending))
}

fn meets(permission: &Permission, rule: &(String, String)) -> bool {
    [&permission.rule, &permission.would_refuse].into_iter().flatten().any(|met| met == rule)
}

/// Every rule with its place, once.
fn rules(plan: &Plan) -> Vec<(String, String)> {
    let routes = plan.apis.iter().flat_map(|api| &api.versions).flat_map(|version| &version.routes);
    let mut all: Vec<(String, String)> = Vec::new();
    for rule in routes.filter_map(|route| route.authz.as_ref()).flat_map(|authz| &authz.rules) {
        let named = (rule.name.to_string(), rule.origin.to_string());
        if !all.contains(&named) {
            all.push(named);
        }
    }
    all
}

fn supposed(case: &AccessCase) -> Supposed {
    let caller = case.caller.as_ref().map(|caller| Principal {
        scheme: if caller.is_key { Scheme::ApiKey } else { Scheme::Jwt },
        id: caller.id.clone(),
        username: caller.username.clone(),
        credential: String::new(),
        issuer: caller.issuer.clone(),
        scopes: caller.scopes.clone(),
        roles: caller.roles.clone(),
        claims: caller.claims.clone(),
        expires_at: None,
    });
    let request = ExplainRequest {
        method: case.method.clone(),
        url: case.url.clone(),
        headers: case.headers.clone(),
        body: case.body.clone().into_bytes(),
    };
    Supposed { request, caller, address: case.address, now: case.seconds }
}

/// What is not as expected.
fn wrong(case: &AccessCase, permission: &Permission) -> Option<String> {
    let word = |allowed| if allowed { "allowed" } else { "refused" };
    let decided = match permission.code {
        Some(code) => format!("{} ({code})", word(permission.allowed)),
        None => word(permission.allowed).to_owned(),
    };
    let by = permission.rule.as_ref().map_or_else(String::new, |(name, origin)| format!(" by {name} at {origin}"));
    if case.allowed != permission.allowed {
        return Some(format!("expected {}, got {decided}{by}", word(case.allowed)));
    }
    if let Some(code) = case.code.as_deref().filter(|code| permission.code != Some(*code)) {
        return Some(format!("expected the code {code}, got {decided}{by}"));
    }
    let rule = case.rule.as_deref()?;
    let is_met = permission.rule.as_ref().is_some_and(|(name, _)| name == rule);
    (!is_met).then(|| format!("expected the rule {rule}, got {decided}{by}"))
}

fn text(results: &[(&AccessCase, &Permission, Option<String>)], rules: usize, missed: &[&(String, String)]) -> String {
    let mut table = Table::new(["TEST", "RESULT", "DECIDED BY", "WRITTEN AT"]);
    for (case, permission, wrong) in results {
        let (rule, origin) = permission.rule.clone().unwrap_or_default();
        let result = wrong.as_ref().map_or_else(|| good("ok"), |wrong| bad(wrong));
        table.row([case.name.clone(), result, rule, origin]);
    }
    let failed = results.iter().filter(|(.., wrong)| wrong.is_some()).count();
    let mut out = table.text();
    out.push_str(&format!(
        "\n{} of {} tests as expected, {} of {rules} rules met\n",
        results.len() - failed,
        results.len(),
        rules - missed.len()
    ));
    for (name, origin) in missed {
        out.push_str(&format!("  no test meets {name} at {origin}\n"));
    }
    out
}

fn to_json(
    results: &[(&AccessCase, &Permission, Option<String>)],
    rules: usize,
    missed: &[&(String, String)],
) -> Value {
    let tests = results.iter().map(|(case, permission, wrong)| {
        json!({
            "name": case.name,
            "ok": wrong.is_none(),
            "wrong": wrong,
            "allowed": permission.allowed,
            "code": permission.code,
            "rule": permission.rule.as_ref().map(|(name, _)| name),
            "place": permission.rule.as_ref().map(|(_, origin)| origin),
            "would_refuse": permission.would_refuse.as_ref().map(|(name, _)| name),
        })
    });
    let missed: Vec<Value> = missed.iter().map(|(name, origin)| json!({ "rule": name, "place": origin })).collect();
    json!({ "tests": tests.collect::<Vec<_>>(), "rules": rules, "not_met": missed })
}
