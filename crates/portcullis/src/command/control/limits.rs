//! Limits of a running gateway: all of them, one account, and to forget what it has spent.

use super::ask::Asking;
use super::{expected, socket};
use crate::arguments::{Control, ResetLimit, ShowLimits};
use crate::ending::{Ending, Stop};
use crate::hex::digits;
use crate::output::{Table, report};
use serde_json::Value;

/// All limits, or what one account has left.
pub(in crate::command) fn show(question: &ShowLimits) -> Result<Ending, Stop> {
    let path = match &question.limit {
        None => "/limits".to_owned(),
        Some(limit) => format!("/limits?{}", query(limit, &question.values)),
    };
    let body = asked(&question.control, "GET", &path)?;
    let text = || if question.limit.is_some() { account(&body) } else { table(&body) };
    report(question.control.form.format, text, || body.clone())?;
    Ok(Ending::Done)
}

/// Forgets what one account has spent.
pub(in crate::command) fn reset(question: &ResetLimit) -> Result<Ending, Stop> {
    let path = format!("/limits/reset?{}", query(&question.limit, &question.values));
    let body = asked(&question.control, "POST", &path)?;
    let done = body.get("reset").and_then(Value::as_bool).unwrap_or(false);
    let text = if done { "forgotten" } else { "there was nothing to forget" };
    report(question.control.form.format, || text.to_owned(), || body.clone())?;
    Ok(if done { Ending::Done } else { Ending::No })
}

pub(super) fn asked(control: &Control, method: &str, path: &str) -> Result<Value, Stop> {
    expected(Asking::to(socket(control)?).ask(method, path)?, 200)
}

fn query(limit: &str, values: &[String]) -> String {
    let values: String = values.iter().map(|value| format!("&value={}", digits(value))).collect();
    format!("limit={}{values}", digits(limit))
}

pub(super) fn plain(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts.iter().map(|part| plain(Some(part))).collect::<Vec<_>>().join(", "),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_))) => other.to_string(),
    }
}

fn table(body: &Value) -> String {
    let mut table = Table::new(["LIMIT", "BY", "AT MOST", "SECONDS", "MODE", "EXCEEDED"]);
    for limit in body.get("limits").and_then(Value::as_array).into_iter().flatten() {
        table.row(["place", "key", "limit", "window_s", "mode", "exceeded"].map(|name| plain(limit.get(name))));
    }
    table.text()
}

fn account(body: &Value) -> String {
    let of = |name: &str| plain(body.get(name));
    format!("{} of {} left, more in {} s", of("remaining"), of("limit"), of("reset_s"))
}
