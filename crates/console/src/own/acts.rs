//! What is done: each is written down first, and within what the account may have and nothing else.

use super::fields::{HOUR_SECONDS, NAME_CHARS_MAX, TEXT_CHARS_MAX, Wanted};
use super::sheet::Sheet;
use super::{BASE, Outcome, SIGN_IN, Stay, WORDS};
use crate::door::random;
use crate::entrance::Entrance;
use crate::pages::{see_other, with_cookie};
use crate::problem::Problem;
use http::StatusCode;
use portcullis_auth::key::{KeyRecord, KeyText, KeyWish};
use portcullis_config::plan::OfferPlan;
use portcullis_store::{Application, Decision, KeyRequest};
use serde_json::json;

pub(super) fn sign_out(stay: &Stay<'_>) -> Outcome {
    let desk = stay.desk;
    let entrance = Entrance { door: &desk.door, orders: &desk.orders, words: WORDS };
    entrance.log_out(&stay.by(), &stay.guest.session);
    Ok(with_cookie(see_other(SIGN_IN), &stay.asked.set_cookie(None)))
}

/// A number that nobody can guess.
fn fresh() -> Result<u64, Problem> {
    let bytes = random().ok_or_else(Problem::busy)?;
    let mut number = [0; 8];
    number.copy_from_slice(bytes.get(..8).unwrap_or(&[0; 8]));
    // Of the numbers that people can write.
    KeyText::number_of(&KeyText::id_of(u64::from_le_bytes(number) >> 8)).ok_or_else(Problem::busy)
}

pub(super) fn create_application(stay: &Stay<'_>) -> Outcome {
    let offer = stay.offer()?;
    let name = stay.line("name", NAME_CHARS_MAX)?;
    if name.is_empty() {
        return Err(Problem::unclear("an application has a name"));
    }
    let about = stay.line("about", TEXT_CHARS_MAX)?;
    let (id, account) = (fresh()?, stay.account().to_owned());
    let application = Application { id, account, name, about, created_at: stay.now() };
    stay.note("portal.application_create", json!({ "application": KeyText::id_of(id), "name": application.name }))?;
    stay.desk.handle.with_store(|store| store.create_application(&application, offer.applications))?;
    Ok(see_other(&format!("{BASE}/applications/{}", KeyText::id_of(id))))
}

pub(super) fn end_application(stay: &Stay<'_>) -> Outcome {
    let id = stay.number("application")?;
    let (handle, account) = (&stay.desk.handle, stay.account());
    let application = handle.with_store(|store| store.application(account, id))?;
    stay.note_always("portal.application_end", json!({ "application": stay.id, "name": application.name }))?;
    let now = stay.now();
    handle.with_store(|store| store.remove_application(account, id, now))?;
    Ok(see_other(BASE))
}

/// Makes a key, or asks for one where an operator has to approve.
pub(super) fn create_key(stay: &Stay<'_>) -> Outcome {
    let offer = stay.offer()?;
    let id = stay.number("application")?;
    let (handle, account) = (&stay.desk.handle, stay.account());
    let application = handle.with_store(|store| store.application(account, id))?;
    let wanted = stay.wanted(offer)?;
    if offer.approval {
        return ask_for_key(stay, offer, &application, wanted);
    }
    let (key, record) = minted(stay, offer, &wanted)?;
    stay.note("keys.create", details(&record, id))?;
    handle.with_store(|store| store.create_own_key(account, id, &record, offer.keys))?;
    Ok(made(stay, &key, &record))
}

fn ask_for_key(stay: &Stay<'_>, offer: &OfferPlan, application: &Application, wanted: Wanted) -> Outcome {
    let Wanted { apis, scopes, lasts_s } = wanted;
    let (why, decision) = (stay.line("why", TEXT_CHARS_MAX)?, Decision::Waiting);
    let (id, account, asked_at) = (fresh()?, stay.account().to_owned(), stay.now());
    let request =
        KeyRequest { id, account, application: application.id, apis, scopes, lasts_s, why, asked_at, decision };
    let (name, number) = (KeyText::id_of(id), KeyText::id_of(application.id));
    let details = json!({ "request": name, "application": number, "apis": request.apis, "scopes": request.scopes });
    stay.note("portal.key_request", details)?;
    stay.desk.handle.with_store(|store| store.ask_for_key(&request, offer.keys))?;
    Ok(see_other(&format!("{BASE}/applications/{number}")))
}

/// A new key as it is wanted, which opens nothing until it is stored.
fn minted(stay: &Stay<'_>, offer: &OfferPlan, wanted: &Wanted) -> Result<(KeyText, KeyRecord), Problem> {
    let wish = KeyWish {
        consumer: stay.account().to_owned(),
        username: None,
        scopes: wanted.scopes.clone(),
        roles: offer.roles.clone(),
        apis: wanted.apis.clone(),
        networks: Vec::new(),
        expires_in_s: Some(wanted.lasts_s),
    };
    Ok(stay.desk.handle.mint_key(&wish)?)
}

fn details(record: &KeyRecord, application: u64) -> serde_json::Value {
    json!({
        "key": KeyText::id_of(record.number), "consumer": record.consumer, "application": KeyText::id_of(application),
        "scopes": record.scopes, "roles": record.roles, "apis": record.apis, "expires": record.expires_at,
    })
}

/// Makes the key that was approved. What the plan does not have any more is not made, whatever was approved.
pub(super) fn make_key(stay: &Stay<'_>) -> Outcome {
    let offer = stay.offer()?;
    let id = stay.number("request")?;
    let (handle, account) = (&stay.desk.handle, stay.account());
    let requests = handle.with_store(|store| store.key_requests(account))?;
    let request = requests.into_iter().find(|one| one.id == id);
    let request = request.ok_or_else(|| Problem::nothing("there is no such request"))?;
    if !matches!(request.decision, Decision::Approved { .. }) {
        return Err(Problem::refused("this is not approved, or made already"));
    }
    let KeyRequest { apis, scopes, lasts_s, application, .. } = request;
    fits(offer, &apis, &scopes)?;
    let wanted = Wanted { apis, scopes, lasts_s: lasts_s.min(offer.expires.as_secs()) };
    let (key, record) = minted(stay, offer, &wanted)?;
    stay.note("keys.create", details(&record, application))?;
    handle.with_store(|store| store.make_requested_key(account, id, &record, offer.keys))?;
    Ok(made(stay, &key, &record))
}

/// Whether a plan still has what a key is to be for.
fn fits(offer: &OfferPlan, apis: &[String], scopes: &[String]) -> Result<(), Problem> {
    let has_apis = !apis.is_empty() && apis.iter().all(|name| offer.apis.iter().any(|have| **have == *name));
    if has_apis && scopes.iter().all(|scope| offer.scopes.contains(scope)) {
        return Ok(());
    }
    Err(Problem::forbidden("your plan does not have all that this key is for any more; make another one"))
}

pub(super) fn withdraw(stay: &Stay<'_>) -> Outcome {
    let id = stay.number("request")?;
    let (handle, account) = (&stay.desk.handle, stay.account());
    let requests = handle.with_store(|store| store.key_requests(account))?;
    let request = requests.into_iter().find(|one| one.id == id);
    let request = request.ok_or_else(|| Problem::nothing("there is no such request"))?;
    stay.note("portal.key_request_withdraw", json!({ "request": stay.id }))?;
    handle.with_store(|store| store.withdraw_request(account, id))?;
    Ok(see_other(&format!("{BASE}/applications/{}", KeyText::id_of(request.application))))
}

pub(super) fn rotate_key(stay: &Stay<'_>) -> Outcome {
    let offer = stay.offer()?;
    let number = stay.number("key")?;
    let (handle, account) = (&stay.desk.handle, stay.account());
    let own = handle.with_store(|store| store.own_key(account, number))?;
    let old = own.listed.record;
    let overlap_s = stay.seconds("overlap_hours", HOUR_SECONDS, offer.overlap.as_secs())?;
    fits(offer, &old.apis, &old.scopes)?;
    if !old.roles.iter().all(|role| offer.roles.contains(role)) {
        return Err(Problem::forbidden("your plan does not have all that this key is for any more; make another one"));
    }
    let (key, mut record) = handle.mint_key(&KeyWish::default())?;
    record.expires_at = Some(end_of_successor(offer, &old, record.created_at));
    let details = json!({ "key": stay.id, "successor": key.id(), "overlap_hours": overlap_s / HOUR_SECONDS });
    stay.note("keys.rotate", details)?;
    let record = handle.with_store(|store| store.rotate_own_key(account, number, record, overlap_s))?;
    Ok(made(stay, &key, &record))
}

/// When a key ends that takes the place of another one: after as long as that one was made for, or with it where somebody has approved
/// its end.
fn end_of_successor(offer: &OfferPlan, old: &KeyRecord, now: u64) -> u64 {
    let latest = now.saturating_add(offer.expires.as_secs());
    let Some(end) = old.expires_at else { return latest };
    let again = now.saturating_add(end.saturating_sub(old.created_at));
    latest.min(if offer.approval { end } else { again })
}

pub(super) fn revoke_key(stay: &Stay<'_>) -> Outcome {
    let number = stay.number("key")?;
    let (handle, account, now) = (&stay.desk.handle, stay.account(), stay.now());
    let own = handle.with_store(|store| store.own_key(account, number))?;
    if own.listed.record.revoked_at.is_none() {
        stay.note_always("keys.revoke", json!({ "keys": [stay.id] }))?;
        handle.with_store(|store| store.revoke_own_key(account, number, now))?;
    }
    Ok(see_other(&format!("{BASE}/keys/{}", stay.id)))
}

/// A key that was made: the only page that shows it.
fn made(stay: &Stay<'_>, key: &KeyText, record: &KeyRecord) -> crate::Answer {
    let mut sheet = Sheet::headed("The key is made", "");
    sheet.body.element("p", &[("class", "warning")], |html| {
        html.text("Copy it now: it is shown this once. What is stored cannot be turned back into it.").done();
    });
    sheet.body.element("pre", &[("id", "key"), ("tabindex", "0"), ("aria-label", "The key")], |html| {
        html.leaf("code", &[], key.reveal()).done();
    });
    sheet.body.element("p", &[], |html| {
        html.text("It is called ").leaf("code", &[], key.id()).text(" from now on, and opens ");
        html.text(&record.apis.join(", ")).text(". ");
        html.link(&format!("{BASE}/keys/{}", key.id()), "What is known of it").text(" · ");
        html.link(BASE, "Your account").done();
    });
    stay.answer(StatusCode::CREATED, &sheet)
}
