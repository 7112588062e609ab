//! Fields that only some callers may set: a requirement beside the rules, which a request meets by leaving them alone.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use portcullis_access::{Effect, Mode, Rule, Way};

use super::Stated;
use crate::check::Check;
use crate::diagnostic::Diagnostic;
use crate::file::{Authz, AuthzMode, ProtectedFields};
use crate::plan::RulePlan;
use crate::scalar::Text;
use crate::tree::At;

/// LIMIT: entries of one level.
const MAX_ENTRIES: usize = 1_000;

impl Check<'_> {
    /// Reads the fields of a level that only some callers may set.
    pub(super) fn protected(
        &mut self,
        written: &Authz,
        at: &At<'_>,
        (observed, is_route): (bool, bool),
    ) -> Vec<Stated> {
        let Some(entries) = &written.protected_fields else { return Vec::new() };
        let list = at.key("protected_fields");
        if entries.is_empty() || entries.len() > MAX_ENTRIES {
            let message = format!("there are none, or more than {MAX_ENTRIES}");
            let diagnostic = Diagnostic::new("empty-list", list.name_span(), message);
            self.reject(
                &list,
                diagnostic.help("write `[{ fields: [\"$.role\"], unless_roles: [admin] }]`, or remove it"),
            );
        }
        let one = |(index, entry): (usize, &ProtectedFields)| {
            self.protected_one(entry, &list.index(index), (observed, is_route))
        };
        entries.iter().enumerate().map(one).collect()
    }

    fn protected_one(&mut self, written: &ProtectedFields, at: &At<'_>, (observed, is_route): (bool, bool)) -> Stated {
        let fields_at = at.key("fields");
        self.list(&fields_at, written.fields.len());
        let fields = self.paths(&written.fields, &fields_at);
        for (index, path) in fields.iter().enumerate() {
            if path.steps().is_empty() {
                let item = fields_at.index(index);
                let diagnostic = self.wrong(&item, "bad-path", "this is the whole body, and no field of it");
                self.reject(&item, diagnostic.help("write it like `$.role`, `$.items[*].price` or `$..isAdmin`"));
            }
        }
        let ways = self.unless(written, at, &fields.iter().map(ToString::to_string).collect::<Vec<_>>());
        let observes = written.mode.map_or(observed, |mode| mode == AuthzMode::Observe);
        let rule =
            Rule { mode: if observes { Mode::Observe } else { Mode::Enforce }, ways, ..Rule::new(Effect::Require) };
        let operations = self.operations_named(written.operations.as_ref(), at, is_route);
        let name = written.name.as_ref().map_or_else(|| at.path(), |name| name.0.clone());
        Stated {
            path: at.path(),
            span: at.name_span(),
            is_tainted: at.is_tainted(),
            operations,
            when_spans: Vec::new(),
            role_spans: Vec::new(),
            says_anybody: None,
            plan: RulePlan {
                name: Arc::from(name),
                rule,
                origin: self.origin(at),
                statement: None,
                asks_learned: false,
                fields,
            },
            applies: Cell::new(0),
            lives: Cell::new(0),
            opens: Cell::new(0),
            dead: RefCell::default(),
        }
    }

    /// Who may set the fields, each in a way of his own, and everybody who leaves them alone.
    fn unless(&mut self, written: &ProtectedFields, at: &At<'_>, fields: &[String]) -> Vec<Way> {
        let texts =
            |list: &Option<Vec<Text>>| -> Vec<String> { list.iter().flatten().map(|text| text.0.clone()).collect() };
        let lengths = [
            ("unless_roles", written.unless_roles.as_ref().map(Vec::len)),
            ("unless_scopes", written.unless_scopes.as_ref().map(Vec::len)),
            ("unless_consumers", written.unless_consumers.as_ref().map(Vec::len)),
            ("unless_claims", written.unless_claims.as_ref().map(indexmap::IndexMap::len)),
        ];
        for (key, length) in lengths {
            if let Some(length) = length {
                self.list(&at.key(key), length);
            }
        }
        let claims_at = at.key("unless_claims");
        for (name, values) in written.unless_claims.iter().flatten() {
            self.list(&claims_at.key(name), values.len());
        }
        let mut ways: Vec<Way> = Vec::new();
        ways.extend(texts(&written.unless_roles).into_iter().map(|role| Way { roles: vec![role], ..Way::default() }));
        ways.extend(
            texts(&written.unless_scopes).into_iter().map(|scope| Way { scopes: vec![scope], ..Way::default() }),
        );
        let consumers = texts(&written.unless_consumers);
        ways.extend((!consumers.is_empty()).then(|| Way { consumers, ..Way::default() }));
        for (name, values) in written.unless_claims.iter().flatten() {
            let claim = (name.clone(), values.iter().map(|value| value.0.clone()).collect());
            ways.push(Way { claims: vec![claim], ..Way::default() });
        }
        ways.push(Way { leaves: fields.to_vec(), ..Way::default() });
        ways
    }
}
