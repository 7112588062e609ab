//! Limits over the socket: which there are, how an account stands, and to forget what it has spent. Names come in the query as
//! hexadecimal digits, `limit=…&value=…`, because they may hold anything.

use super::{Source, User, answer, busy, noted};
use axum::extract::{Extension, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use portcullis_console::{limit_balance, limit_row};
use serde_json::{Value, json};

/// All limits, or one account.
pub(super) async fn show(State(source): State<Source>, RawQuery(query): RawQuery) -> Response {
    let Some(query) = query else {
        let limits: Vec<Value> = source.handle.limits().iter().map(limit_row).collect();
        return answer(StatusCode::OK, &json!({ "limits": limits }));
    };
    let Some((place, values)) = named(&query) else { return unclear("the question is malformed") };
    match source.handle.account(&place, &values) {
        Ok(account) => answer(StatusCode::OK, &limit_balance(&account)),
        Err(why) => unclear(&why),
    }
}

/// Forgets what one account has spent.
pub(super) async fn reset(
    State(source): State<Source>,
    Extension(User(by)): Extension<User>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some((place, values)) = query.as_deref().and_then(named) else { return unclear("the question is malformed") };
    // Nobody forgives unseen.
    let details = json!({ "limit": place, "values": values });
    if !(source.orders)(noted(by, "limits.reset", details)) {
        return busy();
    }
    match source.handle.forgive(&place, &values) {
        Ok(found) => answer(StatusCode::OK, &json!({ "reset": found })),
        Err(why) => unclear(&why),
    }
}

pub(super) fn unclear(why: &str) -> Response {
    answer(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "text": why }))
}

/// The limit's place, and the values that name an account of it.
fn named(query: &str) -> Option<(String, Vec<String>)> {
    let (mut place, mut values) = (None, Vec::new());
    for pair in query.split('&') {
        match pair.split_once('=')? {
            ("limit", text) if place.is_none() => place = Some(decoded(text)?),
            ("value", text) => values.push(decoded(text)?),
            _ => return None,
        }
    }
    Some((place?, values))
}

pub(super) fn decoded(text: &str) -> Option<String> {
    let digits = text.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    String::from_utf8(digits.collect::<Option<Vec<u8>>>()?).ok()
}
