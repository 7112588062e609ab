//! What answers may hold, for those who follow them while they pass.

use super::body::fitting;
use crate::document::{Contract, Operation};
use crate::media::MediaType;
use crate::parameter::{Location, Parameter};
use crate::schema::SchemaId;
use portcullis_types::Outline;
use portcullis_types::outline::Mark;

// === impl Contract ===

impl Contract {
    /// Whether any schema of the document says who may see a value: `x-sensitivity`, `x-visible-to`.
    #[must_use]
    pub fn has_marks(&self) -> bool {
        self.schemas.has_marks()
    }

    /// The parameters of an operation that are not for everybody, for those who write down what was asked for.
    #[must_use]
    pub fn marked_parameters<'c>(&'c self, operation: &'c Operation) -> Vec<(Location, &'c str, &'c Mark)> {
        let marked = |one: &'c Parameter| {
            let marks = self.schemas.marks_of(one.schema, &one.marks);
            marks.map(|mark| (one.location, &*one.name, mark))
        };
        operation.parameters.iter().flat_map(marked).collect()
    }

    /// All that the answers of these operations declare; `None` where that is more than can be followed.
    #[must_use]
    pub fn outline<'o>(&self, operations: impl IntoIterator<Item = &'o Operation>) -> Option<Outline> {
        let answers = operations.into_iter().flat_map(|operation| &operation.answers);
        let contents = answers.flat_map(|(_, answer)| &answer.content);
        let mut roots: Vec<SchemaId> = contents.filter_map(|content| content.schema).collect();
        roots.sort_unstable_by_key(|id| id.0);
        roots.dedup();
        self.schemas.outline(&roots)
    }
}

// === impl Operation ===

impl Operation {
    /// The number of the schema that an answer with this status and `Content-Type` has to fit, as outlines know it; `None` where
    /// none is declared.
    #[must_use]
    pub fn answer_schema(&self, status: u16, content_type: Option<&str>) -> Option<u32> {
        let sent = MediaType::parse(content_type?).filter(|sent| !sent.is_range())?;
        let (content, _) = fitting(&self.answer(status)?.content, &sent)?;
        content.schema.map(|id| id.0)
    }
}

impl Operation {
    /// Names of the parameters of its path, in their order there.
    pub fn path_names(&self) -> impl Iterator<Item = &str> {
        self.template.names()
    }
}
