//! One level's `authz` as it is written: what each rule says, and what it cannot say.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use portcullis_access::{Effect, Expression, Mode, Rule, Window};

use super::{Named, Section, Stated};
use crate::check::Check;
use crate::diagnostic::Diagnostic;
use crate::file::{Authz, AuthzCallers, AuthzEffect, AuthzMode, AuthzRule, Hours};
use crate::plan::RulePlan;
use crate::scalar::Text;
use crate::sources::Span;
use crate::tree::At;

/// LIMIT: rules of one level, and entries of each list of a rule.
const MAX_RULES: usize = 1_000;
const MAX_LIST: usize = 256;

const DAY_MINUTES: u16 = 24 * 60;

impl Check<'_> {
    /// Reads the rules of a level, if it has some. `is_route` says that they are about one operation only.
    pub(in crate::check) fn authz(
        &mut self,
        level: &At<'_>,
        written: Option<&Authz>,
        is_route: bool,
    ) -> Option<Section> {
        let written = written?;
        let at = level.key("authz");
        let list = at.key("rules");
        let rules = written.rules.as_deref().unwrap_or_default();
        if rules.len() > MAX_RULES {
            let diagnostic = Diagnostic::new("too-large", list.name_span(), format!("more than {MAX_RULES} rules"));
            self.reject(&list, diagnostic.help("give rules more than one role or operation"));
        }
        if written.rules.as_ref().is_some_and(Vec::is_empty) {
            let diagnostic = Diagnostic::new("empty-list", list.name_span(), "no rule allows anything")
                .help("write `authn: refuse` to close operations, or add rules");
            self.reject(&list, diagnostic);
        }
        let observed = written.mode == Some(AuthzMode::Observe);
        if observed && rules.is_empty() && written.cedar.is_none() && written.protected_fields.is_none() {
            let mode = at.key("mode");
            let diagnostic = Diagnostic::new("no-effect", mode.name_span(), "`mode` has no effect without `rules`");
            self.reject(&mode, diagnostic.help("add `rules` beside it, or remove it"));
        }
        let mut stated: Vec<Stated> = rules
            .iter()
            .enumerate()
            .map(|(index, rule)| self.rule(rule, &list.index(index), (observed, is_route)))
            .collect();
        stated.extend(self.protected(written, &at, (observed, is_route)));
        let cedar = self.cedar(written, &at).map(|(cedar, policies)| {
            stated.extend(policies);
            cedar
        });
        let learns = self.learned(written.learned.as_ref(), &at).map(|(learns, required)| {
            stated.extend(required);
            learns
        });
        let map = at.key("role_map");
        let claim = at.key("roles_claim");
        let texts = |list: &Vec<Text>| list.iter().map(|text| text.0.clone()).collect::<Vec<_>>();
        for (from, to) in written.role_map.iter().flatten() {
            self.list(&map.key(from), to.len());
        }
        let role_map = written
            .role_map
            .as_ref()
            .map(|pairs| (pairs.iter().map(|(from, to)| (from.clone(), texts(to))).collect(), self.origin(&map)));
        Some(Section {
            path: at.path(),
            span: at.name_span(),
            origin: self.origin(&at),
            has_rules: written.rules.is_some() || written.cedar.is_some() || written.protected_fields.is_some(),
            rules: stated,
            cedar,
            learns,
            roles_claim: written.roles_claim.as_ref().map(|text| (text.0.clone(), self.origin(&claim))),
            role_map,
            known: RefCell::default(),
            is_used: Cell::new(false),
            is_tainted: at.is_tainted() || list.is_tainted(),
        })
    }

    fn rule(&mut self, written: &AuthzRule, at: &At<'_>, (observed, is_route): (bool, bool)) -> Stated {
        let texts =
            |list: &Option<Vec<Text>>| -> Vec<String> { list.iter().flatten().map(|text| text.0.clone()).collect() };
        let (expressions, when_spans) = self.expressions(written, at);
        let observes = written.mode.map_or(observed, |mode| mode == AuthzMode::Observe);
        let effect = match written.effect {
            None | Some(AuthzEffect::Allow) => Effect::Allow,
            Some(AuthzEffect::Refuse) => Effect::Refuse,
            Some(AuthzEffect::Require) => Effect::Require,
        };
        let rule = Rule {
            effect,
            mode: if observes { Mode::Observe } else { Mode::Enforce },
            anonymous: written.callers == Some(AuthzCallers::Anybody),
            roles: texts(&written.roles),
            scopes: texts(&written.scopes),
            consumers: texts(&written.consumers),
            claims: written
                .claims
                .iter()
                .flatten()
                .map(|(name, all)| (name.clone(), all.iter().map(|one| one.0.clone()).collect()))
                .collect(),
            networks: written.networks.iter().flatten().map(|network| network.0).collect(),
            times: written.times.iter().flatten().map(window).collect(),
            when: expressions,
            ways: Vec::new(),
            foreign: None,
        };
        self.lists(written, at);
        self.callers(written, &rule, at);
        let operations = self.operations_named(written.operations.as_ref(), at, is_route);
        let roles = at.key("roles");
        let name = written.name.as_ref().map_or_else(|| at.path(), |name| name.0.clone());
        Stated {
            path: at.path(),
            span: at.name_span(),
            is_tainted: at.is_tainted(),
            operations,
            when_spans,
            role_spans: (0..rule.roles.len()).map(|index| roles.index(index).span()).collect(),
            says_anybody: (rule.anonymous && rule.effect == Effect::Allow).then(|| at.key("callers").span()),
            plan: RulePlan {
                name: Arc::from(name),
                rule,
                origin: self.origin(at),
                statement: None,
                asks_learned: false,
                fields: Vec::new(),
            },
            applies: Cell::new(0),
            lives: Cell::new(0),
            opens: Cell::new(0),
            dead: RefCell::default(),
        }
    }

    /// The operations that a rule names.
    pub(super) fn operations_named(
        &mut self,
        written: Option<&Vec<Text>>,
        at: &At<'_>,
        is_route: bool,
    ) -> Option<Vec<Named>> {
        let list = at.key("operations");
        let operations = written?;
        if is_route {
            let message = "a rule of an operation is about that operation only";
            let diagnostic = Diagnostic::new("no-effect", list.name_span(), message);
            self.reject(&list, diagnostic.help("remove `operations`, or move the rule to the API or version"));
            return None;
        }
        let named = |(index, text): (usize, &Text)| {
            let at = list.index(index);
            Named {
                text: text.0.clone(),
                shown: self.shown(&at, &text.0),
                span: at.span(),
                is_found: Cell::new(at.is_tainted()),
                is_closed: Cell::new(at.is_tainted()),
            }
        };
        Some(operations.iter().enumerate().map(named).collect())
    }

    /// Whom a rule speaks of: said, where nothing else limits what it allows.
    fn callers(&mut self, written: &AuthzRule, rule: &Rule, at: &At<'_>) {
        let key = at.key("callers");
        if rule.effect != Effect::Allow && written.callers.is_some() {
            let message = "`callers` has no effect on a rule that refuses or requires: it is for everybody";
            let diagnostic = Diagnostic::new("no-effect", key.name_span(), message);
            self.reject(&key, diagnostic.help("remove it"));
        }
        let asks =
            !rule.roles.is_empty() || !rule.scopes.is_empty() || !rule.consumers.is_empty() || !rule.claims.is_empty();
        if rule.effect == Effect::Allow && rule.anonymous && asks {
            let message = "somebody of whom nothing is known has no roles, scopes or claims";
            let diagnostic = Diagnostic::new("contradiction", key.span(), message);
            self.reject(&key, diagnostic.help("write a rule of its own for anybody"));
        }
        if !has_condition(written) && written.callers.is_none() && !at.is_tainted() {
            let (message, help) = match rule.effect {
                Effect::Allow => (
                    "the rule allows every caller, and does not say so",
                    "write `callers: authenticated`, or a condition such as `roles: [admin]`",
                ),
                Effect::Refuse => {
                    ("the rule refuses everybody", "give it a condition, or write `authn: refuse` at the operation")
                }
                Effect::Require => ("the rule requires nothing", "give it a condition, such as `scopes: [orders]`"),
            };
            let diagnostic = Diagnostic::new("no-condition", at.name_span(), message).help(help);
            self.reject(at, diagnostic);
        }
    }

    /// Lists that are there hold something.
    fn lists(&mut self, written: &AuthzRule, at: &At<'_>) {
        let texts = |list: &Option<Vec<Text>>| list.as_ref().map(Vec::len);
        let lists = [
            ("operations", texts(&written.operations)),
            ("roles", texts(&written.roles)),
            ("scopes", texts(&written.scopes)),
            ("consumers", texts(&written.consumers)),
            ("claims", written.claims.as_ref().map(indexmap::IndexMap::len)),
            ("networks", written.networks.as_ref().map(Vec::len)),
            ("times", written.times.as_ref().map(Vec::len)),
        ];
        for (key, length) in lists {
            if let Some(length) = length {
                self.list(&at.key(key), length);
            }
        }
        let claims = at.key("claims");
        for (name, values) in written.claims.iter().flatten() {
            self.list(&claims.key(name), values.len());
        }
        let times = at.key("times");
        for (index, hours) in written.times.iter().flatten().enumerate() {
            let at = times.index(index);
            if let Some(days) = &hours.days {
                self.list(&at.key("days"), days.len());
            }
            if hours.from.map(|time| time.minutes) == hours.to.map(|time| time.minutes) && hours.from.is_some() {
                let diagnostic = Diagnostic::new("contradiction", at.name_span(), "it ends when it begins");
                self.reject(&at, diagnostic.help("remove `from` and `to` for the whole day"));
            }
        }
    }

    pub(super) fn list(&mut self, at: &At<'_>, length: usize) {
        if length == 0 {
            let diagnostic = Diagnostic::new("empty-list", at.name_span(), "nothing can ever be in an empty list");
            self.reject(at, diagnostic.help("name something, or remove the list"));
        }
        if length > MAX_LIST {
            let diagnostic = Diagnostic::new("too-large", at.name_span(), format!("more than {MAX_LIST} entries"));
            self.reject(at, diagnostic.help("make several rules of it"));
        }
    }

    /// What the rule says about the request, with the place of each.
    fn expressions(&mut self, written: &AuthzRule, at: &At<'_>) -> (Vec<Expression>, Vec<Span>) {
        let (mut all, mut spans) = (Vec::new(), Vec::new());
        for (key, text) in [("owner", &written.owner), ("tenant", &written.tenant), ("when", &written.when)] {
            let at = at.key(key);
            let Some(text) = text.as_ref().filter(|_| !at.is_tainted()) else { continue };
            match Expression::parse(&text.0) {
                Ok(expression) => {
                    all.push(expression);
                    spans.push(at.span());
                }
                Err(mistake) => {
                    let hidden = self.outside.contains_key(&at.id());
                    let message = if hidden { "the expression cannot be read".to_owned() } else { mistake.message };
                    let span = self.part(&at, &text.0, mistake.start, mistake.end);
                    let diagnostic = Diagnostic::new("bad-expression", span, message);
                    self.reject(&at, if hidden { diagnostic } else { diagnostic.help(mistake.help) });
                }
            }
        }
        (all, spans)
    }

    /// The place of a part of a text, where the text stands in the file as it is.
    fn part(&self, at: &At<'_>, text: &str, start: usize, end: usize) -> Span {
        let whole = at.node().span;
        let written = self.sources.text(whole);
        let before = match written.find(text) {
            Some(before) if written.len() - text.len() <= 2 => before,
            Some(_) | None => return at.span(),
        };
        // Behind the end of an expression there is nothing to underline: its last sign has to do.
        let (start, end) = if start == end { (start.saturating_sub(1), end) } else { (start, end) };
        whole.part(before + start, before + end)
    }
}

/// Whether anything is written that could be a condition, sound or not.
fn has_condition(written: &AuthzRule) -> bool {
    let lists = [&written.roles, &written.scopes, &written.consumers].into_iter().any(Option::is_some);
    let texts = [&written.owner, &written.tenant, &written.when].into_iter().any(Option::is_some);
    lists || texts || written.claims.is_some() || written.networks.is_some() || written.times.is_some()
}

fn window(hours: &Hours) -> Window {
    let days: Vec<u8> = hours.days.iter().flatten().map(|day| day.number()).collect();
    let (from, to) = (hours.from.map_or(0, |time| time.minutes), hours.to.map_or(DAY_MINUTES, |time| time.minutes));
    Window::new(&days, from, to)
}
