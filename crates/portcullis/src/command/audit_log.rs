//! `audit-log`: who changed what, and whether the answer is as it was written.

use crate::arguments::{AuditLogCommand, AuditLogQuestion, ExportAuditLog, Format, ShowAuditLog};
use crate::audit::public_key;
use crate::ending::{Ending, Stop};
use crate::output::{Table, bad, faint, good, note, report};
use crate::service::read;
use portcullis_audit_log::{Anchor, Damage, Expected, PublicKey, Record, Report, verify};
use portcullis_store::Home;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Entries that the log makes for itself, which say nothing to people.
const ITS_OWN: [&str; 2] = ["checkpoint", "segment.began"];

/// A log, and what is known of it from elsewhere.
struct Asked {
    folder: PathBuf,
    keys: Vec<PublicKey>,
    anchors: Vec<Anchor>,
    from: u64,
}

/// Does what was asked for.
pub(super) fn audit_log(command: &AuditLogCommand) -> Result<Ending, Stop> {
    match command {
        AuditLogCommand::Verify { question, form } => check(&Asked::of(question)?, form.format),
        AuditLogCommand::Show(question) => show(question),
        AuditLogCommand::Export(question) => export(question),
    }
}

// === impl Asked ===

impl Asked {
    fn of(question: &AuditLogQuestion) -> Result<Self, Stop> {
        let store = match &question.data_dir {
            Some(folder) => folder.clone(),
            None => read(&question.config.path)?.plan.identity.store.ok_or_else(|| {
                let path = question.config.path.display();
                Stop::environment(format!(
                    "{path} names no store, beside which an audit log would be; name one with `--data-dir DIR`"
                ))
            })?,
        };
        let folder = Home::new(&store).audit_log();
        if !folder.is_dir() {
            return Err(Stop::environment(format!("there is no audit log in {}", store.display())));
        }
        let wrong = |text: &str, why: &str| Stop::environment(format!("`{text}`: {why}"));
        let anchors = question.anchor.iter().map(|text| text.parse().map_err(|why| wrong(text, why)));
        let keys: Vec<PublicKey> =
            question.key.iter().map(|text| text.parse().map_err(|why| wrong(text, why))).collect::<Result<_, _>>()?;
        let keys = if keys.is_empty() { vec![public_key(&store)?] } else { keys };
        Ok(Self { folder, keys, anchors: anchors.collect::<Result<_, _>>()?, from: question.from })
    }

    fn look(&self, each: &mut dyn FnMut(&Record)) -> Result<Report, Stop> {
        let expected = Expected { keys: &self.keys, from: self.from, anchors: &self.anchors };
        verify(&self.folder, expected, each).map_err(|error| Stop::environment(error.to_string()))
    }
}

/// The last entries of the log beside a store, without those that it makes for itself.
pub(super) fn tail(store: &Path, count: usize) -> Result<Vec<Value>, Stop> {
    let (folder, keys) = (Home::new(store).audit_log(), vec![public_key(store)?]);
    let asked = Asked { folder, keys, anchors: Vec::new(), from: 1 };
    Ok(last(&asked, None, count)?.0.iter().map(Record::to_json).collect())
}

/// The last entries of a kind, and what was found of the whole log.
fn last(asked: &Asked, kind: Option<&str>, count: usize) -> Result<(VecDeque<Record>, Report), Stop> {
    let mut last = VecDeque::new();
    let found = asked.look(&mut |record| {
        let wanted = match kind {
            Some(kind) => record.kind.starts_with(kind),
            None => !ITS_OWN.contains(&&*record.kind),
        };
        if wanted {
            last.push_back(record.clone());
            if last.len() > count {
                last.pop_front();
            }
        }
    })?;
    Ok((last, found))
}

/// What is wrong first with a log that is not where logs are.
pub(super) fn damage(store: &Path, folder: &Path) -> Result<Option<Damage>, Stop> {
    let keys = vec![public_key(store)?];
    let asked = Asked { folder: folder.to_owned(), keys, anchors: Vec::new(), from: 1 };
    Ok(asked.look(&mut |_| {})?.damages.into_iter().next())
}

/// Where the log of a store stands, and whether it is whole; nothing where there is none yet.
pub(super) fn checkpoint(store: &Path) -> Result<Value, Stop> {
    let folder = Home::new(store).audit_log();
    if !folder.is_dir() {
        return Ok(Value::Null);
    }
    let asked = Asked { folder, keys: vec![public_key(store)?], anchors: Vec::new(), from: 1 };
    Ok(json(&asked, &asked.look(&mut |_| {})?))
}

fn check(asked: &Asked, format: Format) -> Result<Ending, Stop> {
    let found = asked.look(&mut |_| {})?;
    report(format, || text(asked, &found), || json(asked, &found))?;
    Ok(ending(&found))
}

fn ending(found: &Report) -> Ending {
    if found.is_clean() { Ending::Done } else { Ending::No }
}

fn text(asked: &Asked, found: &Report) -> String {
    let mut text = String::new();
    for damage in &found.damages {
        text.push_str(&format!("{} {damage}\n", bad("damaged")));
    }
    let listed = u64::try_from(found.damages.len()).unwrap_or(u64::MAX);
    if found.damaged > listed {
        text.push_str(&format!("and {} more\n", found.damaged - listed));
    }
    let from = found.first.unwrap_or(0);
    let to = found.last.map_or(0, |last| last.seq);
    let verdict = if found.is_clean() { good("as it was written") } else { bad("not as it was written") };
    text.push_str(&format!("{verdict}: lines {from} to {to}, {} whole, {} seals\n", found.lines, found.checkpoints));
    if let Some(sealed) = found.sealed {
        text.push_str(&format!("anchor {sealed}\n"));
    }
    let keys: Vec<String> = asked.keys.iter().map(ToString::to_string).collect();
    text.push_str(&faint(&format!(
        "sealed by {}; keep anchor and key elsewhere to find an exchanged log\n",
        keys.join(", ")
    )));
    text
}

fn json(asked: &Asked, found: &Report) -> Value {
    let damages = found.damages.iter().map(|damage| {
        json!({
            "file": damage.file.display().to_string(), "offset": damage.offset, "after": damage.after,
            "kind": damage.kind.name(), "text": damage.kind.to_string(),
        })
    });
    json!({
        "clean": found.is_clean(),
        "lines": found.lines,
        "first": found.first,
        "last": found.last.map(|last| last.seq),
        "seals": found.checkpoints,
        "anchor": found.sealed.map(|sealed| sealed.to_string()),
        "keys": asked.keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "damaged": found.damaged,
        "damages": damages.collect::<Vec<_>>(),
    })
}

fn show(question: &ShowAuditLog) -> Result<Ending, Stop> {
    let asked = Asked::of(&question.question)?;
    let (last, found) = last(&asked, question.kind.as_deref(), usize::from(question.last))?;
    let text = || {
        let mut table = Table::new(["LINE", "AT", "WHAT", "BY", "DETAILS"]);
        for record in &last {
            let details: Vec<String> = record.details.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let Record { seq, at, kind, actor, .. } = record;
            table.row([seq.to_string(), at.clone(), kind.clone(), actor.clone(), details.join(" ")]);
        }
        table.text()
    };
    report(question.format, text, || json!({ "entries": last.iter().map(Record::to_json).collect::<Vec<_>>() }))?;
    warn(&found);
    Ok(ending(&found))
}

fn export(question: &ExportAuditLog) -> Result<Ending, Stop> {
    let asked = Asked::of(&question.question)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut failed = Ok(());
    let found = asked.look(&mut |record| {
        if failed.is_ok() {
            failed = writeln!(out, "{}", record.to_json());
        }
    })?;
    match failed.and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(Ending::Done),
        Err(error) => return Err(Stop::environment(format!("standard output cannot be written: {error}"))),
        Ok(()) => {}
    }
    warn(&found);
    Ok(ending(&found))
}

/// What is shown may be less than what was written.
fn warn(found: &Report) {
    if !found.is_clean() {
        note(&format!("the log is damaged in {} places; `portcullis audit-log verify` tells where", found.damaged));
    }
}
