//! A request that fits, for each operation of a document: what somebody sends who wants to try an API and has nothing but its contract.
//!
//! Values come from `example`, `examples`, `default`, `enum` and `const` where there are some, else from types, formats and bounds.
//! Schemas that only an inventive mind can satisfy (`not`, conditions) are met as far as their other words go.

#[cfg(test)]
mod tests;
mod value;

use crate::document::{METHODS, Walker, opened};
use crate::parameter::Location;
use crate::schema::{Compiler, Fetch, Library, Settings, Spot};
use std::collections::BTreeSet;

/// LIMIT: operations of one document for which requests are made.
const OPERATIONS_MAX: usize = 5_000;

/// One operation, and what a request of it may look like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// `GET` and its like.
    pub method: String,
    /// The path as the document writes it.
    pub template: String,
    /// Its `operationId`.
    pub id: Option<String>,
    /// Whether the document says that it goes away.
    pub deprecated: bool,
    /// What stands in path, query, header fields and cookies.
    pub parameters: Vec<SampleParameter>,
    /// Of each media type that a request may have.
    pub bodies: Vec<SampleBody>,
}

/// A parameter with a value that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleParameter {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub location: Location,
    /// Whether requests must have it.
    pub required: bool,
    /// What its value is.
    pub about: About,
    /// A value that fits, as JSON.
    pub json: String,
}

/// A body that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleBody {
    /// Of which media type.
    pub media_type: String,
    /// The value, as JSON; how it is written in another media type is for the caller to say.
    pub json: String,
    /// What the outermost element is called where it is XML: `xml.name`, or the name of the schema.
    pub root: String,
    /// Members of the outermost object.
    pub members: Vec<SampleMember>,
}

/// A member that a schema of a body declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleMember {
    /// Its name.
    pub name: String,
    /// Servers say it, callers do not.
    pub read_only: bool,
    /// Whether it must be there.
    pub required: bool,
    /// What its value is.
    pub about: About,
}

/// What a schema says about a value, as far as somebody must know it to break it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// `string` and its like; empty where any may be there.
    pub kind: String,
    /// Its `format`; empty where there is none.
    pub format: String,
    /// Whether only certain values may be there.
    pub chosen: bool,
    /// Its `minimum`, as it is written.
    pub minimum: Option<String>,
    /// Its `maximum`, as it is written.
    pub maximum: Option<String>,
    /// Its `maxLength`, as it is written.
    pub max_length: Option<String>,
}

/// A request for each operation of a document. Of a text that is no document there are none: [`load`](crate::document::load) says why.
#[must_use]
pub fn samples(file: &str, bytes: &[u8], fetch: Fetch<'_>) -> Vec<Sample> {
    let Ok((mut library, root)) = opened(file, bytes) else { return Vec::new() };
    let resource = library.resource_of_file(root);
    library.look_at(root, resource);
    let settings = Settings { open_objects: true, formats: true, openapi: true };
    let walker = Walker::new(Compiler::new(&mut library, fetch, settings));
    Sampler { walker, left: 0 }.operations(root, resource)
}

struct Sampler<'s> {
    walker: Walker<'s>,
    /// Values that may still be made for this operation.
    left: usize,
}

// === impl Sampler ===

impl Sampler<'_> {
    fn library(&self) -> &Library {
        self.walker.library()
    }

    fn operations(&mut self, root: Spot, resource: u32) -> Vec<Sample> {
        let mut all = Vec::new();
        let paths = self.library().member(root, "paths").map(|at| self.library().members(at)).unwrap_or_default();
        for (template, item) in paths.into_iter().filter(|(path, _)| path.starts_with('/')) {
            let Some((item, resource)) = self.walker.target(item, resource) else { continue };
            let shared = self.walker.parameters(item, resource, &[]);
            for method in METHODS {
                let Some(at) = self.library().member(item, method) else { continue };
                if all.len() >= OPERATIONS_MAX {
                    return all;
                }
                self.left = value::VALUES_MAX;
                let declared = self.walker.parameters(at, resource, &shared);
                all.push(Sample {
                    method: method.to_ascii_uppercase(),
                    template: template.clone(),
                    id: self.library().text_at(at, "operationId").map(str::to_owned),
                    deprecated: self.library().flag_at(at, "deprecated") == Some(true),
                    parameters: declared.into_iter().filter_map(|(at, of)| self.parameter(at, of)).collect(),
                    bodies: self.bodies(at, resource),
                });
            }
        }
        all
    }

    fn parameter(&mut self, spot: Spot, resource: u32) -> Option<SampleParameter> {
        let name = self.library().text_at(spot, "name")?.to_owned();
        let location = self.library().text_at(spot, "in").and_then(Location::named)?;
        let content = self.library().member(spot, "content").map(|at| self.library().members(at)).unwrap_or_default();
        let schema = match content.first() {
            Some((_, at)) => self.library().member(*at, "schema"),
            None => self.library().member(spot, "schema"),
        };
        let schema = schema?;
        let json = match self.example(spot) {
            Some(example) => self.written(example),
            None => self.value(schema, resource, 0),
        };
        let required = location == Location::Path || self.library().flag_at(spot, "required") == Some(true);
        Some(SampleParameter { name, location, required, about: self.about(schema, resource), json })
    }

    fn bodies(&mut self, at: Spot, resource: u32) -> Vec<SampleBody> {
        let Some(body) = self.library().member(at, "requestBody") else { return Vec::new() };
        let Some((body, resource)) = self.walker.target(body, resource) else { return Vec::new() };
        let content = self.library().member(body, "content").map(|at| self.library().members(at)).unwrap_or_default();
        let mut all = Vec::new();
        for (media_type, at) in content {
            let schema = self.library().member(at, "schema");
            let json = match (self.example(at), schema) {
                (Some(example), _) => self.written(example),
                (None, Some(schema)) => self.value(schema, resource, 0),
                (None, None) => "{}".to_owned(),
            };
            let members = schema.map(|schema| self.members(schema, resource)).unwrap_or_default();
            let root = schema.map(|schema| self.root(schema, resource)).unwrap_or_default();
            all.push(SampleBody { media_type, json, root, members });
        }
        all
    }

    fn root(&mut self, schema: Spot, resource: u32) -> String {
        let named = self.library().text_at(schema, "$ref").and_then(|to| to.rsplit('/').next()).map(str::to_owned);
        let parts = self.parts(schema, resource);
        let mut xml = parts.iter().filter_map(|(spot, _)| self.library().member(*spot, "xml"));
        let own = xml.find_map(|xml| self.library().text_at(xml, "name")).map(str::to_owned);
        own.or(named).unwrap_or_else(|| "root".to_owned())
    }

    fn members(&mut self, schema: Spot, resource: u32) -> Vec<SampleMember> {
        let parts = self.parts(schema, resource);
        let required = self.required(&parts);
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for (spot, resource) in parts {
            let properties = self.library().member(spot, "properties").map(|at| self.library().members(at));
            for (name, at) in properties.unwrap_or_default() {
                if seen.insert(name.clone()) {
                    let (read_only, required) = (self.is_read_only(at, resource), required.contains(&name));
                    all.push(SampleMember { about: self.about(at, resource), name, read_only, required });
                }
            }
        }
        all
    }
}
