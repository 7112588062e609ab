//! Limits: which there are, what one caller has left, and to forget what he has spent.

use crate::problem::Problem;
use crate::table::{Call, Kind, Member, Outcome, needs};
use portcullis_proxy::{AccountFacts, LimitFacts};
use serde_json::{Value, json};

pub(crate) const ANSWER: &[Member] = &[needs(
    "limits",
    Kind::Objects,
    "place, parts of the key, how much in how many seconds, mode, how often it had no room",
)];
pub(crate) const ACCOUNT: &[Member] = &[
    needs("limit", Kind::Text, "where it is written: `defaults.limits.per_address`"),
    needs("values", Kind::Texts, "those of the key's parts, in their order"),
];
pub(crate) const BALANCE: &[Member] = &[
    needs("limit", Kind::Number, "the most that can be had at once"),
    needs("remaining", Kind::Number, "what is left"),
    needs("reset_s", Kind::MaybeNumber, "when there is more, in seconds; `null` where nobody can know"),
];
pub(crate) const RESET: &[Member] = &[needs("reset", Kind::Flag, "whether there was anything to forget")];

pub(crate) fn list(call: &Call<'_>) -> Outcome {
    Ok(json!({ "limits": call.desk.handle.limits().iter().map(row).collect::<Vec<_>>() }))
}

/// Everything about a limit.
#[must_use]
pub fn row(facts: &LimitFacts) -> Value {
    json!({
        "place": facts.place,
        "key": facts.key,
        "limit": facts.limit,
        "window_s": facts.window_s,
        "mode": if facts.observed { "observe" } else { "enforce" },
        "exceeded": facts.exceeded,
    })
}

/// How an account stands.
#[must_use]
pub fn balance(account: &AccountFacts) -> Value {
    json!({ "limit": account.limit, "remaining": account.remaining, "reset_s": account.reset_s })
}

pub(crate) fn account(call: &Call<'_>) -> Outcome {
    let account = call.desk.handle.account(call.text("limit"), &call.texts("values")).map_err(Problem::unclear)?;
    Ok(balance(&account))
}

pub(crate) fn reset(call: &Call<'_>) -> Outcome {
    let (place, values) = (call.text("limit"), call.texts("values"));
    let account = call.desk.handle.account(place, &values).map_err(Problem::unclear)?;
    if call.is_dry {
        return Ok(json!({ "reset": account.remaining < account.limit }));
    }
    call.note("limits.reset", json!({ "limit": place, "values": values }))?;
    let found = call.desk.handle.forgive(place, &values).map_err(Problem::unclear)?;
    Ok(json!({ "reset": found }))
}
