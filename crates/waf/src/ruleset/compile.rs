//! Turns directives into a program: chains joined, removals and updates applied, defaults filled in, markers and
//! rule choices resolved to positions.

use super::parse::Parsed;
use super::{Program, Settings, TxNames};
use crate::body::Processor;
use crate::diagnostic::{Diagnostic, Place};
use crate::gate::Turn;
use crate::loader::Source;
use crate::operator::Operator;
use crate::rule::{CompiledTarget, Control, Link, Outcome, Rule, RuleInfo, TxChange, TxName, insert};
use crate::seclang::{
    Actions, Ctl, Directive, Disruptive, LimitAction, RuleChoice, RuleSource, Selector, SetValue, Setting, TargetList,
};
use crate::template::{Part, Template};
use crate::variable::Var;
use std::collections::HashMap;
use std::sync::Arc;

/// A rule with its chain, before it is compiled.
struct Draft {
    place: Place,
    id: u64,
    links: Vec<RuleSource>,
}

#[derive(Default)]
struct Compiler {
    drafts: Vec<Draft>,
    /// Where each marker stands: the position of the first rule after it.
    markers: HashMap<String, u32>,
    ids: HashMap<u64, u32>,
    defaults: [Option<Actions>; 5],
    settings: Settings,
    notes: Vec<Diagnostic>,
    names: TxNames,
    judges_body_errors: bool,
    /// The chain that still waits for its next rule.
    open: bool,
}

/// Compiles; mistakes are added to `errors`, and the program is only meaningful without any.
pub(super) fn compile(parsed: Parsed, source: &dyn Source, errors: &mut Vec<Diagnostic>) -> (Program, Vec<Diagnostic>) {
    let mut compiler = Compiler { names: TxNames::with_captures(), ..Compiler::default() };
    for (place, directive) in parsed.directives {
        if let Err(e) = compiler.directive(&place, directive) {
            errors.push(Diagnostic::new(&place, e));
        }
    }
    if compiler.open
        && let Some(draft) = compiler.drafts.last()
    {
        errors.push(Diagnostic::new(&draft.place, "the chain isn't finished"));
    }
    let drafts = std::mem::take(&mut compiler.drafts);
    let described: Vec<Described> = drafts.iter().map(Described::new).collect();
    let mut rules = Vec::new();
    for draft in &drafts {
        match compiler.rule(draft, &described, source) {
            Ok(rule) => rules.push(rule),
            Err((place, e)) => errors.push(Diagnostic::new(&place, e)),
        }
    }
    let mut phases: [Vec<u32>; 5] = Default::default();
    for (at, rule) in (0u32..).zip(&rules) {
        if let Some(list) = phases.get_mut(usize::from(rule.info.phase) - 1) {
            list.push(at);
        }
    }
    let gate = if errors.is_empty() {
        crate::gate::Gate::new(&rules, &phases, &compiler.names)
    } else {
        crate::gate::Gate::default()
    };
    let turns = phases.map(|list| list.into_iter().map(|rule| Turn { rule, gate: None }).collect());
    let scores = crate::verdict::SCORES.map(|name| compiler.names.find(name.as_bytes()));
    let (wanted, wanted_later) = (super::reads::wanted(&rules), super::reads::wanted_later(&rules));
    let program = Program {
        rules,
        turns,
        wanted,
        wanted_later,
        judges_body_errors: compiler.judges_body_errors,
        scores,
        names: compiler.names,
        settings: compiler.settings,
        gate,
    };
    (program, compiler.notes)
}

/// What choices look at.
struct Described {
    id: u64,
    tags: Vec<String>,
    msg: String,
}

// === impl Described ===

impl Described {
    fn new(draft: &Draft) -> Self {
        let actions = draft.links.first().map(|l| &l.actions);
        let msg = actions.and_then(|a| a.msg.as_ref()).and_then(Template::literal).unwrap_or_default();
        Self {
            id: draft.id,
            tags: actions.map(|a| a.tags.clone()).unwrap_or_default(),
            msg: String::from_utf8_lossy(msg).into_owned(),
        }
    }
}

// === impl Compiler ===

impl Compiler {
    fn directive(&mut self, place: &Place, directive: Directive) -> Result<(), String> {
        match directive {
            Directive::Rule(source) => self.source(*source),
            Directive::Marker(name) => {
                let next = crate::bytes::len32(self.drafts.len());
                self.markers.insert(name, next);
                Ok(())
            }
            Directive::DefaultAction(actions) => {
                let phase = actions.phase.ok_or("a default action needs its phase")?;
                if actions.id.is_some() || actions.chain || !actions.ctls.is_empty() {
                    return Err("a default action can't have an id, a chain or a ctl".into());
                }
                if let Some(slot) = self.defaults.get_mut(usize::from(phase) - 1) {
                    *slot = Some(*actions);
                }
                Ok(())
            }
            Directive::Remove(choice) => {
                let chosen = self.chosen(place, &choice);
                for at in &chosen {
                    if let Some(draft) = self.drafts.get_mut(*at) {
                        draft.links.clear();
                    }
                }
                self.sweep(&chosen);
                Ok(())
            }
            Directive::UpdateTarget(choice, list) => {
                for at in self.chosen(place, &choice) {
                    if let Some(link) = self.drafts.get_mut(at).and_then(|d| d.links.first_mut()) {
                        link.targets.targets.extend(list.targets.iter().cloned());
                        link.targets.exclusions.extend(list.exclusions.iter().cloned());
                    }
                }
                Ok(())
            }
            Directive::UpdateAction(id, actions) => {
                let at = self.chosen(place, &RuleChoice::Ids(vec![(id, id)]));
                if let Some(link) = at.first().and_then(|at| self.drafts.get_mut(*at)).and_then(|d| d.links.first_mut())
                {
                    update(&mut link.actions, *actions);
                }
                Ok(())
            }
            Directive::Setting(setting) => {
                self.setting(place, setting);
                Ok(())
            }
            Directive::Include { .. } => Err("an include is resolved before".into()),
        }
    }

    /// The drafts a choice means; none is worth a note.
    fn chosen(&mut self, place: &Place, choice: &RuleChoice) -> Vec<usize> {
        let chosen: Vec<usize> = self
            .drafts
            .iter()
            .enumerate()
            .filter(|(_, draft)| {
                let described = Described::new(draft);
                !draft.links.is_empty() && choice.chooses(described.id, &described.tags, &described.msg)
            })
            .map(|(at, _)| at)
            .collect();
        if chosen.is_empty() {
            self.notes.push(Diagnostic::new(place, "no rule before this line fits, so nothing changes"));
        }
        chosen
    }

    /// Takes removed drafts out; positions of markers and ids move with them.
    fn sweep(&mut self, removed: &[usize]) {
        let shift = |at: u32| {
            let before = removed.iter().filter(|r| **r < crate::bytes::index(at)).count();
            at.saturating_sub(crate::bytes::len32(before))
        };
        for at in self.markers.values_mut() {
            *at = shift(*at);
        }
        self.drafts.retain(|draft| !draft.links.is_empty());
        self.ids = (0u32..).zip(&self.drafts).map(|(at, draft)| (draft.id, at)).collect();
    }

    fn source(&mut self, source: RuleSource) -> Result<(), String> {
        let chain = source.actions.chain;
        self.judges_body_errors |= source.targets.targets.iter().any(|target| target.var == Var::ReqbodyError);
        if std::mem::replace(&mut self.open, chain) {
            if source.actions.id.is_some() || source.actions.phase.is_some() || source.actions.disruptive.is_some() {
                self.open = false;
                return Err("a chained rule can't have an id, a phase or a disruptive action".into());
            }
            if let Some(draft) = self.drafts.last_mut() {
                // LIMIT: links of a chain.
                if draft.links.len() >= 32 {
                    return Err("the chain is too long".into());
                }
                draft.links.push(source);
            }
            return Ok(());
        }
        let id = source.actions.id.unwrap_or(0);
        let at = crate::bytes::len32(self.drafts.len());
        let taken = id != 0 && self.ids.insert(id, at).is_some();
        self.drafts.push(Draft { place: source.place.clone(), id, links: vec![source] });
        match (id, taken) {
            (0, _) => Err("a rule needs an id".into()),
            (_, true) => Err(format!("there is another rule {id}")),
            (_, false) => Ok(()),
        }
    }

    fn setting(&mut self, place: &Place, setting: Setting) {
        let settings = &mut self.settings;
        match setting {
            Setting::Engine(mode) => settings.engine = mode,
            Setting::RequestBodyAccess(on) => settings.request_body = on,
            Setting::RequestBodyLimit(bytes) => settings.request_body_limit = Some(bytes),
            Setting::RequestBodyLimitAction(action) => {
                settings.request_body_partial = action == LimitAction::ProcessPartial;
            }
            Setting::JsonDepth(depth) => settings.json_depth = depth,
            Setting::Arguments(count) => settings.arguments = count,
            Setting::ResponseBodyAccess(on) => settings.response_body = on,
            Setting::ResponseBodyTypes(types) => settings.response_body_types = types,
            Setting::ResponseBodyLimit(bytes) => settings.response_body_limit = bytes,
            Setting::ResponseBodyLimitAction(action) => {
                settings.response_body_partial = action == LimitAction::ProcessPartial;
            }
            Setting::ArgumentSeparator(byte) => settings.separator = byte,
            Setting::NoEffect(why) => self.notes.push(Diagnostic::new(place, format!("no effect here: {why}"))),
        }
    }

    fn rule(&mut self, draft: &Draft, described: &[Described], source: &dyn Source) -> Result<Rule, (Place, String)> {
        let at_start = |e: String| (draft.place.clone(), e);
        let first = draft.links.first().ok_or_else(|| at_start("an empty rule".into()))?;
        let actions = &first.actions;
        let phase = actions.phase.unwrap_or(2);
        let defaults = self.defaults.get(usize::from(phase) - 1).cloned().flatten().unwrap_or_default();
        let mut links = Vec::new();
        for link in &draft.links {
            links.push(self.link(link, &defaults, described, source).map_err(|e| (link.place.clone(), e))?);
        }
        let skip_to = match &actions.skip_after {
            Some(name) => Some(self.marker(name).ok_or_else(|| at_start(format!("there is no marker `{name}`")))?),
            None => None,
        };
        let info = Arc::new(RuleInfo {
            id: draft.id,
            file: draft.place.file.to_string(),
            line: draft.place.line,
            phase,
            severity: actions.severity,
            tags: actions.tags.clone(),
            ver: actions.ver.clone(),
            rev: actions.rev.clone(),
            msg: actions.msg.as_ref().map(Template::shown).unwrap_or_default(),
        });
        let mut number = |t: &Option<Template>| t.clone().map(|t| self.numbered(t));
        Ok(Rule {
            info,
            links,
            outcome: outcome(actions, &defaults),
            log: actions.log.or(defaults.log).unwrap_or(true),
            msg: number(&actions.msg),
            log_data: number(&actions.log_data),
            skip: actions.skip.unwrap_or(0),
            skip_to,
        })
    }

    /// A marker's position, or the one after the rule of that id.
    fn marker(&self, name: &str) -> Option<u32> {
        let by_id = || name.parse().ok().and_then(|id: u64| self.ids.get(&id)).map(|at| at + 1);
        self.markers.get(name).copied().or_else(by_id)
    }

    fn link(
        &mut self,
        link: &RuleSource,
        defaults: &Actions,
        described: &[Described],
        source: &dyn Source,
    ) -> Result<Link, String> {
        let actions = &link.actions;
        let mut operator = match &link.operator {
            Some(operator) => Some(Operator::compile(operator, &link.place.file, source)?),
            None => None,
        };
        if let Some(template) = operator.as_mut().and_then(Operator::template_mut) {
            *template = self.numbered(std::mem::take(template));
        }
        let mut transforms = if actions.transforms_reset { Vec::new() } else { defaults.transforms.clone() };
        transforms.extend(&actions.transforms);
        let TargetList { targets, exclusions } = &link.targets;
        if operator.is_some() && targets.is_empty() {
            return Err("the rule looks at nothing".into());
        }
        let targets = targets
            .iter()
            .map(|target| {
                let slot = match (&target.selector, target.var) {
                    (Selector::Name(name), Var::Tx) => Some(self.names.slot(name)),
                    _ => None,
                };
                CompiledTarget::new(target, slot)
            })
            .collect();
        let mut changes = Vec::new();
        for set in &actions.set_vars {
            let name = match set.name.literal() {
                Some(name) => TxName::Slot(self.names.slot(name)),
                None => TxName::Dynamic(self.numbered(set.name.clone())),
            };
            let change = match &set.value {
                SetValue::Set(t) => TxChange::Set(self.numbered(t.clone())),
                SetValue::Add(t) => TxChange::Add(self.numbered(t.clone())),
                SetValue::Subtract(t) => TxChange::Subtract(self.numbered(t.clone())),
                SetValue::Unset => TxChange::Unset,
            };
            changes.push((name, change));
        }
        let controls = actions.ctls.iter().map(|ctl| control(ctl, described)).collect::<Result<_, _>>()?;
        let text = match &link.operator {
            Some(o) => format!("{}@{} {}", if o.negated { "!" } else { "" }, o.name.as_str(), o.argument),
            None => "unconditional".to_owned(),
        };
        Ok(Link {
            targets,
            exclusions: exclusions.clone(),
            operator,
            negated: link.operator.as_ref().is_some_and(|o| o.negated),
            transforms,
            capture: actions.capture,
            multi_match: actions.multi_match,
            changes,
            controls,
            text: text.into(),
        })
    }

    /// Numbers the `tx` variables of a template.
    fn numbered(&mut self, template: Template) -> Template {
        let parts = template.parts.into_iter().map(|part| match part {
            Part::Var(Var::Tx, Some(name)) => Part::Slot(self.names.slot(&name)),
            Part::Text(_) | Part::Var(..) | Part::Slot(_) => part,
        });
        Template { parts: parts.collect() }
    }
}

fn update(actions: &mut Actions, new: Actions) {
    actions.disruptive = new.disruptive.or(actions.disruptive);
    actions.status = new.status.or(actions.status);
    actions.log = new.log.or(actions.log);
    actions.audit_log = new.audit_log.or(actions.audit_log);
    actions.msg = new.msg.or(actions.msg.take());
    actions.log_data = new.log_data.or(actions.log_data.take());
    actions.severity = new.severity.or(actions.severity);
    actions.ver = new.ver.or(actions.ver.take());
    actions.rev = new.rev.or(actions.rev.take());
    actions.skip = new.skip.or(actions.skip);
    actions.skip_after = new.skip_after.or(actions.skip_after.take());
    actions.tags.extend(new.tags);
    actions.capture |= new.capture;
    actions.multi_match |= new.multi_match;
    if new.transforms_reset {
        actions.transforms_reset = true;
        actions.transforms.clear();
    }
    actions.transforms.extend(new.transforms);
    actions.set_vars.extend(new.set_vars);
    actions.ctls.extend(new.ctls);
}

fn outcome(actions: &Actions, defaults: &Actions) -> Outcome {
    let own = actions.disruptive.filter(|d| *d != Disruptive::Block);
    let status = actions.status.or(defaults.status).unwrap_or(403);
    match own.or(defaults.disruptive).unwrap_or(Disruptive::Pass) {
        Disruptive::Deny => Outcome::Deny { status },
        Disruptive::Drop => Outcome::Drop,
        Disruptive::Allow => Outcome::Allow,
        Disruptive::AllowPhase => Outcome::AllowPhase,
        Disruptive::AllowRequest => Outcome::AllowRequest,
        // A default that says `block` has nothing to fall back on.
        Disruptive::Pass | Disruptive::Block => Outcome::Pass,
    }
}

fn control(ctl: &Ctl, described: &[Described]) -> Result<Control, String> {
    let resolve = |choice: &RuleChoice| -> Arc<[u64]> {
        let mut set = vec![0; described.len().div_ceil(64)];
        for (at, rule) in described.iter().enumerate() {
            if choice.chooses(rule.id, &rule.tags, &rule.msg) {
                insert(&mut set, at);
            }
        }
        set.into()
    };
    Ok(match ctl {
        Ctl::RuleEngine(mode) => Control::Engine(*mode),
        Ctl::RequestBodyProcessor(name) => {
            Control::Processor(Processor::from_name(name).ok_or_else(|| format!("unknown body processor `{name}`"))?)
        }
        Ctl::ForceRequestBodyVariable(on) => Control::ForceBody(*on),
        Ctl::RequestBodyAccess(on) => Control::RequestBodyAccess(*on),
        Ctl::ResponseBodyAccess(on) => Control::ResponseBodyAccess(*on),
        Ctl::AuditEngine => Control::Audit,
        Ctl::Remove(choice) => Control::Remove(resolve(choice)),
        Ctl::RemoveTarget(choice, var, selector) => Control::RemoveTarget {
            rules: resolve(choice),
            exclusion: Arc::new(crate::seclang::Exclusion { var: *var, selector: selector.clone() }),
        },
    })
}
