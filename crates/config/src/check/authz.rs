//! What callers may do with each operation: rules of all levels together, and rules that come to nothing.
//!
//! A level's rules are read once (`read`), asked of every operation below it, and judged when no operation is left (`end`).

mod cedar;
mod fields;
mod learned;
mod read;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use portcullis_access::{
    Effect, Expression, Mode, Operand, Policy, Property, RoleMap, RoleSource, Rule, Unfit, conflict,
};
use portcullis_auth::principal::{Demand, Scheme};

use super::Check;
use super::routes::made_id;
use crate::diagnostic::{Diagnostic, closest, quote};
use crate::plan::{Authn, AuthzPlan, Methods, Origin, RoutePlan, RulePlan};
use crate::sources::Span;
use cedar::Stating;
use learned::Learns;

/// The `authz` of one level.
pub(crate) struct Section {
    path: String,
    span: Span,
    origin: Origin,
    has_rules: bool,
    rules: Vec<Stated>,
    cedar: Option<Stating>,
    learns: Option<Learns>,
    roles_claim: Option<(String, Origin)>,
    role_map: Option<(RoleMap, Origin)>,
    /// Names of the operations below it, for suggestions.
    known: RefCell<Vec<String>>,
    is_used: Cell<bool>,
    /// Something in it was reported already: what seems to be missing may stand there.
    is_tainted: bool,
}

/// A rule, and what has become of it so far.
struct Stated {
    plan: RulePlan,
    path: String,
    span: Span,
    is_tainted: bool,
    /// `None` is every operation.
    operations: Option<Vec<Named>>,
    /// Of each expression.
    when_spans: Vec<Span>,
    role_spans: Vec<Span>,
    says_anybody: Option<Span>,
    /// Operations for which it counts.
    applies: Cell<usize>,
    /// Those of them for which it can do something.
    lives: Cell<usize>,
    /// Those of them that let somebody unknown come.
    opens: Cell<usize>,
    /// Why it can do nothing for the last one for which it cannot.
    dead: RefCell<Option<Dead>>,
}

/// An operation that a rule names.
struct Named {
    text: String,
    shown: String,
    span: Span,
    is_found: Cell<bool>,
    /// At least one of those that it names asks who calls.
    is_closed: Cell<bool>,
}

/// Why a rule can never do anything.
enum Dead {
    /// Another one refuses whatever it allows.
    Refused(Span),
    /// Its own conditions cannot all hold.
    Impossible,
    /// This one requires what it cannot meet.
    Excluded(Span),
    /// It asks for claims where no token comes.
    Tokenless,
    /// It is about bodies where none comes.
    Bodiless,
}

/// An operation whose rules are wanted.
pub(super) struct Operation<'o> {
    pub(super) api: &'o str,
    pub(super) version: Option<&'o str>,
    pub(super) prefix: &'o str,
    pub(super) plan: &'o RoutePlan,
}

impl Operation<'_> {
    /// Everything that it may be called.
    fn names(&self) -> Vec<String> {
        let mut names = vec![self.plan.id.to_string()];
        let made = made_id(&self.plan.methods, &self.plan.template).to_string();
        if !names.contains(&made) {
            names.push(made);
        }
        let api = self.api;
        let longer: Vec<String> = names
            .iter()
            .flat_map(|name| match self.version {
                Some(version) => vec![format!("{version}/{name}"), format!("{api}/{version}/{name}")],
                None => vec![format!("{api}/{name}")],
            })
            .collect();
        names.extend(longer);
        names
    }

    fn takes_tokens(&self) -> bool {
        matches!(&self.plan.authn, Authn::Demand(plan) if match &plan.demand {
            Demand::AnyOf { schemes, .. } | Demand::AllOf(schemes) => {
                schemes.contains(&Scheme::Jwt) || schemes.contains(&Scheme::Introspection)
            }
        })
    }

    /// How callers can have proved themselves, as rules ask for it.
    fn schemes(&self) -> Vec<Expression> {
        let Authn::Demand(plan) = &self.plan.authn else { return Vec::new() };
        let (Demand::AnyOf { schemes, .. } | Demand::AllOf(schemes)) = &plan.demand;
        let codes = schemes.iter().map(|scheme| scheme.code().to_owned()).collect();
        vec![Expression::In(Operand::Principal(Property::Scheme), Operand::List(codes))]
    }

    /// Whether it has nothing but requests whose bodies mean nothing (RFC 9110 section 9.3.1).
    fn has_no_body(&self) -> bool {
        let has_none = |name: &String| matches!(name.as_str(), "GET" | "HEAD");
        matches!(&self.plan.methods, Methods::Only(names) if names.iter().all(has_none))
    }

    fn lets_anybody_come(&self) -> bool {
        matches!(&self.plan.authn, Authn::Demand(plan) if matches!(plan.demand, Demand::AnyOf { anonymous: true, .. }))
    }
}

impl Named {
    /// The same name, not met yet.
    fn again(&self) -> Self {
        let Self { text, shown, span, .. } = self;
        let tainted = self.is_found.get();
        Self {
            text: text.clone(),
            shown: shown.clone(),
            span: *span,
            is_found: Cell::new(tainted),
            is_closed: Cell::new(tainted),
        }
    }
}

impl Stated {
    /// Whether it is about an operation; notes which of its names have been met.
    fn is_about(&self, names: &[String], is_public: bool) -> bool {
        let Some(operations) = &self.operations else { return true };
        // A Cedar policy knows an operation by its id alone.
        let names = if self.plan.statement.is_some() { names.get(..1).unwrap_or_default() } else { names };
        let mut is_about = false;
        for named in operations {
            if names.contains(&named.text) {
                named.is_found.set(true);
                named.is_closed.set(named.is_closed.get() || !is_public);
                is_about = true;
            }
        }
        is_about
    }
}

impl Check<'_> {
    /// The rules of an operation; `sections` are those of its levels, nearest first.
    /// `required` is what its contract asks for besides.
    pub(super) fn authz_of(
        &mut self,
        operation: &Operation<'_>,
        sections: &[&Section],
        required: Option<RulePlan>,
    ) -> Option<Arc<AuthzPlan>> {
        if sections.is_empty() && required.is_none() {
            return None;
        }
        let (names, is_public) = (operation.names(), operation.plan.authn == Authn::Public);
        let mut chosen: Vec<&Stated> = Vec::new();
        let mut allowing = None;
        for (level, section) in sections.iter().enumerate() {
            section.known.borrow_mut().extend(names.iter().take(1).cloned());
            section.cedar.iter().for_each(|cedar| cedar.meet(operation));
            for stated in section.rules.iter().filter(|stated| stated.is_about(&names, is_public)) {
                let allows = stated.plan.rule.effect == Effect::Allow;
                if allows && allowing.is_some_and(|nearer| nearer != level) {
                    continue;
                }
                if allows {
                    allowing = Some(level);
                }
                chosen.push(stated);
            }
        }
        let has_rules = sections.iter().any(|section| section.has_rules);
        if is_public || (!has_rules && required.is_none()) {
            return None;
        }
        sections.iter().for_each(|section| section.is_used.set(true));
        let claim = sections.iter().find_map(|section| section.roles_claim.as_ref());
        let map = sections.iter().find_map(|section| section.role_map.as_ref());
        let source = RoleSource { claim: claim.map(|(claim, _)| claim.clone()), map: map.map(|(map, _)| map.clone()) };
        self.fits(operation, &chosen, &source);
        note(operation, &chosen);
        self.all_observed(operation, &chosen);
        let cedar = self.cedar_of(operation, sections);
        let learned = self.learned_of(operation, sections);
        let nearest = sections.iter().find(|section| section.has_rules).or(sections.first());
        let origin = nearest.map(|section| section.origin.clone());
        let origin = origin.or_else(|| required.as_ref().map(|rule| rule.origin.clone()))?;
        let mut rules: Vec<RulePlan> = chosen.iter().map(|stated| stated.plan.clone()).collect();
        if let Some(required) = required {
            // Where the configuration has no rules, whoever has proved himself may come, if the contract lets him.
            let whoever = Rule { anonymous: operation.lets_anybody_come(), ..Rule::new(Effect::Allow) };
            rules.extend((!has_rules).then(|| RulePlan { rule: whoever, ..required.clone() }));
            rules.push(required);
        }
        Some(Arc::new(AuthzPlan {
            source,
            rules,
            origin,
            roles_claim_origin: claim.map(|(_, origin)| origin.clone()),
            role_map_origin: map.map(|(_, origin)| origin.clone()),
            cedar,
            learned,
        }))
    }

    /// Where every rule that allows is only observed, everything passes: that must not be everybody.
    fn all_observed(&mut self, operation: &Operation<'_>, chosen: &[&Stated]) {
        let mut allowing = chosen.iter().filter(|stated| stated.plan.rule.effect == Effect::Allow).peekable();
        let Some(first) = allowing.peek().copied().filter(|_| operation.lets_anybody_come()) else { return };
        if allowing.all(|stated| stated.plan.rule.mode == Mode::Observe) {
            let message = format!(
                "{} is open without authentication, because every rule that allows it is only observed",
                quote(&operation.plan.id)
            );
            let help = "take `anonymous` out of its `authn` while rules are tried out, or let one of them count";
            let diagnostic = Diagnostic::new("no-authentication", first.span, message).help(help);
            self.report.push(diagnostic.path(first.path.clone()));
        }
    }

    /// Whether the rules can be asked of the operation at all.
    fn fits(&mut self, operation: &Operation<'_>, chosen: &[&Stated], source: &RoleSource) {
        let rules: Vec<Rule> = chosen.iter().map(|stated| stated.plan.rule.clone()).collect();
        let template = format!("{}{}", operation.prefix, operation.plan.template);
        match Policy::compile(&rules, source, &template) {
            Ok(_) => {}
            Err(Unfit::Parameter { rule, name }) => {
                let Some(stated) = chosen.get(rule) else { return };
                let wrong = stated.plan.rule.when.iter().position(|one| one.resolve(&template).is_err());
                let span = wrong.and_then(|index| stated.when_spans.get(index)).copied().unwrap_or(stated.span);
                let message = format!("the path of {} has no parameter {}", quote(&operation.plan.id), quote(&name));
                let help = "name the operations that have it (`operations: [...]`), or correct the parameter";
                let diagnostic = Diagnostic::new("no-parameter", span, message).help(help);
                self.report.push(diagnostic.path(stated.path.clone()));
            }
            Err(unfit @ Unfit::Names) => {
                let Some(first) = chosen.first() else { return };
                let diagnostic =
                    Diagnostic::new("too-large", first.span, unfit.to_string()).help("give roles to groups");
                self.report.push(diagnostic.path(first.path.clone()));
            }
        }
        if source.map.is_none() {
            return;
        }
        for stated in chosen {
            let rule = &stated.plan.rule;
            let of_ways = rule.ways.iter().flat_map(|way| &way.roles).map(|role| (role, &stated.span));
            for (role, span) in rule.roles.iter().zip(&stated.role_spans).chain(of_ways) {
                if !source.map.iter().flatten().any(|(_, to)| to.contains(role)) {
                    let message = format!("nobody can have the role {}", quote(role));
                    let help = "no entry of `role_map` leads to it; add one, or correct the role";
                    let diagnostic = Diagnostic::new("never-matches", *span, message).help(help);
                    self.report.push(diagnostic.path(stated.path.clone()));
                }
            }
        }
    }

    /// What of a level has come to nothing; to be called after the last operation below it.
    pub(super) fn authz_end(&mut self, section: Option<&Section>) {
        let Some(section) = section.filter(|section| !section.is_tainted && !self.incomplete) else { return };
        if let Some(stating) = &section.cedar {
            self.cedar_end(stating);
        }
        if let Some(learns) = &section.learns {
            self.learned_end(learns, &section.known.borrow());
        }
        let mut found = Vec::new();
        for stated in section.rules.iter().filter(|stated| !stated.is_tainted) {
            let before = found.len();
            found.extend(names_in_vain(stated, &section.known.borrow()).map(|one| one.path(stated.path.clone())));
            if found.len() == before {
                found.extend(in_vain(stated).map(|one| one.path(stated.path.clone())));
            }
        }
        if section.rules.is_empty() && !section.is_used.get() {
            let message = "`authz` has no effect, because no rule applies with it";
            let help = "add `rules`, such as `[{ roles: [admin] }]`, or remove it";
            found.push(Diagnostic::new("no-effect", section.span, message).help(help).path(section.path.clone()));
        }
        found.into_iter().for_each(|diagnostic| self.report.push(diagnostic));
    }
}

/// Notes for each rule what it can do for an operation.
fn note(operation: &Operation<'_>, chosen: &[&Stated]) {
    let refusing = |allowing: &Rule| {
        let whoever = |rule: &Rule| Rule { anonymous: true, ..rule.clone() };
        chosen.iter().find(|stated| {
            let rule = &stated.plan.rule;
            let refuses = rule.effect == Effect::Refuse && rule.mode == Mode::Enforce;
            // One that refuses everybody was reported for that.
            refuses && !rule.is_unconditional() && whoever(rule).covers(allowing)
        })
    };
    let schemes = operation.schemes();
    for stated in chosen {
        stated.applies.set(stated.applies.get() + 1);
        let rule = &stated.plan.rule;
        let allows = rule.effect == Effect::Allow;
        let excluded = excluded_by(stated, chosen);
        let asks_claims = !rule.claims.is_empty() || rule.when.iter().any(Expression::needs_claims);
        let dead = match refusing(rule).filter(|_| allows) {
            Some(other) => Some(Dead::Refused(other.span)),
            None if conflict::is_impossible(rule, &schemes) => Some(Dead::Impossible),
            None if excluded.is_some() => excluded.map(|other| Dead::Excluded(other.span)),
            None if allows && asks_claims && !operation.takes_tokens() => Some(Dead::Tokenless),
            None if operation.has_no_body() && needs_body(&stated.plan) => Some(Dead::Bodiless),
            None => None,
        };
        match dead {
            Some(dead) => drop(stated.dead.replace(Some(dead))),
            None => stated.lives.set(stated.lives.get() + 1),
        }
        if operation.lets_anybody_come() {
            stated.opens.set(stated.opens.get() + 1);
        }
    }
}

/// A requirement that nothing can meet together with a rule that allows, or with a requirement after it.
fn excluded_by<'s>(stated: &Stated, chosen: &[&'s Stated]) -> Option<&'s Stated> {
    let binds = |rule: &Rule| rule.effect == Effect::Require && rule.mode == Mode::Enforce;
    let rule = &stated.plan.rule;
    if rule.effect != Effect::Allow && !binds(rule) {
        return None;
    }
    let earlier = chosen.iter().take_while(|other| rule.effect == Effect::Allow || !std::ptr::eq(**other, stated));
    let mut required = earlier.filter(|other| binds(&other.plan.rule));
    required.find(|other| conflict::exclude(&other.plan.rule, rule)).copied()
}

/// Whether a rule can say nothing of a request without a body.
fn needs_body(plan: &RulePlan) -> bool {
    !plan.fields.is_empty() || plan.rule.when.iter().any(Expression::needs_body)
}

/// Operations that a rule names and that are not there, or that anybody may call.
fn names_in_vain<'s>(stated: &'s Stated, known: &'s [String]) -> impl Iterator<Item = Diagnostic> + 's {
    stated.operations.iter().flatten().filter_map(move |named| {
        if !named.is_found.get() {
            let help = match closest(&named.text, known.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean {}?", quote(meant)),
                None => "write its id, or its methods and path as `portcullis routes` shows them".to_owned(),
            };
            let message = format!("there is no operation {}", named.shown);
            return Some(Diagnostic::new("unknown-operation", named.span, message).help(help));
        }
        let message = format!("the rule has no effect on {}, because anybody may call it", named.shown);
        let help = "remove it here, or give the operation an `authn` that asks who calls";
        (!named.is_closed.get()).then(|| Diagnostic::new("no-effect", named.span, message).help(help))
    })
}

/// A rule that can never do anything.
fn in_vain(stated: &Stated) -> Option<Diagnostic> {
    if stated.applies.get() == 0 {
        let message = "the rule never applies: its operations are public, or have rules nearer to them";
        return Some(Diagnostic::new("never-matches", stated.span, message).help("remove it, or name its operations"));
    }
    if stated.lives.get() == 0 {
        return stated.dead.borrow().as_ref().map(|dead| match dead {
            Dead::Refused(other) => {
                Diagnostic::new("contradiction", stated.span, "whatever this rule allows is refused by another one")
                    .also(*other, "refused here")
                    .help("remove one of the two, or give the one that refuses a condition more")
            }
            Dead::Impossible => {
                let message = "no request can meet all conditions of the rule";
                Diagnostic::new("contradiction", stated.span, message)
                    .help("correct them; where one of several is enough, write `or`, or a rule for each")
            }
            Dead::Excluded(other) => {
                Diagnostic::new("contradiction", stated.span, "nothing can meet this rule and one that is required")
                    .also(*other, "required here")
                    .help("remove one of the two, or name other operations")
            }
            Dead::Bodiless => {
                Diagnostic::new("never-matches", stated.span, "the rule is about bodies, and GET has none")
                    .help("name the operations that have one (`operations: [...]`), or remove it")
            }
            Dead::Tokenless => {
                Diagnostic::new("never-matches", stated.span, "the rule asks for claims, and no token can come")
                    .help("add `jwt` to the `authn` of its operations, or remove the condition")
            }
        });
    }
    let span = stated.says_anybody.filter(|_| stated.opens.get() == 0)?;
    let message = "`anybody` has no effect, because every operation of the rule asks who calls";
    Some(
        Diagnostic::new("no-effect", span, message)
            .help("write `callers: authenticated`, or add `anonymous` to `authn`"),
    )
}
