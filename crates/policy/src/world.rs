//! What policies can speak of: operations with their parameters, callers with their claims. A schema is made of it, and the
//! entities of a request have exactly the same names.

use serde_json::{Map, Value as Json, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

pub(crate) const CALLER: &str = "Caller";
pub(crate) const ANONYMOUS: &str = "Anonymous";
pub(crate) const ROLE: &str = "Role";

/// Everything that the policies of one level can speak of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// The operations that they are about.
    pub actions: Vec<Action>,
    /// What else a request shows, by kind, each with its name and shape.
    pub values: Vec<(Kind, String, Shape)>,
}

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its id, which is that of `Action::"ID"`.
    pub id: String,
    /// The parameters of its path.
    pub parameters: Vec<String>,
    /// Whether somebody who has proved nothing may come.
    pub anonymous: bool,
}

/// Where a value of a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A claim of the caller's token: `principal.claims.NAME`.
    Claim,
    /// A parameter of the path: `resource.path.NAME`.
    Path,
    /// A member of the body: `resource.body.NAME`.
    Body,
    /// A query parameter: `context.query.NAME`.
    Query,
    /// A field: `context.header["NAME"]`.
    Header,
}

/// What a value can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text.
    Text,
    /// A whole number of 64 bits.
    Number,
    /// Yes or no.
    Flag,
    /// Texts without an order.
    Texts,
}

/// A value of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// Texts.
    Texts(Vec<Cow<'a, str>>),
}

/// A value is there and could be read in more than one way, or is not of its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unclear;

/// What a request shows; asked only for what the policies speak of.
pub trait Values {
    /// Who calls: the id; nothing for somebody who has proved nothing.
    fn caller(&self) -> Option<&str>;
    /// The caller's name, issuer and scheme: `username`, `issuer`, `scheme`.
    fn property(&self, name: &str) -> Option<&str>;
    /// The caller's roles, as they are called here.
    fn roles(&self) -> Vec<Cow<'_, str>>;
    /// The caller's scopes.
    fn scopes(&self) -> Vec<Cow<'_, str>>;
    /// The canonical path.
    fn path(&self) -> &str;
    /// Where the request comes from.
    fn address(&self) -> IpAddr;
    /// Seconds since 1970.
    fn now(&self) -> u64;
    /// A value of a kind; nothing where it is not there.
    ///
    /// # Errors
    /// It is there and has no one meaning.
    fn value(&self, kind: Kind, name: &str, shape: Shape) -> Result<Option<Value<'_>>, Unclear>;
}

// === impl Kind ===

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Claim, Self::Path, Self::Body, Self::Query, Self::Header];

    /// The record that holds values of this kind.
    pub(crate) const fn record(self) -> &'static str {
        match self {
            Self::Claim => "claims",
            Self::Path => "path",
            Self::Body => "body",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

// === impl Shape ===

impl Shape {
    fn json(self, required: bool) -> Json {
        let mut json = match self {
            Self::Text => json!({ "type": "String" }),
            Self::Number => json!({ "type": "Long" }),
            Self::Flag => json!({ "type": "Boolean" }),
            Self::Texts => json!({ "type": "Set", "element": { "type": "String" } }),
        };
        if let Some(object) = json.as_object_mut() {
            object.insert("required".to_owned(), Json::Bool(required));
        }
        json
    }
}

// === impl World ===

impl World {
    fn record(&self, kind: Kind) -> Json {
        let of_kind = self.values.iter().filter(|(have, ..)| *have == kind);
        let attributes: Map<String, Json> = of_kind.map(|(_, name, shape)| (name.clone(), shape.json(false))).collect();
        json!({ "type": "Record", "attributes": attributes })
    }

    /// Operations that share an id share a resource: what only some of them have may be missing.
    fn resources(&self) -> BTreeMap<String, Vec<&Action>> {
        let mut resources: BTreeMap<String, Vec<&Action>> = BTreeMap::new();
        for action in &self.actions {
            resources.entry(resource(&action.id)).or_default().push(action);
        }
        resources
    }

    /// The schema, in the JSON form of Cedar.
    pub(crate) fn schema(&self) -> Json {
        let mut types = Map::new();
        types.insert(ROLE.to_owned(), json!({}));
        types.insert(ANONYMOUS.to_owned(), json!({}));
        types.insert(
            CALLER.to_owned(),
            json!({ "memberOfTypes": [ROLE], "shape": { "type": "Record", "attributes": {
            "sub": Shape::Text.json(true), "scheme": Shape::Text.json(true),
            "username": Shape::Text.json(false), "issuer": Shape::Text.json(false),
            "roles": Shape::Texts.json(true), "scopes": Shape::Texts.json(true),
            Kind::Claim.record(): self.record(Kind::Claim),
        } } }),
        );
        for (name, actions) in self.resources() {
            let mut path = Map::new();
            for parameter in actions.iter().flat_map(|action| &action.parameters) {
                let always = actions.iter().all(|action| action.parameters.contains(parameter));
                path.insert(parameter.clone(), Shape::Text.json(always));
            }
            let path = json!({ "type": "Record", "attributes": path });
            let shape = json!({ "type": "Record", "attributes": {
                Kind::Path.record(): path, Kind::Body.record(): self.record(Kind::Body),
            } });
            types.insert(name, json!({ "shape": shape }));
        }
        let context = json!({ "type": "Record", "attributes": {
            "address": { "type": "Extension", "name": "ipaddr" }, "time": Shape::Number.json(true),
            Kind::Query.record(): self.record(Kind::Query), Kind::Header.record(): self.record(Kind::Header),
        } });
        let mut actions = Map::new();
        for action in &self.actions {
            let same = |other: &&Action| other.id == action.id;
            let open = self.actions.iter().filter(same).any(|action| action.anonymous);
            let principals = if open { json!([CALLER, ANONYMOUS]) } else { json!([CALLER]) };
            let applies = json!({
                "principalTypes": principals, "resourceTypes": [resource(&action.id)], "context": context,
            });
            actions.insert(action.id.clone(), json!({ "appliesTo": applies }));
        }
        json!({ "": { "entityTypes": types, "actions": actions } })
    }
}

/// The type of an operation's object: `Resource_` and its id, whose signs that no name can have are `_`.
pub(crate) fn resource(id: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    format!("Resource_{}", id.chars().map(plain).collect::<String>())
}
