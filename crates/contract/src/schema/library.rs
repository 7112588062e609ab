//! All documents that schemas stand in, and where a reference leads: identifiers, anchors and pointers of all of them.

use super::uri::{decoded, join, split};
use crate::json::Decimal;
use crate::tree::{self, NodeId, Shape, Tree, unescaped};
use std::collections::{HashMap, HashSet};

/// LIMIT: files that one contract is made of.
const FILES_MAX: usize = 1_000;
/// LIMIT: schemas within each other while identifiers are looked for.
const DEPTH_MAX: usize = 256;

/// Gives the bytes of another file by its address; `None` where there is none or it may not be read.
pub type Fetch<'f> = &'f mut dyn FnMut(&str) -> Option<Vec<u8>>;

/// Which language a schema is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Draft {
    /// Draft 4.
    Four,
    /// Draft 4 as OpenAPI 3.0 bends it.
    OpenApi30,
    /// 2020-12.
    Current,
}

/// A node of one of the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Spot {
    pub(crate) file: usize,
    pub(crate) node: NodeId,
}

#[derive(Debug)]
pub(crate) struct File {
    pub(crate) uri: String,
    pub(crate) tree: Tree,
    /// The resource that its root is.
    resource: u32,
}

/// Documents by number, and what can be named in them.
#[derive(Debug)]
pub(crate) struct Library {
    pub(crate) draft: Draft,
    pub(crate) files: Vec<File>,
    /// Addresses of resources, by number.
    addresses: Vec<String>,
    resources: HashMap<String, (Spot, u32)>,
    /// Schemas that are resources of their own.
    roots: HashMap<Spot, u32>,
    anchors: HashMap<(u32, String), Spot>,
    pub(super) dynamic: HashMap<(u32, String), Spot>,
    looked_at: HashSet<Spot>,
    failed: HashSet<String>,
}

const SINGLE: &[&str] = &[
    "additionalItems",
    "additionalProperties",
    "items",
    "not",
    "contains",
    "propertyNames",
    "if",
    "then",
    "else",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
];
const LISTS: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems", "items"];
const MAPS: &[&str] = &["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];

// === impl Library ===

impl Library {
    pub(crate) fn new(draft: Draft) -> Self {
        Self {
            draft,
            files: Vec::new(),
            addresses: Vec::new(),
            resources: HashMap::new(),
            roots: HashMap::new(),
            anchors: HashMap::new(),
            dynamic: HashMap::new(),
            looked_at: HashSet::new(),
            failed: HashSet::new(),
        }
    }

    /// Takes a document in, under its address.
    pub(crate) fn add(&mut self, uri: &str, tree: Tree) -> Spot {
        let spot = Spot { file: self.files.len(), node: tree.root() };
        let resource = self.resource(uri, spot);
        self.files.push(File { uri: uri.to_owned(), tree, resource });
        spot
    }

    /// A document that names itself by the address that it was read from is one resource.
    fn resource(&mut self, uri: &str, spot: Spot) -> u32 {
        if let Some((_, number)) = self.resources.get(uri).filter(|(have, _)| *have == spot) {
            return *number;
        }
        let number = u32::try_from(self.addresses.len()).unwrap_or(u32::MAX);
        self.addresses.push(uri.to_owned());
        self.resources.entry(uri.to_owned()).or_insert((spot, number));
        self.roots.insert(spot, number);
        number
    }

    pub(crate) fn tree(&self, spot: Spot) -> Option<&Tree> {
        self.files.get(spot.file).map(|file| &file.tree)
    }

    pub(crate) fn shape(&self, spot: Spot) -> &Shape {
        self.tree(spot).map_or(&Shape::Null, |tree| tree.shape(spot.node))
    }

    pub(crate) fn member(&self, spot: Spot, name: &str) -> Option<Spot> {
        let node = self.tree(spot)?.member(spot.node, name)?;
        Some(Spot { node, ..spot })
    }

    pub(crate) fn text_at(&self, spot: Spot, name: &str) -> Option<&str> {
        self.tree(spot)?.text_at(spot.node, name)
    }

    /// A whole number that is not negative, however it is written.
    pub(crate) fn count_at(&self, spot: Spot, name: &str) -> Option<usize> {
        let tree = self.tree(spot)?;
        let (negative, mantissa, power) = Decimal::of(tree.number(tree.member(spot.node, name)?)?).parts()?;
        let factor = 10_u64.checked_pow(u32::try_from(power).ok()?)?;
        let value = usize::try_from(mantissa.checked_mul(factor)?).ok()?;
        (!negative).then_some(value)
    }

    pub(crate) fn flag_at(&self, spot: Spot, name: &str) -> Option<bool> {
        self.tree(spot)?.flag_at(spot.node, name)
    }

    pub(crate) fn items(&self, spot: Spot) -> Vec<Spot> {
        let items = self.tree(spot).and_then(|tree| tree.list(spot.node)).unwrap_or_default();
        items.iter().map(|node| Spot { node: *node, ..spot }).collect()
    }

    pub(crate) fn members(&self, spot: Spot) -> Vec<(String, Spot)> {
        let Some(map) = self.tree(spot).and_then(|tree| tree.map(spot.node)) else { return Vec::new() };
        map.iter().map(|(name, node)| (name.to_string(), Spot { node: *node, ..spot })).collect()
    }

    pub(crate) fn line(&self, spot: Spot) -> u32 {
        self.tree(spot).map_or(0, |tree| tree.node(spot.node).line)
    }

    /// The resource of a document's root.
    pub(crate) fn resource_of_file(&self, spot: Spot) -> u32 {
        self.files.get(spot.file).map_or(0, |file| file.resource)
    }

    /// The resource of a schema that stands within another one.
    pub(crate) fn resource_at(&self, spot: Spot, within: u32) -> u32 {
        self.roots.get(&spot).copied().unwrap_or(within)
    }

    pub(super) fn is_root(&self, spot: Spot) -> bool {
        self.roots.contains_key(&spot)
    }

    /// Notes the identifiers and anchors of a schema and of all that are in it.
    pub(crate) fn look_at(&mut self, spot: Spot, within: u32) {
        let mut waiting = vec![(spot, within, 0_usize)];
        while let Some((spot, within, depth)) = waiting.pop() {
            if depth > DEPTH_MAX || !matches!(self.shape(spot), Shape::Map(_)) || !self.looked_at.insert(spot) {
                continue;
            }
            let resource = self.identify(spot, within);
            for name in SINGLE {
                waiting.extend(self.member(spot, name).map(|inner| (inner, resource, depth + 1)));
            }
            for name in LISTS {
                let inner = self.member(spot, name).map(|list| self.items(list)).unwrap_or_default();
                waiting.extend(inner.into_iter().map(|inner| (inner, resource, depth + 1)));
            }
            for name in MAPS {
                let inner = self.member(spot, name).map(|map| self.members(map)).unwrap_or_default();
                waiting.extend(inner.into_iter().map(|(_, inner)| (inner, resource, depth + 1)));
            }
        }
    }

    fn identify(&mut self, spot: Spot, within: u32) -> u32 {
        let mut resource = self.resource_at(spot, within);
        let word = match self.draft {
            // Beside `$ref` nothing counts in draft 4.
            Draft::Four if self.text_at(spot, "$ref").is_some() => return resource,
            Draft::Four => "id",
            Draft::OpenApi30 => return resource,
            Draft::Current => "$id",
        };
        if let Some(id) = self.text_at(spot, word).map(str::to_owned) {
            let (address, fragment) = split(&id);
            if !address.is_empty() {
                let base = self.addresses.get(usize::try_from(resource).unwrap_or(usize::MAX)).cloned();
                let address = join(&base.unwrap_or_default(), address);
                resource = self.resource(&address, spot);
            }
            if let (Draft::Four, Some(name)) = (self.draft, fragment.filter(|name| !name.is_empty())) {
                self.anchors.insert((resource, name.to_owned()), spot);
            }
        }
        if self.draft == Draft::Current {
            if let Some(name) = self.text_at(spot, "$anchor").map(str::to_owned) {
                self.anchors.insert((resource, name), spot);
            }
            if let Some(name) = self.text_at(spot, "$dynamicAnchor").map(str::to_owned) {
                self.anchors.insert((resource, name.clone()), spot);
                self.dynamic.insert((resource, name), spot);
            }
        }
        resource
    }

    /// The root of a resource.
    pub(super) fn root_of(&self, resource: u32) -> Option<Spot> {
        let (spot, number) = self.resources.get(self.address(resource))?;
        (*number == resource).then_some(*spot)
    }

    fn address(&self, resource: u32) -> &str {
        usize::try_from(resource).ok().and_then(|index| self.addresses.get(index)).map_or("", String::as_str)
    }

    /// The document at an address, read when it is asked for first.
    fn open(&mut self, address: &str, fetch: Fetch<'_>) -> Result<(Spot, u32), String> {
        if let Some(found) = self.resources.get(address) {
            return Ok(*found);
        }
        // An address is asked for once, also when nothing is there.
        if self.failed.contains(address) {
            return Err("the file that it names cannot be read".to_owned());
        }
        if self.files.len() >= FILES_MAX {
            return Err(format!("the contract has more than {FILES_MAX} files"));
        }
        let read = match fetch(address) {
            None => Err(format!("`{address}` cannot be read: it is not there, or it is not allowed")),
            Some(bytes) => {
                tree::read(&bytes).map_err(|error| format!("`{address}`, line {}: {}", error.line, error.message))
            }
        };
        let tree = match read {
            Ok(tree) => tree,
            Err(message) => {
                self.failed.insert(address.to_owned());
                return Err(message);
            }
        };
        let spot = self.add(address, tree);
        let resource = self.resource_of_file(spot);
        self.look_at(spot, resource);
        Ok((spot, resource))
    }

    /// Where a reference within a resource leads, the resource that this is in, and the anchor that it names.
    pub(crate) fn resolve(
        &mut self,
        reference: &str,
        within: u32,
        fetch: Fetch<'_>,
    ) -> Result<(Spot, u32, Option<String>), String> {
        let address = join(self.address(within), split(reference).0);
        self.open(&address, fetch)?;
        let found = self.resolve_open(reference, within)?;
        self.look_at(found.0, found.1);
        let (spot, resource, anchor) = found;
        Ok((spot, self.resource_at(spot, resource), anchor))
    }

    /// The same among documents that were opened already.
    pub(crate) fn resolve_known(&self, reference: &str, within: u32) -> Option<(Spot, u32)> {
        self.resolve_open(reference, within).ok().map(|(spot, resource, _)| (spot, resource))
    }

    fn resolve_open(&self, reference: &str, within: u32) -> Result<(Spot, u32, Option<String>), String> {
        let (address, fragment) = split(reference);
        let address = join(self.address(within), address);
        let (root, resource) = *self.resources.get(&address).ok_or("its document was not opened")?;
        let fragment = decoded(fragment.unwrap_or("")).ok_or("its fragment is not percent-encoded text")?;
        if fragment.is_empty() {
            return Ok((root, resource, None));
        }
        if !fragment.starts_with('/') {
            let found = self.anchors.get(&(resource, fragment.clone())).copied();
            let spot = found.ok_or_else(|| "nothing has the anchor that it names".to_owned())?;
            return Ok((spot, self.resource_at(spot, resource), Some(fragment)));
        }
        let (mut spot, mut resource) = (root, resource);
        for step in fragment.split('/').skip(1) {
            let tree = self.tree(spot).ok_or("nothing is where it points")?;
            let node = tree.step(spot.node, &unescaped(step)).ok_or("nothing is where it points")?;
            spot.node = node;
            resource = self.resource_at(spot, resource);
        }
        Ok((spot, resource, None))
    }

    /// The JSON Pointer that leads to a node, the shortest way that is found first.
    pub(crate) fn pointers(&self, file: usize) -> HashMap<NodeId, (NodeId, String)> {
        let mut parents = HashMap::new();
        let Some(tree) = self.files.get(file).map(|file| &file.tree) else { return parents };
        let mut waiting = std::collections::VecDeque::from([tree.root()]);
        while let Some(id) = waiting.pop_front() {
            let inner: Vec<(NodeId, String)> = match tree.shape(id) {
                Shape::List(items) => {
                    items.iter().enumerate().map(|(position, item)| (*item, position.to_string())).collect()
                }
                Shape::Map(map) => map.iter().map(|(name, value)| (*value, name.to_string())).collect(),
                Shape::Null | Shape::Bool(_) | Shape::Number(_) | Shape::Text(_) => Vec::new(),
            };
            for (node, step) in inner {
                if node != tree.root() && !parents.contains_key(&node) {
                    parents.insert(node, (id, step));
                    waiting.push_back(node);
                }
            }
        }
        parents
    }
}
