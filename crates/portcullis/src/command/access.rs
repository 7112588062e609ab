//! `access`: who may do what, what a change does to that, and whether the rules do what their tests say.

mod cases;
pub(super) mod matrix;

use crate::arguments::{Access, AccessCommand};
use crate::ending::{Ending, Stop};
use crate::output::{Table, bad, faint, good, report};
use crate::service::read;
use matrix::{Cell, Matrix, Who};
use portcullis_access::outlook::{Change, Outlook};
use serde_json::{Value, json};
use std::path::Path;

/// Answers one of the questions.
pub(super) fn access(access: &Access) -> Result<Ending, Stop> {
    match &access.command {
        AccessCommand::Matrix { config, form } => {
            let matrix = matrix_of(&config.path)?;
            report(form.format, || matrix_text(&matrix), || matrix_json(&matrix))?;
            Ok(Ending::Done)
        }
        AccessCommand::Diff { old, new, form } => {
            let changes = changes(&matrix_of(old)?, &matrix_of(new)?);
            report(
                form.format,
                || changes_text(&changes),
                || json!({ "changes": changes.iter().map(change_json).collect::<Vec<_>>() }),
            )?;
            let gains = changes.iter().any(|change| change.kind != Change::Loses);
            Ok(if gains { Ending::No } else { Ending::Done })
        }
        AccessCommand::Test { config, file, all_rules, form } => {
            cases::run(&config.path, file, *all_rules, form.format)
        }
    }
}

/// What came of tests of rules.
pub(super) fn outcome(config: &Path, tests: &Path) -> Result<Value, Stop> {
    cases::outcome(config, tests, false).map(|(_, json, _)| json)
}

fn matrix_of(path: &Path) -> Result<Matrix, Stop> {
    Ok(Matrix::of(&read(path)?.plan))
}

fn matrix_text(matrix: &Matrix) -> String {
    let mut notes: Vec<String> = Vec::new();
    let mut table = Table::wide(["OPERATION", "ID"].into_iter().chain(matrix.columns.iter().map(Who::title)));
    for row in &matrix.rows {
        let cells = row.cells.iter().map(|Cell { outlook, .. }| match outlook {
            Outlook::Allowed => good(outlook.word()),
            Outlook::Refused => faint(outlook.word()),
            Outlook::Depends(_) => {
                let text = outlook.to_string();
                let known = notes.iter().position(|note| *note == text);
                let number = known.unwrap_or(notes.len());
                if known.is_none() {
                    notes.push(text);
                }
                format!("depends [{}]", number + 1)
            }
        });
        table.add([row.operation.clone(), row.name.clone()].into_iter().chain(cells));
    }
    let mut out = table.text();
    for (index, note) in notes.iter().enumerate() {
        let gap = if index == 0 { "\n" } else { "" };
        out.push_str(&format!("{gap}[{}] {note}\n", index + 1));
    }
    out
}

fn matrix_json(matrix: &Matrix) -> Value {
    let rows = matrix.rows.iter().map(|row| {
        let cells =
            row.cells.iter().map(|cell| json!({ "who": cell.who.title(), "access": outlook_json(&cell.outlook) }));
        json!({ "operation": row.operation, "id": row.name, "cells": cells.collect::<Vec<_>>() })
    });
    json!({ "operations": rows.collect::<Vec<_>>() })
}

fn outlook_json(outlook: &Outlook) -> Value {
    match outlook {
        Outlook::Allowed | Outlook::Refused => json!({ "is": outlook.word() }),
        Outlook::Depends(ways) => json!({ "is": outlook.word(), "on": ways }),
    }
}

/// A cell that has become another one.
struct Changed {
    kind: Change,
    operation: String,
    name: String,
    who: String,
    old: Outlook,
    new: Outlook,
}

/// Gains first: they are what a reviewer looks for.
fn changes(old: &Matrix, new: &Matrix) -> Vec<Changed> {
    let mut all = Vec::new();
    let names = old.rows.iter().chain(new.rows.iter().filter(|row| old.row(&row.name).is_none()));
    for row in names {
        for who in old.columns.iter().chain(new.columns.iter().filter(|who| !old.columns.contains(who))) {
            let (before, after) = (old.outlook(&row.name, who), new.outlook(&row.name, who));
            if let Some(kind) = before.change(&after) {
                let (operation, name, who) = (row.operation.clone(), row.name.clone(), who.title().to_owned());
                all.push(Changed { kind, operation, name, who, old: before, new: after });
            }
        }
    }
    all.sort_by_key(|change| match change.kind {
        Change::Gains => 0,
        Change::Differs => 1,
        Change::Loses => 2,
    });
    all
}

fn changes_text(changes: &[Changed]) -> String {
    if changes.is_empty() {
        return "nobody gains and nobody loses\n".to_owned();
    }
    let mut table = Table::new(["CHANGE", "WHO", "OPERATION", "ID", "BEFORE", "AFTER"]);
    for change in changes {
        let word = match change.kind {
            Change::Gains | Change::Differs => bad(kind(change.kind)),
            Change::Loses => good(kind(change.kind)),
        };
        let (old, new) = (change.old.to_string(), change.new.to_string());
        table.row([word, change.who.clone(), change.operation.clone(), change.name.clone(), old, new]);
    }
    table.text()
}

fn change_json(change: &Changed) -> Value {
    json!({
        "change": kind(change.kind),
        "who": change.who,
        "operation": change.operation,
        "id": change.name,
        "before": outlook_json(&change.old),
        "after": outlook_json(&change.new),
    })
}

const fn kind(change: Change) -> &'static str {
    match change {
        Change::Gains => "gains",
        Change::Loses => "loses",
        Change::Differs => "differs",
    }
}
