//! Keys of consumers: which there are, one of them, to make, replace and revoke.

use super::Visit;
use super::act::{field, form};
use super::cells::{self, Cell, Tone, moment, rows, shown, text};
use super::frame::Page;
use crate::problem::Problem;
use portcullis_config::plan::Role;
use portcullis_types::percent::encoded;
use serde_json::{Map, Value};

fn tone(state: &str) -> Tone {
    match state {
        "good" => Tone::Good,
        "replaced" => Tone::Warn,
        _ => Tone::Plain,
    }
}

fn list_cells(one: &Value) -> Vec<Cell> {
    let (id, state) = (text(one, "id"), text(one, "state"));
    let apis = text(one, "apis");
    vec![
        Cell::Link(format!("/keys/{}", encoded(&id)), id),
        Cell::Text(text(one, "consumer")),
        Cell::Badge(tone(&state), state),
        Cell::Text(text(one, "scopes")),
        Cell::Text(text(one, "roles")),
        Cell::Text(if apis.is_empty() { "all".to_owned() } else { apis }),
        Cell::Text(moment(one.get("expires"))),
        Cell::Text(moment(one.get("last_used"))),
    ]
}

pub(super) fn list(visit: &Visit<'_>) -> Result<Page, Problem> {
    let query = visit.query.value("from").map_or_else(String::new, |from| format!("from={}", encoded(from)));
    let found = visit.ask("listKeys", Vec::new(), &query)?;
    let mut page =
        Page::headed("/keys", "Keys", "API keys of consumers. What is stored cannot be turned back into a key.");
    let cells: Vec<_> = list_of(&found);
    let heads = ["Id", "Holder", "State", "Scopes", "Roles", "APIs", "Ends", "Last used"];
    rows(&mut page.body, "API keys", &heads, &cells, "There is no key.");
    if let Some(next) = found.get("next").and_then(Value::as_str) {
        page.body.element("p", &[], |html| html.link(&format!("/keys?from={}", encoded(next)), "More keys").done());
    }
    if visit.guest.role >= Role::Admin {
        page.body.leaf("h2", &[], "Make a key").line();
        form(&mut page.body, visit, "createKey", &[], |html| {
            html.element("div", &[("class", "fields")], |html| {
                field(html, "consumer", "Holder", "an id, such as `acme`", true);
                field(html, "scopes", "Scopes", "with blanks between", false);
                field(html, "roles", "Roles", "with blanks between", false);
                field(html, "apis", "APIs", "all without one", false);
                field(html, "networks", "Networks", "anywhere without one", false);
                field(html, "expires_days", "Ends in days", "never without it", false);
            });
            html.leaf("button", &[], "Make the key").done();
        });
    }
    Ok(page)
}

fn list_of(found: &Value) -> Vec<Vec<Cell>> {
    cells::list(found, "keys").iter().map(list_cells).collect()
}

pub(super) fn one(visit: &Visit<'_>, id: &str) -> Result<Page, Problem> {
    let key = visit.ask("getKey", vec![id.to_owned()], "")?;
    let mut page =
        Page::headed("/keys", &format!("Key {}", text(&key, "id")), &format!("Held by {}.", text(&key, "consumer")));
    let empty = Map::new();
    let members = key.as_object().unwrap_or(&empty).iter();
    let cells = members.map(|(name, value)| {
        let is_time = ["created", "expires", "revoked", "last_used"].contains(&name.as_str());
        vec![Cell::Code(name.clone()), Cell::Text(if is_time { moment(Some(value)) } else { shown(value) })]
    });
    let cells: Vec<_> = cells.collect();
    rows(&mut page.body, "What is known of the key", &["Member", "Value"], &cells, "");
    if visit.guest.role >= Role::Admin && text(&key, "state") != "revoked" {
        let part = [("p", id)];
        page.body.leaf("h2", &[], "Replace or revoke it").line();
        form(&mut page.body, visit, "rotateKey", &part, |html| {
            field(html, "overlap_hours", "Hours for which it still opens", "24 without it", false);
            html.leaf("button", &[], "Make its successor").done();
        });
        form(&mut page.body, visit, "revokeKey", &part, |html| {
            html.leaf("button", &[("class", "danger")], "Revoke it now").done();
        });
    }
    Ok(page)
}
