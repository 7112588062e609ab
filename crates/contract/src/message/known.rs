//! What a contract knows of fields before they come: of which bytes their values are, for those who look at values for
//! something else.

use crate::document::{Contract, Operation};
use crate::media::Reading;
use crate::parameter::Location;
use crate::schema::SchemaId;
use crate::schema::bytes::ByteSet;
use std::collections::BTreeMap;

/// LIMIT: fields of one operation of which anything is known.
const FIELDS_MAX: usize = 1_000;
/// LIMIT: objects and lists within each other that are looked into.
const DEPTH_MAX: usize = 8;

/// Of which bytes the values of a field are, in requests that fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownField {
    /// Where it stands as a parameter; `None` in the body.
    pub parameter: Option<Location>,
    /// `page`, in a body of JSON `json.items.*.id`, in a form or a part `page`.
    pub name: String,
    /// The bytes, in order.
    pub bytes: Vec<u8>,
}

/// By place and name; `None` where one of several values may be of any bytes.
type Fields = BTreeMap<(Option<Location>, String), Option<ByteSet>>;

// === impl Contract ===

impl Contract {
    /// The fields of an operation's requests of which it is known of which bytes their values are: single values in query, header
    /// fields, cookies, JSON, forms and parts of multipart bodies. Of a path rules see the whole.
    #[must_use]
    pub fn known_fields(&self, operation: &Operation) -> Vec<KnownField> {
        let mut fields = Fields::new();
        let single = |one: &&crate::parameter::Parameter| {
            one.location != Location::Path && !one.json && !one.plan.array && !one.plan.object
        };
        for one in operation.parameters.iter().filter(single) {
            self.note(&mut fields, (Some(one.location), one.name.to_string()), one.schema);
        }
        for content in operation.body.iter().flat_map(|body| &body.content) {
            let Some(schema) = content.schema else { continue };
            match content.media_type.reading() {
                Reading::Json => self.inside(&mut fields, "json", schema, DEPTH_MAX),
                // A part is one text to rules, like a field of a form; what is a file to them is looked at whole.
                Reading::Form | Reading::Multipart => {
                    for (name, schema) in self.schemas.inner(schema) {
                        let Some(name) = name else { continue };
                        self.note(&mut fields, (None, name.to_owned()), schema);
                    }
                }
                Reading::Text | Reading::Xml | Reading::Bytes => {}
            }
        }
        let known = fields
            .into_iter()
            .filter_map(|((parameter, name), set)| Some(KnownField { parameter, name, bytes: set?.bytes() }));
        known.filter(|field| !field.bytes.is_empty()).collect()
    }

    /// A value that may stand at a name as well as others that are noted there.
    fn note(&self, fields: &mut Fields, key: (Option<Location>, String), schema: SchemaId) {
        if fields.len() >= FIELDS_MAX && !fields.contains_key(&key) {
            return;
        }
        let found = self.schemas.bytes_of(schema);
        fields.entry(key).and_modify(|have| *have = have.zip(found).map(|(a, b)| a.with(b))).or_insert(found);
    }

    fn inside(&self, fields: &mut Fields, name: &str, schema: SchemaId, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        if fields.len() >= FIELDS_MAX {
            return;
        }
        for (member, inner) in self.schemas.inner(schema) {
            let name = format!("{name}.{}", member.unwrap_or("*"));
            self.note(fields, (None, name.clone()), inner);
            self.inside(fields, &name, inner, depth);
        }
    }
}

#[cfg(test)]
mod tests;
