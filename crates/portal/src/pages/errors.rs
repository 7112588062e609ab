//! A page for every reason, and one that lists them all.

use super::Page;
use crate::markdown::code;
use crate::model::problem;
use portcullis_types::Reason;

/// Problems say that they are explained below `problems`.
pub(super) fn pages(problems: &str) -> Vec<Page> {
    let mut all = vec![index()];
    all.extend(Reason::ALL.iter().map(|reason| page(*reason, problems)));
    all
}

fn index() -> Page {
    let mut page = Page { path: "problems/index.html".to_owned(), title: "Errors".to_owned(), ..Page::default() };
    let html = &mut page.body;
    html.leaf("h1", &[], "Errors").line();
    html.element("p", &[], |html| {
        html.prose("Every error of the gateway is a problem document (RFC 9457), of the media type `application/problem+json`. Its `code` never changes; its `request_id` finds the request in the operator's records. Codes may be added.");
    });
    html.element("ul", &[("class", "operations")], |html| {
        for reason in Reason::ALL {
            html.element("li", &[], |html| {
                html.leaf("span", &[("class", "method other")], &reason.status().to_string()).text(" ");
                html.link(&format!("{}.html", reason.code()), reason.code());
                html.element("p", &[], |html| html.text(reason.title()).done());
            });
            html.line();
        }
    });
    page
}

fn page(reason: Reason, problems: &str) -> Page {
    let mut page = Page {
        path: format!("problems/{}.html", reason.code()),
        title: reason.title().to_owned(),
        above: vec![("problems/index.html".to_owned(), "Errors".to_owned())],
        ..Page::default()
    };
    let html = &mut page.body;
    html.leaf("h1", &[], reason.title()).line();
    html.element("p", &[], |html| {
        html.text(&format!("Status {}, code ", reason.status())).leaf("code", &[], reason.code());
    });
    let text = reason.page();
    for (title, words) in [("What it means", text.meaning), ("What you can do", text.caller)] {
        html.leaf("h2", &[], title).line();
        html.element("p", &[], |html| html.prose(words).done()).line();
    }
    html.leaf("h2", &[], "How it looks").line();
    code(html, &format!("{:#}", problem(reason, problems, &[])));
    page
}
