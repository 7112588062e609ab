//! How much an account has called, and what its limits leave.

use super::sheet::Sheet;
use super::{Outcome, Stay};
use crate::pages::cells::{Cell, duration, rows};
use http::StatusCode;
use portcullis_auth::key::KeyText;
use portcullis_proxy::LimitFacts;
use portcullis_types::civil::Moment;
use std::collections::BTreeSet;

// LIMIT: lines about limits.
const LINES_MAX: usize = 200;

pub(super) fn page(stay: &Stay<'_>) -> Outcome {
    let (handle, account, now) = (&stay.desk.handle, stay.account(), stay.now());
    let lead = "All keys of your account together. Counts are written every second, and kept while you call.";
    let mut sheet = Sheet::below("What you have called", lead);
    let versions =
        stay.shown.apis.iter().flat_map(|(api, versions)| versions.iter().map(|version| (&**api, &**version)));
    let calls = handle.with_store(|store| store.calls_of(versions, account))?;
    let cells: Vec<_> = calls
        .into_iter()
        .map(|one| {
            let (first, last) = (Moment::told(one.first_at), Moment::told(one.last_at));
            let texts = [Cell::Text(one.api), Cell::Text(one.version), Cell::Number(one.count)];
            texts.into_iter().chain([Cell::Text(first), Cell::Text(last)]).collect()
        })
        .collect();
    let heads = ["API", "Version", "Calls", "First", "Last"];
    rows(&mut sheet.body, "Calls of your account", &heads, &cells, "Your keys have called nothing yet.");
    sheet.body.leaf("h2", &[], "What your limits leave").line();
    let keys = handle.with_store(|store| store.own_keys(account))?;
    let open = keys.iter().filter(|one| one.is_open(now)).map(|one| &one.listed.record);
    let (mut ids, mut apis) = (Vec::new(), BTreeSet::new());
    for record in open {
        ids.push(KeyText::id_of(record.number));
        apis.extend(record.apis.iter().map(String::as_str));
    }
    let limits = handle.limits();
    let mut cells = Vec::new();
    for limit in limits.iter().filter(|limit| !limit.observed) {
        for (api, values, whose) in accounts(limit, account, &ids, &apis) {
            if cells.len() < LINES_MAX {
                cells.extend(line(stay, limit, (&api, &whose), &values));
            }
        }
    }
    let heads = ["Limit", "API", "Of", "At most", "Left", "More in"];
    rows(
        &mut sheet.body,
        "What your limits leave",
        &heads,
        &cells,
        "No limit counts your account or one of its keys by itself.",
    );
    sheet.body.element("p", &[("class", "note")], |html| {
        html.text("Limits that count by address, by operation or by what a request says are told by the fields ");
        html.leaf("code", &[], "RateLimit").text(" of each answer.").done();
    });
    Ok(stay.answer(StatusCode::OK, &sheet))
}

/// The accounts of a limit that are one caller's: for which API, by which values, and of what.
fn accounts(
    limit: &LimitFacts,
    account: &str,
    ids: &[String],
    apis: &BTreeSet<&str>,
) -> Vec<(String, Vec<String>, String)> {
    let parts: Vec<&str> = limit.key.iter().map(String::as_str).collect();
    let is_own = parts.iter().all(|part| ["consumer", "credential", "api"].contains(part));
    if !is_own || !parts.iter().any(|part| ["consumer", "credential"].contains(part)) {
        return Vec::new();
    }
    let own: Vec<&str> = match limit.place.starts_with("defaults.") {
        true if parts.contains(&"api") => apis.iter().copied().collect(),
        true => vec![""],
        false => apis.iter().copied().filter(|api| limit.place.starts_with(&format!("apis.{api}."))).collect(),
    };
    let by_key = parts.contains(&"credential");
    let whose: Vec<&str> = if by_key { ids.iter().map(String::as_str).collect() } else { vec![account] };
    let mut all = Vec::new();
    for api in own {
        for one in &whose {
            let value = |part: &&str| match *part {
                "api" => api.to_owned(),
                "credential" => (*one).to_owned(),
                _ => account.to_owned(),
            };
            let of = if by_key { format!("key {one}") } else { "your account".to_owned() };
            all.push((api.to_owned(), parts.iter().map(value).collect(), of));
        }
    }
    all
}

fn line(stay: &Stay<'_>, limit: &LimitFacts, (api, whose): (&str, &str), values: &[String]) -> Option<Vec<Cell>> {
    let now = stay.desk.handle.account(&limit.place, values).ok()?;
    let name = limit.place.rsplit('.').next().unwrap_or_default().to_owned();
    let most = match limit.window_s {
        Some(window) => format!("{} in {}", now.limit, duration(window)),
        None => format!("{} at the same time", now.limit),
    };
    Some(vec![
        Cell::Text(name),
        Cell::Text(if api.is_empty() { "all".to_owned() } else { api.to_owned() }),
        Cell::Text(whose.to_owned()),
        Cell::Text(most),
        Cell::Number(now.remaining),
        Cell::Text(now.reset_s.filter(|_| now.remaining < now.limit).map(duration).unwrap_or_default()),
    ])
}

#[cfg(test)]
mod tests {
    use super::accounts;
    use portcullis_proxy::LimitFacts;
    use std::collections::BTreeSet;

    #[test]
    fn limits_are_told_of_the_caller_alone() {
        let facts = |place: &str, key: &[&str]| LimitFacts {
            place: place.to_owned(),
            key: key.iter().map(|part| (*part).to_owned()).collect(),
            limit: 5,
            window_s: Some(1),
            observed: false,
            exceeded: 0,
        };
        let (ids, apis) = (["k1".to_owned(), "k2".to_owned()], BTreeSet::from(["orders", "stock"]));
        let told = |place: &str, key: &[&str]| {
            let all = accounts(&facts(place, key), "ada", &ids, &apis).into_iter();
            all.map(|(api, values, _)| format!("{api}:{}", values.join("+"))).collect::<Vec<_>>()
        };
        assert_eq!(told("defaults.limits.a", &["consumer"]), [":ada"]);
        assert_eq!(told("defaults.limits.a", &["consumer", "api"]), ["orders:ada+orders", "stock:ada+stock"]);
        assert_eq!(told("apis.orders.limits.a", &["credential"]), ["orders:k1", "orders:k2"]);
        assert_eq!(told("apis.people.limits.a", &["consumer"]), [""; 0], "an API that no key is for");
        for key in [&["address"][..], &["api"], &["consumer", "route"], &["header x", "consumer"], &[]] {
            assert_eq!(told("defaults.limits.a", key), [""; 0], "{key:?}");
        }
    }
}
