//! Keeps what matched: numbers always, messages and views as asked.

use super::{Machine, Value};
use crate::rule::{Link, Rule};
use crate::ruleset::{Program, TxNames};
use crate::template::Template;
use crate::verdict::{Detail, Match, Step};
use std::sync::Arc;

/// LIMIT: matches kept with their texts.
const MATCHES: usize = 256;
/// LIMIT: matches kept by number.
const IDS: usize = 4096;
/// LIMIT: bytes of a message or its data.
const TEXT_BYTES: usize = 2048;
/// LIMIT: bytes of a view.
const VIEW_BYTES: usize = 256;

// === impl Machine ===

impl Machine {
    /// Records that the rule matched.
    pub(super) fn record(&mut self, program: &Program, rule: &Rule) {
        if self.matched_ids.len() < IDS {
            self.matched_ids.push(rule.info.id);
        }
        if self.detail == Detail::Ids || self.matches.len() >= MATCHES {
            return;
        }
        let names = &program.names;
        let mut variable = Vec::new();
        if let Some(value) = self.matched {
            self.display(names, value, &mut variable);
        }
        let found = Match {
            rule: Arc::clone(&rule.info),
            message: self.text(names, rule.msg.as_ref(), rule),
            data: self.text(names, rule.log_data.as_ref(), rule),
            variable: lossy(&variable, TEXT_BYTES),
            value: self.matched.map(|value| self.view_of(value)).unwrap_or_default(),
            steps: self.steps.clone(),
        };
        self.matches.push(found);
        if rule.links.len() == 1 {
            self.steps.clear();
        }
    }

    fn view_of(&self, value: Value) -> Vec<u8> {
        crate::bytes::sub(self.store.bytes(value.span), 0, VIEW_BYTES).to_vec()
    }

    fn text(&self, names: &TxNames, template: Option<&Template>, rule: &Rule) -> String {
        let mut out = Vec::new();
        if let Some(template) = template {
            self.expand(names, template, rule, &mut out);
        }
        lossy(&out, TEXT_BYTES)
    }

    /// Notes a condition that held.
    pub(super) fn explain(&mut self, program: &Program, link: &Link, matched: Value, transforms: usize) {
        if self.detail != Detail::Explain || self.steps.len() >= MATCHES {
            return;
        }
        let mut variable = Vec::new();
        self.display(&program.names, matched, &mut variable);
        self.steps.push(Step {
            variable: lossy(&variable, TEXT_BYTES),
            view: self.view_of(matched),
            transforms: link.transforms.iter().take(transforms).map(|t| t.as_str()).collect(),
            operator: Arc::clone(&link.text),
        });
    }
}

fn lossy(bytes: &[u8], limit: usize) -> String {
    String::from_utf8_lossy(crate::bytes::sub(bytes, 0, limit)).into_owned()
}
