//! The first argument of a rule: which variables it looks at, and which members it leaves out.

use crate::pattern::Pattern;
use crate::variable::Var;
use std::sync::Arc;

/// Which members of a collection are meant.
#[derive(Debug, Clone)]
pub(crate) enum Selector {
    All,
    /// One member, its name in lower case.
    Name(Box<[u8]>),
    /// The members whose name matches.
    Matching(Arc<Pattern>),
}

/// One variable that a rule looks at.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) var: Var,
    pub(crate) selector: Selector,
    /// Look at how many members there are instead of at them.
    pub(crate) count: bool,
}

/// Members that a rule doesn't look at.
#[derive(Debug, Clone)]
pub(crate) struct Exclusion {
    pub(crate) var: Var,
    pub(crate) selector: Selector,
}

/// What a target list says.
#[derive(Debug, Clone, Default)]
pub(crate) struct TargetList {
    pub(crate) targets: Vec<Target>,
    pub(crate) exclusions: Vec<Exclusion>,
}

// === impl Selector ===

impl Selector {
    pub(crate) fn selects(&self, name: &[u8]) -> bool {
        match self {
            Selector::All => true,
            Selector::Name(wanted) => wanted.eq_ignore_ascii_case(name),
            Selector::Matching(pattern) => pattern.is_match(name),
        }
    }
}

/// Reads a target list such as `ARGS|!ARGS:/^tok/|&TX:x`.
pub(crate) fn targets(text: &str) -> Result<TargetList, String> {
    let mut list = TargetList::default();
    for piece in pieces(text) {
        let piece = piece.trim();
        if let Some(rest) = piece.strip_prefix('!') {
            for (var, selector) in variable(rest)? {
                list.exclusions.push(Exclusion { var, selector });
            }
        } else {
            let (count, rest) = match piece.strip_prefix('&') {
                Some(rest) => (true, rest),
                None => (false, piece),
            };
            for (var, selector) in variable(rest)? {
                if count && !var.is_collection() {
                    return Err(format!("`{piece}`: only members of a collection can be counted"));
                }
                list.targets.push(Target { var, selector, count });
            }
        }
    }
    Ok(list)
}

/// Splits at `|` and `,`, but not inside `/…/` or quotes.
fn pieces(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut quote: Option<u8> = None;
    let mut previous = 0u8;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().copied().enumerate() {
        match quote {
            Some(q) if byte == q && previous != b'\\' => quote = None,
            Some(_) => {}
            None if byte == b'\'' => quote = Some(byte),
            // An expression opens right after the colon; `XML:/*` is the one name that looks like one.
            None if byte == b'/' && previous == b':' && !is_xpath(text.get(start..).unwrap_or_default()) => {
                quote = Some(byte);
            }
            None if byte == b'|' || byte == b',' => {
                out.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            None => {}
        }
        previous = byte;
    }
    out.push(text.get(start..).unwrap_or_default());
    out
}

fn is_xpath(piece: &str) -> bool {
    let name = piece.trim_start_matches(['!', '&', ' ']);
    name.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("xml:"))
}

fn variable(piece: &str) -> Result<Vec<(Var, Selector)>, String> {
    let (name, member) = match piece.split_once(':') {
        Some((name, member)) => (name, Some(member)),
        None => (piece, None),
    };
    if name.eq_ignore_ascii_case("xml") {
        return match member {
            Some("/*") => Ok(vec![(Var::XmlText, Selector::All)]),
            Some("//@*") => Ok(vec![(Var::XmlAttributes, Selector::All)]),
            // Without a path, both: what people write in exclusions.
            None => Ok(vec![(Var::XmlText, Selector::All), (Var::XmlAttributes, Selector::All)]),
            Some(other) => Err(format!("`XML:{other}`: only `XML:/*` and `XML://@*` are supported")),
        };
    }
    let var = Var::from_name(name).ok_or_else(|| format!("unknown variable `{name}`"))?;
    let Some(member) = member else { return Ok(vec![(var, Selector::All)]) };
    if !var.is_collection() {
        return Err(format!("`{name}` has no members"));
    }
    let unquoted = member.strip_prefix('\'').and_then(|m| m.strip_suffix('\'')).unwrap_or(member);
    let selector = match unquoted.strip_prefix('/').and_then(|m| m.strip_suffix('/')) {
        Some(expression) => Selector::Matching(Arc::new(Pattern::new(expression, true)?)),
        None if unquoted.is_empty() => return Err(format!("`{piece}` names no member")),
        None => Selector::Name(unquoted.to_ascii_lowercase().into_bytes().into()),
    };
    Ok(vec![(var, selector)])
}
