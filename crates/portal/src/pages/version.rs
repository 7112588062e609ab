//! One version of an API: what it is, how long it is there, its operations.

use super::{Page, signature};
use crate::html::Html;
use crate::markdown::{first_words, markdown};
use crate::model::{Operation, Version};
use portcullis_types::civil::Moment;

/// LIMIT: letters of an operation's description in a list.
const WORDS_MAX: usize = 160;

pub(super) fn page(version: &Version) -> Page {
    let mut page = Page {
        path: format!("{}/index.html", version.folder),
        title: version.title.clone(),
        above: vec![("index.html".to_owned(), "APIs".to_owned())],
        ..Page::default()
    };
    let html = &mut page.body;
    html.leaf("h1", &[], &version.title).line();
    html.element("p", &[], |html| {
        html.leaf("code", &[("class", "path")], &version.address);
        for badge in badges(version) {
            html.text(" ").leaf("span", &[("class", "badge")], badge);
        }
    });
    lifecycle(html, version);
    html.append(&markdown(&version.description, 1));
    about(html, version);
    page.section("operations", "Operations");
    for (tag, operations) in by_tag(version) {
        if let Some(tag) = tag {
            page.body.leaf("h3", &[], tag).line();
        }
        page.body.element("ul", &[("class", "operations")], |html| {
            for operation in operations {
                html.element("li", &[], |html| line(html, operation)).line();
            }
        });
        page.body.line();
    }
    page
}

/// What is to be known at a glance.
pub(super) fn badges(version: &Version) -> Vec<&'static str> {
    let life = version.lifecycle.as_ref();
    let mut all = Vec::new();
    if version.is_default {
        all.push("default");
    }
    if life.is_some_and(|life| life.deprecated_at.is_some()) {
        all.push("deprecated");
    }
    if life.is_some_and(|life| life.sunset_at.is_some()) {
        all.push("will be gone");
    }
    all
}

pub(super) fn day(at: i64) -> String {
    Moment::of_unix(at).rfc3339().chars().take(10).collect()
}

/// When nobody should begin to use it, when it is gone, and what to move to.
pub(super) fn lifecycle(html: &mut Html, version: &Version) {
    let Some(life) = &version.lifecycle else { return };
    html.element("div", &[("class", "warning"), ("role", "note")], |html| {
        if let Some(at) = life.deprecated_at {
            html.leaf("p", &[], &format!("Deprecated from {} on: do not begin to use it.", day(at)));
        }
        if let Some(at) = life.sunset_at {
            html.leaf("p", &[], &format!("Gone from {} on: calls are then answered with 410 (version_gone).", day(at)));
        }
        for (from, until) in &life.brownouts {
            let (from, until) = (Moment::of_unix(*from).rfc3339(), Moment::of_unix(*until).rfc3339());
            html.leaf("p", &[], &format!("It answers as if it were gone from {from} to {until} UTC."));
        }
        if let Some(successor) = &life.successor {
            html.element("p", &[], |html| html.text("Move to ").leaf("code", &[], successor).text(".").done());
        }
        if let Some(link) = &life.link {
            html.element("p", &[], |html| html.text("What to do: ").link(link, link).done());
        }
        let fields = life.fields();
        if !fields.is_empty() {
            html.leaf("p", &[], "Every answer says so:");
            let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            crate::markdown::code(html, &lines.join("\n"));
        }
    });
    html.line();
}

fn about(html: &mut Html, version: &Version) {
    html.element("ul", &[("class", "links")], |html| {
        if version.document.is_some() {
            html.element("li", &[], |html| {
                html.link("openapi.json", "OpenAPI document");
                html.text(", with what this gateway adds to it");
            });
        }
        if version.has_changes {
            html.element("li", &[], |html| html.link("changes.html", "What changed").done());
        }
        if let Some(stated) = &version.contract_version {
            html.leaf("li", &[], &format!("The contract states version {stated}"));
        }
    });
    html.line();
}

/// Operations in the order of the configuration, those of one tag together.
fn by_tag(version: &Version) -> Vec<(Option<&str>, Vec<&Operation>)> {
    let mut groups: Vec<(Option<&str>, Vec<&Operation>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for operation in &version.operations {
        let tag = operation.tag.as_deref();
        let place = *places.entry(tag).or_insert_with(|| {
            groups.push((tag, Vec::new()));
            groups.len() - 1
        });
        if let Some((_, list)) = groups.get_mut(place) {
            list.push(operation);
        }
    }
    groups
}

fn line(html: &mut Html, operation: &Operation) {
    html.element("a", &[("href", &format!("{}.html", operation.slug))], |html| signature(html, operation));
    if operation.is_deprecated {
        html.text(" ").leaf("span", &[("class", "badge")], "deprecated");
    }
    let words = if operation.summary.is_empty() {
        first_words(&operation.description, WORDS_MAX)
    } else {
        operation.summary.clone()
    };
    html.element("p", &[], |html| html.text(if words.is_empty() { &operation.id } else { &words }).done());
}
