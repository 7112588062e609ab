//! What changes for callers between two states of a contract, by numbered rules: what breaks them, and what does not.
//!
//! A pure function of two documents. It speaks of calls that the gateway takes and answers that it lets leave: what the old
//! contract takes the new one has to take, and what the new one answers has to be what the old one promised. Where nobody can
//! tell, that is said, and counts as a warning.

mod operations;
mod rules;
mod schemas;
#[cfg(test)]
mod tests;
mod view;

pub use rules::RULES;

use crate::document::{Walker, opened};
use crate::schema::{Compiler, Direction, Fetch, Finding, Library, Settings, Spot, diagnostics};
use crate::tree::Diagnostic;
use std::collections::HashSet;

/// LIMIT: findings about two documents.
const FINDINGS_MAX: usize = 10_000;

/// A document by its name, with its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Named<'n> {
    /// Its name in findings; references are relative to it.
    pub file: &'n str,
    /// What is in it.
    pub bytes: &'n [u8],
}

/// Every change that callers could notice: breaking ones are errors, compatible ones notes. Its place is in the new document,
/// or in the old one where something is gone.
///
/// # Errors
/// A text that is no document.
pub fn diff(
    old: Named<'_>,
    new: Named<'_>,
    fetches: (Fetch<'_>, Fetch<'_>),
) -> Result<Vec<Diagnostic>, Box<Diagnostic>> {
    let (mut old_library, old_root) = open(old)?;
    let (mut new_library, new_root) = open(new)?;
    let settings = Settings { open_objects: false, formats: true, openapi: true };
    let of = |library: &Library, root: Spot| Place { spot: root, resource: library.resource_of_file(root) };
    let roots = (of(&old_library, old_root), of(&new_library, new_root));
    let mut differ = Differ {
        old: Walker::new(Compiler::new(&mut old_library, fetches.0, settings)),
        new: Walker::new(Compiler::new(&mut new_library, fetches.1, settings)),
        gone: Vec::new(),
        found: Vec::new(),
        said: HashSet::new(),
        compared: HashSet::new(),
    };
    differ.documents(roots.0, roots.1);
    let Differ { gone, found, .. } = differ;
    let mut all = diagnostics(&new_library, found);
    all.extend(diagnostics(&old_library, gone));
    Ok(all)
}

fn open(named: Named<'_>) -> Result<(Library, Spot), Box<Diagnostic>> {
    let (mut library, root) = opened(named.file, named.bytes)?;
    let resource = library.resource_of_file(root);
    library.look_at(root, resource);
    Ok((library, root))
}

/// A place in one of the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) spot: Spot,
    pub(super) resource: u32,
}

/// Which of the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Old,
    New,
}

struct Differ<'d> {
    old: Walker<'d>,
    new: Walker<'d>,
    /// About places of the old document.
    gone: Vec<Finding>,
    /// About places of the new one.
    found: Vec<Finding>,
    said: HashSet<(&'static str, bool, Spot, String)>,
    /// Schemas that were compared, or are being compared.
    compared: HashSet<(Place, Place, Direction)>,
}

// === impl Differ ===

impl<'d> Differ<'d> {
    fn walker(&mut self, side: Side) -> &mut Walker<'d> {
        match side {
            Side::Old => &mut self.old,
            Side::New => &mut self.new,
        }
    }

    fn library(&self, side: Side) -> &Library {
        match side {
            Side::Old => self.old.library(),
            Side::New => self.new.library(),
        }
    }

    fn member(&self, side: Side, place: Place, name: &str) -> Option<Place> {
        self.library(side).member(place.spot, name).map(|spot| Place { spot, ..place })
    }

    fn members(&self, side: Side, place: Option<Place>) -> Vec<(String, Place)> {
        let Some(place) = place else { return Vec::new() };
        let all = self.library(side).members(place.spot).into_iter();
        all.map(|(name, spot)| (name, Place { spot, ..place })).collect()
    }

    fn text(&self, side: Side, place: Place, name: &str) -> Option<String> {
        self.library(side).text_at(place.spot, name).map(str::to_owned)
    }

    fn flag(&self, side: Side, place: Place, name: &str) -> bool {
        self.library(side).flag_at(place.spot, name) == Some(true)
    }

    /// What references lead to.
    fn target(&mut self, side: Side, place: Place) -> Option<Place> {
        let (spot, resource) = self.walker(side).target(place.spot, place.resource)?;
        Some(Place { spot, resource })
    }

    /// Notes a change, once at each place.
    fn say(&mut self, number: &'static str, side: Side, place: Place, message: String) {
        let Some(rule) = RULES.iter().find(|rule| rule.number == number) else { return };
        let is_new = self.said.insert((number, side == Side::Old, place.spot, message.clone()));
        if !is_new || self.found.len() + self.gone.len() >= FINDINGS_MAX {
            return;
        }
        let (severity, code, help, spot) = (rule.severity, rule.number, rule.help, place.spot);
        let finding = Finding { spot, severity, code, message, help };
        match side {
            Side::Old => self.gone.push(finding),
            Side::New => self.found.push(finding),
        }
    }
}
