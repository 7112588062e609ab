//! `mask`: who sees what of answers, and what a token stands for.

use crate::arguments::{MaskCommand, Reading};
use crate::ending::{Ending, Stop};
use crate::output::{Table, faint, report, say};
use crate::service::read;
use portcullis_config::plan::{MaskPlan, Methods, Plan, RoutePlan, Who};
use portcullis_mask::{Keys, Select, reveal};
use portcullis_types::Outline;
use serde_json::{Value, json};

const OTHERS: &str = "others";
const CLEAR: &str = "in clear";

/// Who sees what in one place.
struct Row {
    operation: String,
    rule: String,
    field: String,
    /// In the order of the columns.
    shown: Vec<String>,
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
    let versions = plan.apis.iter().flat_map(|api| api.versions.iter().map(move |version| (api, version)));
    let routes = versions.flat_map(|(api, version)| {
        version.routes.iter().map(move |route| (&*api.name, version.name.as_deref(), route))
    });
    routes.filter(|(_, _, route)| !route.shape.masks.is_empty())
}

/// Everybody that a rule speaks of, one condition each, and those of whom none is true.
fn columns(plan: &Plan) -> Vec<Who> {
    let mut columns = Vec::new();
    let masks = masked(plan).flat_map(|(_, _, route)| &route.shape.masks);
    for who in masks.flat_map(|mask| mask.audience.only_for.iter().chain([&mask.audience.unless])) {
        let roles = who.roles.iter().map(|role| Who { roles: vec![role.clone()], ..Who::default() });
        let scopes = who.scopes.iter().map(|scope| Who { scopes: vec![scope.clone()], ..Who::default() });
        let consumers = who.consumers.iter().map(|one| Who { consumers: vec![one.clone()], ..Who::default() });
        let claims = who.claims.iter().flat_map(|(claim, values)| {
            values.iter().map(|value| Who { claims: vec![(claim.clone(), vec![value.clone()])], ..Who::default() })
        });
        for column in roles.chain(scopes).chain(consumers).chain(claims) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
    }
    columns.push(Who::default());
    columns
}

fn title(who: &Who) -> String {
    if who.is_nobody() { OTHERS.to_owned() } else { who.text() }
}

/// Whether what is true of somebody makes him one of these.
fn is_among(column: &Who, these: &Who) -> bool {
    let shares = |own: &[String], wanted: &[String]| own.iter().any(|one| wanted.contains(one));
    shares(&column.roles, &these.roles)
        || shares(&column.scopes, &these.scopes)
        || shares(&column.consumers, &these.consumers)
        || column
            .claims
            .iter()
            .any(|(claim, own)| these.claims.iter().any(|(name, wanted)| name == claim && shares(own, wanted)))
}

fn counts(mask: &MaskPlan, column: &Who) -> bool {
    let only = mask.audience.only_for.as_ref();
    only.is_none_or(|only| is_among(column, only)) && !is_among(column, &mask.audience.unless)
}

fn rows(plan: &Plan, columns: &[Who]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (api, version, route) in masked(plan) {
        let methods = match &route.methods {
            Methods::Any => "any".to_owned(),
            Methods::Only(names) => names.join(", "),
        };
        let name = version.map_or_else(|| api.to_owned(), |version| format!("{api}/{version}"));
        for mask in &route.shape.masks {
            let granted = matches!(mask.rule.select, Select::Grant(_) | Select::Declared);
            let shown = |column: &Who| match (counts(mask, column), granted) {
                (true, true) => "allowed".to_owned(),
                (false, true) => "not allowed".to_owned(),
                (true, false) => mask.rule.action.to_string(),
                (false, false) => CLEAR.to_owned(),
            };
            rows.extend(fields(mask, route.shape.outline.as_deref()).into_iter().map(|(field, origin)| Row {
                operation: format!("{name}: {methods} {}", route.template),
                rule: mask.name.to_string(),
                field,
                shown: columns.iter().map(shown).collect(),
                origin,
            }));
        }
    }
    rows
}

/// What a rule is about, and where that is written: in the configuration, or in the contract.
fn fields(mask: &MaskPlan, outline: Option<&Outline>) -> Vec<(String, String)> {
    let here = |field: String| (field, mask.origin.to_string());
    match &mask.rule.select {
        Select::Paths(paths) | Select::Grant(paths) => paths.iter().map(|path| here(path.to_string())).collect(),
        Select::Detect(detectors) => detectors.iter().map(|one| here(format!("any {}", one.name()))).collect(),
        Select::Declared => vec![here("what the contract declares".to_owned())],
        Select::Marked(meanings) => {
            let places = meanings.iter().flat_map(|meaning| outline.map(|one| one.places(meaning)).unwrap_or_default());
            places.map(|(place, mark)| (place, format!("{}:{}", mark.file, mark.line))).collect()
        }
    }
}

fn text(columns: &[Who], rows: &[Row]) -> String {
    if rows.is_empty() {
        return "nothing is masked\n".to_owned();
    }
    let titles: Vec<String> = columns.iter().map(title).collect();
    let headings = ["OPERATION", "FIELD", "RULE", "WRITTEN AT"].into_iter().chain(titles.iter().map(String::as_str));
    let mut table = Table::wide(headings);
    for row in rows {
        let shown = row.shown.iter().map(|shown| if shown == CLEAR { faint(shown) } else { shown.clone() });
        let known = [row.operation.clone(), row.field.clone(), row.rule.clone(), row.origin.clone()];
        table.add(known.into_iter().chain(shown));
    }
    table.text()
}

fn document(columns: &[Who], rows: &[Row]) -> Value {
    let row = |row: &Row| {
        let shown = columns.iter().zip(&row.shown).map(|(who, shown)| json!({ "who": title(who), "sees": shown }));
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
