//! What developers read of an API: what it offers, how to call it, what its limits are, what every error means.
//!
//! Everything is taken from the policy that is in force and from the contract, so that no page says what the gateway does not do. A
//! [`Plan`] comes in, a [`Site`] of files comes out; files are read through a closure, and nothing here knows sockets or a clock.
//!
//! [`Plan`]: portcullis_config::Plan

mod changes;
mod document;
mod guides;
pub mod html;
mod markdown;
pub mod model;
mod openapi;
mod pages;
mod plain;
mod samples;
mod site;
#[cfg(test)]
mod tests;
mod theme;
mod wellknown;

pub use document::{Fetch, Row, Unreadable};
pub use model::Portal;
pub use pages::{ACCOUNT, Frame};
pub use samples::{Sample, samples};
pub use site::{File, Site};

/// The style sheet of every page, for whoever makes pages that look alike.
pub const STYLE_SHEET: &str = pages::STYLE_SHEET;

use pages::Look;
use portcullis_config::Plan;
use portcullis_config::plan::PortalPlan;
use site::OPENAPI;

/// All pages of a gateway. Problems say that they are explained below `problems`.
///
/// # Errors
/// A file that the configuration names cannot be read.
pub fn site(plan: &Plan, problems: &str, fetch: Fetch<'_>) -> Result<Site, Unreadable> {
    let usual = PortalPlan::default();
    let settings = plan.portal.as_ref().unwrap_or(&usual);
    let mut portal = Portal::of(plan, problems, &mut *fetch)?;
    portal.apis.retain(|api| settings.shows(&api.name));
    let mut site = Site::default();
    let (look, welcome) = theme::look(&mut site, settings, &mut *fetch)?;
    site.looks(&look);
    for api in &plan.apis {
        let shown = portal.apis.iter_mut().find(|shown| *shown.name == *api.name);
        for (version, plan) in shown.into_iter().flat_map(|shown| &mut shown.versions).zip(&api.versions) {
            let page = changes::page(api, plan, (&version.folder, &version.title), &mut *fetch)?;
            version.has_changes = page.is_some();
            page.iter().for_each(|page| pages::put(&mut site, &look, page));
            if let Some(document) = openapi::enriched(version) {
                site.add(format!("{}/openapi.json", version.folder), OPENAPI, format!("{document}\n"));
            }
        }
    }
    pages::add(&mut site, &portal, &Look { try_it: settings.try_it, ..look.clone() }, (&welcome, problems));
    theme::pages(&mut site, &look, settings, fetch)?;
    guides::add(&mut site, &look, &portal);
    plain::add(&mut site, &portal, &look.title);
    wellknown::add(&mut site, &portal, settings);
    Ok(site)
}
