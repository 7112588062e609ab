//! From records to exceptions: which lines in a file of exceptions would take away which matches.

use crate::arguments::TuneRules;
use crate::ending::{Ending, Stop};
use crate::output::report;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};

// LIMIT: different pairs of rule and variable that are counted.
const PAIRS_MAX: usize = 10_000;

/// A rule and the variable it matched on; how often, and in how many requests that were or would have been refused.
type Pairs = BTreeMap<Pair, Times>;

type Pair = (u64, String);

type Times = (u64, u64);

/// Says what would have to be excepted. Whether that is right, nobody but the operator can know.
pub(super) fn tune(question: &TuneRules) -> Result<Ending, Stop> {
    let path = &question.log;
    let cannot = |error: std::io::Error| Stop::environment(format!("{} cannot be read: {error}", path.display()));
    let mut pairs = Pairs::new();
    for line in BufReader::new(File::open(path).map_err(cannot)?).lines() {
        let line = line.map_err(cannot)?;
        // Most records have nothing of rules in them.
        if line.contains("\"waf\":{")
            && let Ok(record) = serde_json::from_str::<Value>(&line)
        {
            count(&record, &mut pairs);
        }
    }
    let mut found: Vec<_> = pairs.into_iter().collect();
    found.sort_by_key(|(_, (all, _))| std::cmp::Reverse(*all));
    report(
        question.form.format,
        || text(&found),
        || json!({ "exceptions": found.iter().map(one).collect::<Vec<_>>() }),
    )?;
    Ok(Ending::Done)
}

fn count(record: &Value, pairs: &mut Pairs) {
    let waf = record.get("waf");
    let attack = waf.and_then(|waf| waf.get("verdict")).and_then(Value::as_str) != Some("noted");
    let rules = waf.and_then(|waf| waf.get("rules")).and_then(Value::as_array);
    for rule in rules.into_iter().flatten() {
        let (id, variable) = (rule.get("id").and_then(Value::as_u64), rule.get("variable").and_then(Value::as_str));
        // A rule that only sums up is answered by those that it sums up; a name that was cut names nothing.
        let (Some(id), Some(variable)) = (id, variable) else { continue };
        if variable.starts_with("TX:")
            || variable.contains('*') && !variable.ends_with("/*")
            || variable.ends_with("...")
        {
            continue;
        }
        let key = (id, variable.to_owned());
        if pairs.len() < PAIRS_MAX || pairs.contains_key(&key) {
            let (all, attacks) = pairs.entry(key).or_default();
            *all += 1;
            *attacks += u64::from(attack);
        }
    }
}

fn line((id, variable): &Pair) -> String {
    format!("SecRuleUpdateTargetById {id} \"!{variable}\"")
}

fn text(found: &[(Pair, Times)]) -> String {
    let mut out =
        String::from("# Matches of an access log. Keep a line only if nothing but ordinary requests met it.\n");
    for (pair, (all, attacks)) in found {
        out.push_str(&format!(
            "# {all} matches, {attacks} of them in requests that count as attacks\n{}\n",
            line(pair)
        ));
    }
    out
}

fn one((pair, (all, attacks)): &(Pair, Times)) -> Value {
    json!({ "id": pair.0, "variable": pair.1, "matches": all, "attacks": attacks, "line": line(pair) })
}
