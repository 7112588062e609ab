//! JSON as a verifier must read it: a member that stands twice is an error, because two readers would pick different
//! ones (RFC 8725 section 3.1, RFC 7515 section 4).

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

// LIMIT: nesting of a header, a claim set or a key set.
const DEPTH_MAX: usize = 16;

/// Parses one object from the whole of `bytes`.
pub(crate) fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict(DEPTH_MAX).deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    match value {
        Value::Object(map) => Some(map),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

/// What is left of the nesting.
#[derive(Clone, Copy)]
struct Strict(usize);

// === impl Strict ===

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON without repeated members")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut map = Map::new();
        while let Some(Name(name)) = access.next_key()? {
            let value = access.next_value_seed(inner)?;
            if map.insert(name, value).is_some() {
                return Err(de::Error::custom("a member stands twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

impl Strict {
    fn inner<E: de::Error>(self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom("nested too deeply"))
    }
}

#[derive(serde::Deserialize)]
struct Name(String);

#[cfg(test)]
mod tests {
    use super::object;

    #[test]
    fn only_whole_objects_without_repeated_members_pass() {
        for good in ["{}", "{\"a\":1,\"b\":{\"a\":[true,null,-1,1.5,\"x\"]}}", " {\"a\" : 1}\n"] {
            assert!(object(good.as_bytes()).is_some(), "{good}");
        }
        let deep = format!("{}1{}", "{\"a\":".repeat(17), "}".repeat(17));
        for bad in ["", "[]", "1", "{\"a\":1,\"a\":1}", "{\"b\":{\"a\":1,\"\\u0061\":2}}", "{}x", "{\"a\":01}", &deep] {
            assert!(object(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
