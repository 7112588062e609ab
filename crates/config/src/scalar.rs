//! Single values of ours: one definition of each gives the parser, the JSON Schema and the examples. How a value is
//! found in a file, and what a message about it looks like, is `recover`'s business.

mod calls;
mod colour;
mod daytime;
mod limits;
mod mail;
mod names;
mod networks;
mod paths;
mod quantities;
mod share;
#[cfg(test)]
mod tests;
mod when;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::Deserializer;
use serde::de::{self, Visitor};

pub(crate) use calls::{GrpcMethod, GrpcService};
pub(crate) use colour::Colour;
pub(crate) use daytime::DayTime;
pub(crate) use limits::{Amount, Quota, Rate, TimeZone};
pub(crate) use mail::{MailServer, Mailbox};
pub(crate) use names::{Address, FileName, Host, Method, PageOrigin, StoreServer, SyslogServer, Target, Text};
pub(crate) use networks::Network;
pub(crate) use paths::{BasePath, Template, VersionPath, shape};
pub(crate) use quantities::{Count, Flag, Period, Size};
pub(crate) use share::Share;
pub(crate) use when::When;

/// A value as it was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw<'a> {
    pub(crate) text: &'a str,
    /// Without quotes; `true` and `"true"` are different things.
    pub(crate) plain: bool,
}

/// A kind of value.
pub(crate) trait Scalar: Sized {
    /// Its name in the JSON Schema and the reference.
    const NAME: &'static str;
    /// How messages call it, with its article: "a duration".
    const WHAT: &'static str;
    /// What the reference says about it.
    const ABOUT: &'static str;
    /// Its type in JSON Schema.
    const JSON_TYPE: &'static str;
    /// What its text looks like; must not refuse what `parse` accepts.
    const PATTERN: Option<&'static str>;
    /// All of them parse.
    const EXAMPLES: &'static [&'static str];

    /// The value, or the help for somebody who wrote something else. The help must not repeat the text: it may be a
    /// secret from the environment.
    fn parse(raw: Raw<'_>) -> Result<Self, String>;

    /// Any valid value: what stands in for one that was reported.
    fn made_up() -> Self;
}

/// "for example `30s`"
pub(crate) fn example<T: Scalar>() -> String {
    match T::EXAMPLES.first() {
        Some(first) => format!("write it like `{first}`"),
        None => format!("{} is expected", T::WHAT),
    }
}

/// Reads a value through the protocol that `recover` speaks: text without quotes is a `str`, text with quotes is
/// bytes, and a unit asks for a made-up value.
pub(crate) fn read<'de, T: Scalar, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_newtype_struct(T::WHAT, ScalarVisitor(PhantomData))
}

/// The schema of a value; it may also come from the environment or a file.
pub(crate) fn schema<T: Scalar>(generator: &mut SchemaGenerator) -> Schema {
    let mut written = json_schema!({ "type": T::JSON_TYPE, "examples": T::EXAMPLES });
    if T::JSON_TYPE != "string" {
        let values: Vec<serde_json::Value> =
            T::EXAMPLES.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
        written.insert("examples".into(), values.into());
    }
    if let Some(pattern) = T::PATTERN {
        written.insert("pattern".into(), pattern.into());
    }
    let outside = generator.subschema_for::<Outside>();
    json_schema!({ "description": T::ABOUT, "anyOf": [written, outside] })
}

/// What a value from outside the file looks like.
struct Outside;

impl schemars::JsonSchema for Outside {
    fn schema_name() -> Cow<'static, str> {
        "Outside".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A value that stands outside of the configuration: `{ env: NAME }` is an environment \
                            variable, `{ file: PATH }` the text of a file without the line break at its end. Such a \
                            value is read after parsing and never printed.",
            "type": "object",
            "properties": { "env": { "type": "string" }, "file": { "type": "string" } },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        })
    }
}

struct ScalarVisitor<T>(PhantomData<T>);

impl<T: Scalar> Visitor<'_> for ScalarVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::WHAT)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::parse(Raw { text, plain: true }).map_err(E::custom)
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<T, E> {
        let text = std::str::from_utf8(bytes).map_err(E::custom)?;
        T::parse(Raw { text, plain: false }).map_err(E::custom)
    }

    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        Ok(T::made_up())
    }
}

/// Ties a kind of value to serde and to the schema.
macro_rules! scalar {
    ($($name:ty),+ $(,)?) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::scalar::read(deserializer)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                <$name as crate::scalar::Scalar>::NAME.into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                crate::scalar::schema::<$name>(generator)
            }
        }
    )+};
}

scalar!(
    Period,
    Size,
    Count,
    Colour,
    DayTime,
    Share,
    Rate,
    Quota,
    TimeZone,
    Flag,
    Text,
    FileName,
    Address,
    Network,
    Host,
    Method,
    PageOrigin,
    When,
    StoreServer,
    SyslogServer,
    MailServer,
    Mailbox,
    Target,
    BasePath,
    Template,
    VersionPath,
    GrpcService,
    GrpcMethod
);
