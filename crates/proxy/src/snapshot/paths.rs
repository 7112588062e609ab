//! The paths of one host: exact before parameter before wildcard, and the methods of each.

use super::CompileError;
use matchit::Router;
use portcullis_config::plan::Methods;
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
    /// Of each segment: 0 a text, 1 a parameter, 2 a wildcard.
    kinds: Vec<u8>,
}

// === impl Paths ===

impl Paths {
    /// The most specific template that fits decides, also about the methods: falling through to a looser one would
    /// open what the better one keeps closed.
    pub(crate) fn find(&self, path: &str, method: &[u8]) -> Found<'_> {
        let at = |tree: &Router<usize>| tree.at(path).ok().and_then(|found| self.entries.get(*found.value));
        let entry = match (at(&self.segments), at(&self.wildcards)) {
            (Some(plain), Some(wild)) if wild.is_before(plain) => wild,
            (Some(entry), _) | (None, Some(entry)) => entry,
            (None, None) => return Found::Nothing,
        };
        entry.route(method).map_or(Found::OtherMethods(&entry.allow), Found::Route)
    }
}

// === impl Entry ===

impl Entry {
    /// Whether this template is the more specific one: at the first segment that differs in kind, a text comes before
    /// a parameter and a parameter before a wildcard.
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
        let tree = if template.contains("{*") { &mut self.paths.wildcards } else { &mut self.paths.segments };
        let insert = tree.insert(template, index);
        insert.map_err(|error| CompileError::Template { template: template.to_owned(), error: error.to_string() })?;
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
        .map(|segment| u8::from(segment.contains('{')) + u8::from(segment.starts_with("{*")))
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
