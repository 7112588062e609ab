//! Rules against attacks by themselves, without a gateway: whether they load, what their suite says, why one matches.

mod answer;
mod tune;

use crate::arguments::{CheckRules, ExplainAttack, RuleSource, TestRules, WafCommand};
use crate::ending::{Ending, Stop};
use crate::output::{Table, bad, bold, good, report};
use portcullis_waf::ftw::{self, Suite};
use portcullis_waf::{Detail, Diagnostic, Disk, Match, Part, RequestHead, RuleSet, Transaction};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

// LIMIT: bytes of a request that is explained.
const REQUEST_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The level at which the suite is meant to be run.
const SUITE_PARANOIA: u8 = 4;

pub(super) fn waf(command: &WafCommand) -> Result<Ending, Stop> {
    match command {
        WafCommand::Check(question) => check(question),
        WafCommand::Test(question) => test(question),
        WafCommand::Explain(question) => explain(question),
        WafCommand::Tune(question) => tune::tune(question),
    }
}

/// The rules that are asked for; all their mistakes, if they have some.
fn load(source: &RuleSource) -> Result<RuleSet, Stop> {
    let paranoia = source.paranoia.map(|level| Part::Text {
        name: "--paranoia".to_owned(),
        text: format!("SecAction \"id:199002,phase:1,nolog,pass,setvar:tx.blocking_paranoia_level={level}\"\n"),
    });
    let mut parts: Vec<Part> = paranoia.into_iter().collect();
    match &source.crs {
        Some(folder) => parts.extend(ftw::core_rules_as_shipped(&folder.display().to_string())),
        None => parts.push(portcullis_waf::builtin()),
    }
    parts.extend(source.rules.iter().map(|file| Part::File(file.display().to_string())));
    RuleSet::load(&parts, &Disk).map_err(|mistakes| Stop::Unfit(lines(&mistakes)))
}

fn lines(mistakes: &[Diagnostic]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n       ")
}

fn check(question: &CheckRules) -> Result<Ending, Stop> {
    let set = load(&question.source)?;
    let (counts, notes) = (set.counts(), set.notes());
    let text = || {
        let mut table = Table::new(["WHAT", "HOW MANY"]);
        table.row(["rules".to_owned(), counts.rules.to_string()]);
        table.row(["conditions of chains".to_owned(), counts.links.to_string()]);
        for (phase, count) in (1..).zip(counts.by_phase) {
            table.row([format!("rules of phase {phase}"), count.to_string()]);
        }
        table.row(["rules that most values are spared".to_owned(), counts.gated.to_string()]);
        let notes: String = notes.iter().map(|note| format!("note: {note}\n")).collect();
        format!("{}{notes}", table.text())
    };
    let json = || {
        json!({
            "rules": counts.rules, "links": counts.links, "phases": counts.by_phase, "gated": counts.gated,
            "notes": notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    };
    report(question.form.format, text, json)?;
    Ok(Ending::Done)
}

fn test(question: &TestRules) -> Result<Ending, Stop> {
    let folder = question.suite.display().to_string();
    let suite = Suite::folder(&folder, &Disk).map_err(Stop::environment)?;
    let set = RuleSet::load(&ftw::core_rules(&folder, SUITE_PARANOIA), &Disk);
    let set = set.map_err(|mistakes| Stop::Unfit(lines(&mistakes)))?;
    let run = ftw::run(&set, &suite, ftw::core_rules_overrides(), |one| one).map_err(Stop::Unfit)?;
    if suite.tests.is_empty() {
        return Err(Stop::environment(format!("there are no tests in {folder}/tests/regression/tests")));
    }
    let text = || {
        let mut out = String::new();
        for failure in &run.failed {
            out.push_str(&format!("{} {}: {}\n", bad("failed"), failure.test, failure.why));
        }
        for used in &run.overridden {
            out.push_str(&format!("stricter {}: {}\n", used.test, used.reason));
        }
        let (passed, failed) = (run.passed, run.failed.len());
        out.push_str(&format!("{passed} passed, {failed} failed, {} of them stricter\n", run.overridden.len()));
        out
    };
    let json = || {
        json!({
            "passed": run.passed,
            "failed": run.failed.iter().map(|one| json!({ "test": one.test, "why": one.why })).collect::<Vec<_>>(),
            "stricter": run.overridden.iter().map(|one| json!({ "test": one.test, "why": one.reason })).collect::<Vec<_>>(),
        })
    };
    report(question.form.format, text, json)?;
    Ok(if run.failed.is_empty() { Ending::Done } else { Ending::No })
}

/// Says yes if the request would pass.
fn explain(question: &ExplainAttack) -> Result<Ending, Stop> {
    let set = load(&question.source)?;
    let raw = read(&question.request)?;
    let request = ftw::parse_request(&raw);
    let headers: Vec<(&[u8], &[u8])> = request.headers.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
    let mut transaction = set.transaction().with_detail(Detail::Explain).observing();
    let head = RequestHead {
        method: &request.method,
        target: &request.target,
        protocol: &request.protocol,
        headers: &headers,
        peer: (IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
        unique_id: "explain",
    };
    // It looks only; what would have been refused is asked for below.
    let _head = transaction.request_head(&head);
    let _body = transaction.request_body(&request.body);
    if let Some(file) = &question.answer {
        answer::show(&mut transaction, &read(file)?)?;
    }
    transaction.finish();
    let refused = transaction.would_refuse().is_some();
    report(question.form.format, || shown(&transaction, refused), || json_of(&transaction, refused))?;
    Ok(if refused { Ending::No } else { Ending::Done })
}

fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    let cannot = |error: std::io::Error| Stop::environment(format!("{} cannot be read: {error}", path.display()));
    let size = std::fs::metadata(path).map_err(cannot)?.len();
    if size > REQUEST_BYTES_MAX {
        return Err(Stop::environment(format!("{} is larger than {REQUEST_BYTES_MAX} bytes", path.display())));
    }
    std::fs::read(path).map_err(cannot)
}

fn shown(transaction: &Transaction, refused: bool) -> String {
    let mut out = String::new();
    for found in transaction.matches() {
        out.push_str(&format!("{} {}\n", bold(&found.rule.id.to_string()), printable(found.message.as_bytes())));
        out.push_str(&format!("  at {}:{}\n", found.rule.file, found.rule.line));
        for step in &found.steps {
            let how = if step.transforms.is_empty() {
                String::new()
            } else {
                format!(" after {}", step.transforms.join(", "))
            };
            out.push_str(&format!("  on {}{how}: {}\n", printable(step.variable.as_bytes()), printable(&step.view)));
            out.push_str(&format!("  because of {}\n", printable(step.operator.as_bytes())));
        }
    }
    let verdict = if refused { bad("refused") } else { good("passes") };
    let scores = transaction.scores();
    let of_answer = if scores.outbound > 0 { format!(", of the answer {}", scores.outbound) } else { String::new() };
    out.push_str(&format!("{verdict}, score {}{of_answer}\n", scores.inbound));
    out
}

/// Bytes that a terminal can show and nothing else.
fn printable(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn json_of(transaction: &Transaction, refused: bool) -> Value {
    let one = |found: &Match| {
        let steps = found.steps.iter().map(|step| {
            json!({
                "variable": step.variable, "transformations": step.transforms,
                "value": String::from_utf8_lossy(&step.view), "condition": &*step.operator,
            })
        });
        json!({
            "id": found.rule.id, "msg": found.message, "file": found.rule.file, "line": found.rule.line,
            "steps": steps.collect::<Vec<_>>(),
        })
    };
    json!({
        "refused": refused,
        "score": transaction.scores().inbound,
        "answer_score": transaction.scores().outbound,
        "rules": transaction.matches().iter().map(one).collect::<Vec<_>>(),
    })
}
