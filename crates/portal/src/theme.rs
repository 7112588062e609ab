//! What an operator adds to the pages: colours, a logo, texts of his own. Everything is a file; nothing stands within a page.

use crate::document::{Fetch, Unreadable};
use crate::markdown::own_markdown;
use crate::model::{slug, unique};
use crate::pages::{Look, Page, put};
use crate::site::{STYLE, Site};
use portcullis_config::plan::PortalPlan;
use std::collections::HashSet;
use std::path::Path;

/// What a kind of image is called.
const IMAGES: [(&str, &str); 5] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("svg", "image/svg+xml"),
];

/// Adds colours and logo; what pages say of the whole, and the text of the first one.
pub(crate) fn look(site: &mut Site, plan: &PortalPlan, fetch: Fetch<'_>) -> Result<(Look, String), Unreadable> {
    let (light, dark) = &plan.accent;
    // INVARIANT: a checked colour is a number sign and six digits.
    let colours = format!(
        ":root {{ --accent: {light}; }}\n@media (prefers-color-scheme: dark) {{ :root {{ --accent: {dark}; }} }}\n"
    );
    site.add("assets/theme.css", STYLE, colours);
    let has_accounts = plan.accounts.is_some();
    let mut look = Look { title: plan.title.clone(), has_accounts, ..Look::default() };
    if let Some((file, ending)) = &plan.logo
        && let Some((_, media_type)) = IMAGES.iter().find(|(one, _)| one == ending)
    {
        let path = format!("assets/logo.{ending}");
        site.add(path.clone(), media_type, read(file, &mut *fetch)?);
        look.logo = Some(path);
    }
    let mut taken = HashSet::new();
    let path = |title: &str, taken: &mut HashSet<String>| format!("pages/{}.html", unique(&slug(title), taken));
    look.menu = plan.pages.iter().map(|(title, _)| (path(title, &mut taken), title.clone())).collect();
    let welcome = plan.welcome.as_deref().map(|file| text(file, &mut *fetch)).transpose()?;
    Ok((look, welcome.unwrap_or_default()))
}

/// Adds the operator's own pages.
pub(crate) fn pages(site: &mut Site, look: &Look, plan: &PortalPlan, fetch: Fetch<'_>) -> Result<(), Unreadable> {
    for ((_, file), (path, title)) in plan.pages.iter().zip(&look.menu) {
        let text = text(file, &mut *fetch)?;
        let mut page = Page { path: path.clone(), title: title.clone(), ..Page::default() };
        if !text.trim_start().starts_with("# ") {
            page.body.leaf("h1", &[], title).line();
        }
        page.body.append(&own_markdown(&text, 0));
        put(site, look, &page);
    }
    Ok(())
}

fn text(file: &Path, fetch: Fetch<'_>) -> Result<String, Unreadable> {
    Ok(String::from_utf8_lossy(&read(file, fetch)?).into_owned())
}

fn read(file: &Path, fetch: Fetch<'_>) -> Result<Vec<u8>, Unreadable> {
    fetch(file).map_err(|why| Unreadable { file: file.to_owned(), why })
}
