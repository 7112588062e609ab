//! GraphQL over HTTP: whether a request is one, and how much work its operations are, before a server begins to do it.
//!
//! Decides by the document alone; what its fields mean is the server's business. A request whose document is not in it (a
//! persisted one) cannot be judged, and is refused.

mod lex;
mod parse;
#[cfg(test)]
mod tests;
mod weigh;

use crate::json::{Item, Json, Kind, Limits as JsonLimits};
use crate::message::{Objection, Part};
use crate::parameter::{Pair, pairs_of, percent_decoded};
use parse::{Document, Unread, parse};
use std::borrow::Cow;
use weigh::{Endless, Scale, Weight};

/// LIMIT: names in a query.
const PAIRS_MAX: usize = 20;
/// LIMIT: directives of a document.
const DIRECTIVES_MAX: u64 = 100;
/// What a request consists of (GraphQL over HTTP, section 5.1).
const MEMBERS: [&str; 4] = ["query", "operationName", "variables", "extensions"];

/// How much a request may ask for. Fragments count wherever they are used, and the operations of a batch together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fields within each other.
    pub depth: u64,
    /// Fields that are called something else.
    pub aliases: u64,
    /// Fields.
    pub fields: u64,
    /// Fields, times what `first`, `last` or `limit` says of those that they are within.
    pub cost: u64,
    /// Whether the schema may be asked for.
    pub introspection: bool,
    /// Operations in one request.
    pub batch: usize,
}

/// What a request asks with.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'r> {
    /// GET: the query of its target.
    Query(&'r str),
    /// POST: its body, and the query of its target, which must be empty.
    Body(&'r Json<'r>, &'r str),
}

/// A request that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Whether it is a good one that asks for too much.
    pub is_limit: bool,
    /// Why; the first few reasons.
    pub objections: Vec<Objection>,
}

/// One operation to be executed, before its document is read.
struct Call<'r> {
    part: Part,
    pointer: String,
    query: Cow<'r, str>,
    operation: Option<Cow<'r, str>>,
    /// A query only: nothing may be changed by what anybody can link to.
    is_safe: bool,
}

/// Collects why a request is refused.
#[derive(Default)]
struct Why {
    is_malformed: bool,
    objections: Vec<Objection>,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 10, aliases: 15, fields: 250, cost: 1_000, introspection: false, batch: 1 }
    }
}

/// Judges a request.
///
/// # Errors
/// It is none of GraphQL over HTTP, or asks for more than it may.
pub fn conform(asked: Asked<'_>, limits: &Limits, json: &JsonLimits) -> Result<(), Refused> {
    let mut why = Why::default();
    let whole = match asked {
        Asked::Query(query) => by_query(query, limits, json, &mut why),
        Asked::Body(body, query) => by_body(body.root(), query, limits, &mut why),
    };
    let part = if matches!(asked, Asked::Query(_)) { Part::Query } else { Part::Body };
    for (name, is, most) in [
        ("depth", whole.depth, limits.depth),
        ("aliases", whole.aliases, limits.aliases),
        ("fields", whole.fields, limits.fields),
        ("cost", whole.cost, limits.cost),
    ] {
        if is > most {
            why.limit(part, "", name, format!("it is {is} where at most {most} are allowed"));
        }
    }
    if whole.introspects && !limits.introspection {
        why.limit(part, "", "introspection", "the schema cannot be asked for".to_owned());
    }
    match why.objections.is_empty() {
        true => Ok(()),
        false => Err(Refused { is_limit: !why.is_malformed, objections: why.objections }),
    }
}

fn by_query(query: &str, limits: &Limits, bounds: &JsonLimits, why: &mut Why) -> Weight {
    let Ok(pairs) = pairs_of(query, PAIRS_MAX) else {
        why.malformed(Part::Query, "", "query", "the query cannot be read");
        return Weight::default();
    };
    let mut values: [Option<Cow<'_, str>>; 4] = [const { None }; 4];
    for Pair { name, raw, .. } in &pairs {
        let place = MEMBERS.iter().position(|have| *have == name).and_then(|index| values.get_mut(index));
        match (place, percent_decoded(raw, true)) {
            (Some(place @ None), Ok(value)) => *place = Some(value),
            (Some(_), _) => why.malformed(Part::Query, name, "repeated", "it stands twice, or is badly encoded"),
            (None, _) => why.malformed(Part::Query, name, "unknown", "it is no parameter of GraphQL over HTTP"),
        }
    }
    let [query, operation, variables, extensions] = values;
    let variables = object("variables", variables.as_deref(), bounds, why);
    object("extensions", extensions.as_deref(), bounds, why);
    let Some(query) = query else {
        why.malformed(Part::Query, "query", "required", "the document must be in the request");
        return Weight::default();
    };
    let operation = operation.filter(|name| !name.is_empty());
    let call = Call { part: Part::Query, pointer: String::new(), query, operation, is_safe: true };
    weigh(&call, variables.as_ref().map(Json::root), limits, why)
}

/// A parameter that is an object in JSON.
fn object<'t>(name: &str, text: Option<&'t str>, bounds: &JsonLimits, why: &mut Why) -> Option<Json<'t>> {
    let text = text.filter(|text| !text.is_empty())?;
    let json = Json::parse(text.as_bytes(), bounds).ok();
    let json = json.filter(|json| matches!(json.root().kind(), Kind::Object | Kind::Null));
    if json.is_none() {
        why.malformed(Part::Query, name, "type", "it must be an object in JSON");
    }
    json
}

fn by_body(root: Item<'_>, query: &str, limits: &Limits, why: &mut Why) -> Weight {
    // Some servers would take it from there.
    let named =
        pairs_of(query, PAIRS_MAX).map_or(true, |pairs| pairs.iter().any(|pair| MEMBERS.contains(&&*pair.name)));
    if named {
        why.malformed(Part::Query, "", "unknown", "a document in the body stands alone");
    }
    if root.kind() != Kind::Array {
        return one(root, String::new(), limits, why);
    }
    if root.len() > limits.batch {
        why.limit(
            Part::Body,
            "",
            "batch",
            format!("it has {} operations where at most {} are allowed", root.len(), limits.batch),
        );
        return Weight::default();
    }
    if root.is_empty() {
        why.malformed(Part::Body, "", "required", "there is no operation");
    }
    let all = root.items().enumerate().map(|(index, item)| one(item, format!("/{index}"), limits, why));
    all.fold(Weight::default(), Weight::and)
}

/// One operation of a body.
fn one(item: Item<'_>, pointer: String, limits: &Limits, why: &mut Why) -> Weight {
    if item.kind() != Kind::Object {
        why.malformed(Part::Body, &pointer, "type", "it must be an object");
        return Weight::default();
    }
    let (mut query, mut operation, mut variables) = (None, None, None);
    for (name, value) in item.members() {
        match (name.text(), value.kind()) {
            ("query", Kind::Text) => query = Some(Cow::Borrowed(value.text())),
            ("operationName", Kind::Text) => operation = Some(Cow::Borrowed(value.text())),
            ("variables", Kind::Object) => variables = Some(value),
            ("extensions", Kind::Object) | ("operationName" | "variables" | "extensions", Kind::Null) => {}
            ("query" | "operationName" | "variables" | "extensions", _) => {
                why.malformed(Part::Body, &value.pointer(), "type", "it is of another type");
            }
            // It may name a document that the server knows.
            _ => why.malformed(Part::Body, &value.pointer(), "unknown", "it is no member of GraphQL over HTTP"),
        }
    }
    let Some(query) = query else {
        why.malformed(Part::Body, &format!("{pointer}/query"), "required", "the document must be in the request");
        return Weight::default();
    };
    weigh(&Call { part: Part::Body, pointer, query, operation, is_safe: false }, variables, limits, why)
}

/// What the heaviest operation of a document amounts to. All of them are weighed: which one a server takes is its decision.
fn weigh(call: &Call<'_>, variables: Option<Item<'_>>, limits: &Limits, why: &mut Why) -> Weight {
    let at = |name: &str| match call.part {
        Part::Query => name.to_owned(),
        Part::Path | Part::Header | Part::Cookie | Part::Body | Part::Status => format!("{}/{name}", call.pointer),
    };
    let document = match parse(&call.query, variables) {
        Ok(document) => document,
        Err(Unread::Malformed(detail)) => {
            why.malformed(call.part, &at("query"), "malformed", detail);
            return Weight::default();
        }
        Err(Unread::TooDeep) => {
            let most = limits.depth;
            why.limit(call.part, &at("query"), "depth", format!("it is deeper than the {most} that are allowed"));
            return Weight::default();
        }
        Err(Unread::TooLong) => {
            why.limit(call.part, &at("query"), "tokens", "the document is longer than one may be".to_owned());
            return Weight::default();
        }
    };
    if let Some((name, detail)) = unfit(call, &document) {
        why.malformed(call.part, &at(name), name, detail);
    }
    if document.directives > DIRECTIVES_MAX {
        let detail = format!("it has {} where at most {DIRECTIVES_MAX} are allowed", document.directives);
        why.limit(call.part, &at("query"), "directives", detail);
    }
    let mut scale = Scale::new(&document);
    let mut heaviest = Weight::default();
    let operations = document.operations.iter().map(|one| one.set);
    let sets: Vec<usize> = operations.chain(document.fragments.values().copied()).collect();
    for (index, set) in sets.iter().enumerate() {
        // Fragments that nobody uses are read as well: a circle is one wherever it stands.
        match scale.set(*set) {
            Ok(weight) if index < document.operations.len() => heaviest = heaviest.or(weight),
            Ok(_) => {}
            Err(Endless::Cycle) => {
                why.malformed(call.part, &at("query"), "fragments", "a fragment holds itself");
                break;
            }
            Err(Endless::Unknown) => {
                why.malformed(call.part, &at("query"), "fragments", "a fragment is used that is not there");
                break;
            }
            Err(Endless::TooDeep) => {
                let most = limits.depth;
                why.limit(call.part, &at("query"), "depth", format!("it is deeper than the {most} that are allowed"));
                break;
            }
        }
    }
    heaviest
}

/// Whether it is clear what a document asks for, and whether it may: the member that is wrong, and why.
fn unfit(call: &Call<'_>, document: &Document<'_>) -> Option<(&'static str, &'static str)> {
    let all = &document.operations;
    match &call.operation {
        _ if all.is_empty() => return Some(("query", "the document has no operation")),
        Some(name) => {
            let named = all.iter().filter(|one| one.name == Some(name)).count();
            if named != 1 {
                return Some(("operationName", "it must name one operation of the document"));
            }
        }
        None if all.len() > 1 => return Some(("operationName", "it must say which operation is meant")),
        None => {}
    }
    (call.is_safe && all.iter().any(|one| !one.is_query)).then_some(("query", "only queries may be asked with GET"))
}

// === impl Weight ===

impl Weight {
    /// The greater of both in each regard.
    fn or(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            fields: self.fields.max(other.fields),
            aliases: self.aliases.max(other.aliases),
            cost: self.cost.max(other.cost),
            introspects: self.introspects || other.introspects,
        }
    }
}

// === impl Why ===

impl Why {
    fn malformed(&mut self, part: Part, place: &str, keyword: &'static str, detail: &'static str) {
        self.is_malformed = true;
        self.object(part, place, keyword, detail.to_owned());
    }

    fn limit(&mut self, part: Part, place: &str, keyword: &'static str, detail: String) {
        self.object(part, place, keyword, detail);
    }

    /// A place in a query is a parameter, one in a body a pointer.
    fn object(&mut self, part: Part, place: &str, keyword: &'static str, detail: String) {
        // LIMIT: reasons that one request is refused for.
        const OBJECTIONS_MAX: usize = 16;
        let (name, pointer) = match part {
            Part::Body => (String::new(), place.to_owned()),
            Part::Path | Part::Query | Part::Header | Part::Cookie | Part::Status => {
                (crate::text::short(place), String::new())
            }
        };
        if self.objections.len() < OBJECTIONS_MAX {
            self.objections.push(Objection { part, name, pointer, keyword, detail });
        }
    }
}
