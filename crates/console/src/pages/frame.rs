//! The frame that all pages share.

use crate::door::Guest;
use portcullis_portal::html::Html;

/// One page before it is put into its frame.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Where it stands in the menu.
    place: &'static str,
    title: String,
    /// How often it is looked at anew, where a script can do so in place.
    pub(super) is_live: bool,
    pub(super) body: Html,
}

/// The menu, in parts.
const MENU: [(&str, &[(&str, &str)]); 4] = [
    ("Now", &[("/", "Overview"), ("/traffic", "Traffic"), ("/findings", "Findings")]),
    (
        "Policy",
        &[("/routes", "Routes"), ("/limits", "Limits"), ("/rules", "Rules"), ("/configuration", "Configuration")],
    ),
    ("Callers", &[("/keys", "Keys"), ("/accounts", "Developers"), ("/issuers", "Issuers")]),
    ("Plant", &[("/upstreams", "Upstreams"), ("/certificates", "Certificates"), ("/audit-log", "Audit log")]),
];

// === impl Page ===

impl Page {
    pub(super) fn new(place: &'static str, title: &str) -> Self {
        Self { place, title: title.to_owned(), ..Self::default() }
    }

    /// The same with its heading.
    pub(super) fn headed(place: &'static str, title: &str, lead: &str) -> Self {
        let mut page = Self::new(place, title);
        page.body.leaf("h1", &[], title).line();
        if !lead.is_empty() {
            page.body.element("p", &[("class", "lead")], |html| html.prose(lead).done()).line();
        }
        page
    }
}

/// A page in its frame.
pub(super) fn framed(page: &Page, guest: Option<&Guest>) -> String {
    let mut html = Html::default();
    html.markup("<!doctype html>\n");
    html.element("html", &[("lang", "en")], |html| {
        html.element("head", &[], |html| head(html, page)).line();
        html.element("body", &[], |html| {
            html.leaf("a", &[("class", "skip"), ("href", "#main")], "Skip to the content").line();
            top(html, guest);
            html.element("div", &[("class", "console")], |html| {
                if guest.is_some() {
                    menu(html, page);
                }
                html.element("main", &[("id", "main"), ("tabindex", "-1")], |html| html.append(&page.body).done());
            });
            html.line();
        });
    });
    html.line();
    html.into_text()
}

fn head(html: &mut Html, page: &Page) {
    html.line().open("meta", &[("charset", "utf-8")]).line();
    html.open("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]).line();
    html.open("meta", &[("name", "color-scheme"), ("content", "light dark")]).line();
    html.leaf("title", &[], &format!("{} · Portcullis console", page.title)).line();
    html.open("link", &[("rel", "stylesheet"), ("href", "/assets/base.css")]).line();
    html.open("link", &[("rel", "stylesheet"), ("href", "/assets/console.css")]).line();
    html.open("link", &[("rel", "icon"), ("href", "/assets/icon.svg")]).line();
    if page.is_live {
        html.element("script", &[("src", "/assets/live.js"), ("defer", "")], |_| {}).line();
    }
}

fn top(html: &mut Html, guest: Option<&Guest>) {
    html.element("header", &[("class", "top")], |html| {
        html.element("a", &[("class", "home"), ("href", "/")], |html| {
            html.open("img", &[("src", "/assets/icon.svg"), ("alt", ""), ("height", "24"), ("width", "24")]);
            html.text("Portcullis console").done();
        });
        let Some(guest) = guest else { return };
        html.element("form", &[("class", "find"), ("action", "/requests"), ("role", "search")], |html| {
            html.leaf("label", &[("for", "find")], "Request id").line();
            html.open(
                "input",
                &[("id", "find"), ("name", "id"), ("type", "search"), ("autocomplete", "off"), ("required", "")],
            );
            html.leaf("button", &[], "Find");
        });
        html.element("form", &[("class", "who"), ("action", "/logout"), ("method", "post")], |html| {
            html.leaf("span", &[], &format!("{} ({})", guest.name, guest.role.name()));
            token(html, guest);
            html.leaf("button", &[], "Log out");
        });
    });
    html.line();
}

/// What shows that a page of ours has asked.
pub(super) fn token(html: &mut Html, guest: &Guest) {
    html.open("input", &[("type", "hidden"), ("name", "csrf"), ("value", &guest.change_token)]);
}

fn menu(html: &mut Html, page: &Page) {
    html.element("nav", &[("class", "menu"), ("aria-label", "Console")], |html| {
        for (part, entries) in MENU {
            html.leaf("p", &[], part);
            html.element("ul", &[], |html| {
                for (path, title) in entries {
                    html.element("li", &[], |html| {
                        let here: &[(&'static str, &str)] = if *path == page.place {
                            &[("href", *path), ("aria-current", "page")]
                        } else {
                            &[("href", *path)]
                        };
                        html.leaf("a", here, title);
                    });
                }
            });
        }
    });
    html.line();
}
