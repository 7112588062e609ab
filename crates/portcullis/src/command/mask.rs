//! `mask`: who sees what of answers, and what a token stands for.

use crate::arguments::{MaskCommand, Reading};
use crate::ending::{Ending, Stop};
use crate::output::{Table, faint, report, say};
use crate::service::read;
use portcullis_config::plan::{Plan, RoutePlan, Sight, Who};
use portcullis_mask::{Keys, reveal};
use serde_json::{Value, json};

const OTHERS: &str = "others";

/// Who sees what in one place.
struct Row {
    operation: String,
    rule: String,
    field: String,
    /// In the order of the columns.
    shown: Vec<Sight>,
    origin: String,
}

/// Answers one of the questions.
pub(super) fn mask(command: &MaskCommand) -> Result<Ending, Stop> {
    match command {
        MaskCommand::Report(Reading { config, form }) => {
            let plan = read(&config.path)?.plan;
            let columns = columns(&plan);
            let rows = rows(&plan, &columns);
            report(form.format, || text(&columns, &rows), || document(&columns, &rows))?;
            Ok(Ending::Done)
        }
        MaskCommand::Reveal { config, token } => {
            let plan = read(&config.path)?.plan;
            let keys = plan.mask_key.and_then(|key| Keys::new(key.expose().as_bytes()));
            let keys = keys.ok_or_else(|| Stop::environment("the configuration has no `mask_key`"))?;
            match reveal(&keys, token) {
                Some(value) => say(&format!("{value}\n")).map(|()| Ending::Done),
                None => Ok(Ending::No),
            }
        }
    }
}

fn masked(plan: &Plan) -> impl Iterator<Item = (&str, Option<&str>, &RoutePlan)> {
    let routes = plan.operations().map(|(api, version, route)| (&*api.name, version.name.as_deref(), route));
    routes.filter(|(.., route)| !route.shape.masks.is_empty())
}

/// Everybody that a rule speaks of, one condition each, and those of whom none is true.
fn columns(plan: &Plan) -> Vec<Who> {
    let mut columns = Vec::new();
    for column in masked(plan).flat_map(|(.., route)| route.shape.audiences()) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns.push(Who::default());
    columns
}

fn title(who: &Who) -> String {
    if who.is_nobody() { OTHERS.to_owned() } else { who.text() }
}

fn rows(plan: &Plan, columns: &[Who]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (api, version, route) in masked(plan) {
        let methods = route.method_names().join(", ");
        let name = version.map_or_else(|| api.to_owned(), |version| format!("{api}/{version}"));
        for mask in &route.shape.masks {
            rows.extend(mask.fields(route.shape.outline.as_deref()).into_iter().map(|(field, origin)| Row {
                operation: format!("{name}: {methods} {}", route.template),
                rule: mask.name.to_string(),
                field,
                shown: columns.iter().map(|who| mask.sight(who)).collect(),
                origin,
            }));
        }
    }
    rows
}

fn text(columns: &[Who], rows: &[Row]) -> String {
    if rows.is_empty() {
        return "nothing is masked\n".to_owned();
    }
    let titles: Vec<String> = columns.iter().map(title).collect();
    let headings = ["OPERATION", "FIELD", "RULE", "WRITTEN AT"].into_iter().chain(titles.iter().map(String::as_str));
    let mut table = Table::wide(headings);
    for row in rows {
        let shown = row.shown.iter().map(|shown| match shown {
            Sight::Clear => faint(&shown.to_string()),
            Sight::Masked(_) | Sight::Allowed | Sight::NotAllowed => shown.to_string(),
        });
        let known = [row.operation.clone(), row.field.clone(), row.rule.clone(), row.origin.clone()];
        table.add(known.into_iter().chain(shown));
    }
    table.text()
}

fn document(columns: &[Who], rows: &[Row]) -> Value {
    let row = |row: &Row| {
        let shown =
            columns.iter().zip(&row.shown).map(|(who, shown)| json!({ "who": title(who), "sees": shown.to_string() }));
        json!({
            "operation": row.operation,
            "field": row.field,
            "rule": row.rule,
            "line": row.origin,
            "shown": shown.collect::<Vec<_>>(),
        })
    };
    json!({ "fields": rows.iter().map(row).collect::<Vec<_>>() })
}
