//! The third argument of a rule: what happens when it matches, and what describes it.

use super::targets::{Selector, TargetList, targets};
use crate::template::Template;
use crate::transform::Transform;
use crate::variable::Var;

/// What ends the inspection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disruptive {
    /// Whatever the default of the phase says.
    Block,
    Deny,
    Drop,
    Pass,
    /// Stop inspecting altogether.
    Allow,
    /// Stop inspecting this phase.
    AllowPhase,
    /// Stop inspecting the request; the response is looked at.
    AllowRequest,
}

/// How a `tx` variable changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SetValue {
    Set(Template),
    Add(Template),
    Subtract(Template),
    Unset,
}

/// One `setvar`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SetVar {
    pub(crate) name: Template,
    pub(crate) value: SetValue,
}

/// One `ctl`.
#[derive(Debug, Clone)]
pub(crate) enum Ctl {
    RuleEngine(super::EngineMode),
    RequestBodyProcessor(String),
    ForceRequestBodyVariable(bool),
    RequestBodyAccess(bool),
    ResponseBodyAccess(bool),
    AuditEngine,
    Remove(super::RuleChoice),
    RemoveTarget(super::RuleChoice, Var, Selector),
}

/// All actions of a rule.
#[derive(Debug, Clone, Default)]
pub(crate) struct Actions {
    pub(crate) id: Option<u64>,
    pub(crate) phase: Option<u8>,
    pub(crate) disruptive: Option<Disruptive>,
    pub(crate) status: Option<u16>,
    pub(crate) log: Option<bool>,
    pub(crate) audit_log: Option<bool>,
    pub(crate) msg: Option<Template>,
    pub(crate) log_data: Option<Template>,
    pub(crate) severity: Option<u8>,
    pub(crate) tags: Vec<String>,
    pub(crate) ver: Option<String>,
    pub(crate) rev: Option<String>,
    pub(crate) capture: bool,
    pub(crate) chain: bool,
    pub(crate) multi_match: bool,
    pub(crate) skip: Option<u32>,
    pub(crate) skip_after: Option<String>,
    /// `t:none` forgets what came before it, the default's included.
    pub(crate) transforms_reset: bool,
    pub(crate) transforms: Vec<Transform>,
    pub(crate) set_vars: Vec<SetVar>,
    pub(crate) ctls: Vec<Ctl>,
}

/// The severities by name; their position is their number.
pub(crate) const SEVERITIES: [&str; 8] =
    ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"];

/// Reads an action list.
pub(crate) fn actions(text: &str) -> Result<Actions, String> {
    let mut out = Actions::default();
    for (name, value) in split(text)? {
        one(&mut out, &name.to_ascii_lowercase(), value.as_deref()).map_err(|e| {
            if e.is_empty() { format!("unknown action `{name}`") } else { format!("action `{name}`: {e}") }
        })?;
    }
    Ok(out)
}

/// `name` or `name:value` between commas; a value may stand in single quotes, in which a backslash escapes a quote.
fn split(text: &str) -> Result<Vec<(String, Option<String>)>, String> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace() || *c == ',').is_some() {}
        if chars.peek().is_none() {
            return Ok(out);
        }
        let name: String = std::iter::from_fn(|| chars.next_if(|c| !matches!(c, ',' | ':'))).collect();
        let name = name.trim().to_owned();
        if chars.next_if_eq(&':').is_none() {
            out.push((name, None));
            continue;
        }
        let mut value = String::new();
        if chars.next_if_eq(&'\'').is_some() {
            loop {
                match chars.next() {
                    None => return Err(format!("action `{name}`: a quote isn't closed")),
                    Some('\'') => break,
                    Some('\\') if chars.peek() == Some(&'\'') => value.extend(chars.next()),
                    Some(c) => value.push(c),
                }
            }
        } else {
            value = std::iter::from_fn(|| chars.next_if(|c| *c != ',')).collect::<String>().trim().to_owned();
        }
        out.push((name, Some(value)));
    }
}

fn one(out: &mut Actions, name: &str, value: Option<&str>) -> Result<(), String> {
    if flag(out, name, value)? {
        return Ok(());
    }
    let text = value.ok_or(if KNOWN.contains(&name) { "needs a value" } else { "" })?;
    match name {
        "id" => out.id = Some(number(text)?),
        "phase" => out.phase = Some(phase(text)?),
        "status" => out.status = Some(number(text)?),
        "msg" => out.msg = Some(Template::parse(text)?),
        "logdata" => out.log_data = Some(Template::parse(text)?),
        "severity" => out.severity = Some(severity(text)?),
        "tag" => out.tags.push(text.to_owned()),
        "ver" => out.ver = Some(text.to_owned()),
        "rev" => out.rev = Some(text.to_owned()),
        // Kept by nothing since the reference's third edition; harmless descriptions.
        "maturity" | "accuracy" => drop(number::<u8>(text)?),
        "skip" => out.skip = Some(number(text)?),
        "skipafter" => out.skip_after = Some(text.to_owned()),
        "t" if text.eq_ignore_ascii_case("none") => {
            out.transforms_reset = true;
            out.transforms.clear();
        }
        "t" => {
            out.transforms.push(Transform::from_name(text).ok_or_else(|| format!("unknown transformation `{text}`"))?)
        }
        "setvar" => out.set_vars.push(set_var(text)?),
        "ctl" => out.ctls.push(ctl(text)?),
        "initcol" => init_collection(text)?,
        _ => return Err(String::new()),
    }
    Ok(())
}

const KNOWN: &[&str] = &[
    "id",
    "phase",
    "status",
    "msg",
    "logdata",
    "severity",
    "tag",
    "ver",
    "rev",
    "maturity",
    "accuracy",
    "skip",
    "skipafter",
    "t",
    "setvar",
    "ctl",
    "initcol",
];

fn flag(out: &mut Actions, name: &str, value: Option<&str>) -> Result<bool, String> {
    match name {
        "allow" => {
            out.disruptive = Some(match value.map(str::to_ascii_lowercase).as_deref() {
                None => Disruptive::Allow,
                Some("phase") => Disruptive::AllowPhase,
                Some("request") => Disruptive::AllowRequest,
                Some(other) => return Err(format!("unknown scope `{other}`")),
            });
            return Ok(true);
        }
        "block" => out.disruptive = Some(Disruptive::Block),
        "deny" => out.disruptive = Some(Disruptive::Deny),
        "drop" => out.disruptive = Some(Disruptive::Drop),
        "pass" => out.disruptive = Some(Disruptive::Pass),
        "log" => out.log = Some(true),
        "nolog" => out.log = Some(false),
        "auditlog" => out.audit_log = Some(true),
        "noauditlog" => out.audit_log = Some(false),
        "capture" => out.capture = true,
        "chain" => out.chain = true,
        "multimatch" => out.multi_match = true,
        _ => return Ok(false),
    }
    match value {
        None => Ok(true),
        Some(_) => Err("takes no value".into()),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|_| format!("`{text}` isn't a number in range"))
}

fn phase(text: &str) -> Result<u8, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" => Ok(1),
        "2" | "request" => Ok(2),
        "3" => Ok(3),
        "4" | "response" => Ok(4),
        "5" | "logging" => Ok(5),
        other => Err(format!("`{other}` isn't a phase")),
    }
}

fn severity(text: &str) -> Result<u8, String> {
    let position = SEVERITIES
        .iter()
        .position(|name| name.eq_ignore_ascii_case(text))
        .or_else(|| text.parse().ok().filter(|n| *n < SEVERITIES.len()));
    position.and_then(|p| u8::try_from(p).ok()).ok_or_else(|| format!("`{text}` isn't a severity"))
}

fn set_var(text: &str) -> Result<SetVar, String> {
    let (unset, rest) = match text.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (target, value) = match rest.split_once('=') {
        Some((target, value)) => (target, Some(value)),
        None => (rest, None),
    };
    let Some((collection, name)) = target.split_once(['.', ':']) else {
        return Err(format!("`{target}` names no variable"));
    };
    if !collection.eq_ignore_ascii_case("tx") {
        return Err(format!("collection `{collection}`: only `tx` lives here; nothing is kept between requests"));
    }
    let name = Template::parse(name)?;
    let value = match value {
        _ if unset => SetValue::Unset,
        None => SetValue::Set(Template::parse("1")?),
        Some(v) => match (v.strip_prefix('+'), v.strip_prefix('-')) {
            (Some(v), _) => SetValue::Add(Template::parse(v)?),
            (_, Some(v)) => SetValue::Subtract(Template::parse(v)?),
            (None, None) => SetValue::Set(Template::parse(v)?),
        },
    };
    Ok(SetVar { name, value })
}

fn ctl(text: &str) -> Result<Ctl, String> {
    let Some((name, value)) = text.split_once('=') else { return Err(format!("`{text}` has no value")) };
    let value = value.trim();
    match name.trim().to_ascii_lowercase().as_str() {
        "ruleengine" => Ok(Ctl::RuleEngine(super::EngineMode::parse(value)?)),
        "requestbodyprocessor" => match value.to_ascii_uppercase().as_str() {
            known @ ("URLENCODED" | "MULTIPART" | "JSON" | "XML") => Ok(Ctl::RequestBodyProcessor(known.to_owned())),
            _ => Err(format!("unknown body processor `{value}`")),
        },
        "forcerequestbodyvariable" => Ok(Ctl::ForceRequestBodyVariable(on_off(value)?)),
        "requestbodyaccess" => Ok(Ctl::RequestBodyAccess(on_off(value)?)),
        "responsebodyaccess" => Ok(Ctl::ResponseBodyAccess(on_off(value)?)),
        // The audit log is the gateway's; a rule can't silence it. Accepted because the core rules say it.
        "auditengine" => Ok(Ctl::AuditEngine),
        "ruleremovebyid" => Ok(Ctl::Remove(super::RuleChoice::ids(value)?)),
        "ruleremovebytag" => Ok(Ctl::Remove(super::RuleChoice::tag(value)?)),
        "ruleremovebymsg" => Ok(Ctl::Remove(super::RuleChoice::msg(value)?)),
        "ruleremovetargetbyid" => remove_target(value, super::RuleChoice::ids),
        "ruleremovetargetbytag" => remove_target(value, super::RuleChoice::tag),
        "ruleremovetargetbymsg" => remove_target(value, super::RuleChoice::msg),
        other => Err(format!("unknown setting `{other}`")),
    }
}

fn remove_target(value: &str, choose: fn(&str) -> Result<super::RuleChoice, String>) -> Result<Ctl, String> {
    let Some((choice, target)) = value.split_once(';') else { return Err(format!("`{value}` names no target")) };
    let TargetList { targets: mut list, exclusions } = targets(target.trim_start_matches('!'))?;
    match (list.pop(), list.is_empty() && exclusions.is_empty()) {
        (Some(target), true) => Ok(Ctl::RemoveTarget(choose(choice)?, target.var, target.selector)),
        _ => Err(format!("`{target}`: exactly one target is expected")),
    }
}

fn on_off(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("`{text}` is neither `On` nor `Off`")),
    }
}

/// Collections that outlive a request aren't kept: counting callers is the limiter's work. The core rules open
/// two and never read them, so opening is accepted; reading or writing one is an unknown variable, an error.
fn init_collection(text: &str) -> Result<(), String> {
    let name = text.split_once('=').map_or(text, |(name, _)| name);
    match name.to_ascii_lowercase().as_str() {
        "global" | "ip" | "resource" | "session" | "user" => Ok(()),
        other => Err(format!("unknown collection `{other}`")),
    }
}
