//! The second argument of a rule: the operator's name, whether it is negated, and its argument.

/// The operators of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperatorName {
    Rx,
    Pm,
    PmFromFile,
    Eq,
    Ge,
    Gt,
    Le,
    Lt,
    StrEq,
    StrMatch,
    Within,
    Contains,
    ContainsWord,
    BeginsWith,
    EndsWith,
    IpMatch,
    IpMatchFromFile,
    DetectSqli,
    DetectXss,
    ValidateByteRange,
    ValidateUrlEncoding,
    ValidateUtf8Encoding,
    UnconditionalMatch,
    NoMatch,
}

const NAMES: &[(&str, OperatorName)] = &[
    ("rx", OperatorName::Rx),
    ("pm", OperatorName::Pm),
    ("pmFromFile", OperatorName::PmFromFile),
    ("pmf", OperatorName::PmFromFile),
    ("eq", OperatorName::Eq),
    ("ge", OperatorName::Ge),
    ("gt", OperatorName::Gt),
    ("le", OperatorName::Le),
    ("lt", OperatorName::Lt),
    ("streq", OperatorName::StrEq),
    ("strmatch", OperatorName::StrMatch),
    ("within", OperatorName::Within),
    ("contains", OperatorName::Contains),
    ("containsWord", OperatorName::ContainsWord),
    ("beginsWith", OperatorName::BeginsWith),
    ("endsWith", OperatorName::EndsWith),
    ("ipMatch", OperatorName::IpMatch),
    ("ipMatchFromFile", OperatorName::IpMatchFromFile),
    ("ipMatchF", OperatorName::IpMatchFromFile),
    ("detectSQLi", OperatorName::DetectSqli),
    ("detectXSS", OperatorName::DetectXss),
    ("validateByteRange", OperatorName::ValidateByteRange),
    ("validateUrlEncoding", OperatorName::ValidateUrlEncoding),
    ("validateUtf8Encoding", OperatorName::ValidateUtf8Encoding),
    ("unconditionalMatch", OperatorName::UnconditionalMatch),
    ("noMatch", OperatorName::NoMatch),
];

/// An operator as it is written.
#[derive(Debug, Clone)]
pub(crate) struct OperatorSource {
    pub(crate) name: OperatorName,
    pub(crate) negated: bool,
    pub(crate) argument: String,
}

// === impl OperatorSource ===

impl OperatorSource {
    /// Reads `[!]@name argument`; without a name it is an expression.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (negated, rest) = match text.strip_prefix('!') {
            Some(rest) if rest.starts_with('@') => (true, rest),
            Some(rest) => return Ok(Self { name: OperatorName::Rx, negated: true, argument: rest.to_owned() }),
            None => (false, text),
        };
        let Some(named) = rest.strip_prefix('@') else {
            return Ok(Self { name: OperatorName::Rx, negated, argument: rest.to_owned() });
        };
        let (name, argument) = named.split_once(char::is_whitespace).unwrap_or((named, ""));
        let Some((_, name)) = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
            return Err(format!("unknown operator `@{name}`"));
        };
        Ok(Self { name: *name, negated, argument: argument.trim_start().to_owned() })
    }
}

// === impl OperatorName ===

impl OperatorName {
    pub(crate) fn as_str(self) -> &'static str {
        NAMES.iter().find(|(_, name)| *name == self).map_or("", |(text, _)| text)
    }
}
