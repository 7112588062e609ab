//! Accounts of developers, and keys that they have asked for. What is decided is whether a key may be made; it is whoever has asked who
//! makes it, and nobody here sees it.

use crate::problem::Problem;
use crate::table::{Call, Kind, Member, Outcome, may, needs};
use portcullis_auth::key::KeyText;
use portcullis_store::{Decision, KeyRequest};
use serde_json::{Value, json};

// LIMIT: accounts in one answer; requests in one answer.
const LISTED_MAX: usize = 1_000;
// LIMIT: characters of what is said to whoever has asked.
const WHY_CHARS_MAX: usize = 300;

pub(crate) const PAGE: &[Member] = &[may("after", Kind::Text, "only those whose name comes after this one")];
pub(crate) const ACCOUNTS: &[Member] = &[needs(
    "accounts",
    Kind::Objects,
    "at most a thousand: name, plan, since when, closed since when, keys that open",
)];
pub(crate) const REQUESTS: &[Member] = &[needs(
    "requests",
    Kind::Objects,
    "those that wait, at most a thousand: id, account, application, APIs, scopes, for how many seconds, why, since when",
)];
pub(crate) const WHY: &[Member] = &[may("why", Kind::Text, "for whoever has asked; at most 300 characters")];
pub(crate) const DECIDED: &[Member] = &[
    needs("id", Kind::Text, "what the request is called"),
    needs("account", Kind::Text, "whose it is"),
    needs("decision", Kind::Text, "`approved` or `declined`"),
];

pub(crate) fn list(call: &Call<'_>) -> Outcome {
    let (handle, after) = (&call.desk.handle, call.query.value("after").unwrap_or_default());
    let now = handle.seconds();
    let accounts = handle.with_store(|store| {
        let all = store.accounts(after, LISTED_MAX)?.into_iter();
        let rows = all.map(|account| {
            let keys = store.own_keys(&account.name)?.iter().filter(|one| one.is_open(now)).count();
            Ok(json!({
                "name": account.name, "plan": account.plan, "created": account.created_at, "closed": account.closed_at,
                "keys": keys,
            }))
        });
        rows.collect::<Result<Vec<Value>, _>>()
    })?;
    Ok(json!({ "accounts": accounts }))
}

/// A request that waits.
#[must_use]
pub fn request_row(one: &KeyRequest) -> Value {
    json!({
        "id": KeyText::id_of(one.id), "account": one.account, "application": KeyText::id_of(one.application),
        "apis": one.apis, "scopes": one.scopes, "lasts_s": one.lasts_s, "why": one.why, "asked": one.asked_at,
    })
}

pub(crate) fn requests(call: &Call<'_>) -> Outcome {
    let all = call.desk.handle.with_store(|store| store.waiting_requests(LISTED_MAX))?;
    Ok(json!({ "requests": all.iter().map(request_row).collect::<Vec<_>>() }))
}

pub(crate) fn approve(call: &Call<'_>) -> Outcome {
    let (by, at) = (call.by.to_string(), call.desk.handle.seconds());
    decide(call, "portal.key_approve", Decision::Approved { by, at })
}

pub(crate) fn decline(call: &Call<'_>) -> Outcome {
    let why = call.text("why").trim().to_owned();
    if why.chars().count() > WHY_CHARS_MAX || why.chars().any(char::is_control) {
        return Err(Problem::unclear(format!("`why` has at most {WHY_CHARS_MAX} characters, on one line")));
    }
    let (by, at) = (call.by.to_string(), call.desk.handle.seconds());
    decide(call, "portal.key_decline", Decision::Declined { by, at, why })
}

fn decide(call: &Call<'_>, what: &'static str, decision: Decision) -> Outcome {
    let (id, handle) = (call.parameter(), &call.desk.handle);
    let number = KeyText::number_of(id).ok_or_else(|| Problem::nothing("there is no such request"))?;
    let request = handle.with_store(|store| store.key_request(number))?;
    let decided = json!({ "id": id, "account": request.account, "decision": decision.name() });
    if request.decision != Decision::Waiting {
        return Err(Problem::refused("this is decided already"));
    }
    if call.is_dry {
        return Ok(decided);
    }
    call.note(what, json!({ "request": id, "account": request.account }))?;
    handle.with_store(|store| store.decide_request(&request.account, number, decision))?;
    Ok(decided)
}
