//! API keys of the store. A key's text is in the answer that makes it, and nowhere else.

use crate::problem::Problem;
use crate::table::{Call, Kind, Member, Outcome, may, needs};
use portcullis_auth::key::{KeyRecord, KeyText, KeyWish};
use portcullis_proxy::KeysError;
use portcullis_store::Listed;
use serde_json::{Value, json};

const DAY_SECONDS: u64 = 24 * 60 * 60;
// LIMIT: for how long a replaced key may still open.
const OVERLAP_HOURS_MAX: u64 = 24 * 90;
const OVERLAP_HOURS: u64 = 24;

pub(crate) const PAGE: &[Member] =
    &[may("from", Kind::Text, "the id that the list begins with: the `next` of the list before")];
pub(crate) const LIST: &[Member] = &[
    needs("keys", Kind::Objects, "at most a thousand"),
    needs("next", Kind::MaybeText, "the id that the next list begins with; `null` at the end"),
];
pub(crate) const WISH: &[Member] = &[
    needs("consumer", Kind::Text, "who holds it"),
    may("username", Kind::Text, "his name; his id without one"),
    may("scopes", Kind::Texts, "what it may do"),
    may("roles", Kind::Texts, "as whom"),
    may("apis", Kind::Texts, "the APIs that it is for; all without one"),
    may("networks", Kind::Texts, "where it may come from, such as `192.0.2.0/24`; anywhere without one"),
    may("expires_days", Kind::Number, "in how many days it ends; never without it"),
];
pub(crate) const OVERLAP: &[Member] =
    &[may("overlap_hours", Kind::Number, "for how long the old one still opens; 24 without it")];
pub(crate) const MADE: &[Member] = &[
    may("key", Kind::Text, "the key itself; not there in a dry run"),
    needs("id", Kind::Text, "what it is called from now on"),
    needs("consumer", Kind::Text, "who holds it"),
    needs("expires", Kind::MaybeNumber, "when it ends, in seconds since 1970"),
];
pub(crate) const ONE: &[Member] = &[
    needs("id", Kind::Text, "what it is called"),
    needs("consumer", Kind::Text, "who holds it"),
    needs("username", Kind::Text, "his name"),
    needs("state", Kind::Text, "`good`, `replaced`, `expired` or `revoked`"),
    needs("scopes", Kind::Texts, "what it may do"),
    needs("roles", Kind::Texts, "as whom"),
    needs("apis", Kind::Texts, "the APIs that it is for; empty means all"),
    needs("networks", Kind::Texts, "where it may come from; empty means anywhere"),
    needs("created", Kind::Number, "when it was made, in seconds since 1970"),
    needs("expires", Kind::MaybeNumber, "when it ends"),
    needs("revoked", Kind::MaybeNumber, "when it was revoked"),
    needs("rotated_to", Kind::MaybeText, "the key that takes its place"),
    needs("last_used", Kind::MaybeNumber, "when it was used last, to the hour"),
];
pub(crate) const REVOKED: &[Member] =
    &[needs("id", Kind::Text, "what it is called"), needs("revoked", Kind::Flag, "whether it was not revoked already")];

impl From<KeysError> for Problem {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::NoStore | KeysError::Unknown | KeysError::NotOwn(_) => Self::nothing(error.to_string()),
            KeysError::Unfit(_) => Self::refused(error.to_string()),
            KeysError::NoApi(_) => Self::unclear(error.to_string()),
            KeysError::Failed(_) => Self::refused(error.to_string()),
        }
    }
}

/// How a key is, in a word.
#[must_use]
pub fn state_of(record: &KeyRecord, now: u64) -> &'static str {
    match (record.revoked_at, record.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(end)) if end <= now => "expired",
        (None, _) if record.rotated_to.is_some() => "replaced",
        (None, _) => "good",
    }
}

/// Everything about a key but what could open something.
#[must_use]
pub fn row(listed: &Listed, now: u64) -> Value {
    let record = &listed.record;
    json!({
        "id": KeyText::id_of(record.number),
        "consumer": record.consumer,
        "username": record.username,
        "state": state_of(record, now),
        "scopes": record.scopes,
        "roles": record.roles,
        "apis": record.apis,
        "networks": record.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "created": record.created_at,
        "expires": record.expires_at,
        "revoked": record.revoked_at,
        "rotated_to": record.rotated_to.map(KeyText::id_of),
        "last_used": listed.last_used_at,
    })
}

fn number(id: &str) -> Result<u64, Problem> {
    KeyText::number_of(id).ok_or_else(|| Problem::nothing("there is no such key"))
}

pub(crate) fn list(call: &Call<'_>) -> Outcome {
    let from = call.query.value("from").map_or(Ok(0), number)?;
    let handle = &call.desk.handle;
    let listed = handle.keys(from)?;
    let now = handle.seconds();
    let next = match listed.last() {
        Some(last) => {
            handle.keys(last.record.number.saturating_add(1))?.first().map(|next| KeyText::id_of(next.record.number))
        }
        None => None,
    };
    Ok(json!({ "keys": listed.iter().map(|one| row(one, now)).collect::<Vec<_>>(), "next": next }))
}

pub(crate) fn one(call: &Call<'_>) -> Outcome {
    let handle = &call.desk.handle;
    Ok(row(&handle.key(number(call.parameter())?)?, handle.seconds()))
}

/// The same without what changes by itself.
pub(crate) fn state(call: &Call<'_>) -> Outcome {
    let mut value = one(call)?;
    if let Some(members) = value.as_object_mut() {
        members.remove("last_used");
    }
    Ok(value)
}

pub(crate) fn create(call: &Call<'_>) -> Outcome {
    let consumer = call.text("consumer").trim();
    if consumer.is_empty() {
        return Err(Problem::unclear("a key needs a holder: `consumer`"));
    }
    let networks = call.texts("networks").into_iter().map(|text| {
        text.parse().map_err(|_| Problem::unclear("one of `networks` is none; write it like 192.0.2.0/24"))
    });
    let wish = KeyWish {
        consumer: consumer.to_owned(),
        username: Some(call.text("username")).filter(|name| !name.is_empty()).map(str::to_owned),
        scopes: call.texts("scopes"),
        roles: call.texts("roles"),
        apis: call.texts("apis"),
        networks: networks.collect::<Result<_, _>>()?,
        expires_in_s: whole(call, "expires_days")?.map(|days| days.saturating_mul(DAY_SECONDS)),
    };
    let (key, record) = call.desk.handle.mint_key(&wish)?;
    if call.is_dry {
        return Ok(made(None, &record));
    }
    call.note(
        "keys.create",
        json!({
            "key": key.id(), "consumer": record.consumer, "scopes": record.scopes, "roles": record.roles,
            "apis": record.apis, "expires": record.expires_at,
        }),
    )?;
    call.desk.handle.store_key(record.clone())?;
    Ok(made(Some(&key), &record))
}

pub(crate) fn rotate(call: &Call<'_>) -> Outcome {
    let hours = whole(call, "overlap_hours")?.unwrap_or(OVERLAP_HOURS);
    if hours > OVERLAP_HOURS_MAX {
        return Err(Problem::unclear("`overlap_hours` is more than 90 days"));
    }
    let (id, handle) = (call.parameter(), &call.desk.handle);
    let old = handle.key(number(id)?)?.record;
    let (key, record) = handle.mint_key(&KeyWish::default())?;
    if call.is_dry {
        return Ok(made(None, &KeyRecord { consumer: old.consumer, expires_at: old.expires_at, ..record }));
    }
    call.note("keys.rotate", json!({ "key": id, "successor": key.id(), "overlap_hours": hours }))?;
    let record = handle.replace_key(old.number, record, hours.saturating_mul(3600))?;
    Ok(made(Some(&key), &record))
}

fn made(key: Option<&KeyText>, record: &KeyRecord) -> Value {
    let mut value =
        json!({ "id": KeyText::id_of(record.number), "consumer": record.consumer, "expires": record.expires_at });
    if let (Some(key), Some(members)) = (key, value.as_object_mut()) {
        members.insert("key".to_owned(), key.reveal().into());
    }
    value
}

pub(crate) fn revoke(call: &Call<'_>) -> Outcome {
    let id = call.parameter();
    let record = call.desk.handle.key(number(id)?)?.record;
    if call.is_dry {
        return Ok(json!({ "id": id, "revoked": record.revoked_at.is_none() }));
    }
    call.note("keys.revoke", json!({ "keys": [id] }))?;
    Ok(json!({ "id": id, "revoked": call.desk.handle.revoke_key(record.number)? }))
}

fn whole(call: &Call<'_>, name: &'static str) -> Result<Option<u64>, Problem> {
    let Some(value) = call.body.get(name) else { return Ok(None) };
    value.as_u64().map(Some).ok_or_else(|| Problem::unclear(format!("`{name}` is no whole number")))
}
