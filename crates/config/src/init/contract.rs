//! The few things that are read from an OpenAPI contract: title, first server, operations.

use crate::diagnostic::{Diagnostic, Report, quote};
use crate::tree::{At, Kind, NodeId, Tree};

/// OpenAPI's names of methods.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// What a contract says.
pub(super) struct Contract<'t> {
    pub(super) title: Option<&'t str>,
    pub(super) server: Option<&'t str>,
    pub(super) operations: Vec<Operation<'t>>,
}

/// One operation.
pub(super) struct Operation<'t> {
    pub(super) id: Option<&'t str>,
    pub(super) method: String,
    pub(super) path: &'t str,
    /// `security: []`: the contract asks for no credential.
    pub(super) is_open: bool,
}

impl<'t> Contract<'t> {
    /// Reads a contract; what makes it none is in the report.
    pub(super) fn read(root: &At<'t>, report: &mut Report) -> Option<Self> {
        let version = text(root, &["openapi"]);
        if !version.is_some_and(|version| version.starts_with("3.")) {
            let span = root.key("openapi").name_span();
            let (message, help) = match (version, text(root, &["swagger"])) {
                (Some(version), _) => (format!("OpenAPI {} is not known", quote(version)), "OpenAPI 3.0 and 3.1 are"),
                (None, Some(_)) => {
                    ("this is a Swagger 2 contract".to_owned(), "convert it to OpenAPI 3; editors and generators can")
                }
                (None, None) => ("this is no OpenAPI contract".to_owned(), "it would begin with `openapi: 3.1.0`"),
            };
            report.push(Diagnostic::new("not-openapi", span, message).help(help));
            return None;
        }
        let mut contract = Self { title: text(root, &["info", "title"]), server: None, operations: Vec::new() };
        contract.server = first_server(root);
        let open_by_default = !is_guarded(root).unwrap_or(true);
        let paths = root.key("paths");
        let tree = root.tree();
        if let (Kind::Map(entries), false) = (&tree.node(paths.id()).kind, paths.is_missing()) {
            for (path, entry) in entries {
                contract.operations_of(tree, entry.value, path, open_by_default);
            }
        }
        Some(contract)
    }

    fn operations_of(&mut self, tree: &'t Tree, item: NodeId, path: &'t str, open_by_default: bool) {
        let item = At::root(tree, item);
        for method in METHODS {
            let operation = item.key(method);
            if operation.is_missing() {
                continue;
            }
            let is_open = is_guarded(&operation).map_or(open_by_default, |guarded| !guarded);
            self.operations.push(Operation {
                id: text(&item, &[method, "operationId"]),
                method: method.to_ascii_uppercase(),
                path,
                is_open,
            });
        }
    }
}

fn first_server<'t>(root: &At<'t>) -> Option<&'t str> {
    let servers = root.key("servers");
    let first = servers.index(0);
    if first.is_missing() {
        return None;
    }
    text(&At::root(root.tree(), first.id()), &["url"])
}

/// Whether `security` here asks for a credential; `None` if it says nothing.
fn is_guarded(at: &At<'_>) -> Option<bool> {
    let security = at.key("security");
    match (&security.node().kind, security.is_missing()) {
        (Kind::Seq(items), false) => Some(!items.is_empty()),
        _ => None,
    }
}

/// The text at the end of a way through sections.
fn text<'t>(at: &At<'t>, way: &[&str]) -> Option<&'t str> {
    let mut id = at.id();
    if at.is_missing() {
        return None;
    }
    let tree = at.tree();
    for name in way {
        let Kind::Map(entries) = &tree.node(id).kind else { return None };
        id = entries.get(*name)?.value;
    }
    match &tree.node(id).kind {
        Kind::Scalar { text, .. } => Some(text),
        Kind::Bad | Kind::Null | Kind::Seq(_) | Kind::Map(_) => None,
    }
}
