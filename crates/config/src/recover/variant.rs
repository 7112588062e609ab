//! One of several choices, with or without a value of its own.

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, EnumAccess, IntoDeserializer as _, VariantAccess, Visitor};

use super::Stop;
use super::deserializer::Place;
use crate::diagnostic::{Diagnostic, quote};
use crate::tree::At;

/// The choice that was made.
pub(super) struct Choice<'a> {
    pub(super) name: &'static str,
    pub(super) place: Place<'a>,
    /// What stands behind the name, if anything.
    pub(super) content: Option<At<'a>>,
    pub(super) made_up: bool,
}

impl<'a> Choice<'a> {
    /// The place of the choice's value; where none is written, that is reported and one is made up.
    fn value(&self) -> Place<'a> {
        match self.content {
            Some(at) => self.place.at(at),
            None => {
                if !self.made_up {
                    let message = format!("{} needs a value", quote(self.name));
                    let diagnostic = Diagnostic::new("missing-value", self.place.at.span(), message)
                        .help(format!("write `{{ {}: … }}`", self.name));
                    self.place.session.reject(&self.place.at, diagnostic);
                }
                Place { made_up: true, ..self.place }
            }
        }
    }
}

impl<'de, 'a> EnumAccess<'de> for Choice<'a> {
    type Error = Stop;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Stop> {
        let value = seed.deserialize(self.name.into_deserializer())?;
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'_> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        if let Some(content) = self.content {
            let message = format!("{} takes no value", quote(self.name));
            let diagnostic = Diagnostic::new("surplus-value", content.name_span(), message)
                .help(format!("write `{}` alone", self.name));
            self.place.session.reject(&self.place.at, diagnostic);
        }
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Stop> {
        let value = self.value();
        seed.deserialize(value).map_err(|stop| self.place.session.record(&value.at, stop))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Stop> {
        self.value().deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Stop> {
        let value = self.value();
        value.deserialize_struct("", fields, visitor).map_err(|stop| self.place.session.record(&value.at, stop))
    }
}
