//! What is done by a form: its fields become the body of an operation of the API, and what came of it becomes a page.

use super::cells::{Cell, Tone, badge, rows, shown, text};
use super::frame::{Page, framed, token};
use super::{Visit, html as html_page, see_other};
use crate::Asker;
use crate::ask::{Answer, Pairs};
use crate::guard::Asked;
use crate::problem::Problem;
use crate::table::{Endpoint, Kind, named};
use http::StatusCode;
use portcullis_portal::html::Html;
use serde_json::{Map, Value};

/// A form of an operation, with fields that nobody sees.
pub(super) fn form(
    html: &mut Html,
    visit: &Visit<'_>,
    operation: &str,
    hidden: &[(&str, &str)],
    inside: impl FnOnce(&mut Html),
) {
    html.element("form", &[("class", "act"), ("method", "post"), ("action", &format!("/act/{operation}"))], |html| {
        token(html, visit.guest);
        for (name, value) in hidden {
            html.open("input", &[("type", "hidden"), ("name", name), ("value", value)]);
        }
        inside(html);
    });
    html.line();
}

/// A field for a text.
pub(super) fn field(html: &mut Html, name: &'static str, label: &str, hint: &str, is_required: bool) {
    html.element("label", &[], |html| {
        html.text(label).text(" ");
        html.element("span", &[("class", "note")], |html| html.prose(hint).done());
        let mut attributes = vec![("name", name), ("type", "text"), ("autocomplete", "off"), ("spellcheck", "false")];
        if is_required {
            attributes.push(("required", ""));
        }
        html.open("input", &attributes);
    });
}

pub(super) fn act(visit: &Visit<'_>, asked: &Asked<'_>, id: &str) -> Result<Answer, Problem> {
    let sent = std::str::from_utf8(asked.request.body()).ok().and_then(Pairs::read);
    let sent = sent.ok_or_else(|| Problem::malformed("the form cannot be read"))?;
    asked.is_ours(visit.guest, sent.value("csrf"))?;
    let endpoint = named(id).filter(|endpoint| endpoint.method != "GET");
    let endpoint = endpoint.ok_or_else(|| Problem::nothing("there is no such operation"))?;
    let parameters = sent.values("p").map(str::to_owned).collect::<Vec<_>>();
    if parameters.len() != endpoint.path.matches('{').count() {
        return Err(Problem::malformed("the form does not say what it is about"));
    }
    let question = (parameters, Pairs::default(), body(endpoint, &sent)?);
    let (value, _) = visit.console.call(endpoint, &Asker::of(visit.guest), question, None)?;
    Ok(match endpoint.id {
        "createKey" | "rotateKey" => made(visit, &value),
        "getAccount" => told(visit, "/limits", "What is left", &value),
        "resetAccount" => told(visit, "/limits", "Forgotten", &value),
        "revokeKey" => see_other("/keys"),
        "approveKeyRequest" | "declineKeyRequest" => see_other("/accounts"),
        "acknowledgeFinding" | "pardonCaller" => see_other("/findings"),
        _ => see_other("/configuration"),
    })
}

/// The fields as members, each of the kind that the operation takes. An empty one is not there.
fn body(endpoint: &Endpoint, sent: &Pairs) -> Result<Map<String, Value>, Problem> {
    let mut body = Map::new();
    for member in endpoint.body {
        let Some(text) = sent.value(member.name).map(str::trim).filter(|text| !text.is_empty()) else { continue };
        let value = match member.kind {
            Kind::Text | Kind::MaybeText | Kind::Object | Kind::Objects => Value::from(text),
            Kind::Number | Kind::MaybeNumber => {
                let number: u64 =
                    text.parse().map_err(|_| Problem::unclear(format!("`{}` is no whole number", member.name)))?;
                Value::from(number)
            }
            Kind::Flag => Value::from(text == "on"),
            Kind::Texts => text.split([' ', ',']).filter(|part| !part.is_empty()).map(Value::from).collect(),
        };
        body.insert(member.name.to_owned(), value);
    }
    Ok(body)
}

/// A key that was made: the only page that shows it.
fn made(visit: &Visit<'_>, value: &Value) -> Answer {
    let mut page = Page::headed("/keys", "The key is made", "");
    page.body.element("p", &[("class", "warning")], |html| {
        html.text("It is shown this once. What is stored cannot be turned back into it.").done();
    });
    page.body
        .element("pre", &[("id", "key"), ("tabindex", "0")], |html| html.leaf("code", &[], &text(value, "key")).done());
    page.body.element("p", &[], |html| {
        html.text("Id ").leaf("code", &[], &text(value, "id"));
        html.text(&format!(", held by {}. ", text(value, "consumer")));
        html.link("/keys", "All keys").done();
    });
    html_page(StatusCode::CREATED, &framed(&page, Some(visit.guest)))
}

fn told(visit: &Visit<'_>, place: &'static str, title: &str, value: &Value) -> Answer {
    let mut page = Page::headed(place, title, "");
    page.body.element("p", &[], |html| badge(html, Tone::Good, "done"));
    let members = value.as_object().into_iter().flatten();
    let cells: Vec<_> = members.map(|(name, value)| vec![Cell::Code(name.clone()), Cell::Text(shown(value))]).collect();
    rows(&mut page.body, title, &["Member", "Value"], &cells, "");
    page.body.element("p", &[], |html| html.link(place, "Back").done());
    html_page(StatusCode::OK, &framed(&page, Some(visit.guest)))
}
