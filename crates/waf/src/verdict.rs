//! What the engine says: whether to refuse, and which rules matched on what.

use crate::rule::RuleInfo;
use std::sync::Arc;

/// What to do with the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing speaks against it.
    Pass,
    /// Refuse it.
    Refuse(Refused),
}

/// Why a message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The status to answer with.
    pub status: u16,
    /// The rule that decided; 0 for a limit of the engine.
    pub rule: u64,
    /// The limit, where one decided.
    pub limit: Option<Limit>,
    /// Close the connection without an answer.
    pub drop: bool,
}

/// A limit of the engine that refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The body is longer than what is inspected.
    BodyTooLong,
    /// The request has more values, or larger ones, than are inspected.
    TooMuchWork,
    /// The request's body isn't what its content type says, and no rule is about that.
    BodyUnreadable,
}

/// One condition of a rule that held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The variable, e.g. `ARGS:q`; its member's name is the client's.
    pub variable: String,
    /// The view that matched: the value after `transforms`. LIMIT: its first 256 bytes.
    pub view: Vec<u8>,
    /// The transformations that lead to the view.
    pub transforms: Vec<&'static str>,
    /// The condition as written.
    pub operator: Arc<str>,
}

/// A rule that matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The rule.
    pub rule: Arc<RuleInfo>,
    /// Its message, macros expanded.
    pub message: String,
    /// Its data, macros expanded. LIMIT: its first 2048 bytes. Holds what the client sent: redact before storing.
    pub data: String,
    /// The variable that matched last.
    pub variable: String,
    /// What it held, after the transformations. LIMIT: its first 256 bytes. Holds what the client sent.
    pub value: Vec<u8>,
    /// The conditions that held, in the order of the chain. Empty unless details are asked for.
    pub steps: Vec<Step>,
}

/// The anomaly scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scores {
    /// What the request scored at the blocking paranoia level.
    pub inbound: i64,
    /// What the response scored at the blocking paranoia level.
    pub outbound: i64,
    /// What the request scored at the detection paranoia level.
    pub detected_inbound: i64,
    /// What the response scored at the detection paranoia level.
    pub detected_outbound: i64,
}

/// The variables that hold the scores, in the order of `Scores`.
pub(crate) const SCORES: [&str; 4] = [
    "blocking_inbound_anomaly_score",
    "blocking_outbound_anomaly_score",
    "detection_inbound_anomaly_score",
    "detection_outbound_anomaly_score",
];

/// How much to keep of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// Rule numbers only.
    Ids,
    /// Messages and data.
    #[default]
    Full,
    /// Also every condition with its view.
    Explain,
}

// === impl Verdict ===

impl Verdict {
    /// Whether the message is to be refused.
    pub fn is_refused(self) -> bool {
        matches!(self, Verdict::Refuse(_))
    }
}

// === impl Match ===

impl Match {
    /// The match as a line in the form that log readers of this rule language know.
    pub fn log_line(&self) -> String {
        let severity = self.rule.severity.and_then(|s| crate::seclang::SEVERITIES.get(usize::from(s)));
        let mut line = format!(
            "[file \"{}\"] [line \"{}\"] [id \"{}\"] [msg \"{}\"]",
            escape(&self.rule.file),
            self.rule.line,
            self.rule.id,
            escape(&self.message)
        );
        if !self.data.is_empty() {
            line.push_str(&format!(" [data \"{}\"]", escape(&self.data)));
        }
        if let Some(severity) = severity {
            line.push_str(&format!(" [severity \"{severity}\"]"));
        }
        if let Some(ver) = &self.rule.ver {
            line.push_str(&format!(" [ver \"{}\"]", escape(ver)));
        }
        for tag in &self.rule.tags {
            line.push_str(&format!(" [tag \"{}\"]", escape(tag)));
        }
        line
    }
}

/// Quotes and control characters can't forge a log line.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}
