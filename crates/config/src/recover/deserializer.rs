//! What serde asks for, answered from a place in the tree.

use serde::de::{Deserializer, IntoDeserializer as _, Visitor};
use serde::forward_to_deserialize_any;

use super::access::{Fields, Items, Names};
use super::variant::Choice;
use super::{Session, Stop, outside_entry};
use crate::diagnostic::{Diagnostic, closest, one_of, quote};
use crate::recover::{Effect, PLANNED};
use crate::tree::{At, Kind};

/// A place that serde reads from.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) at: At<'a>,
    pub(super) session: &'a Session<'a>,
    /// Nothing usable stands here; answer with anything valid.
    pub(super) made_up: bool,
}

impl<'a> Place<'a> {
    /// A place below, which is made up if this one is or if it was reported in an earlier run.
    pub(super) fn at(self, at: At<'a>) -> Self {
        let made_up = self.made_up || at.is_missing() || at.node().poisoned;
        Self { at, made_up, ..self }
    }

    fn is_made_up(&self) -> bool {
        self.made_up || self.at.node().poisoned
    }

    /// The text of a single value, and whether it is plain; `None` if there is none, which is then reported.
    fn text(&self, what: &str) -> Option<(String, bool)> {
        if let Kind::Scalar { text, plain } = &self.at.node().kind {
            return Some((String::from(&**text), *plain));
        }
        if let Some((kind, inner)) = outside_entry(&self.at) {
            return self.session.outside(&self.at, kind, &inner).map(|text| (text, true));
        }
        self.session.mismatch(&self.at, what, None);
        None
    }

    /// The value of ours refused its text; `help` says what would be right.
    fn refused(&self, what: &str, text: &str, help: String) -> Stop {
        let at = &self.at;
        let diagnostic = match outside_entry(at) {
            None => Diagnostic::new("bad-value", at.span(), format!("{} is not {what}", quote(text))).help(help),
            // The help may hold parts of the value, and the value may be a secret.
            Some((kind, inner)) => Diagnostic::new(
                "bad-value",
                inner.span(),
                format!(
                    "the value from this {} is not {what}",
                    match kind {
                        "env" => "environment variable",
                        _ => "file",
                    }
                ),
            )
            .help("values from outside the configuration are never printed; look at it where it stands"),
        };
        self.session.reject(at, diagnostic);
        Stop::Recorded
    }

    /// One of the variants: the one that is named, the one that was meant, or any.
    fn variant(&self, written: &str, variants: &'static [&'static str]) -> Option<&'static str> {
        if let Some(known) = variants.iter().find(|variant| **variant == written) {
            return Some(known);
        }
        let at = &self.at;
        let known = one_of(variants.iter().copied());
        let span = match &at.node().kind {
            Kind::Map(entries) => entries.get(written).map_or(at.span(), |entry| entry.key),
            Kind::Bad | Kind::Null | Kind::Scalar { .. } | Kind::Seq(_) => at.span(),
        };
        let meant = closest(written, variants.iter().copied());
        let diagnostic = match meant {
            _ if outside_entry(at).is_some() => {
                Diagnostic::new("unknown-choice", span, format!("the value from outside is none of {known}"))
            }
            _ if PLANNED.contains(&written) => {
                Diagnostic::new("not-available", span, format!("{} is not available in this version", quote(written)))
                    .help(format!("use {known}"))
            }
            Some(meant) => Diagnostic::new("unknown-choice", span, format!("{} is none of {known}", quote(written)))
                .help(format!("did you mean `{meant}`?")),
            None => Diagnostic::new("unknown-choice", span, format!("{} is none of {known}", quote(written))),
        };
        self.session.reject(at, diagnostic);
        None
    }
}

impl<'de, 'a> Deserializer<'de> for Place<'a> {
    type Error = Stop;

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, what: &'static str, visitor: V) -> Result<V::Value, Stop> {
        if self.is_made_up() {
            return visitor.visit_unit();
        }
        let Some((text, plain)) = self.text(what) else { return visitor.visit_unit() };
        let outcome = if plain { visitor.visit_str(&text) } else { visitor.visit_bytes(text.as_bytes()) };
        outcome.map_err(|stop: Stop| self.refused(what, &text, stop.to_string()))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        if self.is_made_up() {
            return visitor.visit_none();
        }
        if matches!(self.at.node().kind, Kind::Null) {
            self.session.mismatch(&self.at, "a value", None);
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        if self.is_made_up() {
            return visitor.visit_seq(Items::none(self));
        }
        match &self.at.node().kind {
            Kind::Seq(items) => visitor.visit_seq(Items::new(self, items.len())),
            Kind::Scalar { text, .. } => {
                let help = format!("put brackets around it: `[{text}]`");
                let help = (text.len() < 60 && !text.chars().any(char::is_control)).then_some(help);
                self.session.mismatch(&self.at, "a list", help);
                visitor.visit_seq(Items::none(self))
            }
            Kind::Map(_) => {
                self.session.mismatch(&self.at, "a list", Some("begin each item with `- `".to_owned()));
                visitor.visit_seq(Items::none(self))
            }
            Kind::Bad | Kind::Null => {
                self.session.mismatch(&self.at, "a list", None);
                visitor.visit_seq(Items::none(self))
            }
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match &self.at.node().kind {
            _ if self.is_made_up() => visitor.visit_map(Names::none(self)),
            Kind::Map(entries) => visitor.visit_map(Names::new(self, entries)),
            Kind::Bad | Kind::Null | Kind::Scalar { .. } | Kind::Seq(_) => {
                self.session.mismatch(
                    &self.at,
                    "a section",
                    Some("write a name, a colon, and what it stands for".into()),
                );
                visitor.visit_map(Names::none(self))
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        match &self.at.node().kind {
            _ if self.is_made_up() => visitor.visit_map(Fields::made_up(self, fields)),
            Kind::Map(entries) => visitor.visit_map(Fields::new(self, entries, fields, name)),
            Kind::Bad | Kind::Null | Kind::Scalar { .. } | Kind::Seq(_) => {
                let help = format!("its settings are {}", one_of(fields.iter().copied()).replace(" or ", " and "));
                self.session.mismatch(&self.at, "a section", Some(help));
                visitor.visit_map(Fields::made_up(self, fields))
            }
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        // A list of choices is never empty; should one be, serde says so when it looks for this name.
        let first = variants.first().copied().unwrap_or_default();
        if self.is_made_up() {
            return visitor.visit_enum(Choice { name: first, place: self, content: None, made_up: true });
        }
        let entry = match &self.at.node().kind {
            Kind::Map(entries) => entries.first().map(|(name, _)| name).filter(|_| entries.len() == 1),
            Kind::Bad | Kind::Null | Kind::Scalar { .. } | Kind::Seq(_) => None,
        };
        if let Some(written) = entry
            && (variants.contains(&&**written) || outside_entry(&self.at).is_none())
        {
            let name = self.variant(written, variants);
            let content = name.map(|_| self.at.key(written));
            return visitor.visit_enum(Choice {
                name: name.unwrap_or(first),
                place: self,
                content,
                made_up: name.is_none(),
            });
        }
        let known = one_of(variants.iter().copied());
        let name = match self.text(&known) {
            Some((text, _)) => self.variant(&text, variants),
            None => None,
        };
        visitor.visit_enum(Choice { name: name.unwrap_or(first), place: self, content: None, made_up: name.is_none() })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        // INVARIANT: every single value of ours asks through `deserialize_newtype_struct`; a test walks the schema.
        self.session.effect(Effect::Poison(self.at.id()));
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_unit()
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let text = self.text("a name").map(|(text, _)| text).unwrap_or_default();
        text.into_deserializer().deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple
        tuple_struct
    }
}
