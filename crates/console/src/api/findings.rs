//! What was found unusual, who has seen it, and to take back what followed.

use crate::problem::Problem;
use crate::table::{Call, Kind, Member, Outcome, needs};
use portcullis_proxy::FindingFacts;
use serde_json::{Map, Value, json};

pub(crate) const ANSWER: &[Member] = &[
    needs(
        "findings",
        Kind::Objects,
        "the oldest first, each with its `id`, its numbers, the step that follows, and who has seen it",
    ),
    needs("in_force", Kind::Object, "how many callers and addresses each step is in force for"),
];
pub(crate) const SEEN: &[Member] = &[needs("id", Kind::Text, "the finding's")];
pub(crate) const ACKNOWLEDGED: &[Member] = &[needs("acknowledged_by", Kind::Text, "who has seen it")];
pub(crate) const WHO: &[Member] = &[needs("who", Kind::Text, "the caller or the address, as findings name it")];
pub(crate) const PARDONED: &[Member] = &[needs("pardoned", Kind::Flag, "whether anything was done about him")];

fn all(call: &Call<'_>) -> Result<Vec<FindingFacts>, Problem> {
    let nobody = || Problem::nothing("nobody looks for what is unusual (`anomalies.mode: off`)");
    call.desk.handle.findings().ok_or_else(nobody)
}

pub(crate) fn list(call: &Call<'_>) -> Outcome {
    let findings = all(call)?;
    let seen = call.desk.seen();
    let findings = findings.iter().map(|finding| {
        let mut value = finding.json();
        let id = name_of(finding);
        if let Some(members) = value.as_object_mut() {
            members.insert("acknowledged_by".to_owned(), seen.get(&id).cloned().into());
            members.insert("id".to_owned(), id.into());
        }
        value
    });
    let steps = call.desk.handle.steps_in_force().into_iter().map(|(step, count)| (step.to_owned(), json!(count)));
    Ok(json!({ "findings": findings.collect::<Vec<Value>>(), "in_force": steps.collect::<Map<_, _>>() }))
}

/// What identifies a finding.
pub(crate) fn name_of(finding: &FindingFacts) -> String {
    let hash = blake3::hash(finding.json().to_string().as_bytes()).to_hex();
    hash.get(..16).unwrap_or_default().to_owned()
}

pub(crate) fn acknowledge(call: &Call<'_>) -> Outcome {
    let id = call.text("id");
    if !all(call)?.iter().any(|finding| name_of(finding) == id) {
        return Err(Problem::nothing("there is no such finding any more"));
    }
    if !call.is_dry {
        call.note("findings.acknowledge", json!({ "finding": id }))?;
        call.desk.see(id, &call.by);
    }
    Ok(json!({ "acknowledged_by": call.by.to_string() }))
}

pub(crate) fn pardon(call: &Call<'_>) -> Outcome {
    let who = call.text("who");
    let is_known = all(call)?.iter().any(|finding| match finding.is_of_address {
        true => finding.address == who,
        false => finding.caller == who,
    });
    if call.is_dry {
        return Ok(json!({ "pardoned": is_known }));
    }
    call.note("findings.pardon", json!({ "who": who }))?;
    let held = call.desk.handle.pardon(who).map_err(Problem::unclear)?;
    Ok(json!({ "pardoned": held }))
}
