//! Accounts of developers, and the keys that they have asked for.

use super::Visit;
use super::act::{field, form};
use super::cells::{Cell, duration, list, moment, number, rows, text};
use super::frame::Page;
use crate::problem::Problem;
use portcullis_config::plan::Role;
use portcullis_portal::html::Html;
use serde_json::Value;

pub(super) fn page(visit: &Visit<'_>) -> Result<Page, Problem> {
    let asked = visit.all("listKeyRequests")?;
    let lead = "Those who sign in to the portal. A key that you approve is made and seen by whoever has asked, and nobody else.";
    let mut page = Page::headed("/accounts", "Developers", lead);
    page.body.leaf("h2", &[], "Keys that wait for approval").line();
    let may_decide = visit.guest.role >= Role::Admin;
    let cells = |one: &Value| {
        let id = text(one, "id");
        let mut cells = vec![
            Cell::Text(moment(one.get("asked"))),
            Cell::Text(text(one, "account")),
            Cell::Text(text(one, "apis")),
            Cell::Text(text(one, "scopes")),
            Cell::Text(duration(number(one, "lasts_s"))),
            Cell::Text(text(one, "why")),
        ];
        if may_decide {
            cells.push(Cell::Piece(decision(visit, &id)));
        }
        cells
    };
    let cells: Vec<_> = list(&asked, "requests").iter().map(cells).collect();
    let heads = ["Asked", "Account", "APIs", "Scopes", "For", "Why", "Decision"];
    let heads = if may_decide { &heads[..] } else { heads.get(..6).unwrap_or_default() };
    rows(&mut page.body, "Keys that wait for approval", heads, &cells, "Nobody waits for a key.");
    page.body.leaf("h2", &[], "Accounts").line();
    let all = visit.all("listAccounts")?;
    let cells = |one: &Value| {
        vec![
            Cell::Text(text(one, "name")),
            Cell::Text(text(one, "plan")),
            Cell::Number(number(one, "keys")),
            Cell::Text(moment(one.get("created"))),
            Cell::Text(moment(one.get("closed"))),
        ]
    };
    let cells: Vec<_> = list(&all, "accounts").iter().map(cells).collect();
    let nothing = "There is no account; `portcullis portal account create` makes one.";
    rows(&mut page.body, "Accounts", &["Account", "Plan", "Keys", "Since", "Closed"], &cells, nothing);
    Ok(page)
}

/// What can be decided about a request.
fn decision(visit: &Visit<'_>, id: &str) -> Html {
    let mut html = Html::default();
    form(&mut html, visit, "approveKeyRequest", &[("p", id)], |html| {
        html.leaf("button", &[], "Approve").done();
    });
    form(&mut html, visit, "declineKeyRequest", &[("p", id)], |html| {
        field(html, "why", "Why not", "told to whoever has asked", false);
        html.leaf("button", &[("class", "danger")], "Decline").done();
    });
    html
}
