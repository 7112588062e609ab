//! Whether a message fits its operation: parameters, fields, body; of requests and of answers. All reasons at once.

mod answer;
mod body;
mod fields;
#[cfg(test)]
mod form_tests;
mod known;
mod multipart;
mod outline;
#[cfg(test)]
mod tests;

use crate::document::{Contract, Operation};
use crate::json::{Builder, Json, Kind, Limits, Unsafe};
use crate::parameter::{Location, Pair, Parameter, Wrong, decode, pairs_of, single};
use crate::schema::{Effort, Verdict};
use std::borrow::Cow;

pub use answer::Reply;
pub use known::KnownField;

/// LIMIT: reasons that one message is refused for.
const OBJECTIONS_MAX: usize = 64;
/// LIMIT: names in a query or a form, cookies of a request.
const PAIRS_MAX: usize = 1_000;

/// A request, after its path was found to be an operation's.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// The path below the document's server, percent-encoded.
    pub path: &'r str,
    /// The query without its question mark.
    pub query: &'r str,
    /// Names and values of the header section.
    pub headers: &'r [(&'r str, &'r str)],
    /// The body without its content coding.
    pub body: Body<'r>,
}

/// What is known of a body.
#[derive(Clone, Copy, Debug, Default)]
pub enum Body<'r> {
    /// There is none.
    #[default]
    Absent,
    /// There is one that is not looked into, and that has at most [`Operation::body_bytes`]. Where a schema would have to judge
    /// more of it, it does not fit.
    Unread,
    /// All of it, to be read here.
    Whole(&'r [u8]),
    /// All of it, read by whoever asks: its value, or why it is no JSON.
    Json(Result<&'r Json<'r>, Unsafe>),
}

/// How much of a message is looked at, and at what cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// What JSON may be made of.
    pub json: Limits,
    /// What judging may cost.
    pub effort: Effort,
}

/// A part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A parameter of the path.
    Path,
    /// A parameter of the query.
    Query,
    /// A header field.
    Header,
    /// A cookie.
    Cookie,
    /// The body.
    Body,
    /// The status of an answer.
    Status,
}

// === impl Part ===

impl Part {
    /// The word for it in problems and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Body => "body",
            Self::Status => "status",
        }
    }
}

/// One reason why a message does not fit. It holds names and places, never what was sent there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// Which part.
    pub part: Part,
    /// The parameter or the field, cut where it is long.
    pub name: String,
    /// Where in its value: a JSON Pointer.
    pub pointer: String,
    /// The keyword that says so.
    pub keyword: &'static str,
    /// What the contract asks for.
    pub detail: String,
}

/// A message that fits, with its body as it was read.
#[derive(Debug, Default)]
pub struct Fits<'b> {
    /// The body, where it is JSON that a schema speaks of.
    pub json: Option<Json<'b>>,
}

/// A message that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What to answer a request with: 400, 415 or 422.
    pub status: u16,
    /// Why; at most a stated number of reasons.
    pub objections: Vec<Objection>,
}

/// Of a parameter: nothing where it is not there.
type Value = Result<Option<Json<'static>>, Wrong>;

/// Collects reasons, and the status that they come to.
pub(crate) struct Collector<'c> {
    pub(crate) contract: &'c Contract,
    pub(crate) bounds: &'c Bounds,
    objections: Vec<Objection>,
    status: u16,
    /// Members of a body that could not be read, as JSON Pointers: what their schema says of them is not worth saying.
    unread: Vec<String>,
}

// === impl Contract ===

impl Contract {
    /// Whether a request fits an operation.
    ///
    /// # Errors
    /// All reasons why it does not.
    pub fn conform<'b>(
        &self,
        operation: &Operation,
        request: &Request<'b>,
        bounds: &Bounds,
    ) -> Result<Fits<'b>, Refused> {
        let mut collector = Collector::new(self, bounds);
        collector.path(operation, request.path);
        collector.query(operation, request.query);
        collector.headers(operation, request.headers);
        let json = collector.request_body(operation, request);
        collector.finish().map(|()| Fits { json })
    }
}

// === impl Collector ===

impl<'c> Collector<'c> {
    pub(crate) fn new(contract: &'c Contract, bounds: &'c Bounds) -> Self {
        Self { contract, bounds, objections: Vec::new(), status: 0, unread: Vec::new() }
    }

    pub(crate) fn finish(self) -> Result<(), Refused> {
        if self.status == 0 {
            return Ok(());
        }
        Err(Refused { status: self.status, objections: self.objections })
    }

    /// What breaks the message itself weighs more than what breaks its meaning.
    pub(crate) fn object(
        &mut self,
        status: u16,
        part: Part,
        name: &str,
        keyword: &'static str,
        detail: impl Into<String>,
    ) {
        self.object_at(status, part, name, String::new(), keyword, detail.into());
    }

    fn object_at(
        &mut self,
        status: u16,
        part: Part,
        name: &str,
        pointer: String,
        keyword: &'static str,
        detail: String,
    ) {
        let weight = |status: u16| match status {
            0 => 0,
            422 => 1,
            415 => 2,
            _ => 3,
        };
        if weight(status) > weight(self.status) {
            self.status = status;
        }
        if self.objections.len() < OBJECTIONS_MAX {
            let name = crate::text::short(name);
            self.objections.push(Objection { part, name, pointer, keyword, detail });
        }
    }

    pub(crate) fn take(&mut self, status: u16, part: Part, name: &str, verdict: Verdict) {
        match verdict {
            Verdict::Valid => {}
            Verdict::Exhausted => {
                self.object(status, part, name, "effort", "judging it would take more work than a message may");
            }
            Verdict::Invalid(found) => {
                let unread = |pointer: &str| self.unread.iter().any(|one| is_within(pointer, one));
                let found: Vec<_> =
                    found.into_iter().filter(|one| part != Part::Body || !unread(&one.pointer)).collect();
                for one in found {
                    self.object_at(status, part, name, one.pointer, one.keyword, one.detail);
                }
            }
        }
    }

    /// A parameter whose value is there, or is not, or cannot be read.
    fn judge(&mut self, parameter: &Parameter, (part, name): (Part, &str), value: Value) {
        let json = match value {
            Ok(Some(json)) => json,
            Ok(None) if !parameter.required => return,
            Ok(None) => return self.object(400, part, name, "required", "it must be there"),
            Err(Wrong { keyword, detail }) => return self.object(400, part, name, keyword, detail),
        };
        let verdict = self.verdict(parameter, &json);
        self.take(400, part, name, verdict);
    }

    /// The same of one that is a list or an object, or, where that does not fit, a single value.
    pub(crate) fn judge_either(
        &mut self,
        parameter: &Parameter,
        place: (Part, &str),
        value: Value,
        single: Option<Json<'static>>,
    ) {
        let fits = |json: &Json<'_>| self.verdict(parameter, json) == Verdict::Valid;
        match (value, single) {
            (Ok(None), single) => self.judge(parameter, place, Ok(single)),
            (Ok(Some(json)), Some(single)) if !fits(&json) && fits(&single) => {}
            (Err(_), Some(single)) if fits(&single) => {}
            (value @ (Ok(Some(_)) | Err(_)), _) => self.judge(parameter, place, value),
        }
    }

    fn verdict(&self, parameter: &Parameter, json: &Json<'_>) -> Verdict {
        let judge = |json: &Json<'_>| {
            self.contract.schemas.judge(parameter.schema, json.root(), json.size(), &self.bounds.effort)
        };
        let verdict = judge(json);
        let plan = &parameter.plan;
        // What looks like a number may have been meant as a text.
        let is_asked = match &verdict {
            Verdict::Valid => plan.every,
            Verdict::Invalid(_) => !plan.every,
            Verdict::Exhausted => false,
        };
        let text = match json.root().kind() {
            Kind::Number => json.root().text(),
            Kind::Bool(true) => "true",
            Kind::Bool(false) => "false",
            Kind::Null | Kind::Text | Kind::Array | Kind::Object => return verdict,
        };
        if !is_asked || !plan.is_ambiguous() {
            return verdict;
        }
        let mut builder = Builder::default();
        builder.text(text);
        let text = judge(&builder.finish());
        if plan.every || text == Verdict::Valid { text } else { verdict }
    }

    fn path(&mut self, operation: &Operation, path: &str) {
        let mut values = operation.template.values(path);
        if values.is_none() {
            self.object(400, Part::Path, "", "path", "the path is not that of the operation");
        }
        for parameter in operation.parameters.iter().filter(|one| one.location == Location::Path) {
            let found = values.as_mut().and_then(|all| all.iter().find(|(name, _)| *name == parameter.name.as_ref()));
            let Some((_, raw)) = found else { continue };
            let value = parameter.alone(raw).map(Some);
            self.judge_either(parameter, (Part::Path, &parameter.name), value, parameter.single(raw));
        }
    }

    fn query(&mut self, operation: &Operation, query: &str) {
        let mut pairs = match pairs_of(query, PAIRS_MAX) {
            Ok(pairs) => pairs,
            Err(Wrong { keyword, detail }) => return self.object(400, Part::Query, "", keyword, detail),
        };
        let strict = self.contract.options.strict_reserved;
        self.pairs(operation, Location::Query, Part::Query, &mut pairs, strict);
        if !self.contract.options.unknown_query {
            self.strangers(Part::Query, &pairs);
        }
    }

    fn pairs(&mut self, operation: &Operation, location: Location, part: Part, pairs: &mut [Pair<'_>], strict: bool) {
        for parameter in operation.parameters.iter().filter(|one| one.location == location) {
            let value = decode(parameter, pairs, strict);
            // `?flag` is a value only where the contract allows an empty one.
            let bare = pairs.iter().any(|pair| pair.name == *parameter.name && pair.taken && !pair.has_value);
            if bare && !parameter.allow_empty && value.is_ok() {
                self.object(400, part, &parameter.name, "style", "it has no value");
                continue;
            }
            let is_empty = |pair: &Pair<'_>| pair.name == *parameter.name && pair.raw.is_empty();
            if parameter.allow_empty && matches!(value, Ok(None)) && pairs.iter().any(is_empty) {
                continue;
            }
            let single = single(parameter, pairs, strict, !matches!(value, Ok(None)));
            self.judge_either(parameter, (part, &parameter.name), value, single);
        }
    }

    fn strangers(&mut self, part: Part, pairs: &[Pair<'_>]) {
        let mut seen = std::collections::HashSet::new();
        for pair in pairs.iter().filter(|pair| !pair.taken) {
            if seen.insert(&pair.name) {
                self.object(400, part, &pair.name, "unknown", "the contract does not declare it");
            }
        }
    }

    fn cookies(&mut self, operation: &Operation, text: &str) {
        let mut pairs = Vec::new();
        for piece in text.split(';').map(|piece| piece.trim_matches([' ', '\t'])).filter(|piece| !piece.is_empty()) {
            if pairs.len() >= PAIRS_MAX {
                return self.object(400, Part::Cookie, "", "size", "there are too many cookies");
            }
            let (name, raw) = piece.split_once('=').unwrap_or((piece, ""));
            pairs.push(Pair { name: Cow::Borrowed(name), raw, has_value: true, taken: false });
        }
        self.pairs(operation, Location::Cookie, Part::Cookie, &mut pairs, false);
        if !self.contract.options.unknown_cookies {
            self.strangers(Part::Cookie, &pairs);
        }
    }
}

/// Whether a JSON Pointer leads to a place or into it.
fn is_within(pointer: &str, place: &str) -> bool {
    pointer.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
