//! `portal account` and `portal requests`: developers who sign in, and keys that they have asked for. It is the store that is changed,
//! with and without a gateway that runs: one that does sees it at the next look.

use super::admin::read_hash;
use super::keys::{Opened, unusable};
use crate::arguments::{AccountCommand, Format, RequestsCommand};
use crate::audit::{by_user, user};
use crate::ending::{Ending, Stop};
use crate::output::{Table, report, say};
use portcullis_audit_log::Entry;
use portcullis_auth::key::KeyText;
use portcullis_config::plan::AccountsPlan;
use portcullis_console::key_request_row;
use portcullis_store::{Account, Decision};
use portcullis_types::civil::Moment;
use serde_json::{Value, json};
use std::path::Path;

// LIMIT: accounts that are read from the store at once, and requests that are listed.
const PAGE: usize = 1000;
// LIMIT: characters of an account's name; of what is said to whoever has asked.
const NAME_CHARS_MAX: usize = 64;
const WHY_CHARS_MAX: usize = 300;

/// Does what was asked for with accounts.
pub(super) fn account(command: &AccountCommand) -> Result<Ending, Stop> {
    match command {
        AccountCommand::Create { config, name, plan, form } => create(&config.path, (name, plan), form.format),
        AccountCommand::List { config, form } => list(&Opened::at(&config.path)?, form.format),
        AccountCommand::Password { config, name } => {
            let opened = existing(&config.path, name)?;
            let password = read_hash()?;
            change(&opened, name, by_user("portal.account_password"), |one| one.password = password)
        }
        AccountCommand::Plan { config, name, plan } => {
            let opened = existing(&config.path, name)?;
            known(&opened, plan)?;
            let entry = by_user("portal.account_plan").with("plan", plan.as_str());
            change(&opened, name, entry, |one| one.plan.clone_from(plan))
        }
        AccountCommand::Close { config, name, keep_keys, form } => {
            close(&existing(&config.path, name)?, (name, *keep_keys), form.format)
        }
        AccountCommand::Open { config, name } => {
            let opened = existing(&config.path, name)?;
            change(&opened, name, by_user("portal.account_open"), |one| one.closed_at = None)
        }
    }
}

/// Does what was asked for with what developers have asked for.
pub(super) fn requests(command: &RequestsCommand) -> Result<Ending, Stop> {
    match command {
        RequestsCommand::List { config, form } => waiting(&Opened::at(&config.path)?, form.format),
        RequestsCommand::Approve { config, id } => {
            let opened = Opened::at(&config.path)?;
            let (by, at) = (user(), opened.now);
            decide(&opened, id, by_user("portal.key_approve"), Decision::Approved { by, at })
        }
        RequestsCommand::Decline { config, id, why } => {
            if why.chars().count() > WHY_CHARS_MAX || why.chars().any(char::is_control) {
                let text = format!("`--why` has at most {WHY_CHARS_MAX} characters, on one line");
                return Err(Stop::environment(text));
            }
            let opened = Opened::at(&config.path)?;
            let (by, at, why) = (user(), opened.now, why.clone());
            decide(&opened, id, by_user("portal.key_decline"), Decision::Declined { by, at, why })
        }
    }
}

/// The accounts of a configuration, in which there has to be such a plan.
fn known<'o>(opened: &'o Opened, plan: &str) -> Result<&'o AccountsPlan, Stop> {
    let accounts = opened.plan.portal.as_ref().and_then(|portal| portal.accounts.as_ref());
    let accounts = accounts.ok_or_else(|| Stop::environment("the configuration has no `portal.accounts`"))?;
    if accounts.offer(plan).is_none() {
        let names: Vec<&str> = accounts.plans.iter().map(|plan| &*plan.name).collect();
        return Err(Stop::environment(format!("there is no plan `{plan}`; there is {}", names.join(", "))));
    }
    Ok(accounts)
}

/// The store, in which there has to be such an account.
fn existing(path: &Path, name: &str) -> Result<Opened, Stop> {
    let opened = Opened::at(path)?;
    if opened.store.account(name).map_err(unusable)?.is_none() {
        let text = format!("there is no account `{name}`; `portcullis portal account list` lists them");
        return Err(Stop::Unfit(text));
    }
    Ok(opened)
}

fn create(path: &Path, (name, plan): (&str, &str), format: Format) -> Result<Ending, Stop> {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if name.is_empty() || !is_plain || name.len() > NAME_CHARS_MAX {
        let text = format!("an account is named by 1 to {NAME_CHARS_MAX} letters, digits, `_`, `-` or `.`");
        return Err(Stop::environment(text));
    }
    let opened = Opened::at(path)?;
    known(&opened, plan)?;
    if opened.store.account(name).map_err(unusable)?.is_some() {
        return Err(Stop::Unfit(format!("there is an account `{name}` already")));
    }
    let (name, plan, password) = (name.to_owned(), plan.to_owned(), read_hash()?);
    let account = Account { name, password, plan, created_at: opened.now, closed_at: None };
    opened.note(by_user("portal.account_create").with("account", &*account.name).with("plan", &*account.plan))?;
    opened.store.create_account(&account).map_err(unusable)?;
    let text = || format!("`{}` may sign in, with the plan `{}`\n", account.name, account.plan);
    report(format, text, || json!({ "account": account.name, "plan": account.plan }))?;
    Ok(Ending::Done)
}

fn change(opened: &Opened, name: &str, entry: Entry, act: impl FnOnce(&mut Account)) -> Result<Ending, Stop> {
    opened.note(entry.with("account", name))?;
    opened.store.change_account(name, act).map_err(unusable)?;
    say(&format!("`{name}` is changed"))?;
    Ok(Ending::Done)
}

fn close(opened: &Opened, (name, keep_keys): (&str, bool), format: Format) -> Result<Ending, Stop> {
    let own = opened.store.own_keys(name).map_err(unusable)?;
    let open = own.iter().filter(|one| one.is_open(opened.now) && !keep_keys);
    let numbers: Vec<u64> = open.map(|one| one.listed.record.number).collect();
    let ids: Vec<String> = numbers.iter().copied().map(KeyText::id_of).collect();
    opened.note(by_user("portal.account_close").with("account", name).with("keys", ids.clone()))?;
    // First the account: nobody makes another key meanwhile.
    opened.store.change_account(name, |one| one.closed_at = Some(opened.now)).map_err(unusable)?;
    opened.store.revoke(&numbers, opened.now).map_err(unusable)?;
    let text = || format!("`{name}` is closed, and {} of its keys are revoked\n", ids.len());
    report(format, text, || json!({ "account": name, "revoked": ids }))?;
    Ok(Ending::Done)
}

fn list(opened: &Opened, format: Format) -> Result<Ending, Stop> {
    let mut all: Vec<(Account, usize, usize)> = Vec::new();
    loop {
        let after = all.last().map(|(account, ..)| account.name.clone()).unwrap_or_default();
        let page = opened.store.accounts(&after, PAGE).map_err(unusable)?;
        if page.is_empty() {
            break;
        }
        for account in page {
            let applications = opened.store.applications(&account.name).map_err(unusable)?.len();
            let keys = opened.store.own_keys(&account.name).map_err(unusable)?;
            let keys = keys.iter().filter(|one| one.is_current(opened.now)).count();
            all.push((account, applications, keys));
        }
    }
    let text = || {
        let mut table = Table::new(["ACCOUNT", "PLAN", "STATE", "APPLICATIONS", "KEYS", "SINCE"]);
        for (account, applications, keys) in &all {
            let state = if account.closed_at.is_some() { "closed" } else { "open" };
            let (applications, keys) = (applications.to_string(), keys.to_string());
            let (name, plan) = (account.name.clone(), account.plan.clone());
            table.row([name, plan, state.to_owned(), applications, keys, Moment::told(account.created_at)]);
        }
        table.text()
    };
    let row = |(account, applications, keys): &(Account, usize, usize)| {
        json!({
            "account": account.name, "plan": account.plan, "created": account.created_at, "closed": account.closed_at,
            "applications": applications, "keys": keys,
        })
    };
    report(format, text, || json!({ "accounts": all.iter().map(row).collect::<Vec<Value>>() }))?;
    Ok(Ending::Done)
}

fn waiting(opened: &Opened, format: Format) -> Result<Ending, Stop> {
    let all = opened.store.waiting_requests(PAGE).map_err(unusable)?;
    let text = || {
        let mut table = Table::new(["ID", "ACCOUNT", "APIS", "SCOPES", "DAYS", "SINCE", "WHAT FOR"]);
        for one in &all {
            let days = (one.lasts_s / 86_400).to_string();
            let (apis, scopes) = (one.apis.join(" "), one.scopes.join(" "));
            let (id, account) = (KeyText::id_of(one.id), one.account.clone());
            table.row([id, account, apis, scopes, days, Moment::told(one.asked_at), one.why.clone()]);
        }
        table.text()
    };
    report(format, text, || json!({ "requests": all.iter().map(key_request_row).collect::<Vec<Value>>() }))?;
    Ok(Ending::Done)
}

fn decide(opened: &Opened, id: &str, entry: Entry, decision: Decision) -> Result<Ending, Stop> {
    let none = || Stop::Unfit(format!("there is no request {id}; `portcullis portal requests list` lists them"));
    let number = KeyText::number_of(id).ok_or_else(none)?;
    let request = opened.store.key_request(number).map_err(|_| none())?;
    opened.note(entry.with("request", id).with("account", &*request.account))?;
    let word = decision.name();
    opened.store.decide_request(&request.account, number, decision).map_err(unusable)?;
    say(&format!("the key that `{}` has asked for is {word}", request.account))?;
    Ok(Ending::Done)
}
