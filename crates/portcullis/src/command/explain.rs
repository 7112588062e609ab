//! `explain`: what would become of a request, stage by stage, by the very stages that serve it.

use crate::arguments;
use crate::ending::{Ending, Stop};
use crate::output::{Table, bad, bold, faint, good, report};
use crate::service::{read, unwritten};
use portcullis_config::plan::Plan;
use portcullis_proxy::{ExplainRequest, Explanation, Step};
use portcullis_types::Stage;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

// LIMIT: bytes of a body; more than any route takes by default.
const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Says yes if the request would be forwarded.
pub(super) fn explain(question: &arguments::Explain) -> Result<Ending, Stop> {
    let loaded = read(&question.config.path)?;
    let request = ExplainRequest {
        method: question.method.clone(),
        url: question.url.clone(),
        headers: question.headers.iter().map(|line| header(line)).collect::<Result<_, _>>()?,
        body: question.body.as_deref().map(body).transpose()?.unwrap_or_default(),
    };
    let explanation = explained(&loaded.plan, &request)?;
    report(question.form.format, || text(&explanation), || json(&explanation))?;
    Ok(if explanation.forwarded.is_some() { Ending::Done } else { Ending::No })
}

fn explained(plan: &Plan, request: &ExplainRequest) -> Result<Explanation, Stop> {
    let base = format!("http://{}/problems/", plan.status.bind);
    let explanation = portcullis_proxy::explain(&unwritten(plan), &base, request);
    explanation.map_err(|error| Stop::Unfit(error.to_string()))
}

/// What stands about limits before it is known who calls.
pub(super) fn limits(config: &Path, target: &str) -> Result<String, Stop> {
    let loaded = read(config)?;
    let request = ExplainRequest { method: "GET".to_owned(), url: target.to_owned(), ..ExplainRequest::default() };
    let explanation = explained(&loaded.plan, &request)?;
    let step = explanation.steps.into_iter().find(|step| step.stage == Stage::Guard);
    Ok(step.map(|step| step.detail).unwrap_or_default())
}

fn header(line: &str) -> Result<(String, String), Stop> {
    let (name, value) = line
        .split_once(':')
        .ok_or_else(|| Stop::environment(format!("the header `{line}` has no colon; write it as -H 'Name: value'")))?;
    Ok((name.to_owned(), value.trim_start().to_owned()))
}

fn body(path: &Path) -> Result<Vec<u8>, Stop> {
    let cannot = |error: std::io::Error| Stop::environment(format!("{} cannot be read: {error}", path.display()));
    let mut reader = File::open(path).map_err(cannot)?.take(BODY_BYTES_MAX);
    let mut bytes = Vec::new();
    std::io::copy(&mut reader, &mut bytes).map_err(cannot)?;
    Ok(bytes)
}

fn text(explanation: &Explanation) -> String {
    let mut table = Table::new(["STAGE", "DECISION", "ABOUT", "DECIDED AT"]);
    for step in &explanation.steps {
        let decision = match step.decision.as_str() {
            "refused" => bad("refused"),
            "not_required" => faint("not required"),
            decision => good(decision),
        };
        let origin = step.origin.clone().unwrap_or_default();
        table.row([step.stage.name().to_owned(), decision, step.detail.clone(), origin]);
    }
    let mut out = table.text();
    if let Some(head) = &explanation.forwarded {
        let targets = explanation.targets.join(" or ");
        out.push_str(&format!("\n{} to {targets}:\n\n", good("forwarded")));
        for line in head.trim_end().lines() {
            out.push_str(&format!("  {line}\n"));
        }
    }
    if let Some((status, body)) = &explanation.problem {
        out.push_str(&format!("\n{} with {}:\n\n  {}\n", bad("refused"), bold(&status.to_string()), body.trim_end()));
    }
    out
}

fn json(explanation: &Explanation) -> Value {
    let problem = explanation.problem.as_ref().map(|(status, body)| {
        let body = serde_json::from_str(body).unwrap_or_else(|_| Value::from(body.as_str()));
        json!({ "status": status, "body": body })
    });
    json!({
        "forwarded": explanation.forwarded.is_some(),
        "stages": explanation.steps.iter().map(step).collect::<Vec<_>>(),
        "targets": explanation.targets,
        "upstream_head": explanation.forwarded,
        "problem": problem,
    })
}

fn step(step: &Step) -> Value {
    json!({
        "stage": step.stage.name(),
        "decision": step.decision,
        "about": step.detail,
        "decided_at": step.origin,
    })
}
