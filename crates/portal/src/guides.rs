//! Guides that hold for every API of the gateway, with what its policy says in the places where it matters.

mod texts;

use crate::html::Html;
use crate::model::{Operation, Portal, Way};
use crate::pages::{Look, Page, put};
use crate::site::Site;
use portcullis_auth::principal::Scheme;
use std::collections::BTreeSet;
use texts::GUIDES;

/// One guide.
pub(crate) struct Guide {
    /// Its page, without `.html`.
    slug: &'static str,
    title: &'static str,
    /// Anchors, titles and paragraphs; what stands between backticks is code.
    sections: &'static [(&'static str, &'static str, &'static [&'static str])],
}

/// Pages and titles, in their order.
pub(crate) fn titles() -> impl Iterator<Item = (&'static str, &'static str)> {
    GUIDES.iter().map(|guide| (guide.slug, guide.title))
}

/// Adds all of them.
pub(crate) fn add(site: &mut Site, look: &Look, portal: &Portal) {
    let mut index = Page { path: "guides/index.html".to_owned(), title: "Guides".to_owned(), ..Page::default() };
    index.body.leaf("h1", &[], "Guides").line();
    index.body.element("ul", &[("class", "operations")], |html| {
        for guide in GUIDES {
            html.element("li", &[], |html| html.link(&format!("{}.html", guide.slug), guide.title).done()).line();
        }
    });
    put(site, look, &index);
    for guide in GUIDES {
        put(site, look, &page(guide, portal));
    }
}

fn page(guide: &Guide, portal: &Portal) -> Page {
    let mut page = Page {
        path: format!("guides/{}.html", guide.slug),
        title: guide.title.to_owned(),
        above: vec![("guides/index.html".to_owned(), "Guides".to_owned())],
        ..Page::default()
    };
    page.body.leaf("h1", &[], guide.title).line();
    for (anchor, title, paragraphs) in guide.sections {
        let html = page.section(anchor, title);
        for paragraph in *paragraphs {
            html.element("p", &[], |html| html.prose(paragraph).done()).line();
        }
        here(html, anchor, portal);
    }
    page
}

/// What the policy says beside the words of a guide.
fn here(html: &mut Html, anchor: &str, portal: &Portal) {
    let ways = || operations(portal).flat_map(|operation| &operation.callers.ways);
    let takes = |scheme: Scheme| operations(portal).filter(|operation| has(operation, scheme)).count();
    let lines: BTreeSet<String> = match anchor {
        "issuers" => ways()
            .flat_map(|way| &way.issuers)
            .map(|one| format!("`{}`, audience `{}`", one.issuer, one.audiences.join("` or `")))
            .collect(),
        "keys" => ways()
            .filter_map(|way| way.key.as_ref())
            .map(|(field, prefix)| {
                format!(
                    "Keys begin with `{prefix}_` and go into the field `{field}`; {} operations take them.",
                    takes(Scheme::ApiKey)
                )
            })
            .collect(),
        "proofs" => ways()
            .filter_map(|way| way.proof.as_ref())
            .map(|proof| {
                let must = if proof.required { "Proofs are required" } else { "Proofs are taken" };
                format!("{must}, signed by {}, no older than {} seconds.", proof.algorithms.join(", "), proof.window)
            })
            .collect(),
        "signing" => ways().filter_map(covered).collect(),
        "certificates" => ways()
            .filter(|way| !way.certificate_names.is_empty())
            .map(|way| format!("Who calls is {}.", way.certificate_names.join(", or else ")))
            .collect(),
        "ending" => portal
            .versions()
            .filter_map(|version| {
                let life = version.lifecycle.as_ref()?;
                let name = version.name.as_deref().unwrap_or_default();
                let told: Vec<String> =
                    life.fields().into_iter().map(|(field, value)| format!("`{field}: {value}`")).collect();
                Some(format!("{} {name}: {}", version.api, told.join(", ")))
            })
            .collect(),
        _ => BTreeSet::new(),
    };
    if lines.is_empty() {
        return;
    }
    html.leaf("p", &[("class", "note")], "At this gateway:");
    html.element("ul", &[], |html| {
        for line in &lines {
            html.element("li", &[], |html| html.prose(line).done()).line();
        }
    });
}

fn covered(way: &Way) -> Option<String> {
    let signature = way.signature.as_ref()?;
    let tag = signature.tag.as_ref().map(|tag| format!(", with the tag `{tag}`")).unwrap_or_default();
    Some(format!(
        "Signatures cover `{}`, no older than {} seconds{tag}.",
        signature.components.join(" ").replace('"', ""),
        signature.window
    ))
}

fn has(operation: &Operation, scheme: Scheme) -> bool {
    operation.callers.ways.iter().any(|way| way.schemes.contains(&scheme))
}

fn operations(portal: &Portal) -> impl Iterator<Item = &Operation> {
    portal.versions().flat_map(|version| &version.operations)
}
