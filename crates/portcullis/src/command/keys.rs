//! `keys`: the API keys of the store. A key is shown once, when it is made; everything later speaks of its id.

use crate::arguments::{CreateKey, Format, KeysCommand};
use crate::audit::{Audit, by_user, random};
use crate::ending::{Ending, Stop};
use crate::output::{Table, bold, faint, report};
use crate::service::read;
use portcullis_audit_log::Entry;
use portcullis_auth::key::{ENTROPY_BYTES, KeyRecord, KeyText, KeyWish, LeakScan, Peppers};
use portcullis_config::plan::Plan;
use portcullis_console::{key_row, key_state};
use portcullis_store::{Home, Store};
use portcullis_types::Clock;
use serde_json::json;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::SystemTime;

/// Keys that are read from the store at once.
const PAGE: usize = 1000;
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// A store that is open, with what belongs to it.
pub(super) struct Opened {
    pub(super) plan: Plan,
    pub(super) store: Store,
    peppers: Peppers,
    audit: Audit,
    pub(super) now: u64,
}

/// Does what was asked for.
pub(super) fn keys(command: &KeysCommand) -> Result<Ending, Stop> {
    match command {
        KeysCommand::Create(wanted) => create(wanted),
        KeysCommand::List { config, form } => list(&Opened::at(&config.path)?, form.format),
        KeysCommand::Rotate { config, id, overlap_hours, form } => {
            rotate(&Opened::at(&config.path)?, id, *overlap_hours, form.format)
        }
        KeysCommand::Revoke { config, ids, form } => revoke(&Opened::at(&config.path)?, ids, form.format),
        KeysCommand::Leaked { config, file, form } => leaked(&Opened::at(&config.path)?, file, form.format),
    }
}

// === impl Opened ===

impl Opened {
    pub(super) fn at(path: &Path) -> Result<Self, Stop> {
        let plan = read(path)?.plan;
        let Some(folder) = &plan.identity.store else {
            let text = format!("{} names no store; add `store: {{ path: ./portcullis-data }}`", path.display());
            return Err(Stop::environment(text));
        };
        let (store, peppers) = Home::new(folder).open(random()?).map_err(unusable)?;
        let audit = Audit::open(folder)?;
        let now = Clock::system().wall().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        Ok(Self { plan, store, peppers, audit, now })
    }

    /// Writes down what is about to be done. What cannot be written down is not done.
    pub(super) fn note(&self, entry: Entry) -> Result<(), Stop> {
        self.audit.add(&[entry])
    }

    fn mint(&self) -> Result<KeyText, Stop> {
        let prefix = &self.plan.identity.key_prefix;
        KeyText::mint(prefix, &random::<ENTROPY_BYTES>()?).map_err(|error| Stop::environment(error.to_string()))
    }
}

fn create(wanted: &CreateKey) -> Result<Ending, Stop> {
    let opened = Opened::at(&wanted.config.path)?;
    if wanted.consumer.is_empty() {
        return Err(Stop::environment("a key needs a holder; name one with `--consumer ID`"));
    }
    if let Some(api) = wanted.apis.iter().find(|name| !opened.plan.apis.iter().any(|api| &*api.name == name.as_str())) {
        return Err(Stop::environment(format!("there is no API `{api}`; `portcullis routes` lists them")));
    }
    let key = opened.mint()?;
    let networks = wanted.networks.iter().map(|text| {
        text.parse().map_err(|_| Stop::environment(format!("`{text}` is not a network; write it like 192.0.2.0/24")))
    });
    let wish = KeyWish {
        consumer: wanted.consumer.clone(),
        username: wanted.username.clone(),
        scopes: wanted.scopes.clone(),
        roles: wanted.roles.clone(),
        apis: wanted.apis.clone(),
        networks: networks.collect::<Result<_, _>>()?,
        expires_in_s: wanted.expires_days.map(|days| u64::from(days) * DAY_SECONDS),
    };
    let record = wish.record(&key, opened.peppers.current(), opened.now);
    let entry = by_user("keys.create").with("key", KeyText::id_of(record.number)).with("consumer", &*record.consumer);
    let entry = entry.with("scopes", record.scopes.clone()).with("roles", record.roles.clone());
    opened.note(entry.with("apis", record.apis.clone()).with("expires", record.expires_at))?;
    opened.store.create([record.clone()]).map_err(unusable)?;
    show(&key, &record, wanted.form.format)
}

fn rotate(opened: &Opened, id: &str, overlap_hours: u32, format: Format) -> Result<Ending, Stop> {
    let old = number(id)?;
    let key = opened.mint()?;
    let record = KeyRecord::new(&key, opened.peppers.current(), "", opened.now);
    let overlap = u64::from(overlap_hours) * 3600;
    let entry = by_user("keys.rotate").with("key", id).with("successor", KeyText::id_of(record.number));
    opened.note(entry.with("overlap_hours", overlap_hours))?;
    let record = opened.store.rotate(old, record, opened.now, overlap).map_err(unusable)?;
    show(&key, &record, format)
}

fn show(key: &KeyText, record: &KeyRecord, format: Format) -> Result<Ending, Stop> {
    let text = || {
        let once = faint("It is shown this once. What is stored cannot be turned back into it.");
        format!("{}\n\nid {}, held by {}\n{once}\n", bold(key.reveal()), key.id(), record.consumer)
    };
    report(
        format,
        text,
        || json!({ "key": key.reveal(), "id": key.id(), "consumer": record.consumer, "expires": record.expires_at }),
    )?;
    Ok(Ending::Done)
}

fn list(opened: &Opened, format: Format) -> Result<Ending, Stop> {
    let (mut all, mut from) = (Vec::new(), 0);
    loop {
        let page = opened.store.list(from, PAGE).map_err(unusable)?;
        let Some(last) = page.last().map(|listed| listed.record.number) else { break };
        all.extend(page);
        let Some(next) = last.checked_add(1) else { break };
        from = next;
    }
    let text = || {
        let mut table = Table::new(["ID", "HOLDER", "STATE", "SCOPES", "ROLES", "APIS", "LAST USED"]);
        for listed in &all {
            let record = &listed.record;
            table.row([
                KeyText::id_of(record.number),
                record.consumer.clone(),
                key_state(record, opened.now).to_owned(),
                record.scopes.join(" "),
                record.roles.join(" "),
                if record.apis.is_empty() { "all".to_owned() } else { record.apis.join(" ") },
                listed.last_used_at.map_or_else(|| "never".to_owned(), |at| ago(opened.now, at)),
            ]);
        }
        table.text()
    };
    report(format, text, || json!({ "keys": all.iter().map(|one| key_row(one, opened.now)).collect::<Vec<_>>() }))?;
    Ok(Ending::Done)
}

/// To the hour, as it is stored.
fn ago(now: u64, at: u64) -> String {
    match now.saturating_sub(at) / 3600 {
        0 => "this hour".to_owned(),
        hours if hours < 48 => format!("{hours} h ago"),
        hours => format!("{} days ago", hours / 24),
    }
}

fn revoke(opened: &Opened, ids: &[String], format: Format) -> Result<Ending, Stop> {
    let numbers = ids.iter().map(|id| number(id)).collect::<Result<Vec<_>, _>>()?;
    for (id, number) in ids.iter().zip(&numbers) {
        opened.store.key(*number).map_err(|_| Stop::Unfit(format!("there is no key {id}; nothing was revoked")))?;
    }
    opened.note(by_user("keys.revoke").with("keys", ids.to_vec()))?;
    let revoked = opened.store.revoke(&numbers, opened.now).map_err(unusable)?;
    told(&revoked, format)
}

/// Only keys whose secret is right are revoked: an id alone is public, and whoever knows one must not be able to have it
/// revoked with an invented secret.
fn leaked(opened: &Opened, path: &Path, format: Format) -> Result<Ending, Stop> {
    let cannot = |error: std::io::Error| Stop::environment(format!("{} cannot be read: {error}", path.display()));
    let mut reader: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(std::io::stdin()),
        false => Box::new(File::open(path).map_err(cannot)?),
    };
    let mut scan = LeakScan::new(&opened.plan.identity.key_prefix);
    let (mut piece, mut found) = (vec![0; 64 * 1024], Vec::new());
    loop {
        let count = reader.read(&mut piece).map_err(cannot)?;
        if count == 0 {
            break;
        }
        scan.feed(piece.get(..count).unwrap_or_default(), &mut |key| {
            if !found.contains(&key) {
                found.push(key);
            }
        });
    }
    let is_ours = |key: &&KeyText| {
        opened.store.key(key.number()).is_ok_and(|listed| {
            let pepper = opened.peppers.find(listed.record.pepper);
            pepper.is_some_and(|pepper| pepper.digest(key) == listed.record.digest)
        })
    };
    let numbers: Vec<u64> = found.iter().filter(is_ours).map(KeyText::number).collect();
    let ids: Vec<String> = numbers.iter().map(|number| KeyText::id_of(*number)).collect();
    opened.note(by_user("keys.leaked").with("file", path.display().to_string()).with("keys", ids))?;
    let revoked = opened.store.revoke(&numbers, opened.now).map_err(unusable)?;
    told(&revoked, format)
}

fn told(revoked: &[KeyRecord], format: Format) -> Result<Ending, Stop> {
    let text = || {
        let lines =
            revoked.iter().map(|one| format!("revoked {}, held by {}\n", KeyText::id_of(one.number), one.consumer));
        let lines: String = lines.collect();
        if lines.is_empty() { "no key of ours that was not revoked already\n".to_owned() } else { lines }
    };
    report(format, text, || {
        let all = revoked.iter().map(|one| json!({ "id": KeyText::id_of(one.number), "consumer": one.consumer }));
        json!({ "revoked": all.collect::<Vec<_>>() })
    })?;
    Ok(Ending::Done)
}

fn number(id: &str) -> Result<u64, Stop> {
    KeyText::number_of(id)
        .ok_or_else(|| Stop::environment(format!("`{id}` is not the id of a key; `portcullis keys list` lists them")))
}

pub(super) fn unusable(error: portcullis_store::StoreError) -> Stop {
    Stop::environment(error.to_string())
}
