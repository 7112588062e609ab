//! Looks at requests for attacks, and at their answers for what they give away: what a worker keeps for that, and what of
//! the findings goes into records.
//!
//! The rules are the business of `portcullis-waf`; whether what they find counts is the business of the stage.

pub(crate) mod findings;
mod redact;

use crate::record::AccessRecord;
use findings::Findings;
use portcullis_config::plan::WafPlan;
use portcullis_h1::{RequestHead, Version};
use portcullis_waf::{Field, LooseHead, Paused, Refused, RequestHead as Shown, Scratch, Spared, Transaction};
use std::net::IpAddr;
use std::sync::Arc;

// LIMIT: sets of rules whose memory a worker keeps; routes with more of them pay for it anew.
const SETS_MAX: usize = 4;

/// What a worker keeps between requests: the memory of each set of rules, by its number.
#[derive(Debug, Default)]
pub(crate) struct Inspector {
    kept: Vec<(u64, Scratch)>,
}

/// A request as rules see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) head: &'a RequestHead,
    pub(crate) record: &'a AccessRecord,
    /// Who asks.
    pub(crate) address: IpAddr,
}

/// What rules said of a request.
#[derive(Debug)]
pub(crate) struct Looked {
    /// What it is refused for.
    pub(crate) refused: Option<Refused>,
    /// What is worth a record.
    pub(crate) findings: Option<Box<Findings>>,
    /// What is kept of it until its answer comes; `None` where no rule looks at answers.
    pub(crate) asked: Option<Box<Asked>>,
}

/// A request that rules have let pass, and whose answer they are to see.
#[derive(Debug)]
pub(crate) struct Asked {
    paused: Paused,
    serial: u64,
}

/// An inspection that goes on.
#[derive(Debug)]
pub(crate) struct Looking {
    pub(crate) transaction: Transaction,
    serial: u64,
}

// === impl Inspector ===

impl Inspector {
    /// Shows a request to the rules.
    pub(crate) fn request(
        &mut self,
        (waf, spared): (&WafPlan, Option<&Arc<Spared>>),
        subject: Subject<'_>,
        body: &[u8],
    ) -> Looked {
        let head = subject.head;
        let fields: Vec<Field<'_>> = head.fields().iter().map(|field| (field.name, field.value)).collect();
        let protocol: &[u8] = match head.version() {
            Version::Http10 => b"HTTP/1.0",
            Version::Http11 => b"HTTP/1.1",
            Version::Http2 => b"HTTP/2.0",
        };
        let shown = shown((head.method(), head.target(), protocol), &fields, subject);
        let looking = self.look((waf, spared), &shown, body);
        let refused = refused(&looking.transaction);
        if refused.is_some() || !waf.rules.set.inspects_responses() {
            let (refused, findings) = self.end(looking);
            return Looked { refused, findings, asked: None };
        }
        let findings = Findings::of(&looking.transaction, looking.transaction.would_refuse().is_some());
        Looked { refused, findings, asked: Some(self.pause(looking)) }
    }

    /// Shows rules a head that was refused before it could be read, so that its record names the attack.
    pub(crate) fn refused_head(&mut self, waf: &WafPlan, subject: Subject<'_>) -> Option<Box<Findings>> {
        let raw = subject.head.raw();
        if raw.is_empty() {
            return None;
        }
        let head = LooseHead::read(raw);
        let observed = WafPlan { enforces: false, rules: waf.rules.clone() };
        let looking = self.look(
            (&observed, None),
            &shown((head.method, head.target, head.protocol), &head.headers, subject),
            b"",
        );
        self.end(looking).1
    }

    fn look(&mut self, (waf, spared): (&WafPlan, Option<&Arc<Spared>>), head: &Shown<'_>, body: &[u8]) -> Looking {
        let rules = &waf.rules.set;
        let mut transaction = rules.transaction_with(self.take(rules.serial())).with_body_limit(usize::MAX);
        transaction = if waf.enforces { transaction.enforcing() } else { transaction.observing() };
        if let Some(spared) = spared {
            transaction = transaction.sparing(spared);
        }
        if !transaction.request_head(head).is_refused() {
            // A later phase keeps the verdict; it is read below.
            let _verdict = transaction.request_body(body);
        }
        Looking { transaction, serial: rules.serial() }
    }

    /// Lets an inspection wait, without what other requests need.
    pub(crate) fn pause(&mut self, looking: Looking) -> Box<Asked> {
        let Looking { transaction, serial } = looking;
        let (paused, scratch) = transaction.pause();
        self.put(serial, scratch);
        Box::new(Asked { paused, serial })
    }

    /// Goes on with an inspection that waited.
    pub(crate) fn resume(&mut self, asked: Asked) -> Looking {
        let Asked { paused, serial } = asked;
        Looking { transaction: paused.resume(self.take(serial)), serial }
    }

    /// Ends an inspection: what the message is refused for, and what is worth a record.
    pub(crate) fn end(&mut self, looking: Looking) -> (Option<Refused>, Option<Box<Findings>>) {
        let Looking { mut transaction, serial } = looking;
        let refused = refused(&transaction);
        let is_attack = refused.is_some() || transaction.would_refuse().is_some();
        transaction.finish();
        let findings = Findings::of(&transaction, is_attack);
        self.put(serial, transaction.into_scratch());
        (refused, findings)
    }

    fn take(&mut self, serial: u64) -> Scratch {
        let kept = self.kept.iter_mut().find(|(have, _)| *have == serial);
        kept.map(|(_, scratch)| std::mem::take(scratch)).unwrap_or_default()
    }

    fn put(&mut self, serial: u64, scratch: Scratch) {
        match self.kept.iter_mut().find(|(have, _)| *have == serial) {
            Some((_, place)) => *place = scratch,
            None => {
                if self.kept.len() >= SETS_MAX {
                    self.kept.remove(0);
                }
                self.kept.push((serial, scratch));
            }
        }
    }
}

fn refused(transaction: &Transaction) -> Option<Refused> {
    match transaction.verdict() {
        portcullis_waf::Verdict::Refuse(refused) => Some(refused),
        portcullis_waf::Verdict::Pass => None,
    }
}

fn shown<'a>(
    (method, target, protocol): (&'a [u8], &'a [u8], &'a [u8]),
    headers: &'a [Field<'a>],
    subject: Subject<'a>,
) -> Shown<'a> {
    let port = subject.record.peer.map_or(0, |peer| peer.port());
    Shown { method, target, protocol, headers, peer: (subject.address, port), unique_id: subject.record.id.as_str() }
}
