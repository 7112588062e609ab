//! A document from its bytes: its version, its paths, its operations. All mistakes at once.

use super::operation::Walker;
use super::{Contract, Loaded, Operation, Options, Template};
use crate::schema::{Compiler, Draft, Fetch, Finding, Library, Settings, Spot, diagnostics};
use crate::tree::{self, Diagnostic, Severity, Shape};
use std::collections::HashMap;

/// LIMIT: operations of one document.
const OPERATIONS_MAX: usize = 50_000;
/// LIMIT: diagnostics of one document; the rest is counted.
const DIAGNOSTICS_MAX: usize = 1_000;

pub(crate) const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Reads and compiles a document and all that it refers to. `fetch` gives the bytes of another file by its address, relative to
/// `file`; what it does not give is an error.
pub fn load(file: &str, bytes: &[u8], options: Options, fetch: Fetch<'_>) -> Loaded {
    let (mut library, root) = match opened(file, bytes) {
        Ok(opened) => opened,
        Err(diagnostic) => return Loaded { contract: None, diagnostics: vec![*diagnostic] },
    };
    let resource = library.resource_of_file(root);
    let components = library.member(root, "components").and_then(|at| library.member(at, "schemas"));
    for (_, spot) in components.map(|at| library.members(at)).unwrap_or_default() {
        library.look_at(spot, resource);
    }
    let settings = Settings { open_objects: options.open_objects, formats: true, openapi: true };
    let compiler = Compiler::new(&mut library, fetch, settings);
    let mut walker = Walker::new(compiler);
    let operations = operations(&mut walker, root, resource);
    let Walker { compiler, shapes } = walker;
    let (schemas, findings) = compiler.finish();
    let mut diagnostics = diagnostics(&library, findings);
    let left_out = diagnostics.len().saturating_sub(DIAGNOSTICS_MAX);
    let is_wrong = diagnostics.iter().any(|one| one.severity == Severity::Error);
    // The errors stay.
    if left_out > 0 {
        diagnostics.sort_by_key(|one| std::cmp::Reverse(one.severity));
        diagnostics.truncate(DIAGNOSTICS_MAX);
    }
    let contract = (!is_wrong).then(|| Contract { options, schemas, operations, shapes });
    Loaded { contract, diagnostics }
}

/// A document as the root of a library, nothing of which has been looked at.
///
/// # Errors
/// A text that is no document, or one in a language that is not known.
pub(crate) fn opened(file: &str, bytes: &[u8]) -> Result<(Library, Spot), Box<Diagnostic>> {
    let tree = tree::read(bytes).map_err(|error| Box::new(error.diagnostic(file)))?;
    let mut library = Library::new(Draft::Current);
    let root = library.add(file, tree);
    library.draft = draft_of(&library, root).map_err(|(message, help)| {
        let (pointer, line, code, help) = (String::new(), 1, "version", help.to_owned());
        let severity = Severity::Error;
        Box::new(Diagnostic { severity, code, file: file.to_owned(), pointer, line, message, help })
    })?;
    Ok((library, root))
}

/// Which language a document is written in.
fn draft_of(library: &Library, root: Spot) -> Result<Draft, (String, &'static str)> {
    if library.member(root, "swagger").is_some() {
        let message = "this is a document of Swagger 2.0".to_owned();
        return Err((message, "convert it to OpenAPI 3"));
    }
    let at = library.member(root, "openapi");
    let text = at.and_then(|at| match library.shape(at) {
        Shape::Text(text) | Shape::Number(text) => Some(text.to_string()),
        Shape::Null | Shape::Bool(_) | Shape::List(_) | Shape::Map(_) => None,
    });
    let text = text.ok_or(("`openapi` is missing".to_owned(), "a document begins with `openapi: 3.1.1`"))?;
    match text.split('.').take(2).collect::<Vec<_>>().as_slice() {
        ["3", "0"] => Ok(Draft::OpenApi30),
        ["3", "1"] => Ok(Draft::Current),
        _ => Err((format!("the version `{}` of OpenAPI is not known", crate::text::short(&text)), "3.0 and 3.1 are")),
    }
}

fn operations(walker: &mut Walker<'_>, root: Spot, document: u32) -> Vec<Operation> {
    let mut all = Vec::new();
    let Some(paths) = walker.library().member(root, "paths") else {
        walker.say(root, Severity::Error, "paths", "it has no `paths`".to_owned(), "nothing would be let through");
        return all;
    };
    for word in ["webhooks", "callbacks"] {
        if let Some(at) = walker.library().member(root, word) {
            walker.say(at, Severity::Note, "ignored", format!("`{word}` are not looked at"), "");
        }
    }
    let shared_security = walker.security(root, root, document);
    let mut shapes: HashMap<String, String> = HashMap::new();
    for (path, item) in walker.library().members(paths) {
        if path.starts_with("x-") {
            continue;
        }
        let template = match Template::parse(&path) {
            Ok(template) => template,
            Err(message) => {
                let message = format!("the path `{}` cannot be used: {message}", crate::text::short(&path));
                walker.say(item, Severity::Error, "template", message, "");
                continue;
            }
        };
        if let Some(other) = shapes.insert(shape(&path), path.clone()) {
            let message =
                format!("`{}` and `{}` are the same path", crate::text::short(&path), crate::text::short(&other));
            walker.say(item, Severity::Error, "template", message, "put their operations together");
        }
        let Some((item, resource)) = walker.target(item, document) else { continue };
        walker.no_cost(item);
        let shared = walker.parameters(item, resource, &[]);
        for method in METHODS {
            let Some(at) = walker.library().member(item, method) else { continue };
            if all.len() >= OPERATIONS_MAX {
                let message = format!("it has more than {OPERATIONS_MAX} operations");
                walker.say(at, Severity::Error, "size", message, "");
                return all;
            }
            let mut operation = walker.operation(at, resource, method, &template, &shared);
            // Schemes are those of the document, wherever the operation stands.
            operation.security = walker.security(at, root, document).or_else(|| shared_security.clone());
            all.push(operation);
        }
    }
    all
}

/// Templates that differ in names only are the same (OpenAPI 3.1, section 4.8.8.2).
fn shape(path: &str) -> String {
    let mut shape = String::new();
    let mut inside = false;
    for letter in path.chars() {
        match letter {
            '{' => {
                shape.push_str("{}");
                inside = true;
            }
            '}' => inside = false,
            _ if inside => {}
            other => shape.push(other),
        }
    }
    shape
}

impl Walker<'_> {
    pub(super) fn say(
        &mut self,
        spot: Spot,
        severity: Severity,
        code: &'static str,
        message: String,
        help: &'static str,
    ) {
        self.compiler.findings.push(Finding { spot, severity, code, message, help });
    }
}
