//! What changed for callers: between the state of a contract that they know and the one that is in force, and from each version to the
//! next.

use crate::document::{Fetch, Unreadable};
use crate::html::Html;
use crate::pages::Page;
use portcullis_config::plan::{ApiPlan, VersionPlan};
use portcullis_contract::diff::{Named, diff};
use portcullis_contract::{Diagnostic, Severity};
use std::path::Path;

/// LIMIT: changes on one page; the rest is counted.
const CHANGES_MAX: usize = 300;

/// The page about a version, where two contracts can be told apart.
pub(crate) fn page(
    api: &ApiPlan,
    version: &VersionPlan,
    (folder, title): (&str, &str),
    fetch: Fetch<'_>,
) -> Result<Option<Page>, Unreadable> {
    let Some(new) = document_of(version) else { return Ok(None) };
    let mut page = Page {
        path: format!("{folder}/changes.html"),
        title: "Changes".to_owned(),
        above: vec![("index.html".to_owned(), "APIs".to_owned()), (format!("{folder}/index.html"), title.to_owned())],
        ..Page::default()
    };
    page.body.leaf("h1", &[], &format!("Changes of {title}")).line();
    let mut any = false;
    if let Some(old) = version.published.as_deref().filter(|old| *old != new) {
        let heading = "Since the contract that was published";
        part(page.section("published", heading), &compared(old, new, &mut *fetch)?);
        any = true;
    }
    let before = api.versions.iter().take_while(|one| one.name != version.name).last();
    if let Some((before, old)) = before.and_then(|one| Some((one, document_of(one)?))).filter(|(_, old)| *old != new) {
        let heading = format!("From {}", before.name.as_deref().unwrap_or("the version before"));
        part(page.section("version", &heading), &compared(old, new, &mut *fetch)?);
        any = true;
    }
    Ok(any.then_some(page))
}

fn document_of(version: &VersionPlan) -> Option<&Path> {
    version.routes.iter().find_map(|route| route.contract.as_ref()).map(|contract| contract.plan.file.as_path())
}

fn compared(old: &Path, new: &Path, fetch: Fetch<'_>) -> Result<Vec<Diagnostic>, Unreadable> {
    let unreadable = |file: &Path, why: String| Unreadable { file: file.to_owned(), why };
    let mut read = |file: &Path| fetch(file).map_err(|why| unreadable(file, why));
    let (old_bytes, new_bytes) = (read(old)?, read(new)?);
    let (old_name, new_name) = (old.display().to_string(), new.display().to_string());
    let documents = (Named { file: &old_name, bytes: &old_bytes }, Named { file: &new_name, bytes: &new_bytes });
    let shared = std::cell::RefCell::new(fetch);
    let beside = |address: &str| {
        let mut fetch = shared.borrow_mut();
        if address.contains("://") { None } else { (*fetch)(Path::new(address)).ok() }
    };
    let found = diff(documents.0, documents.1, (&mut { beside }, &mut { beside }));
    found.map_err(|error| unreadable(old, error.to_string()))
}

fn part(html: &mut Html, changes: &[Diagnostic]) {
    if changes.is_empty() {
        html.leaf("p", &[], "Nothing that callers could notice.");
        return;
    }
    let groups = [(true, "What breaks callers"), (false, "What callers can go on with")];
    let mut left = CHANGES_MAX;
    for (breaking, title) in groups {
        let own: Vec<&Diagnostic> = changes.iter().filter(|one| (one.severity != Severity::Note) == breaking).collect();
        if own.is_empty() {
            continue;
        }
        html.leaf("h3", &[], title).line();
        html.element("ul", &[], |html| {
            for change in own.iter().take(left) {
                html.element("li", &[], |html| {
                    html.leaf("code", &[], change.code).text(&format!(" {}", change.message));
                    if !change.pointer.is_empty() {
                        html.text(" ").leaf("code", &[("class", "note")], &change.pointer);
                    }
                });
                html.line();
            }
        });
        left = left.saturating_sub(own.len());
    }
    if changes.len() > CHANGES_MAX {
        html.leaf("p", &[("class", "note")], &format!("{} more are left out.", changes.len() - CHANGES_MAX));
    }
}
