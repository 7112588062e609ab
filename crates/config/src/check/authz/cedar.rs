//! Cedar policies of one level: each stands beside the rules as one of them, and all of them fit the operations below.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use portcullis_access::{Effect, Mode, Parameter, Rule};
use portcullis_policy::{Action, Kind, Mistake, Policies, Principals, Shape, Statement, World};

use super::{Named, Operation, Section, Stated};
use crate::check::Check;
use crate::diagnostic::{Diagnostic, quote};
use crate::file::{Authz, AuthzMode, Cedar, CedarShape};
use crate::plan::{CedarPlan, RulePlan};
use crate::sources::{FileId, Span, narrow};
use crate::tree::At;

/// LIMIT: claims, parameters and fields that policies may speak of.
const MAX_VALUES: usize = 256;

/// What is known of a level's policies.
pub(super) struct Stating {
    policies: Arc<Policies>,
    files: Vec<FileId>,
    pub(super) values: Vec<(Kind, String, Shape)>,
    /// The operations below, as policies see them.
    actions: RefCell<Vec<Action>>,
    span: Span,
    path: String,
}

impl Check<'_> {
    /// Reads the policies of a level.
    pub(super) fn cedar(&mut self, written: &Authz, at: &At<'_>) -> Option<(Stating, Vec<Stated>)> {
        let cedar = written.cedar.as_ref()?;
        let at = at.key("cedar");
        let list = at.key("policies");
        self.list(&list, cedar.policies.len());
        let values = self.cedar_values(cedar, &at);
        let files: Vec<FileId> =
            (0..cedar.policies.len()).filter_map(|index| self.texts.get(&list.index(index).id()).copied()).collect();
        if files.len() < cedar.policies.len() {
            // What is missing was reported.
            return None;
        }
        let texts: Vec<&str> = files.iter().map(|file| self.text_of(*file)).collect();
        let policies = match Policies::read(&texts) {
            Ok(policies) => Arc::new(policies),
            Err(mistakes) => {
                self.mistaken(mistakes, &files, &at.path());
                return None;
            }
        };
        if policies.statements().is_empty() && !files.is_empty() {
            let diagnostic = Diagnostic::new("no-effect", list.name_span(), "there is no policy in these files");
            self.reject(
                &list,
                diagnostic.help("write one, such as `permit(principal in Role::\"admin\", action, resource);`"),
            );
        }
        let observed = written.mode == Some(AuthzMode::Observe);
        let stated = (0..policies.statements().len())
            .filter_map(|place| Some((place, policies.statements().get(place)?)))
            .map(|(place, statement)| self.stated((&policies, place), statement, (&files, observed), &at.path()))
            .collect();
        let span = at.name_span();
        let path = at.path();
        Some((Stating { policies, files, values, actions: RefCell::default(), span, path }, stated))
    }

    fn cedar_values(&mut self, cedar: &Cedar, at: &At<'_>) -> Vec<(Kind, String, Shape)> {
        let shape = |shape: CedarShape| match shape {
            CedarShape::String => Shape::Text,
            CedarShape::Integer => Shape::Number,
            CedarShape::Boolean => Shape::Flag,
            CedarShape::Strings => Shape::Texts,
        };
        let mut values: Vec<(Kind, String, Shape)> = Vec::new();
        values.extend(cedar.claims.iter().flatten().map(|(name, is)| (Kind::Claim, name.clone(), shape(*is))));
        values.extend(cedar.body.iter().flatten().map(|(name, is)| (Kind::Body, name.clone(), shape(*is))));
        for (key, kind, names) in [("query", Kind::Query, &cedar.query), ("headers", Kind::Header, &cedar.headers)] {
            if let Some(names) = names {
                self.list(&at.key(key), names.len());
            }
            values.extend(names.iter().flatten().map(|name| (kind, name.0.clone(), Shape::Text)));
        }
        if let Some(claims) = &cedar.claims {
            self.list(&at.key("claims"), claims.len());
        }
        if let Some(body) = &cedar.body {
            self.list(&at.key("body"), body.len());
            for name in body.keys().filter(|name| name.split('.').any(str::is_empty)) {
                let section = at.key("body");
                let place = section.key(name);
                let diagnostic = Diagnostic::new("bad-name", place.name_span(), "a name is missing here");
                self.reject(
                    &place,
                    diagnostic.help("write it like `owner`, or `order.owner` for a member of an object"),
                );
            }
        }
        if values.len() > MAX_VALUES {
            let message = format!("policies speak of more than {MAX_VALUES} values");
            self.reject(
                at,
                Diagnostic::new("too-large", at.name_span(), message).help("name those only that they need"),
            );
        }
        values
    }

    fn stated(
        &mut self,
        (policies, place): (&Arc<Policies>, usize),
        statement: &Statement,
        (files, observed): (&[FileId], bool),
        path: &str,
    ) -> Stated {
        let span = self.first_line(spot(files, statement.place));
        let origin = self.sources.origin(span);
        let name = statement.name.clone().unwrap_or_else(|| origin.to_string());
        let effect = if statement.permits { Effect::Allow } else { Effect::Refuse };
        let observes = statement.observes.unwrap_or(observed);
        let (role, caller) = match &statement.principals {
            Principals::Role(role) => (Some(role), None),
            Principals::Caller(caller) => (None, Some(caller)),
            Principals::All | Principals::Known | Principals::Anonymous | Principals::Other => (None, None),
        };
        let rule = Rule {
            mode: if observes { Mode::Observe } else { Mode::Enforce },
            anonymous: statement.principals == Principals::Anonymous,
            roles: role.cloned().into_iter().collect(),
            consumers: caller.cloned().into_iter().collect(),
            foreign: statement.is_conditional.then(|| format!("policy {name}")),
            ..Rule::new(effect)
        };
        if rule.is_unconditional() && effect == Effect::Refuse && statement.actions.is_none() {
            let diagnostic = Diagnostic::new("no-condition", span, "the policy forbids everything to everybody");
            self.report.push(diagnostic.help("give it a condition, or write `authn: refuse`").path(path.to_owned()));
        }
        let named = |id: &String| Named {
            text: id.clone(),
            shown: quote(id),
            span,
            is_found: Cell::new(false),
            is_closed: Cell::new(false),
        };
        Stated {
            path: path.to_owned(),
            span,
            is_tainted: false,
            operations: statement.actions.as_ref().map(|all| all.iter().map(named).collect()),
            when_spans: Vec::new(),
            role_spans: vec![span; rule.roles.len()],
            says_anybody: None,
            plan: RulePlan {
                name: Arc::from(name),
                rule,
                origin,
                statement: Some((Arc::clone(policies), place)),
                asks_learned: false,
                fields: Vec::new(),
            },
            applies: Cell::new(0),
            lives: Cell::new(0),
            opens: Cell::new(0),
            dead: RefCell::default(),
        }
    }

    /// What the policies of an operation are asked about; `sections` are those of its levels.
    pub(super) fn cedar_of(&mut self, operation: &Operation<'_>, sections: &[&Section]) -> Option<CedarPlan> {
        let action = action(operation);
        let mut values: Vec<(Kind, String, Shape)> = Vec::new();
        let mut is_one = false;
        for stating in sections.iter().filter_map(|section| section.cedar.as_ref()) {
            is_one = true;
            for (kind, name, shape) in &stating.values {
                match values.iter().find(|(have, known, _)| have == kind && known == name) {
                    None => values.push((*kind, name.clone(), *shape)),
                    Some((.., known)) if known == shape => {}
                    Some(_) => {
                        let what = if *kind == Kind::Body { "member of the body" } else { "claim" };
                        let message = format!("the {what} {} is another thing on another level", quote(name));
                        let diagnostic = Diagnostic::new("contradiction", stating.span, message);
                        let help = "say the same on both, or say it on one only";
                        self.report.push(diagnostic.help(help).path(stating.path.clone()));
                    }
                }
            }
        }
        is_one.then_some(CedarPlan { action, values })
    }

    /// Whether the policies of a level fit the operations below it, all of which are known now.
    pub(super) fn cedar_end(&mut self, stating: &Stating) {
        let world = World { actions: stating.actions.borrow().clone(), values: stating.values.clone() };
        let texts: Vec<&str> = stating.files.iter().map(|file| self.text_of(*file)).collect();
        let mistakes = stating.policies.check(&world, &texts);
        self.mistaken(mistakes, &stating.files, &stating.path);
    }

    fn mistaken(&mut self, mistakes: Vec<Mistake>, files: &[FileId], path: &str) {
        for one in mistakes {
            let code = if one.is_vain { "never-matches" } else { "bad-policy" };
            let span = self.first_line(spot(files, one.place));
            self.report.push(Diagnostic::new(code, span, one.message).help(one.help).path(path.to_owned()));
        }
    }

    fn text_of(&self, file: FileId) -> &str {
        self.sources.file(file).map_or("", |source| source.text.as_str())
    }

    /// An underline stays on one line.
    fn first_line(&self, span: Span) -> Span {
        let length = self.sources.text(span).lines().next().map_or(0, str::len);
        span.part(0, length)
    }
}

impl Stating {
    /// Takes an operation in.
    pub(super) fn meet(&self, operation: &Operation<'_>) {
        self.actions.borrow_mut().push(action(operation));
    }
}

fn action(operation: &Operation<'_>) -> Action {
    let template = format!("{}{}", operation.prefix, operation.plan.template);
    Action {
        id: operation.plan.id.to_string(),
        parameters: Parameter::all(&template).into_iter().map(|parameter| parameter.name).collect(),
        anonymous: operation.lets_anybody_come(),
    }
}

fn spot(files: &[FileId], place: portcullis_policy::Place) -> Span {
    match files.get(place.file) {
        Some(file) => Span { file: *file, start: narrow(place.start), end: narrow(place.end) },
        None => Span::nowhere(),
    }
}
