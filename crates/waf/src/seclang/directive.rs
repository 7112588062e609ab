//! One directive of a rule file: its name decides what its words mean.

use super::actions::{Actions, actions};
use super::operators::OperatorSource;
use super::targets::{TargetList, targets};
use crate::diagnostic::Place;
use crate::pattern::Pattern;
use std::sync::Arc;

/// Whether rules run, and whether they may refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum EngineMode {
    #[default]
    On,
    Off,
    DetectionOnly,
}

/// What happens to a body that is longer than its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LimitAction {
    Reject,
    ProcessPartial,
}

/// Which rules a removal or an update means.
#[derive(Debug, Clone)]
pub(crate) enum RuleChoice {
    Ids(Vec<(u64, u64)>),
    Tag(Arc<Pattern>),
    Msg(Arc<Pattern>),
}

/// A rule as it is written.
#[derive(Debug, Clone)]
pub(crate) struct RuleSource {
    pub(crate) place: Place,
    pub(crate) targets: TargetList,
    /// None for an unconditional action.
    pub(crate) operator: Option<OperatorSource>,
    pub(crate) actions: Actions,
}

/// A setting of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Setting {
    Engine(EngineMode),
    RequestBodyAccess(bool),
    RequestBodyLimit(usize),
    RequestBodyLimitAction(LimitAction),
    JsonDepth(usize),
    Arguments(usize),
    ResponseBodyAccess(bool),
    ResponseBodyTypes(Vec<String>),
    ResponseBodyLimit(usize),
    ResponseBodyLimitAction(LimitAction),
    ArgumentSeparator(u8),
    /// Understood, and without effect here for the reason given.
    NoEffect(&'static str),
}

/// What a line of a rule file says.
#[derive(Debug)]
pub(crate) enum Directive {
    Include { pattern: String, optional: bool },
    Rule(Box<RuleSource>),
    Marker(String),
    DefaultAction(Box<Actions>),
    Remove(RuleChoice),
    UpdateTarget(RuleChoice, TargetList),
    UpdateAction(u64, Box<Actions>),
    Setting(Setting),
}

// === impl EngineMode ===

impl EngineMode {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "on" => Ok(EngineMode::On),
            "off" => Ok(EngineMode::Off),
            "detectiononly" => Ok(EngineMode::DetectionOnly),
            _ => Err(format!("`{text}` is none of `On`, `Off`, `DetectionOnly`")),
        }
    }
}

// === impl RuleChoice ===

impl RuleChoice {
    /// `1`, `1-5`, separated by commas or blanks.
    pub(crate) fn ids(text: &str) -> Result<Self, String> {
        let number = |t: &str| t.trim().parse::<u64>().map_err(|_| format!("`{text}` isn't a rule id or a range"));
        let mut ranges = Vec::new();
        for piece in text.split([',', ' ']).filter(|p| !p.is_empty()) {
            ranges.push(match piece.split_once('-') {
                Some((from, to)) => (number(from)?, number(to)?),
                None => (number(piece)?, number(piece)?),
            });
        }
        if ranges.is_empty() {
            return Err("no rule id".into());
        }
        Ok(RuleChoice::Ids(ranges))
    }

    pub(crate) fn tag(text: &str) -> Result<Self, String> {
        Ok(RuleChoice::Tag(Arc::new(Pattern::new(text, false)?)))
    }

    pub(crate) fn msg(text: &str) -> Result<Self, String> {
        Ok(RuleChoice::Msg(Arc::new(Pattern::new(text, false)?)))
    }

    pub(crate) fn chooses(&self, id: u64, tags: &[String], msg: &str) -> bool {
        match self {
            RuleChoice::Ids(ranges) => ranges.iter().any(|(from, to)| (*from..=*to).contains(&id)),
            RuleChoice::Tag(pattern) => tags.iter().any(|tag| pattern.is_match(tag.as_bytes())),
            RuleChoice::Msg(pattern) => pattern.is_match(msg.as_bytes()),
        }
    }
}

/// Reads one directive from its words.
pub(crate) fn directive(place: &Place, words: &[String]) -> Result<Directive, String> {
    let Some((name, rest)) = words.split_first() else { return Err("an empty directive".into()) };
    let args: Vec<&str> = rest.iter().map(String::as_str).collect();
    let lower = name.to_ascii_lowercase();
    if let Some(setting) = setting(&lower, &args) {
        return setting.map(Directive::Setting).map_err(|e| format!("`{name}`: {e}"));
    }
    rule_directive(place, &lower, &args).unwrap_or_else(|| Err(format!("unknown directive `{name}`")))
}

fn rule_directive(place: &Place, name: &str, args: &[&str]) -> Option<Result<Directive, String>> {
    let usage = |text: &str| Err(format!("usage: {text}"));
    Some(match (name, args) {
        ("include", [pattern]) => Ok(Directive::Include { pattern: (*pattern).to_owned(), optional: false }),
        ("includeoptional", [pattern]) => Ok(Directive::Include { pattern: (*pattern).to_owned(), optional: true }),
        ("include" | "includeoptional", _) => usage("Include PATH"),
        ("secrule", [variables, operator]) => rule(place, variables, operator, ""),
        ("secrule", [variables, operator, list]) => rule(place, variables, operator, list),
        ("secrule", _) => usage("SecRule VARIABLES OPERATOR [ACTIONS]"),
        ("secaction", [list]) => actions(list).map(|actions| {
            Directive::Rule(Box::new(RuleSource {
                place: place.clone(),
                targets: TargetList::default(),
                operator: None,
                actions,
            }))
        }),
        ("secaction", _) => usage("SecAction ACTIONS"),
        ("secmarker", [marker]) => Ok(Directive::Marker((*marker).to_owned())),
        ("secmarker", _) => usage("SecMarker NAME"),
        ("secdefaultaction", [list]) => actions(list).map(|a| Directive::DefaultAction(Box::new(a))),
        ("secdefaultaction", _) => usage("SecDefaultAction ACTIONS"),
        ("secruleremovebyid", [_, ..]) => RuleChoice::ids(&args.join(" ")).map(Directive::Remove),
        ("secruleremovebytag", [tag]) => RuleChoice::tag(tag).map(Directive::Remove),
        ("secruleremovebymsg", [msg]) => RuleChoice::msg(msg).map(Directive::Remove),
        ("secruleupdatetargetbyid", [id, list]) => update(RuleChoice::ids(id), list),
        ("secruleupdatetargetbytag", [tag, list]) => update(RuleChoice::tag(tag), list),
        ("secruleupdatetargetbymsg", [msg, list]) => update(RuleChoice::msg(msg), list),
        ("secruleupdateactionbyid", [id, list]) => update_action(id, list),
        ("secruleremovebyid" | "secruleremovebytag" | "secruleremovebymsg", _) => usage("SecRuleRemoveBy… CHOICE"),
        ("secruleupdatetargetbyid" | "secruleupdatetargetbytag" | "secruleupdatetargetbymsg", _) => {
            usage("SecRuleUpdateTargetBy… CHOICE VARIABLES")
        }
        ("secruleupdateactionbyid", _) => usage("SecRuleUpdateActionById ID ACTIONS"),
        _ => return None,
    })
}

fn rule(place: &Place, variables: &str, operator: &str, list: &str) -> Result<Directive, String> {
    Ok(Directive::Rule(Box::new(RuleSource {
        place: place.clone(),
        targets: targets(variables)?,
        operator: Some(OperatorSource::parse(operator)?),
        actions: actions(list)?,
    })))
}

fn update(choice: Result<RuleChoice, String>, list: &str) -> Result<Directive, String> {
    Ok(Directive::UpdateTarget(choice?, targets(list)?))
}

fn update_action(id: &str, list: &str) -> Result<Directive, String> {
    let id = id.parse().map_err(|_| format!("`{id}` isn't a rule id"))?;
    let actions = actions(list)?;
    if actions.id.is_some() || actions.phase.is_some() || actions.chain {
        return Err("id, phase and chain of a rule can't be updated".into());
    }
    Ok(Directive::UpdateAction(id, Box::new(actions)))
}

/// The settings with one meaning here, and those that only the reference's own files and logs need.
fn setting(name: &str, args: &[&str]) -> Option<Result<Setting, String>> {
    let value = args.first().copied().unwrap_or_default();
    Some(match name {
        "secruleengine" => EngineMode::parse(value).map(Setting::Engine),
        "secrequestbodyaccess" => on_off(value).map(Setting::RequestBodyAccess),
        "secrequestbodylimit" => bytes(value).map(Setting::RequestBodyLimit),
        "secrequestbodylimitaction" => limit_action(value).map(Setting::RequestBodyLimitAction),
        "secrequestbodyjsondepthlimit" => bytes(value).map(Setting::JsonDepth),
        "secargumentslimit" => bytes(value).map(Setting::Arguments),
        "secresponsebodyaccess" => on_off(value).map(Setting::ResponseBodyAccess),
        "secresponsebodymimetype" => {
            Ok(Setting::ResponseBodyTypes(args.iter().map(|a| a.to_ascii_lowercase()).collect()))
        }
        "secresponsebodylimit" => bytes(value).map(Setting::ResponseBodyLimit),
        "secresponsebodylimitaction" => limit_action(value).map(Setting::ResponseBodyLimitAction),
        "secargumentseparator" => match value.as_bytes() {
            [separator] => Ok(Setting::ArgumentSeparator(*separator)),
            _ => Err("one character is expected".into()),
        },
        "seccookieformat" if value == "0" => Ok(Setting::NoEffect("cookies are always read in this format")),
        "seccookieformat" => Err("only format 0 exists in use".into()),
        "secunicodemapfile" if args.get(1).copied().unwrap_or("20127") == "20127" => {
            Ok(Setting::NoEffect("code page 20127 is built in"))
        }
        "secunicodemapfile" => Err("only code page 20127 is supported".into()),
        "secpcrematchlimit" | "secpcrematchlimitrecursion" => {
            Ok(Setting::NoEffect("expressions run in linear time and need no such limit"))
        }
        "secrequestbodyinmemorylimit"
        | "sectmpdir"
        | "secdatadir"
        | "secuploaddir"
        | "secuploadkeepfiles"
        | "secuploadfilemode"
        | "secuploadfilelimit"
        | "secrequestbodynofileslimit" => Ok(Setting::NoEffect("bodies are held in memory within one limit")),
        "secauditengine"
        | "secauditlog"
        | "secauditlogrelevantstatus"
        | "secauditlogparts"
        | "secauditlogtype"
        | "secauditlogstoragedir"
        | "secauditlog2"
        | "secauditlogformat"
        | "secdebuglog"
        | "secdebugloglevel" => Ok(Setting::NoEffect("records are written by the gateway")),
        "secstatusengine" | "seccollectiontimeout" | "seccomponentsignature" | "secserversignature" => {
            Ok(Setting::NoEffect("describes the reference engine, not the rules"))
        }
        _ => return None,
    })
}

fn bytes(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("`{text}` isn't a number"))
}

fn on_off(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("`{text}` is neither `On` nor `Off`")),
    }
}

fn limit_action(text: &str) -> Result<LimitAction, String> {
    match text.to_ascii_lowercase().as_str() {
        "reject" => Ok(LimitAction::Reject),
        "processpartial" => Ok(LimitAction::ProcessPartial),
        _ => Err(format!("`{text}` is neither `Reject` nor `ProcessPartial`")),
    }
}
