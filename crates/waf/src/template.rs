//! Text with `%{…}` in it: parsed once when the rules load, expanded per match.

use crate::variable::{RuleField, Var};

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Text(Box<[u8]>),
    /// A variable; the member's name in lower case if one is named.
    Var(Var, Option<Box<[u8]>>),
    /// A `tx` variable by slot: what `Var(Tx, name)` becomes once names are numbered.
    Slot(u32),
}

/// A text with macros.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Template {
    pub(crate) parts: Vec<Part>,
}

// === impl Template ===

impl Template {
    /// Splits `text` at its macros. A macro that names no variable is an error, not text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("%{") {
            let (before, from) = rest.split_at(start);
            let Some(end) = from.find('}') else { break };
            if !before.is_empty() {
                parts.push(Part::Text(before.as_bytes().into()));
            }
            parts.push(macro_part(from.get(2..end).unwrap_or_default())?);
            rest = from.get(end + 1..).unwrap_or_default();
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.as_bytes().into()));
        }
        Ok(Self { parts })
    }

    /// The text with three dots for each macro.
    pub(crate) fn shown(&self) -> String {
        let shown = |part: &Part| match part {
            Part::Text(text) => String::from_utf8_lossy(text).into_owned(),
            Part::Var(..) | Part::Slot(_) => "...".to_owned(),
        };
        self.parts.iter().map(shown).collect()
    }

    /// The text, if there is no macro in it.
    pub(crate) fn literal(&self) -> Option<&[u8]> {
        match self.parts.as_slice() {
            [] => Some(b""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}

fn macro_part(name: &str) -> Result<Part, String> {
    let (head, member) = match name.split_once(['.', ':']) {
        Some((head, member)) => (head, Some(member)),
        None => (name, None),
    };
    if head.eq_ignore_ascii_case("rule") {
        let field = match member.map(str::to_ascii_lowercase).as_deref() {
            Some("id") => RuleField::Id,
            Some("msg") => RuleField::Msg,
            Some("severity") => RuleField::Severity,
            _ => return Err(format!("unknown macro `%{{{name}}}`")),
        };
        return Ok(Part::Var(Var::Rule(field), None));
    }
    let var = Var::from_name(head).ok_or_else(|| format!("unknown macro `%{{{name}}}`"))?;
    if member.is_some() != var.is_collection() {
        return Err(format!(
            "macro `%{{{name}}}` {}",
            if member.is_some() { "takes no member" } else { "needs a member" }
        ));
    }
    Ok(Part::Var(var, member.map(|m| m.to_ascii_lowercase().into_bytes().into())))
}
