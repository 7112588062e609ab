//! The last requests.

use crate::problem::Problem;
use crate::table::{Call, Kind, Member, Outcome, may, needs};
use portcullis_proxy::RecentRecord;
use portcullis_types::Reason;
use serde_json::{Value, json};

// LIMIT: records in one answer.
const RECORDS_MAX: u64 = 1_000;

pub(crate) const QUERY: &[Member] = &[
    may("after", Kind::Number, "only those with a higher number"),
    may("count", Kind::Number, "at most so many of the newest; 100 without it, at most 1000"),
    may("only", Kind::Text, "`notable`: refused, failed, or a rule has matched"),
];
pub(crate) const ANSWER: &[Member] = &[
    needs("records", Kind::Objects, "the oldest first: `number` and `record`, which is the access record"),
    needs("last", Kind::Number, "the number of the last one, for `after`"),
    needs("missed", Kind::Number, "requests that came too fast to be kept here; the access log has them"),
];
pub(crate) const ONE: &[Member] = &[
    needs("number", Kind::Number, "its number"),
    needs("record", Kind::Object, "the access record"),
    needs("meaning", Kind::Object, "what its reason means, and what to do about it; empty where nothing was decided"),
];

pub(crate) fn list(call: &Call<'_>) -> Outcome {
    let (after, count) = (call.number("after", 0, u64::MAX)?, call.number("count", 100, RECORDS_MAX)?);
    let only_notable = match call.query.value("only") {
        None => false,
        Some("notable") => true,
        Some(_) => return Err(Problem::malformed("`only` is `notable`, or not there")),
    };
    let recent = call.desk.handle.recent(after, usize::try_from(count).unwrap_or(usize::MAX), only_notable);
    let records: Vec<Value> = recent.records.iter().map(record).collect();
    Ok(json!({ "records": records, "last": recent.last, "missed": recent.missed }))
}

/// One record of a list.
pub(crate) fn record(recent: &RecentRecord) -> Value {
    let record: Value = serde_json::from_str(&recent.line).unwrap_or(Value::Null);
    json!({ "number": recent.number, "record": record })
}

pub(crate) fn one(call: &Call<'_>) -> Outcome {
    let found = call.desk.handle.record_of(call.parameter());
    let found =
        found.ok_or_else(|| Problem::nothing("it is not among the last requests; look for it in the access log"))?;
    let mut value = record(&found);
    let code = value.pointer("/record/reason").and_then(Value::as_str);
    let meaning = code.and_then(Reason::from_code).map_or_else(
        || json!({}),
        |reason| {
            let page = reason.page();
            json!({ "title": reason.title(), "means": page.meaning, "caller": page.caller, "operator": page.operator })
        },
    );
    if let Some(members) = value.as_object_mut() {
        members.insert("meaning".to_owned(), meaning);
    }
    Ok(value)
}
