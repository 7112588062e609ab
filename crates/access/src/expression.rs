//! What has to be true of a request: a small language of comparisons, and what they come to.
//!
//! `path.userId == principal.sub`, `header.X-Tenant == claims.tid`, `"support" in principal.roles or not query.all == "1"`.
//! What is not there, or could be read in two ways, makes a comparison undecided, and what is undecided stays so under `not`.

mod parse;
#[cfg(test)]
mod tests;

use crate::caller::{RoleSource, claim_at, plain};
use crate::request::{Member, Request};
use portcullis_types::segment::{Openness, Segment};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;

pub use parse::{Mistake, NESTING_MAX, TEXT_BYTES_MAX};

/// A comparison, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// All of them.
    And(Box<[Expression; 2]>),
    /// One of them.
    Or(Box<[Expression; 2]>),
    /// The opposite.
    Not(Box<Expression>),
    /// Both sides are the same single value.
    Equal(Operand, Operand),
    /// Both sides are single values, and not the same.
    Unequal(Operand, Operand),
    /// The left side is among what the right side lists.
    In(Operand, Operand),
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A parameter of the path.
    Path(Parameter),
    /// A query parameter.
    Query(String),
    /// A field of the request.
    Header(String),
    /// A member of the body, by the names that lead to it.
    Body(Vec<String>),
    /// What the caller has proved.
    Principal(Property),
    /// A claim of his token; dots lead into objects.
    Claim(String),
    /// Text.
    Text(String),
    /// Texts.
    List(Vec<String>),
}

/// A parameter of the path, and where a template has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    place: Option<Place>,
}

/// Where a template has a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// It is the whole of the segment with this number.
    Whole(usize),
    /// It is the rest from there.
    Rest(usize),
    /// It is a part of it.
    Part(usize, Segment),
}

/// What is known of a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// The consumer's id, or the token's subject.
    Sub,
    /// The name.
    Username,
    /// Who vouches for him.
    Issuer,
    /// How he has proved it.
    Scheme,
    /// His roles, as they are called here.
    Roles,
    /// His scopes.
    Scopes,
}

/// What an expression comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It cannot be told.
    Undecided,
    /// It depends on a body that has not been read yet.
    Later,
}

/// What an operand comes to.
enum Found<'a> {
    One(Cow<'a, str>),
    Many(Vec<Cow<'a, str>>),
    Nothing,
    Later,
}

/// The names behind `principal.`.
const PROPERTIES: [(&str, Property); 7] = [
    ("sub", Property::Sub),
    ("id", Property::Sub),
    ("username", Property::Username),
    ("issuer", Property::Issuer),
    ("scheme", Property::Scheme),
    ("roles", Property::Roles),
    ("scopes", Property::Scopes),
];

// === impl Truth ===

impl Truth {
    pub(crate) const fn of(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }

    /// Whether both hold. What is false stays so whatever comes later; otherwise what comes later decides.
    pub(crate) fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::False => Self::False,
            Self::True => other(),
            Self::Undecided | Self::Later => match (self, other()) {
                (_, Self::False) => Self::False,
                (Self::Later, _) | (_, Self::Later) => Self::Later,
                (Self::True | Self::False | Self::Undecided, Self::True | Self::Undecided) => Self::Undecided,
            },
        }
    }

    pub(crate) const fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Undecided => Self::Undecided,
            Self::Later => Self::Later,
        }
    }

    /// Whether one of both holds.
    pub(crate) fn or(self, other: impl FnOnce() -> Self) -> Self {
        self.not().and(|| other().not()).not()
    }
}

// === impl Expression ===

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// The first mistake, with its place in the text.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        parse::parse(text)
    }

    /// The same for requests of this whole path template.
    ///
    /// # Errors
    /// The name of a parameter that the template does not have.
    pub fn resolve(&self, template: &str) -> Result<Self, String> {
        let both = |pair: &[Self; 2]| -> Result<Box<[Self; 2]>, String> {
            let [one, other] = pair;
            Ok(Box::new([one.resolve(template)?, other.resolve(template)?]))
        };
        Ok(match self {
            Self::And(pair) => Self::And(both(pair)?),
            Self::Or(pair) => Self::Or(both(pair)?),
            Self::Not(inner) => Self::Not(Box::new(inner.resolve(template)?)),
            Self::Equal(one, other) => Self::Equal(one.resolve(template)?, other.resolve(template)?),
            Self::Unequal(one, other) => Self::Unequal(one.resolve(template)?, other.resolve(template)?),
            Self::In(one, other) => Self::In(one.resolve(template)?, other.resolve(template)?),
        })
    }

    /// Whether it never holds for somebody of whom nothing is known.
    #[must_use]
    pub fn is_of_caller_only(&self) -> bool {
        let is_caller = |one: &Operand| matches!(one, Operand::Principal(_) | Operand::Claim(_));
        match self {
            Self::And(pair) => pair.iter().any(Self::is_of_caller_only),
            Self::Or(pair) => pair.iter().all(Self::is_of_caller_only),
            // Only what is undecided stays so; whether all of it is cannot be told from a part.
            Self::Not(inner) => {
                matches!(&**inner, Self::Equal(..) | Self::Unequal(..) | Self::In(..)) && inner.is_of_caller_only()
            }
            Self::Equal(one, other) | Self::Unequal(one, other) | Self::In(one, other) => {
                is_caller(one) || is_caller(other)
            }
        }
    }

    /// Whether it never holds for somebody without claims.
    #[must_use]
    pub fn needs_claims(&self) -> bool {
        let is_claim = |one: &Operand| matches!(one, Operand::Claim(_));
        match self {
            Self::And(pair) => pair.iter().any(Self::needs_claims),
            Self::Or(pair) => pair.iter().all(Self::needs_claims),
            Self::Not(_) => false,
            Self::Equal(one, other) | Self::Unequal(one, other) | Self::In(one, other) => {
                is_claim(one) || is_claim(other)
            }
        }
    }

    /// Whether it compares something of the body.
    #[must_use]
    pub fn looks_into_body(&self) -> bool {
        let is_body = |one: &Operand| matches!(one, Operand::Body(_));
        match self {
            Self::And(pair) | Self::Or(pair) => pair.iter().any(Self::looks_into_body),
            Self::Not(inner) => inner.looks_into_body(),
            Self::Equal(one, other) | Self::Unequal(one, other) | Self::In(one, other) => {
                is_body(one) || is_body(other)
            }
        }
    }

    /// Whether it can never be told of a request without a body.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        match self {
            Self::And(pair) => pair.iter().any(Self::needs_body),
            Self::Or(pair) => pair.iter().all(Self::needs_body),
            Self::Not(inner) => inner.needs_body(),
            Self::Equal(..) | Self::Unequal(..) | Self::In(..) => self.looks_into_body(),
        }
    }

    /// What it comes to for a request.
    pub(crate) fn judge(&self, request: &Request<'_>, roles: &RoleSource) -> Truth {
        match self {
            Self::And(pair) => {
                let [one, other] = &**pair;
                one.judge(request, roles).and(|| other.judge(request, roles))
            }
            Self::Or(pair) => {
                let [one, other] = &**pair;
                one.judge(request, roles).or(|| other.judge(request, roles))
            }
            Self::Not(inner) => inner.judge(request, roles).not(),
            Self::Equal(one, other) => same(&one.find(request, roles), &other.find(request, roles)),
            Self::Unequal(one, other) => same(&one.find(request, roles), &other.find(request, roles)).not(),
            Self::In(one, other) => match (one.find(request, roles), other.find(request, roles)) {
                (Found::One(one), Found::Many(all)) => Truth::of(all.contains(&one)),
                (Found::One(one), Found::One(other)) => Truth::of(one == other),
                (Found::Nothing | Found::Many(_), _) | (_, Found::Nothing) => Truth::Undecided,
                (Found::Later, _) | (_, Found::Later) => Truth::Later,
            },
        }
    }
}

fn same(one: &Found<'_>, other: &Found<'_>) -> Truth {
    match (one, other) {
        (Found::One(one), Found::One(other)) => Truth::of(one == other),
        (Found::Many(_) | Found::Nothing, _) | (_, Found::Many(_) | Found::Nothing) => Truth::Undecided,
        (Found::Later, _) | (_, Found::Later) => Truth::Later,
    }
}

// === impl Parameter ===

impl Parameter {
    /// The parameters of a whole path template.
    #[must_use]
    pub fn all(template: &str) -> Vec<Self> {
        let mut all = Vec::new();
        for (index, text) in template.split('/').enumerate() {
            // What is no segment fits no request either, so that nothing is decided by it.
            let Ok(segment) = Segment::parse(text) else { continue };
            let names = segment.names().map(|name| match (name.strip_prefix('*'), segment.openness()) {
                (Some(name), _) => Self { name: name.to_owned(), place: Some(Place::Rest(index)) },
                (None, Openness::Mixed) => {
                    Self { name: name.to_owned(), place: Some(Place::Part(index, segment.clone())) }
                }
                (None, Openness::Any | Openness::Text) => {
                    Self { name: name.to_owned(), place: Some(Place::Whole(index)) }
                }
            });
            all.extend(names);
        }
        all
    }

    /// Its value in a request; nothing for one that no template has, or that has no one meaning.
    #[must_use]
    pub fn of<'a>(&self, request: &Request<'a>) -> Option<Cow<'a, str>> {
        match self.place.as_ref()? {
            Place::Whole(index) => request.segment(*index, false),
            Place::Rest(index) => request.segment(*index, true),
            Place::Part(index, segment) => request.part(*index, |text| segment.only(text, &self.name)),
        }
    }
}

// === impl Operand ===

impl Operand {
    /// The same for requests of this whole path template.
    ///
    /// # Errors
    /// The name of a parameter that the template does not have.
    pub fn resolve(&self, template: &str) -> Result<Self, String> {
        let Self::Path(Parameter { name, .. }) = self else { return Ok(self.clone()) };
        let found = Parameter::all(template).into_iter().find(|parameter| parameter.name == *name);
        found.map(Self::Path).ok_or_else(|| name.clone())
    }

    /// The one text that it is in a request, where it is a parameter or a field; nothing where it has no one meaning.
    #[must_use]
    pub fn text<'r>(&self, request: &Request<'r>) -> Option<Cow<'r, str>> {
        match self {
            Self::Path(parameter) => parameter.of(request),
            Self::Query(name) => request.parameter(name).unwrap_or_default(),
            Self::Header(name) => request.line(name).unwrap_or_default(),
            Self::Body(_) | Self::Principal(_) | Self::Claim(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    fn find<'a, 'r: 'a>(&'a self, request: &Request<'r>, roles: &'a RoleSource) -> Found<'a> {
        let one = |value: Option<Cow<'a, str>>| value.map_or(Found::Nothing, Found::One);
        match self {
            Self::Path(_) | Self::Query(_) | Self::Header(_) => one(self.text(request)),
            Self::Body(names) => match (request.body)(names) {
                Member::One(text) => Found::One(text),
                Member::Many(all) => Found::Many(all),
                Member::Nothing | Member::Unclear => Found::Nothing,
                Member::Later => Found::Later,
            },
            Self::Principal(property) => property.find(request, roles),
            Self::Claim(path) => match request.caller.and_then(|caller| claim_at(caller.claims, path)) {
                Some(Value::Array(items)) => {
                    // Numbers in a list that is asked for a text are what they look like; objects are nothing.
                    items.iter().map(plain).collect::<Option<Vec<_>>>().map_or(Found::Nothing, Found::Many)
                }
                Some(value) => one(plain(value)),
                None => Found::Nothing,
            },
            Self::Text(text) => Found::One(Cow::Borrowed(text)),
            Self::List(all) => Found::Many(all.iter().map(|text| Cow::Borrowed(text.as_str())).collect()),
        }
    }
}

// === impl Property ===

impl Property {
    fn named(name: &str) -> Option<Self> {
        PROPERTIES.iter().find(|(have, _)| *have == name).map(|(_, property)| *property)
    }

    fn name(self) -> &'static str {
        PROPERTIES.iter().find(|(_, property)| *property == self).map_or("", |(name, _)| name)
    }

    fn find<'a, 'r: 'a>(self, request: &Request<'r>, roles: &'a RoleSource) -> Found<'a> {
        let Some(caller) = request.caller else { return Found::Nothing };
        let one = |text: Option<&'a str>| text.map_or(Found::Nothing, |text| Found::One(Cow::Borrowed(text)));
        match self {
            Self::Sub => one(Some(caller.id)),
            Self::Username => one(caller.username),
            Self::Issuer => one(caller.issuer),
            Self::Scheme => one(Some(caller.scheme)),
            Self::Roles => Found::Many(roles.held(&caller).into_iter().map(Cow::Borrowed).collect()),
            Self::Scopes => Found::Many(caller.scopes.iter().map(|scope| Cow::Borrowed(scope.as_str())).collect()),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(pair) => {
                let [one, other] = &**pair;
                write!(formatter, "({one} and {other})")
            }
            Self::Or(pair) => {
                let [one, other] = &**pair;
                write!(formatter, "({one} or {other})")
            }
            Self::Not(inner) => write!(formatter, "not ({inner})"),
            Self::Equal(one, other) => write!(formatter, "{one} == {other}"),
            Self::Unequal(one, other) => write!(formatter, "{one} != {other}"),
            Self::In(one, other) => write!(formatter, "{one} in {other}"),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(parameter) => write!(formatter, "path.{}", parameter.name),
            Self::Query(name) => named(formatter, "query", name),
            Self::Header(name) => write!(formatter, "header.{name}"),
            Self::Body(names) => body(formatter, names),
            Self::Principal(property) => write!(formatter, "principal.{}", property.name()),
            Self::Claim(path) => named(formatter, "claims", path),
            Self::Text(text) => quoted(formatter, text),
            Self::List(all) => {
                formatter.write_str("[")?;
                for (index, text) in all.iter().enumerate() {
                    formatter.write_str(if index == 0 { "" } else { ", " })?;
                    quoted(formatter, text)?;
                }
                formatter.write_str("]")
            }
        }
    }
}

/// `claims.tid`, or `claims["https://example.com/tid"]` where the name is no word.
fn named(formatter: &mut fmt::Formatter<'_>, source: &str, name: &str) -> fmt::Result {
    if parse::is_word(name) {
        return write!(formatter, "{source}.{name}");
    }
    write!(formatter, "{source}[")?;
    quoted(formatter, name)?;
    formatter.write_str("]")
}

/// `body.order.userId`; a pointer where a name is no word or holds a dot.
fn body(formatter: &mut fmt::Formatter<'_>, names: &[String]) -> fmt::Result {
    if names.iter().all(|name| parse::is_word(name) && !name.contains('.')) {
        return write!(formatter, "body.{}", names.join("."));
    }
    let step = |name: &String| format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    formatter.write_str("body[")?;
    quoted(formatter, &names.iter().map(step).collect::<String>())?;
    formatter.write_str("]")
}

fn quoted(formatter: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mark = if text.contains('"') { '\'' } else { '"' };
    write!(formatter, "{mark}{text}{mark}")
}
