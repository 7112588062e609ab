//! The tour's table, and what it does not show because it is not built yet.

use super::Row;
use crate::arguments::Format;
use crate::ending::Stop;
use crate::output::{self, Table, bad, bold, good};
use serde_json::{Value, json};
use std::path::Path;

/// What practices with rows still lack.
const LATER: [&str; 1] = ["a self-test on a schedule"];

pub(super) fn report(format: Format, rows: &[Row], folder: &Path) -> Result<(), Stop> {
    output::report(format, || text(rows, folder), || json(rows))
}

fn text(rows: &[Row], folder: &Path) -> String {
    let mut table = Table::new(["", "practice", "request", "expected", "got"]);
    let mut last = "";
    for row in rows {
        let mark = if row.ok { good("ok") } else { bad("FAIL") };
        let practice = if row.practice == last { String::new() } else { bold(row.practice) };
        last = row.practice;
        table.row([mark, practice, row.request.clone(), row.expected.clone(), row.got.clone()]);
    }
    let failed = rows.iter().filter(|row| !row.ok).count();
    let verdict = match failed {
        0 => good(&format!("all {} rows as expected", rows.len())),
        failed => bad(&format!("{failed} of {} rows not as expected", rows.len())),
    };
    format!(
        "{}\n{verdict}\nnot built yet: {}\nconfiguration, certificates and access log are in {}\n",
        table.text(),
        LATER.join(", "),
        folder.display()
    )
}

fn json(rows: &[Row]) -> Value {
    let members: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "practice": row.practice,
                "request": row.request,
                "expected": row.expected,
                "got": row.got,
                "ok": row.ok,
            })
        })
        .collect();
    json!({ "rows": members, "ok": rows.iter().all(|row| row.ok), "later": LATER })
}
