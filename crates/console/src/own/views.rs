//! What is shown: an account with its applications, one of them, one of its keys.

use super::fields::{DAY_SECONDS, HOUR_SECONDS, NAME_CHARS_MAX, TEXT_CHARS_MAX};
use super::sheet::{Sheet, field, form, ticks};
use super::{BASE, Outcome, Stay};
use crate::api::keys::state_of;
use crate::pages::cells::{Cell, Tone, badge, rows};
use http::StatusCode;
use portcullis_auth::key::KeyText;
use portcullis_config::plan::OfferPlan;
use portcullis_portal::html::Html;
use portcullis_store::{Decision, KeyRequest, OwnKey};
use portcullis_types::civil::Moment;

const KEY_HEADS: [&str; 6] = ["Key", "State", "APIs", "Scopes", "Ends", "Last used"];

pub(super) fn overview(stay: &Stay<'_>) -> Outcome {
    let (handle, account) = (&stay.desk.handle, stay.account());
    let applications = handle.with_store(|store| store.applications(account))?;
    let keys = handle.with_store(|store| store.own_keys(account))?;
    let mut sheet = Sheet::headed("Your account", "");
    sheet.body.element("p", &[("class", "lead")], |html| {
        html.text("Signed in as ").leaf("strong", &[], account).text(&format!(", plan {}. ", stay.guest.role));
    });
    sheet.body.element("p", &[], |html| {
        html.link(&format!("{BASE}/usage"), "What you have called, and what is left").text(" · ");
        html.link(&format!("{BASE}/refusals"), "What was refused, and why").done();
    });
    form(&mut sheet.body, stay, "sign-out", |html| html.leaf("button", &[], "Sign out").done());
    sheet.body.leaf("h2", &[], "Applications").line();
    let now = stay.now();
    let cells: Vec<_> = applications
        .iter()
        .map(|one| {
            let current = keys.iter().filter(|key| key.application == one.id && key.is_current(now)).count();
            let address = format!("{BASE}/applications/{}", KeyText::id_of(one.id));
            vec![
                Cell::Link(address, one.name.clone()),
                Cell::Text(one.about.clone()),
                Cell::Number(u64::try_from(current).unwrap_or(u64::MAX)),
                Cell::Text(Moment::told(one.created_at)),
            ]
        })
        .collect();
    let heads = ["Name", "About", "Keys", "Since"];
    rows(&mut sheet.body, "Your applications", &heads, &cells, "There is none yet. Keys are made for applications.");
    match stay.offer() {
        Err(problem) => {
            sheet.body.element("p", &[("class", "warning")], |html| html.prose(&problem.detail).done()).line();
        }
        Ok(offer) if applications.len() < offer.applications => create_form(&mut sheet.body, stay),
        Ok(offer) => {
            sheet
                .body
                .leaf("p", &[("class", "note")], &format!("Your plan has {} of them.", offer.applications))
                .line();
        }
    }
    if let Ok(offer) = stay.offer() {
        plan(&mut sheet.body, offer);
    }
    Ok(stay.answer(StatusCode::OK, &sheet))
}

fn create_form(html: &mut Html, stay: &Stay<'_>) {
    html.leaf("h3", &[], "Make an application").line();
    form(html, stay, "applications", |html| {
        let (name, text) = (NAME_CHARS_MAX.to_string(), TEXT_CHARS_MAX.to_string());
        field(html, ("name", "Name", ""), &[("type", "text"), ("maxlength", &name), ("required", "")]);
        field(html, ("about", "About", "may be left out"), &[("type", "text"), ("maxlength", &text)]);
        html.leaf("button", &[], "Make the application").done();
    });
}

/// What an account may have.
fn plan(html: &mut Html, offer: &OfferPlan) {
    html.leaf("h2", &[], "Your plan").line();
    let listed = |all: &[String]| if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    let apis: Vec<String> = offer.apis.iter().map(ToString::to_string).collect();
    let facts = [
        ("APIs", listed(&apis)),
        ("Scopes that a key can have", listed(&offer.scopes)),
        ("Roles of each key", listed(&offer.roles)),
        ("Applications", offer.applications.to_string()),
        ("Keys", offer.keys.to_string()),
        ("A key ends after", length(offer.expires.as_secs())),
        ("A key that is replaced opens for", format!("{} at the longest", length(offer.overlap.as_secs()))),
        ("A key is made", if offer.approval { "once it is approved" } else { "at once" }.to_owned()),
    ];
    let cells: Vec<_> =
        facts.into_iter().map(|(name, value)| vec![Cell::Text(name.to_owned()), Cell::Text(value)]).collect();
    rows(html, "What your plan has", &["What", "How much"], &cells, "");
}

/// A length of time in the largest unit that says it exactly.
fn length(seconds: u64) -> String {
    let (count, unit) = match seconds {
        seconds if seconds.is_multiple_of(DAY_SECONDS) => (seconds / DAY_SECONDS, "days"),
        seconds if seconds.is_multiple_of(HOUR_SECONDS) => (seconds / HOUR_SECONDS, "hours"),
        seconds => (seconds, "seconds"),
    };
    format!("{count} {unit}")
}

pub(super) fn application(stay: &Stay<'_>) -> Outcome {
    let id = stay.number("application")?;
    let (handle, account, now) = (&stay.desk.handle, stay.account(), stay.now());
    let application = handle.with_store(|store| store.application(account, id))?;
    let keys = handle.with_store(|store| store.own_keys(account))?;
    let requests = handle.with_store(|store| store.key_requests(account))?;
    let mut sheet = Sheet::below(&application.name, "");
    if !application.about.is_empty() {
        sheet.body.leaf("p", &[("class", "lead")], &application.about).line();
    }
    sheet.body.leaf("h2", &[], "Keys").line();
    let own = keys.iter().rev().filter(|one| one.application == id);
    let cells: Vec<_> = own.map(|one| key_cells(one, now)).collect();
    rows(&mut sheet.body, "Keys of this application", &KEY_HEADS, &cells, "There is none yet.");
    let own: Vec<_> = requests.iter().rev().filter(|one| one.application == id).collect();
    if !own.is_empty() {
        asked(&mut sheet.body, stay, &own);
    }
    match stay.offer() {
        Err(problem) => {
            sheet.body.element("p", &[("class", "warning")], |html| html.prose(&problem.detail).done()).line();
        }
        Ok(offer) if keys.iter().filter(|one| one.is_current(now)).count() < offer.keys => {
            key_form(&mut sheet.body, stay, offer);
        }
        Ok(offer) => {
            let text = format!("Your plan has {} keys, and you have them. Revoke one to make another.", offer.keys);
            sheet.body.leaf("p", &[("class", "note")], &text).line();
        }
    }
    sheet.body.leaf("h2", &[], "End the application").line();
    sheet.body.leaf("p", &[], "Its keys are revoked at once. This cannot be undone.").line();
    form(&mut sheet.body, stay, &format!("applications/{}/end", stay.id), |html| {
        html.leaf("button", &[("class", "danger")], "End it and revoke its keys").done();
    });
    Ok(stay.answer(StatusCode::OK, &sheet))
}

fn key_form(html: &mut Html, stay: &Stay<'_>, offer: &OfferPlan) {
    let word = if offer.approval { "Ask for a key" } else { "Make a key" };
    html.leaf("h2", &[], word).line();
    form(html, stay, &format!("applications/{}/keys", stay.id), |html| {
        ticks(html, "api", "APIs that it is for", offer.apis.iter().map(|name| &**name));
        if !offer.scopes.is_empty() {
            ticks(html, "scope", "What it may do (scopes)", offer.scopes.iter().map(String::as_str));
        }
        let days = offer.expires.as_secs() / DAY_SECONDS;
        if days > 0 {
            let (note, most) = (format!("{days} at most, and without a number"), days.to_string());
            field(html, ("days", "Ends in days", &note), &[("type", "number"), ("min", "1"), ("max", &most)]);
        }
        if offer.approval {
            let most = TEXT_CHARS_MAX.to_string();
            let texts = ("why", "What it is for", "whoever approves reads it");
            field(html, texts, &[("type", "text"), ("maxlength", &most)]);
        }
        html.leaf("button", &[], word).done();
    });
}

fn tone(state: &str) -> Tone {
    match state {
        "good" => Tone::Good,
        "replaced" => Tone::Warn,
        _ => Tone::Plain,
    }
}

fn key_cells(one: &OwnKey, now: u64) -> Vec<Cell> {
    let (record, state) = (&one.listed.record, state_of(&one.listed.record, now));
    let id = KeyText::id_of(record.number);
    vec![
        Cell::Link(format!("{BASE}/keys/{id}"), id),
        Cell::Badge(tone(state), state.to_owned()),
        Cell::Text(record.apis.join(", ")),
        Cell::Text(record.scopes.join(", ")),
        Cell::Text(record.expires_at.map(Moment::told).unwrap_or_default()),
        Cell::Text(one.listed.last_used_at.map_or_else(|| "never".to_owned(), Moment::told)),
    ]
}

/// Keys that were asked for.
fn asked(html: &mut Html, stay: &Stay<'_>, requests: &[&KeyRequest]) {
    html.leaf("h2", &[], "Keys that you have asked for").line();
    let cells: Vec<_> = requests
        .iter()
        .map(|one| {
            let (id, mut piece) = (KeyText::id_of(one.id), Html::default());
            match &one.decision {
                Decision::Waiting => {
                    badge(&mut piece, Tone::Plain, "waits for approval");
                    form(&mut piece, stay, &format!("requests/{id}/withdraw"), |html| {
                        html.leaf("button", &[], "Take it back").done();
                    });
                }
                Decision::Approved { .. } => {
                    badge(&mut piece, Tone::Good, "approved");
                    form(&mut piece, stay, &format!("requests/{id}/make"), |html| {
                        html.leaf("button", &[], "Make the key").done();
                    });
                }
                Decision::Declined { why, .. } => {
                    badge(&mut piece, Tone::Warn, "declined");
                    piece.text(" ").text(why);
                }
                Decision::Made { key } => {
                    let key = KeyText::id_of(*key);
                    piece.text("made: ").link(&format!("{BASE}/keys/{key}"), &key);
                }
            }
            vec![
                Cell::Text(Moment::told(one.asked_at)),
                Cell::Text(one.apis.join(", ")),
                Cell::Text(one.scopes.join(", ")),
                Cell::Text(one.why.clone()),
                Cell::Piece(piece),
            ]
        })
        .collect();
    rows(html, "Keys that you have asked for", &["When", "APIs", "Scopes", "What for", "State"], &cells, "");
}

pub(super) fn key(stay: &Stay<'_>) -> Outcome {
    let number = stay.number("key")?;
    let (handle, account, now) = (&stay.desk.handle, stay.account(), stay.now());
    let own = handle.with_store(|store| store.own_key(account, number))?;
    let (record, state) = (&own.listed.record, state_of(&own.listed.record, now));
    let mut sheet = Sheet::below(&format!("Key {}", stay.id), "");
    let listed = |all: &[String]| if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    let facts = [
        ("State", state.to_owned()),
        ("APIs", listed(&record.apis)),
        ("Scopes", listed(&record.scopes)),
        ("Roles", listed(&record.roles)),
        ("Made", Moment::told(record.created_at)),
        ("Ends", record.expires_at.map(Moment::told).unwrap_or_else(|| "never".to_owned())),
        ("Revoked", record.revoked_at.map(Moment::told).unwrap_or_default()),
        ("Last used, to the hour", own.listed.last_used_at.map_or_else(|| "never".to_owned(), Moment::told)),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    let cells: Vec<_> = facts.map(|(name, value)| vec![Cell::Text(name.to_owned()), Cell::Text(value)]).collect();
    rows(&mut sheet.body, "What is known of the key", &["What", "Value"], &cells, "");
    sheet.body.element("p", &[], |html| {
        let application = KeyText::id_of(own.application);
        html.link(&format!("{BASE}/applications/{application}"), "Its application");
        if let Some(next) = record.rotated_to.map(KeyText::id_of) {
            html.text(" · ").link(&format!("{BASE}/keys/{next}"), "The key that takes its place");
        }
    });
    sheet.body.line();
    if own.is_current(now)
        && let Ok(offer) = stay.offer()
    {
        rotate_form(&mut sheet.body, stay, offer);
    }
    if own.is_open(now) {
        sheet.body.leaf("h2", &[], "Revoke it").line();
        sheet.body.leaf("p", &[], "It opens nothing any more, from now on. This cannot be undone.").line();
        form(&mut sheet.body, stay, &format!("keys/{}/revoke", stay.id), |html| {
            html.leaf("button", &[("class", "danger")], "Revoke it now").done();
        });
    }
    Ok(stay.answer(StatusCode::OK, &sheet))
}

fn rotate_form(html: &mut Html, stay: &Stay<'_>, offer: &OfferPlan) {
    html.leaf("h2", &[], "Replace it").line();
    html.leaf("p", &[], "Another key may what this one may. Both open for a while, so that you can change over.")
        .line();
    form(html, stay, &format!("keys/{}/rotate", stay.id), |html| {
        let hours = offer.overlap.as_secs() / HOUR_SECONDS;
        if hours > 0 {
            let (note, most) = (format!("{hours} at most, and without a number"), hours.to_string());
            let texts = ("overlap_hours", "Hours for which this one opens still", note.as_str());
            field(html, texts, &[("type", "number"), ("min", "0"), ("max", &most)]);
        }
        html.leaf("button", &[], "Make its successor").done();
    });
}
