//! What callers of a running gateway do that is unusual.

use super::limits::{asked, plain};
use super::show::moment;
use crate::arguments::{Control, Pardon};
use crate::ending::{Ending, Stop};
use crate::hex::digits;
use crate::output::{Table, report};
use serde_json::{Value, json};

/// All findings that are remembered.
pub(in crate::command) fn show(control: &Control) -> Result<Ending, Stop> {
    let body = asked(control, "GET", "/findings")?;
    report(control.form.format, || text(&body), || body.clone())?;
    Ok(Ending::Done)
}

/// Forgets what was found about somebody.
pub(in crate::command) fn pardon(pardon: &Pardon) -> Result<Ending, Stop> {
    let body = asked(&pardon.control, "POST", &format!("/findings/pardon?who={}", digits(&pardon.who)))?;
    let done = body.get("pardoned").and_then(Value::as_bool).unwrap_or(false);
    let text = if done { "pardoned" } else { "nothing was done about them" };
    report(pardon.control.form.format, || text.to_owned(), || body.clone())?;
    Ok(if done { Ending::Done } else { Ending::No })
}

/// A name of a caller's own choosing, as a terminal may show it.
fn safe(name: &str) -> String {
    let shown = |letter: char| match letter.is_control() {
        true => letter.escape_unicode().to_string(),
        false => letter.to_string(),
    };
    name.chars().map(shown).collect()
}

fn text(body: &Value) -> String {
    let findings = body.get("findings").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if findings.is_empty() {
        return "nothing unusual was found".to_owned();
    }
    let mut table = Table::new(["WHEN", "WHAT", "WHO", "WHERE", "SEEN", "USUAL", "BOUND", "STEP"]);
    for finding in findings {
        let of = |name: &str| plain(finding.get(name));
        let number = |name: &str| format!("{:.1}", finding.get(name).and_then(Value::as_f64).unwrap_or(0.0));
        let seconds = finding.get("at_ms").and_then(Value::as_u64).map(|at| json!(at / 1000));
        let who = match of("about").as_str() {
            "caller" => safe(&of("caller")),
            "address" => of("address"),
            everybody => everybody.to_owned(),
        };
        let places = [of("operation"), of("place")].into_iter().find(|place| !place.is_empty());
        let place = places.unwrap_or_else(|| "-".to_owned());
        let seen = format!("{} in {} s", number("seen"), of("window_s"));
        table.row([
            moment(seconds.as_ref()),
            of("kind"),
            who,
            place,
            seen,
            number("usual"),
            number("bound"),
            of("step"),
        ]);
    }
    let in_force = body.get("in_force").and_then(Value::as_object);
    let steps = in_force.into_iter().flatten().map(|(step, count)| format!("{step} {count}"));
    format!("{}\nin force now: {}", table.text(), steps.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::text;
    use serde_json::json;

    #[test]
    fn no_caller_writes_to_the_terminal() {
        let finding = json!({ "at_ms": 0, "kind": "rate", "about": "caller", "caller": "x\n\u{1b}[2J", "operation": "", "seen": 1,
            "usual": 0, "bound": 1, "window_s": 60, "step": "observe" });
        let shown = text(&json!({ "findings": [finding], "in_force": {} }));
        assert!(shown.contains("x\\u{a}\\u{1b}[2J") && !shown.contains("\u{1b}[2J"), "{shown:?}");
    }
}
