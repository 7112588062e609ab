//! The little of YAML that test files use, as a tree. Numbers and words stay text: the reader of a field knows its type.

use granit_parser::{Event, Parser};

/// LIMIT: nesting of a document.
const DEPTH: usize = 32;

/// A YAML value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Yaml {
    Text(String),
    /// An empty plain scalar, `~` or `null`.
    Null,
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

enum Open {
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>, Option<String>),
}

// === impl Yaml ===

impl Yaml {
    /// Reads the first document; none if the text has none.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the parser's other events carry nothing")]
    pub(super) fn parse(text: &str) -> Result<Option<Self>, String> {
        let mut open: Vec<Open> = Vec::new();
        for event in Parser::new_from_str(text) {
            let (event, _) = event.map_err(|e| e.to_string())?;
            let done = match event {
                Event::Scalar(value, style, ..) => {
                    let plain = style == granit_parser::ScalarStyle::Plain;
                    Some(match value.as_ref() {
                        "" | "~" | "null" if plain => Yaml::Null,
                        text => Yaml::Text(text.to_owned()),
                    })
                }
                Event::SequenceStart(..) => {
                    open.push(Open::List(Vec::new()));
                    None
                }
                Event::MappingStart(..) => {
                    open.push(Open::Map(Vec::new(), None));
                    None
                }
                Event::SequenceEnd | Event::MappingEnd => open.pop().map(|o| match o {
                    Open::List(list) => Yaml::List(list),
                    Open::Map(map, _) => Yaml::Map(map),
                }),
                Event::Alias(_) => return Err("aliases aren't used in test files".into()),
                _ => None,
            };
            if open.len() > DEPTH {
                return Err("nested too deeply".into());
            }
            let Some(done) = done else { continue };
            match open.last_mut() {
                None => return Ok(Some(done).filter(|d| *d != Yaml::Null)),
                Some(Open::List(list)) => list.push(done),
                Some(Open::Map(map, key)) => match (key.take(), done) {
                    (Some(key), value) => map.push((key, value)),
                    (None, Yaml::Text(text)) => *key = Some(text),
                    (None, Yaml::Null | Yaml::List(_) | Yaml::Map(_)) => return Err("a key isn't text".into()),
                },
            }
        }
        Ok(None)
    }

    pub(super) fn field(&self, name: &str) -> Option<&Yaml> {
        match self {
            Yaml::Map(map) => map.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            Yaml::Text(_) | Yaml::Null | Yaml::List(_) => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Yaml::Text(text) => Some(text),
            Yaml::Null | Yaml::List(_) | Yaml::Map(_) => None,
        }
    }

    pub(super) fn list(&self) -> &[Yaml] {
        match self {
            Yaml::List(list) => list,
            Yaml::Text(_) | Yaml::Null | Yaml::Map(_) => &[],
        }
    }

    pub(super) fn entries(&self) -> &[(String, Yaml)] {
        match self {
            Yaml::Map(map) => map,
            Yaml::Text(_) | Yaml::Null | Yaml::List(_) => &[],
        }
    }
}
