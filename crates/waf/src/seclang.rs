//! Reads rule files: text in, directives with their places out. Decides what is well formed;
//! what a directive means for a rule set is decided in `ruleset`.

mod actions;
mod directive;
mod operators;
mod targets;
mod words;

pub(crate) use actions::{Actions, Ctl, Disruptive, SEVERITIES, SetValue};
pub(crate) use directive::{Directive, EngineMode, LimitAction, RuleChoice, RuleSource, Setting, directive};
pub(crate) use operators::{OperatorName, OperatorSource};
pub(crate) use targets::{Exclusion, Selector, Target, TargetList};
pub(crate) use words::{lines, words};
