//! `contract`: what is wrong with an OpenAPI document, what is unwise in it, and what changes for callers between two of them.

use crate::arguments::{CheckContract, ContractCommand, ContractFormat, DiffContracts};
use crate::ending::{Ending, Stop};
use crate::output::{bad, bold, faint, say};
use crate::service::{FILE_BYTES_MAX, bounded};
use portcullis_contract::diff::{self, Named};
use portcullis_contract::lint::{self, Rule};
use portcullis_contract::{Diagnostic, Options, Severity, load};
use serde_json::{Value, json};
use std::path::Path;

/// Answers one of the questions.
pub(super) fn contract(command: &ContractCommand) -> Result<Ending, Stop> {
    match command {
        ContractCommand::Check(question) => check(question),
        ContractCommand::Diff(question) => compare(question),
        ContractCommand::Report(question) => super::control::contracts::report(question),
    }
}

fn compare(question: &DiffContracts) -> Result<Ending, Stop> {
    let open = |path: &Path| {
        let name = path.display().to_string();
        let bytes =
            bounded(path, FILE_BYTES_MAX).map_err(|why| Stop::environment(format!("{name} cannot be read: {why}")))?;
        Ok::<_, Stop>((name, bytes))
    };
    let ((old, old_bytes), (new, new_bytes)) = (open(&question.old)?, open(&question.new)?);
    let (mut from_old, mut from_new) = (fetch, fetch);
    let documents = (Named { file: &old, bytes: &old_bytes }, Named { file: &new, bytes: &new_bytes });
    let found = diff::diff(documents.0, documents.1, (&mut from_old, &mut from_new));
    let found = found.map_err(|error| Stop::environment(error.to_string()))?;
    tell(&found, question.format, ("portcullis contract diff", diff::RULES))
}

/// A file that a document refers to; nothing is fetched from elsewhere.
fn fetch(address: &str) -> Option<Vec<u8>> {
    if address.contains("://") { None } else { bounded(Path::new(address), FILE_BYTES_MAX).ok() }
}

fn check(question: &CheckContract) -> Result<Ending, Stop> {
    let name = question.file.display().to_string();
    let bytes = bounded(&question.file, FILE_BYTES_MAX)
        .map_err(|why| Stop::environment(format!("{name} cannot be read: {why}")))?;
    let found = findings(&name, &bytes);
    tell(&found, question.format, ("portcullis contract check", lint::RULES))
}

/// All that was found; the answer is "no" if that is more than notes.
fn tell(found: &[Diagnostic], format: ContractFormat, tool: (&str, &[Rule])) -> Result<Ending, Stop> {
    match format {
        ContractFormat::Text => say(&text(found))?,
        ContractFormat::Json => {
            say(&format!("{:#}", json!({ "findings": found.iter().map(finding).collect::<Vec<_>>() })))?
        }
        ContractFormat::Sarif => say(&format!("{:#}", sarif(found, tool)))?,
    }
    let is_wrong = found.iter().any(|one| one.severity != Severity::Note);
    Ok(if is_wrong { Ending::No } else { Ending::Done })
}

/// What keeps the document from being enforced, and what its rules find.
fn findings(name: &str, bytes: &[u8]) -> Vec<Diagnostic> {
    let mut fetch = fetch;
    let mut found = load(name, bytes, Options::default(), &mut fetch).diagnostics;
    found.extend(lint::lint(name, bytes, &mut fetch));
    found.sort_by(|one, other| (&one.file, one.line, one.code).cmp(&(&other.file, other.line, other.code)));
    found.dedup();
    found
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn text(found: &[Diagnostic]) -> String {
    let mut out = String::new();
    for one in found {
        let word = format!("{}[{}]", level(one.severity), one.code);
        let word = match one.severity {
            Severity::Error => bad(&word),
            Severity::Warning => bold(&word),
            Severity::Note => faint(&word),
        };
        out.push_str(&format!("{word} {}:{}", one.file, one.line));
        if !one.pointer.is_empty() {
            out.push_str(&format!(" {}", one.pointer));
        }
        out.push_str(&format!("\n  {}\n", one.message));
        if !one.help.is_empty() {
            out.push_str(&format!("  {}\n", faint(&format!("help: {}", one.help))));
        }
    }
    let count = |severity| found.iter().filter(|one| one.severity == severity).count();
    let (errors, warnings, notes) = (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
    out.push_str(&format!("{errors} errors, {warnings} warnings, {notes} notes\n"));
    out
}

fn finding(one: &Diagnostic) -> Value {
    json!({
        "severity": level(one.severity),
        "code": one.code,
        "file": one.file,
        "line": one.line,
        "pointer": one.pointer,
        "message": one.message,
        "help": one.help,
    })
}

/// SARIF 2.1.0, as code hosts show it beside the line.
fn sarif(found: &[Diagnostic], (tool, rules): (&str, &[Rule])) -> Value {
    let rules = rules.iter().map(|rule| {
        json!({
            "id": rule.number,
            "shortDescription": { "text": rule.title },
            "help": { "text": rule.help },
            "defaultConfiguration": { "level": level(rule.severity) },
        })
    });
    let results = found.iter().map(|one| {
        json!({
            "ruleId": one.code,
            "level": level(one.severity),
            "message": { "text": if one.help.is_empty() { one.message.clone() } else { format!("{}: {}", one.message, one.help) } },
            "locations": [{
                "physicalLocation": {
                    "artifactLocation": { "uri": one.file },
                    "region": { "startLine": one.line.max(1) },
                },
                "logicalLocations": [{ "fullyQualifiedName": one.pointer }],
            }],
        })
    });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": tool,
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<_>>(),
            } },
            "results": results.collect::<Vec<_>>(),
        }],
    })
}
