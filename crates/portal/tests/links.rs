//! Links: each leads to a page that is there and to a place that is in it.

use crate::markup::tags;
use crate::support::{PROBLEMS, around, fetch, folder, load, made, text};
use portcullis_portal::Site;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// Every link of every page, held against what is there.
pub(crate) fn check(site: &Site) -> usize {
    let pages: HashMap<String, Vec<crate::markup::Tag>> = site
        .files()
        .filter(|(path, _)| path.ends_with(".html"))
        .map(|(path, _)| (path.to_owned(), tags(path, &text(site, path))))
        .collect();
    let ids: HashMap<&str, BTreeSet<&str>> = pages
        .iter()
        .map(|(path, tags)| {
            let all: Vec<&str> = tags.iter().filter_map(|tag| tag.attribute("id")).collect();
            let set: BTreeSet<&str> = all.iter().copied().collect();
            assert_eq!(all.len(), set.len(), "{path}: an id stands twice");
            (path.as_str(), set)
        })
        .collect();
    let mut count = 0;
    for (path, tags) in &pages {
        for address in tags.iter().flat_map(|tag| [tag.attribute("href"), tag.attribute("src")]).flatten() {
            if ["https:", "http:", "mailto:"].iter().any(|scheme| address.starts_with(scheme)) {
                continue;
            }
            let (file, anchor) = address.split_once('#').unwrap_or((address, ""));
            let target = if file.is_empty() { path.clone() } else { joined(path, file) };
            assert!(site.file(&target).is_some(), "{path}: {address} leads to {target}, which is not there");
            if !anchor.is_empty() {
                assert!(ids[target.as_str()].contains(anchor), "{path}: there is no {address}");
            }
            count += 1;
        }
    }
    count
}

fn joined(path: &str, address: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in address.split('/') {
        match part {
            ".." => assert!(parts.pop().is_some(), "{path}: {address} leads out of the site"),
            "." | "" => {}
            other => parts.push(other),
        }
    }
    parts.join("/")
}

#[test]
fn every_link_leads_somewhere() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let config = std::fs::read_to_string(examples.join("full.yaml")).unwrap();
    let served = made(&config, &examples);
    assert!(text(&served, "index.html").contains("href=\"account\""), "where the gateway lets people in");
    // What is exported lets nobody in; its files are all that there is.
    let mut plan = load(&config, &examples).plan;
    plan.portal.as_mut().unwrap().accounts = None;
    let site = portcullis_portal::site(&plan, PROBLEMS, &mut fetch).unwrap();
    let count = check(&site);
    println!("{count} links, {} files, {} bytes", site.files().count(), site.bytes());
    let first = site.file("index.html").unwrap().body.len() + site.file("assets/style.css").unwrap().body.len();
    assert!(first < 100 * 1024, "the first page takes {first} bytes");
}

#[test]
fn changes_are_told_where_two_contracts_are() {
    const NEW: &str = "openapi: 3.1.0\ninfo: { title: It, version: '2' }\npaths: { /a: { get: { responses: { '200': { description: ok } } } } }\n";
    const OLD: &str = "openapi: 3.1.0\ninfo: { title: It, version: '1' }\npaths: { /a: { get: { responses: { '200': { description: ok } } } }, /b: { get: { responses: { '200': { description: ok } } } } }\n";
    let folder = folder("changes", &[("new.yaml", NEW), ("old.yaml", OLD)]);
    let site = made(&around("new.yaml", "    published: old.yaml\n"), &folder);
    let page = text(&site, "apis/it/changes.html");
    assert!(page.contains("What breaks callers") && page.contains("/b"), "{page}");
    check(&site);
}
