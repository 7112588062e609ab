//! A document as one JSON value that needs no other file: what it refers to stands in it, and references lead there. For whoever
//! shows a document to people or to programs; messages are judged by the compiled one.

use crate::schema::{Fetch, decoded, join, split};
use crate::tree::{self, Diagnostic, NodeId, Shape, Tree};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// LIMIT: files that one document is made of.
const FILES_MAX: usize = 1_000;
/// LIMIT: values in all of them, written out: an alias of YAML counts wherever it stands.
const VALUES_MAX: usize = 8 << 20;
/// Where other files stand.
const FILES: &str = "x-files";

/// The whole document. `fetch` gives the bytes of another file by its address, relative to `file`; a reference to what it does not
/// give stays as it is.
///
/// # Errors
/// A text that is no document, or one that is too large when it is written out.
pub fn plain(file: &str, bytes: &[u8], fetch: Fetch<'_>) -> Result<Value, Box<Diagnostic>> {
    let mut files: BTreeMap<String, Option<Value>> = BTreeMap::new();
    let mut writer = Writer { root: file, base: file.to_owned(), wanted: Vec::new(), left: VALUES_MAX };
    let mut root = writer.file(file, bytes)?;
    while let Some(address) = writer.wanted.pop() {
        if files.contains_key(&address) || files.len() >= FILES_MAX {
            continue;
        }
        let found = fetch(&address);
        let value = found.map(|bytes| writer.file(&address, &bytes)).transpose()?;
        files.insert(address, value);
    }
    let found: Map<String, Value> = files.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    if let Some(members) = root.as_object_mut().filter(|_| !found.is_empty()) {
        members.insert(FILES.to_owned(), Value::Object(found));
    }
    Ok(root)
}

/// What a reference of a document that [`plain`] has written leads to.
#[must_use]
pub fn follow<'v>(document: &'v Value, reference: &str) -> Option<&'v Value> {
    document.pointer(&decoded(reference.strip_prefix('#')?)?)
}

struct Writer<'w> {
    root: &'w str,
    /// The file that is being written.
    base: String,
    /// Files that were referred to.
    wanted: Vec<String>,
    left: usize,
}

// === impl Writer ===

impl Writer<'_> {
    fn file(&mut self, file: &str, bytes: &[u8]) -> Result<Value, Box<Diagnostic>> {
        let tree = tree::read(bytes).map_err(|error| Box::new(error.diagnostic(file)))?;
        file.clone_into(&mut self.base);
        self.value(&tree, tree.root()).ok_or_else(|| Box::new(tree::too_large(file)))
    }

    fn value(&mut self, tree: &Tree, node: NodeId) -> Option<Value> {
        self.left = self.left.checked_sub(1)?;
        Some(match tree.shape(node) {
            Shape::Null => Value::Null,
            Shape::Bool(flag) => Value::Bool(*flag),
            Shape::Number(text) => number(text),
            Shape::Text(text) => Value::from(&**text),
            Shape::List(items) => {
                Value::Array(items.iter().map(|item| self.value(tree, *item)).collect::<Option<_>>()?)
            }
            Shape::Map(members) => {
                let mut map = Map::new();
                for (name, node) in members {
                    let value = match tree.text(*node).filter(|_| &**name == "$ref") {
                        Some(reference) => Value::from(self.reference(reference)),
                        None => self.value(tree, *node)?,
                    };
                    map.insert(name.to_string(), value);
                }
                Value::Object(map)
            }
        })
    }

    /// The same reference within the whole.
    fn reference(&mut self, reference: &str) -> String {
        let (file, fragment) = split(reference);
        let address = join(&self.base, file);
        if address == self.root {
            return format!("#{}", fragment.unwrap_or_default());
        }
        if address.contains("://") {
            return reference.to_owned();
        }
        let pointer = fragment.filter(|fragment| fragment.is_empty() || fragment.starts_with('/')).unwrap_or_default();
        let step = address.replace('~', "~0").replace('/', "~1");
        self.wanted.push(address);
        format!("#/{FILES}/{step}{pointer}")
    }
}

/// The number, as near as a program reads it.
fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::plain;
    use serde_json::json;

    #[test]
    fn other_files_become_a_part_of_it() {
        let root = b"openapi: 3.1.0\na: { $ref: 'parts/one.yaml#/x' }\nb: { $ref: '#/a' }\nc: { $ref: 'gone.yaml' }\n";
        let mut fetch = |address: &str| {
            (address == "doc/parts/one.yaml").then(|| b"x: { $ref: '../api.yaml#/b' }\ny: [1, 1.5, no, ~]".to_vec())
        };
        let value = plain("doc/api.yaml", root, &mut fetch).unwrap();
        assert_eq!(
            value,
            json!({
                "openapi": "3.1.0",
                "a": { "$ref": "#/x-files/doc~1parts~1one.yaml/x" },
                "b": { "$ref": "#/a" },
                "c": { "$ref": "#/x-files/doc~1gone.yaml" },
                "x-files": { "doc/parts/one.yaml": { "x": { "$ref": "#/b" }, "y": [1, 1.5, "no", null] } },
            })
        );
    }

    #[test]
    fn aliases_that_explode_are_refused() {
        let mut text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
        for step in 1..12 {
            let before = step - 1;
            let many = vec![format!("*a{before}"); 10].join(", ");
            text.push_str(&format!("a{step}: &a{step} [{many}]\n"));
        }
        let error = plain("bomb.yaml", text.as_bytes(), &mut |_| None).unwrap_err();
        assert!(error.message.contains("too large"), "{error}");
    }
}
