//! What a running gateway has seen of its contracts.

use super::ask::Asking;
use super::show::{list, moment, plain};
use super::{expected, socket};
use crate::arguments::ReportContract;
use crate::ending::{Ending, Stop};
use crate::output::{Table, bold, faint, report as say};
use serde_json::{Value, json};

/// Operations that documents do not have, those that nobody uses, and undeclared fields of answers.
pub(in crate::command) fn report(question: &ReportContract) -> Result<Ending, Stop> {
    let control = &question.control;
    let body = expected(Asking::to(socket(control)?).ask("GET", "/contracts")?, 200)?;
    let is_meant = |one: &&Value| question.api.as_ref().is_none_or(|api| plain(one.get("api")) == *api);
    let all: Vec<&Value> = list(&body, "contracts").iter().filter(is_meant).collect();
    if let Some(api) = question.api.as_ref().filter(|_| all.is_empty()) {
        return Err(Stop::environment(format!("the gateway has no API `{api}` with a contract")));
    }
    let text = || match all.is_empty() {
        true => "no API has a contract; add `openapi: FILE` to one".to_owned(),
        false => all.iter().map(|one| contract(one)).collect::<Vec<_>>().join("\n"),
    };
    say(control.form.format, text, || json!({ "contracts": all }))?;
    Ok(Ending::Done)
}

fn contract(one: &Value) -> String {
    let version = one.get("version").and_then(Value::as_str).map(|name| format!(" {name}")).unwrap_or_default();
    let (used, unused): (Vec<&Value>, Vec<&Value>) =
        list(one, "operations").iter().partition(|operation| operation.get("last").is_some_and(|last| !last.is_null()));
    let mut out = format!(
        "{}  {}, watched since {}\n",
        bold(&format!("{}{version}", plain(one.get("api")))),
        plain(one.get("file")),
        moment(one.get("since")),
    );
    out.push_str(&format!("{} of {} operations are used\n", used.len(), used.len() + unused.len()));
    let mut zombies = Table::new(["NEVER USED", "PATH", "OPERATION"]);
    for operation in &unused {
        let id = operation.get("id").and_then(Value::as_str).unwrap_or("-");
        zombies.row([plain(operation.get("method")), plain(operation.get("path")), id.to_owned()]);
    }
    section(&mut out, &zombies, unused.len());
    let shadows = list(one, "shadow");
    let mut table = Table::new(["NOT IN THE DOCUMENT", "PATH", "REQUESTS", "LAST"]);
    for shadow in shadows {
        let of = |name: &str| plain(shadow.get(name));
        table.row([of("method"), of("path"), of("requests"), moment(shadow.get("last"))]);
    }
    section(&mut out, &table, shadows.len());
    let fields = list(one, "undeclared");
    let mut table = Table::new(["UNDECLARED FIELD", "TYPE", "OPERATION", "STATUS", "LAST"]);
    for field in fields {
        let of = |name: &str| plain(field.get(name));
        table.row([of("pointer"), of("type"), of("operation"), of("status"), moment(field.get("last"))]);
    }
    section(&mut out, &table, fields.len());
    if one.get("answers").and_then(Value::as_str) == Some("off") {
        out.push_str(&faint("answers are not looked at: `validation.response` is `off`\n"));
    }
    if let Some(missed) = one.get("missed").and_then(Value::as_u64).filter(|missed| *missed > 0) {
        out.push_str(&faint(&format!("there was no room for {missed} more\n")));
    }
    out
}

/// A table with something in it.
fn section(out: &mut String, table: &Table, rows: usize) {
    if rows > 0 {
        out.push_str(&format!("\n{}", table.text()));
    }
}
