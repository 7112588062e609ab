//! An OpenAPI document, read and compiled: which operations there are, and what each takes and gives.

mod cost;
mod length;
mod operation;
mod plain;
mod read;
mod security;
mod template;
#[cfg(test)]
mod tests;

pub(crate) use operation::Walker;
pub use plain::{follow, plain};
pub use read::load;
pub(crate) use read::{METHODS, opened};
pub use security::{Need, Scheme, Security};
pub(crate) use template::Template;

use crate::media::MediaType;
use crate::parameter::{Location, Parameter, Plan, Style};
use crate::schema::{SchemaId, Schemas};
use crate::tree::Diagnostic;
use crate::xml::{Root, Shapes};
use length::Length;
use std::fmt;

/// What is let through though the document does not say so. Nothing, unless it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Members of objects that no schema speaks of.
    pub open_objects: bool,
    /// Query parameters that are not declared.
    pub unknown_query: bool,
    /// Header fields that are neither declared nor known to everybody.
    pub unknown_headers: bool,
    /// Cookies that are not declared.
    pub unknown_cookies: bool,
    /// Bodies of media types that are not declared.
    pub undeclared_media_types: bool,
    /// Bodies where none is declared.
    pub undeclared_bodies: bool,
    /// Answers with a status that is not declared.
    pub undeclared_statuses: bool,
    /// Names of header fields that may always be there, in small letters.
    pub headers: Vec<String>,
    /// Reserved characters in a query that stand there as they are, without `allowReserved`, are refused.
    pub strict_reserved: bool,
}

/// A document that can be enforced.
#[derive(Debug)]
pub struct Contract {
    pub(crate) options: Options,
    pub(crate) schemas: Schemas,
    pub(crate) operations: Vec<Operation>,
    /// Of bodies in XML.
    pub(crate) shapes: Shapes,
}

/// What became of a document.
#[derive(Debug)]
pub struct Loaded {
    /// `None` where an error keeps it from being enforced.
    pub contract: Option<Contract>,
    /// All that is to be said about it.
    pub diagnostics: Vec<Diagnostic>,
}

/// One method of one path.
#[derive(Debug)]
pub struct Operation {
    pub(crate) method: Box<str>,
    pub(crate) template: Template,
    pub(crate) id: Option<Box<str>>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    pub(crate) answers: Vec<(Statuses, Answer)>,
    pub(crate) deprecated: bool,
    pub(crate) security: Option<Security>,
    pub(crate) cost: Option<u64>,
}

/// The body of a request.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) required: bool,
    pub(crate) content: Vec<Content>,
}

/// A body of one media type.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) media_type: MediaType,
    /// Nothing is said about it where there is none.
    pub(crate) schema: Option<SchemaId>,
    pub(crate) plan: Plan,
    /// Of bytes, how many there may be.
    pub(crate) length: Option<Length>,
    /// What elements stand for, where it may be XML.
    pub(crate) xml: Option<Box<Root>>,
    /// How members of a form are written, and of which media types parts are.
    pub(crate) encoding: Vec<Encoding>,
}

/// One member of a form.
#[derive(Debug)]
pub(crate) struct Encoding {
    pub(crate) parameter: Parameter,
    /// What a part may be of; anything where nothing is said.
    pub(crate) types: Vec<MediaType>,
    /// Header fields of a part.
    pub(crate) headers: Vec<Parameter>,
}

/// Which statuses an answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Statuses {
    One(u16),
    /// All that begin with this digit.
    Class(u16),
    Default,
}

#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) headers: Vec<Parameter>,
    pub(crate) content: Vec<Content>,
}

// === impl Contract ===

impl Contract {
    /// All operations, in the order of the document.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation with a method and a template as the document writes it.
    #[must_use]
    pub fn operation(&self, method: &str, template: &str) -> Option<&Operation> {
        self.operations.iter().find(|one| one.template.as_str() == template && one.method.as_ref() == method)
    }

    /// The operation that a path belongs to, the most literal template first (OpenAPI 3.1, section 4.8.8.2). Where GET is served,
    /// so is HEAD (RFC 9110 section 9.3.2).
    #[must_use]
    pub fn find(&self, method: &str, path: &str) -> Option<&Operation> {
        let of = self.operations.iter().filter(|one| one.method.as_ref() == method);
        let found = of.filter(|one| one.template.values(path).is_some()).min_by_key(|one| one.template.looseness());
        if found.is_none() && method == "HEAD" { self.find("GET", path) } else { found }
    }
}

// === impl Operation ===

impl Operation {
    /// `GET` and its like.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path as the document writes it.
    #[must_use]
    pub fn template(&self) -> &str {
        self.template.as_str()
    }

    /// Its `operationId`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether the document says that it goes away.
    #[must_use]
    pub fn is_deprecated(&self) -> bool {
        self.deprecated
    }

    /// What it asks of callers; nothing where the document does not say.
    #[must_use]
    pub fn security(&self) -> Option<&Security> {
        self.security.as_ref()
    }

    /// Its `x-cost`: what one call of it costs, at least 1.
    #[must_use]
    pub const fn cost(&self) -> Option<u64> {
        self.cost
    }

    /// The parameter of its path that is written with a `;`: the style `matrix`.
    #[must_use]
    pub fn matrix(&self) -> Option<&str> {
        let matrix = |one: &&Parameter| one.location == Location::Path && one.style == Style::Matrix;
        self.parameters.iter().find(matrix).map(|one| &*one.name)
    }

    /// Whether a body has to be read to judge a request.
    #[must_use]
    pub fn looks_into_body(&self) -> bool {
        let judged = |content: &Content| content.schema.is_some();
        self.body.as_ref().is_some_and(|body| body.content.iter().any(judged))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.template.as_str())
    }
}

// === impl Statuses ===

impl Statuses {
    pub(crate) fn named(word: &str) -> Option<Self> {
        if word == "default" {
            return Some(Self::Default);
        }
        match word.as_bytes() {
            [digit @ b'1'..=b'5', b'X' | b'x', b'X' | b'x'] => Some(Self::Class(u16::from(digit.saturating_sub(b'0')))),
            [b'1'..=b'5', _, _] => word.parse().ok().map(Self::One),
            _ => None,
        }
    }

    /// How exactly it speaks of a status.
    pub(crate) fn fit(self, status: u16) -> Option<u8> {
        match self {
            Self::One(one) => (one == status).then_some(2),
            Self::Class(class) => (class == status / 100).then_some(1),
            Self::Default => Some(0),
        }
    }
}
