//! The pages, as HTML: the frame that all share, and which there are.

mod errors;
mod operation;
mod search;
mod table;
mod trial;
mod version;
mod welcome;

use crate::html::Html;
use crate::model::{Operation, Portal, Version};
use crate::site::{HTML, SCRIPT, STYLE, Site};

pub(crate) const STYLE_SHEET: &str = include_str!("pages/style.css");
const SEARCH_SCRIPT: &str = include_str!("pages/search.js");
const TRIAL_SCRIPT: &str = include_str!("pages/trial.js");

/// What browsers show beside the title, where there is no logo.
const ICON: (&str, &str) = ("assets/icon.svg", include_str!("pages/icon.svg"));

/// What all pages say of the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// The name of the site.
    pub(crate) title: String,
    /// The file of the logo, if there is one.
    pub(crate) logo: Option<String>,
    /// More pages in the menu: path and title.
    pub(crate) menu: Vec<(String, String)>,
    /// Whether operations can be called from their pages.
    pub(crate) try_it: bool,
    /// Whether somebody can sign in here.
    pub(crate) has_accounts: bool,
}

/// The frame of all pages, for those that are made for one visitor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame(pub(crate) Look);

/// Where an account's pages begin.
pub const ACCOUNT: &str = "account";

/// One page before it is put into its frame.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) path: String,
    pub(crate) title: String,
    /// Pages above it: path and title.
    pub(crate) above: Vec<(String, String)>,
    /// Places within it: anchor and title.
    pub(crate) places: Vec<(&'static str, String)>,
    /// The file of a script that works on it.
    pub(crate) script: Option<&'static str>,
    /// The origin that the script calls.
    pub(crate) calls: Option<String>,
    pub(crate) body: Html,
}

/// Adds every page about APIs.
pub(crate) fn add(site: &mut Site, portal: &Portal, look: &Look, (intro, problems): (&str, &str)) {
    site.add("assets/style.css", STYLE, STYLE_SHEET);
    site.add(search::SCRIPT, SCRIPT, SEARCH_SCRIPT);
    if look.try_it {
        site.add(trial::SCRIPT, SCRIPT, TRIAL_SCRIPT);
    }
    if look.logo.is_none() {
        site.add(ICON.0, "image/svg+xml", ICON.1);
    }
    put(site, look, &welcome::page(portal, look, intro));
    put(site, look, &search::page(portal));
    for version in portal.versions() {
        put(site, look, &version::page(version));
        for operation in &version.operations {
            put(site, look, &operation::page(version, operation, look.try_it));
        }
    }
    for page in errors::pages(problems) {
        put(site, look, &page);
    }
}

/// Puts a page into its frame and into the site.
pub(crate) fn put(site: &mut Site, look: &Look, page: &Page) {
    site.add(page.path.clone(), HTML, framed(look, page));
    page.calls.iter().for_each(|origin| site.calls(origin));
}

fn framed(look: &Look, page: &Page) -> String {
    let mut html = Html::default();
    let up = "../".repeat(page.path.matches('/').count());
    html.markup("<!doctype html>\n");
    html.element("html", &[("lang", "en")], |html| {
        html.element("head", &[], |html| head(html, look, page, &up)).line();
        html.element("body", &[], |html| {
            html.leaf("a", &[("class", "skip"), ("href", "#main")], "Skip to the content").line();
            header(html, look, &up);
            html.element(
                "div",
                &[("class", if page.places.len() < 2 { "page" } else { "page with-places" })],
                |html| {
                    places(html, page);
                    html.element("main", &[("id", "main"), ("tabindex", "-1")], |html| {
                        crumbs(html, page, &up);
                        html.append(&page.body);
                    });
                },
            );
            html.line();
            html.element("footer", &[], |html| {
                html.element("p", &[], |html| {
                    html.text("Made from the policy that is in force. ");
                    html.link(&format!("{up}llms.txt"), "As plain text").text(" · ");
                    html.link(&format!("{up}.well-known/api-catalog"), "API catalog");
                });
            });
        });
    });
    html.line();
    html.into_text()
}

fn head(html: &mut Html, look: &Look, page: &Page, up: &str) {
    html.line().open("meta", &[("charset", "utf-8")]).line();
    html.open("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]).line();
    html.open("meta", &[("name", "color-scheme"), ("content", "light dark")]).line();
    let title = if page.title == look.title { look.title.clone() } else { format!("{} · {}", page.title, look.title) };
    html.leaf("title", &[], &title).line();
    html.open("link", &[("rel", "stylesheet"), ("href", &format!("{up}assets/style.css"))]).line();
    html.open("link", &[("rel", "stylesheet"), ("href", &format!("{up}assets/theme.css"))]).line();
    let icon = look.logo.as_deref().unwrap_or(ICON.0);
    html.open("link", &[("rel", "icon"), ("href", &format!("{up}{icon}"))]).line();
    if let Some(script) = page.script {
        html.element("script", &[("src", &format!("{up}{script}")), ("defer", "")], |_| {}).line();
    }
}

fn header(html: &mut Html, look: &Look, up: &str) {
    html.element("header", &[("class", "top")], |html| {
        html.element("a", &[("class", "home"), ("href", &format!("{up}index.html"))], |html| {
            if let Some(logo) = &look.logo {
                html.open("img", &[("src", &format!("{up}{logo}")), ("alt", ""), ("height", "28")]);
            }
            html.text(&look.title);
        });
        html.element("nav", &[("aria-label", "Site")], |html| {
            html.element("ul", &[], |html| {
                let own = [
                    ("index.html", "APIs"),
                    (search::PATH, "Search"),
                    ("guides/index.html", "Guides"),
                    ("problems/index.html", "Errors"),
                ];
                let more = look.menu.iter().map(|(path, title)| (path.as_str(), title.as_str()));
                let account = look.has_accounts.then_some((ACCOUNT, "Account"));
                for (path, title) in own.into_iter().chain(more).chain(account) {
                    html.element("li", &[], |html| html.link(&format!("{up}{path}"), title).done());
                }
            });
        });
    });
    html.line();
}

fn places(html: &mut Html, page: &Page) {
    if page.places.len() < 2 {
        return;
    }
    html.element("nav", &[("class", "places"), ("aria-label", "On this page")], |html| {
        html.element("ul", &[], |html| {
            for (anchor, title) in &page.places {
                html.element("li", &[], |html| html.link(&format!("#{anchor}"), title).done());
            }
        });
    });
    html.line();
}

fn crumbs(html: &mut Html, page: &Page, up: &str) {
    if page.above.is_empty() {
        return;
    }
    html.element("nav", &[("class", "crumbs"), ("aria-label", "Where this page is")], |html| {
        html.element("ol", &[], |html| {
            for (path, title) in &page.above {
                html.element("li", &[], |html| html.link(&format!("{up}{path}"), title).done());
            }
            html.element("li", &[("aria-current", "page")], |html| html.text(&page.title).done());
        });
    });
    html.line();
}

// === impl Frame ===

impl Frame {
    /// A whole page at a path without a slash in front; `above` are the pages above it: path and title.
    #[must_use]
    pub fn page(&self, path: &str, title: &str, above: &[(&str, &str)], body: &Html) -> String {
        let above = above.iter().map(|(path, title)| ((*path).to_owned(), (*title).to_owned())).collect();
        let (path, title, body) = (path.to_owned(), title.to_owned(), body.clone());
        framed(&self.0, &Page { path, title, above, body, ..Page::default() })
    }
}

// === impl Page ===

impl Page {
    /// Begins a part of the page that can be linked to.
    pub(crate) fn section(&mut self, anchor: &'static str, title: &str) -> &mut Html {
        self.places.push((anchor, title.to_owned()));
        self.body.leaf("h2", &[("id", anchor)], title).line();
        &mut self.body
    }
}

/// The path of an operation's page.
pub(crate) fn path_of(version: &Version, operation: &Operation) -> String {
    format!("{}/{}.html", version.folder, operation.slug)
}

/// Method and path, as they stand in lists.
fn signature(html: &mut Html, operation: &Operation) {
    let method = operation.method.to_ascii_lowercase();
    let known = ["get", "put", "post", "delete", "patch"].into_iter().find(|one| *one == method);
    let class = format!("method {}", known.unwrap_or("other"));
    html.leaf("span", &[("class", &class)], &operation.method).text(" ");
    html.leaf("code", &[("class", "path")], &operation.path);
}
