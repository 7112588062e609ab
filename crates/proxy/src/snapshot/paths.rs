//! The paths of one host: exact before parameter before wildcard, and the methods of each.

mod mixed;

use super::CompileError;
use matchit::Router;
use mixed::{Mixed, is_mixed, openness};
use portcullis_config::plan::Methods;
use portcullis_types::segment::Openness;
use std::collections::HashMap;

#[cfg(test)]
mod tests;

/// Radix trees over templates; a look-up costs the length of the path, however many there are.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    /// Templates whose segments are texts and parameters.
    segments: Router<usize>,
    /// Templates that end with a wildcard. They have a tree of their own, because the trees' library allows no
    /// wildcard beside a parameter.
    wildcards: Router<usize>,
    /// Templates that the trees' library does not know.
    mixed: Option<Box<Mixed>>,
    entries: Vec<Entry>,
}

/// What a look-up found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// Index of the route.
    Route(usize),
    /// The path exists; the value of `Allow`.
    OtherMethods(&'a str),
    Nothing,
}

/// Collects the templates of one host.
#[derive(Debug, Default)]
pub(crate) struct PathsBuilder {
    paths: Paths,
    known: HashMap<String, usize>,
}

#[derive(Debug, Default)]
struct Entry {
    methods: Vec<(Vec<u8>, usize)>,
    any: Option<usize>,
    allow: String,
    /// Of each segment: 0 a text, 1 a text with parameters in it, 2 a parameter, 3 a wildcard.
    kinds: Vec<u8>,
}

// === impl Paths ===

impl Paths {
    /// The most specific template that fits decides, also about the methods: falling through to a looser one would
    /// open what the better one keeps closed.
    pub(crate) fn find(&self, path: &str, method: &[u8]) -> Found<'_> {
        let at = |tree: &Router<usize>| tree.at(path).ok().and_then(|found| self.entries.get(*found.value));
        let mut found = better(at(&self.segments), at(&self.wildcards));
        if let Some(mixed) = &self.mixed {
            found = better(found, mixed.find(path).and_then(|index| self.entries.get(index)));
        }
        let Some(entry) = found else { return Found::Nothing };
        entry.route(method).map_or(Found::OtherMethods(&entry.allow), Found::Route)
    }
}

/// The more specific of two templates that fit.
fn better<'e>(one: Option<&'e Entry>, other: Option<&'e Entry>) -> Option<&'e Entry> {
    match (one, other) {
        (Some(one), Some(other)) if other.is_before(one) => Some(other),
        (Some(entry), _) | (None, Some(entry)) => Some(entry),
        (None, None) => None,
    }
}

// === impl Entry ===

impl Entry {
    /// Whether this template is the more specific one: at the first segment that differs in kind, a text comes before
    /// a text with parameters in it, that before a parameter, and a parameter before a wildcard.
    fn is_before(&self, other: &Self) -> bool {
        self.kinds.cmp(&other.kinds).is_lt()
    }

    fn route(&self, method: &[u8]) -> Option<usize> {
        let of = |name: &[u8]| self.methods.iter().find(|(have, _)| have == name).map(|(_, route)| *route);
        // Where GET is served, so is HEAD (RFC 9110 section 9.3.2).
        of(method).or_else(|| (method == b"HEAD").then(|| of(b"GET")).flatten()).or(self.any)
    }

    fn allow(&self) -> String {
        let mut names: Vec<&str> = self.methods.iter().filter_map(|(name, _)| std::str::from_utf8(name).ok()).collect();
        if names.contains(&"GET") && !names.contains(&"HEAD") {
            names.push("HEAD");
        }
        names.sort_unstable();
        names.join(", ")
    }
}

// === impl PathsBuilder ===

impl PathsBuilder {
    pub(crate) fn add(&mut self, template: &str, methods: &Methods, route: usize) -> Result<(), CompileError> {
        let index = match self.known.get(&shape(template)) {
            Some(index) => *index,
            None => self.insert(template)?,
        };
        let twice = || CompileError::Template { template: template.to_owned(), error: "it is served twice".to_owned() };
        let entry = self.paths.entries.get_mut(index).ok_or_else(twice)?;
        match methods {
            Methods::Any if entry.any.is_some() => return Err(twice()),
            Methods::Any => entry.any = Some(route),
            Methods::Only(names) => {
                for name in names.iter().map(String::as_bytes) {
                    if entry.methods.iter().any(|(have, _)| have == name) {
                        return Err(twice());
                    }
                    entry.methods.push((name.to_vec(), route));
                }
            }
        }
        Ok(())
    }

    fn insert(&mut self, template: &str) -> Result<usize, CompileError> {
        let index = self.paths.entries.len();
        let wrong = |error: String| CompileError::Template { template: template.to_owned(), error };
        if is_mixed(template) {
            let mixed = self.paths.mixed.get_or_insert_default();
            mixed.insert(template, index).map_err(|error| wrong(error.to_owned()))?;
        } else {
            let tree = if template.contains("{*") { &mut self.paths.wildcards } else { &mut self.paths.segments };
            tree.insert(template, index).map_err(|error| wrong(error.to_string()))?;
        }
        self.paths.entries.push(Entry { kinds: kinds(template), ..Entry::default() });
        self.known.insert(shape(template), index);
        Ok(index)
    }

    pub(crate) fn build(self) -> Paths {
        let mut paths = self.paths;
        for entry in &mut paths.entries {
            entry.allow = entry.allow();
        }
        paths
    }
}

fn kinds(template: &str) -> Vec<u8> {
    template
        .split('/')
        .skip(1)
        .map(|segment| match openness(segment) {
            Some(Openness::Text) => 0,
            Some(Openness::Mixed) => 1,
            Some(Openness::Any) => 2,
            None => 3,
        })
        .collect()
}

/// A template without the names of its parameters: two that differ in names only are one path.
fn shape(template: &str) -> String {
    let mut shape = String::with_capacity(template.len());
    let mut inside = false;
    for letter in template.chars() {
        match letter {
            '{' => inside = true,
            '}' => inside = false,
            _ if inside && letter != '*' => continue,
            _ => {}
        }
        shape.push(letter);
    }
    shape
}
