//! A schema by itself, without an OpenAPI document around it.

use super::compile::Finding;
use super::{Compiler, Direction, Draft, Effort, Fetch, Library, SchemaId, Schemas, Settings, Verdict};
use crate::json::Json;
use crate::tree::{self, Diagnostic, Severity, append_steps};

/// How a schema is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Members that no schema speaks of are refused, though none forbids them.
    pub closed_objects: bool,
    /// Formats are checked, not only noted.
    pub formats: bool,
}

/// A compiled schema.
#[derive(Debug)]
pub struct OneSchema {
    schemas: Schemas,
    root: SchemaId,
}

// === impl OneSchema ===

impl OneSchema {
    /// Compiles the schema that a text is, and all that it refers to.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn compile(
        file: &str,
        text: &[u8],
        draft: Draft,
        options: Options,
        fetch: Fetch<'_>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let tree = tree::read(text).map_err(|error| vec![error.diagnostic(file)])?;
        let mut library = Library::new(draft);
        let spot = library.add(file, tree);
        let settings = Settings {
            open_objects: !options.closed_objects,
            formats: options.formats,
            openapi: draft == Draft::OpenApi30,
        };
        let resource = library.resource_of_file(spot);
        let mut compiler = Compiler::new(&mut library, fetch, settings);
        let root = compiler.whole(spot, resource, Direction::Request);
        let (schemas, findings) = compiler.finish();
        let errors = diagnostics(&library, findings);
        if errors.iter().any(|finding| finding.severity == Severity::Error) {
            return Err(errors);
        }
        Ok(Self { schemas, root })
    }

    /// Whether a value fits.
    #[must_use]
    pub fn judge(&self, json: &Json<'_>, effort: &Effort) -> Verdict {
        self.schemas.judge(self.root, json.root(), json.size(), effort)
    }
}

/// Findings with their places as people look for them, in the order of the files.
pub(crate) fn diagnostics(library: &Library, findings: Vec<Finding>) -> Vec<Diagnostic> {
    let mut parents = std::collections::HashMap::new();
    let mut all = Vec::new();
    for Finding { spot, severity, code, message, help } in findings {
        let parents = parents.entry(spot.file).or_insert_with(|| library.pointers(spot.file));
        let file = library.files.get(spot.file).map(|file| file.uri.clone()).unwrap_or_default();
        let pointer = append_steps(parents, spot.node);
        let line = library.line(spot);
        all.push(Diagnostic { severity, code, file, pointer, line, message, help: help.to_owned() });
    }
    all.sort_by(|one, other| (&one.file, one.line, &one.message).cmp(&(&other.file, other.line, &other.message)));
    all.dedup();
    all
}
