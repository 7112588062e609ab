//! Parameters as they stand in a message, to values that a schema can judge: every style, exploded or not (OpenAPI 3.1, section
//! 4.8.12; RFC 6570).

mod decode;
mod plan;
mod spoken;
#[cfg(test)]
mod tests;

pub use decode::decoded_name;
pub(crate) use decode::{Pair, Wrong, decode, pairs_of, percent_decoded, single};
pub(crate) use plan::Plan;

use crate::schema::SchemaId;

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Location {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header field.
    Header,
    /// In the Cookie field.
    Cookie,
}

/// How a list or an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    Space,
    Pipe,
    Deep,
}

/// One declared parameter.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: Box<str>,
    pub(crate) location: Location,
    pub(crate) required: bool,
    pub(crate) style: Style,
    pub(crate) explode: bool,
    pub(crate) allow_reserved: bool,
    pub(crate) allow_empty: bool,
    /// It is a text in JSON.
    pub(crate) json: bool,
    pub(crate) plan: Plan,
    pub(crate) schema: SchemaId,
    /// Numbers of the marks that stand beside its name.
    pub(crate) marks: Box<[u32]>,
}

// === impl Location ===

impl Location {
    pub(crate) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "path" => Self::Path,
            "query" => Self::Query,
            "header" => Self::Header,
            "cookie" => Self::Cookie,
            _ => return None,
        })
    }

    /// What is used where nothing is said.
    pub(crate) const fn style(self) -> Style {
        match self {
            Self::Path | Self::Header => Style::Simple,
            Self::Query | Self::Cookie => Style::Form,
        }
    }

    /// Whether a style exists here.
    pub(crate) const fn takes(self, style: Style) -> bool {
        match self {
            Self::Path => matches!(style, Style::Simple | Style::Label | Style::Matrix),
            Self::Header => matches!(style, Style::Simple),
            Self::Query => matches!(style, Style::Form | Style::Space | Style::Pipe | Style::Deep),
            Self::Cookie => matches!(style, Style::Form),
        }
    }
}

// === impl Style ===

impl Style {
    pub(crate) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "simple" => Self::Simple,
            "label" => Self::Label,
            "matrix" => Self::Matrix,
            "form" => Self::Form,
            "spaceDelimited" => Self::Space,
            "pipeDelimited" => Self::Pipe,
            "deepObject" => Self::Deep,
            _ => return None,
        })
    }
}
