//! The document behind a contract, as people read it: what operations, parameters and schemas say of themselves. It decides
//! nothing; what is enforced is the compiled contract.

mod example;
mod rows;
#[cfg(test)]
mod tests;

pub(crate) use example::example;
pub use rows::Row;
pub(crate) use rows::rows;

use portcullis_contract::{follow, plain};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// LIMIT: references from one to the next.
const HOPS_MAX: usize = 32;

/// Gives the bytes of a file, or says why not.
pub type Fetch<'f> = &'f mut dyn FnMut(&Path) -> Result<Vec<u8>, String>;

/// A file that pages are made of, and that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Which.
    pub file: PathBuf,
    /// Why not.
    pub why: String,
}

/// One document with all that it refers to.
#[derive(Debug, Default)]
pub(crate) struct Document {
    root: Value,
}

/// Documents that were read already.
#[derive(Debug, Default)]
pub(crate) struct Documents(HashMap<PathBuf, Arc<Document>>);

// === impl Documents ===

impl Documents {
    /// The document in a file.
    pub(crate) fn read(&mut self, file: &Path, fetch: Fetch<'_>) -> Result<Arc<Document>, Unreadable> {
        if let Some(known) = self.0.get(file) {
            return Ok(Arc::clone(known));
        }
        let unreadable = |why: String| Unreadable { file: file.to_owned(), why };
        let bytes = fetch(file).map_err(unreadable)?;
        let name = file.display().to_string();
        let mut beside = |address: &str| if address.contains("://") { None } else { fetch(Path::new(address)).ok() };
        let root = plain(&name, &bytes, &mut beside).map_err(|error| unreadable(error.to_string()))?;
        let document = Arc::new(Document { root });
        self.0.insert(file.to_owned(), Arc::clone(&document));
        Ok(document)
    }
}

// === impl Document ===

impl Document {
    pub(crate) fn root(&self) -> &Value {
        &self.root
    }

    /// A text somewhere in it.
    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        self.root.pointer(pointer)?.as_str().filter(|text| !text.trim().is_empty())
    }

    /// What a value is once all references are followed; itself, where one leads nowhere or in a circle.
    pub(crate) fn resolved<'d>(&'d self, value: &'d Value) -> &'d Value {
        let mut at = value;
        for _ in 0..HOPS_MAX {
            let Some(reference) = at.get("$ref").and_then(Value::as_str) else { return at };
            match follow(&self.root, reference) {
                Some(next) => at = next,
                None => return at,
            }
        }
        at
    }

    /// The members of an object.
    pub(crate) fn members<'d>(&'d self, value: &'d Value, name: &str) -> impl Iterator<Item = (&'d String, &'d Value)> {
        let found = value.get(name).map(|found| self.resolved(found)).and_then(Value::as_object);
        found.into_iter().flat_map(Map::iter).map(|(name, value)| (name, self.resolved(value)))
    }

    /// The items of a list.
    pub(crate) fn items<'d>(&'d self, value: &'d Value, name: &str) -> impl Iterator<Item = &'d Value> {
        let found = value.get(name).and_then(Value::as_array);
        found.into_iter().flatten().map(|value| self.resolved(value))
    }

    /// A path, and one of its operations.
    pub(crate) fn operation(&self, template: &str, method: &str) -> Option<(&Value, &Value)> {
        let path = self.resolved(self.root.get("paths")?.get(template)?);
        Some((path, path.get(method.to_ascii_lowercase())?))
    }

    /// The parameters of an operation, those of its path that it does not declare anew among them.
    pub(crate) fn parameters(&self, template: &str, method: &str) -> Vec<&Value> {
        let Some((path, operation)) = self.operation(template, method) else { return Vec::new() };
        let key = |value: &Value| (value.get("name").cloned(), value.get("in").cloned());
        let own: Vec<&Value> = self.items(operation, "parameters").collect();
        let shared = self.items(path, "parameters").filter(|one| !own.iter().any(|other| key(other) == key(one)));
        shared.chain(own.iter().copied()).collect()
    }
}

// === impl Unreadable ===

impl std::fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} cannot be read: {}", self.file.display(), self.why)
    }
}

impl std::error::Error for Unreadable {}

/// A member that is a text with something in it.
pub(crate) fn text_of<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str().filter(|text| !text.trim().is_empty())
}
