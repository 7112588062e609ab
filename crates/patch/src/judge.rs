//! What the patches of a route say of a request.

use crate::bundle::{Action, Patch};
use crate::condition::{Condition, Step, Target};
use crate::query;
use crate::status::Stage;
use std::sync::Arc;

/// A request as patches see it. Values come as bytes.
pub trait Asked {
    /// `GET`, `POST`, …
    fn method(&self) -> &[u8];
    /// The canonical path.
    fn path(&self) -> &str;
    /// The canonical query.
    fn query(&self) -> Option<&str>;
    /// Calls for each line of a field, until told to stop. The name is in small letters.
    fn header(&self, name: &str, each: &mut dyn FnMut(&[u8]) -> bool);
    /// The body, as far as it was looked at.
    fn body(&self) -> Body<'_>;
    /// Calls for each value at a place of the body, until told to stop.
    fn field(&self, place: &[Step], each: &mut dyn FnMut(&Held<'_>) -> bool) -> Fields;
}

/// A body, without its content codings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'b> {
    /// There is none.
    Nothing,
    /// There is one, and nobody has looked at it.
    Unread,
    /// All of it.
    Whole(&'b [u8]),
}

/// Whether a body has fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fields {
    /// It was read, or cannot have any.
    Read,
    /// It may have some that a server would find, and they cannot be told.
    Unreadable,
}

/// A value of a request.
#[derive(Clone, Copy, Debug)]
pub struct Held<'v> {
    /// What it says; nothing of what holds others.
    pub bytes: &'v [u8],
    /// What it is, where it is a value of JSON.
    pub kind: Option<Kind>,
}

/// Kinds of JSON values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`, `false`
    Boolean,
    /// A number.
    Number,
    /// A text.
    Text,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// What a patch says of a request of which not everything is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supposed {
    /// It is not about it.
    No,
    /// It is, if what is not known is as it says.
    Maybe,
    /// It is about it.
    Yes,
}

/// A part of a request that may not be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Values of the query; its names are known.
    Values,
    /// Fields.
    Fields,
    /// The body.
    Body,
}

/// A patch that is about a request.
#[derive(Clone, Debug)]
pub struct Met {
    /// The patch.
    pub patch: Arc<Patch>,
    /// Whether the request is refused for it.
    pub refuses: bool,
}

/// The first of these patches that refuses a request; else the first that is about it.
pub fn judge(patches: &[Arc<Patch>], template: &str, stage: Stage, asked: &impl Asked) -> Option<Met> {
    let mut met = None;
    for patch in patches {
        let refuses = patch.action == Action::Refuse && stage == Stage::Enforce;
        // Whatever is found after a first observation has to refuse to count.
        if (met.is_some() && !refuses) || !patch.is_about(template, asked) {
            continue;
        }
        let found = Met { patch: Arc::clone(patch), refuses };
        if refuses {
            return Some(found);
        }
        met = Some(found);
    }
    met
}

// === impl Patch ===

impl Patch {
    /// What it says of a request that is only written down; `hidden` says which parts of it are not.
    pub fn supposed(&self, template: &str, asked: &impl Asked, hidden: impl Fn(Part) -> bool) -> Supposed {
        let mut all = if self.is_meant(asked) { Supposed::Yes } else { Supposed::No };
        for condition in &self.conditions {
            let is_hidden = match &condition.target {
                Target::Query(name) => {
                    hidden(Part::Values) && is_there(asked, name) && !condition.operator.is_present()
                }
                Target::Header(_) => hidden(Part::Fields),
                Target::Body | Target::BodyField(_) | Target::FormField(_) => hidden(Part::Body),
                Target::Path | Target::PathParameter(_) => false,
            };
            all = match all {
                Supposed::Yes | Supposed::Maybe if is_hidden => Supposed::Maybe,
                Supposed::Yes | Supposed::Maybe if holds(condition, template, asked) => all,
                Supposed::Yes | Supposed::Maybe | Supposed::No => return Supposed::No,
            };
        }
        all
    }

    fn is_meant(&self, asked: &impl Asked) -> bool {
        let method = asked.method();
        self.methods.is_empty() || self.methods.iter().any(|have| have.as_bytes() == method)
    }

    /// Whether all its conditions hold.
    fn is_about(&self, template: &str, asked: &impl Asked) -> bool {
        self.is_meant(asked) && self.conditions.iter().all(|condition| holds(condition, template, asked))
    }
}

fn is_there(asked: &impl Asked, name: &str) -> bool {
    let mut there = false;
    query::values(asked.query().unwrap_or_default().as_bytes(), name, &mut |_| {
        there = true;
        true
    });
    there
}

fn holds(condition: &Condition, template: &str, asked: &impl Asked) -> bool {
    let operator = &condition.operator;
    let mut there = false;
    let mut fits = false;
    let mut each = |value: &Held<'_>| {
        there = true;
        fits = operator.fits(value);
        fits
    };
    let mut bytes = |value: &[u8]| each(&Held { bytes: value, kind: None });
    let known = match &condition.target {
        Target::Query(name) => {
            query::values(asked.query().unwrap_or_default().as_bytes(), name, &mut bytes);
            true
        }
        Target::Header(name) => {
            asked.header(name, &mut bytes);
            true
        }
        Target::PathParameter(name) => {
            parameter(template, asked.path(), name, &mut bytes);
            true
        }
        Target::Path => {
            query::forms(&query::unescaped(asked.path().as_bytes(), false), &mut bytes);
            true
        }
        Target::Body => whole(asked.body(), |body| {
            bytes(body);
        }),
        Target::FormField(name) => {
            whole(asked.body(), |body| query::values(body, name, &mut bytes)) && !is_multipart(asked)
        }
        Target::BodyField(place) => match asked.body() {
            Body::Nothing => true,
            Body::Unread => false,
            Body::Whole(_) => asked.field(place, &mut each) == Fields::Read,
        },
    };
    // What cannot be told is taken for what must not be.
    !known || fits || (!there && operator.is_absent())
}

/// Whether fields of a form may stand in parts of a body, where they are not looked for.
fn is_multipart(asked: &impl Asked) -> bool {
    let mut parts = false;
    asked.header("content-type", &mut |value| {
        let kind = value.trim_ascii_start();
        parts = kind.get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/"));
        parts
    });
    parts && asked.body() != Body::Nothing
}

/// Whether it is known what is in a body.
fn whole<'b>(body: Body<'b>, look: impl FnOnce(&'b [u8])) -> bool {
    match body {
        Body::Nothing => true,
        Body::Unread => false,
        Body::Whole(bytes) => {
            look(bytes);
            true
        }
    }
}

/// The segment in which the template has this name; all from there where the name takes the rest.
fn parameter(template: &str, path: &str, name: &str, each: &mut dyn FnMut(&[u8]) -> bool) {
    let Some((index, rest)) = place(template, name) else { return };
    let mut segments = path.splitn(if rest { index + 1 } else { usize::MAX }, '/').skip(index);
    let Some(value) = segments.next().filter(|value| !value.is_empty()) else { return };
    query::forms(&query::unescaped(value.as_bytes(), false), each);
}

/// Which segment of a template has a name, and whether the name takes the rest.
pub(crate) fn place(template: &str, name: &str) -> Option<(usize, bool)> {
    template.split('/').enumerate().find_map(|(index, segment)| {
        if segment.contains(&format!("{{{name}}}")) {
            return Some((index, false));
        }
        (segment == format!("{{*{name}}}")).then_some((index, true))
    })
}
