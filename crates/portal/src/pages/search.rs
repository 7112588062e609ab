//! Every operation in one list. A small script hides what does not fit what is typed; without it, the list is there whole.

use super::{Page, path_of, signature};
use crate::model::Portal;

pub(super) const PATH: &str = "search.html";
pub(super) const SCRIPT: &str = "assets/search.js";

pub(super) fn page(portal: &Portal) -> Page {
    let mut page = Page { path: PATH.to_owned(), title: "Search".to_owned(), script: Some(SCRIPT), ..Page::default() };
    let html = &mut page.body;
    html.leaf("h1", &[], "Search").line();
    html.element("form", &[("id", "search"), ("role", "search"), ("hidden", "")], |html| {
        html.leaf("label", &[("for", "words")], "Words of a path, a name or a description");
        html.open("input", &[("id", "words"), ("type", "search"), ("autocomplete", "off")]);
        html.leaf("p", &[("id", "found"), ("role", "status")], "");
    });
    html.line();
    html.element("noscript", &[], |html| {
        html.leaf("p", &[], "Without scripts, look through the list with the search of your browser.");
    });
    html.line();
    for version in portal.versions() {
        html.element("section", &[("class", "found-in"), ("aria-label", &version.title)], |html| {
            html.element("h2", &[], |html| html.link(&format!("{}/index.html", version.folder), &version.title).done());
            html.element("ul", &[("class", "operations")], |html| {
                for operation in &version.operations {
                    html.element("li", &[], |html| {
                        html.element("a", &[("href", &path_of(version, operation))], |html| signature(html, operation));
                        html.text(" ").leaf("span", &[], operation.title());
                    });
                    html.line();
                }
            });
        });
        html.line();
    }
    page
}
