//! The first page: which APIs there are.

use super::{Look, Page};
use crate::html::Html;
use crate::markdown::{first_words, own_markdown};
use crate::model::{Portal, Version};

/// LIMIT: letters of an API's description on the first page.
const WORDS_MAX: usize = 240;

pub(super) fn page(portal: &Portal, look: &Look, intro: &str) -> Page {
    let mut page = Page { path: "index.html".to_owned(), title: look.title.clone(), ..Page::default() };
    let html = &mut page.body;
    html.leaf("h1", &[], &look.title).line();
    match intro.is_empty() {
        true => html
            .element("p", &[("class", "lead")], |html| {
                html.text("What each API offers, how to call it, what its limits are, and what every error means.");
            })
            .done(),
        false => html.append(&own_markdown(intro, 1)).done(),
    }
    html.element("p", &[], |html| {
        html.text("New here? Begin with ").link("guides/tokens.html", "getting a credential");
        html.text(", or look for an operation in the ").link("search.html", "search").text(".");
    });
    html.element("ul", &[("class", "cards")], |html| {
        for version in portal.versions() {
            html.element("li", &[], |html| card(html, version)).line();
        }
    });
    html.line();
    page
}

fn card(html: &mut Html, version: &Version) {
    html.element("h2", &[], |html| html.link(&format!("{}/index.html", version.folder), &version.title).done());
    html.element("p", &[("class", "note")], |html| {
        let count = version.operations.len();
        html.text(&format!("{count} {}", if count == 1 { "operation" } else { "operations" }));
        for badge in super::version::badges(version) {
            html.text(" ").leaf("span", &[("class", "badge")], badge);
        }
    });
    let words = first_words(&version.description, WORDS_MAX);
    if !words.is_empty() {
        html.leaf("p", &[], &words);
    }
    html.leaf("code", &[("class", "path")], &version.address);
}
