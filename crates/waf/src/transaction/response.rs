//! The response: what rules of phases 3 and 4 are shown of it, and what is kept of a request until it comes.

use super::{Scratch, Transaction, head};
use crate::bytes::{sub, trim};
use crate::message::{Field, ResponseHead};
use crate::store::List;
use crate::verdict::{Limit, Verdict};

/// An inspected request whose response isn't there yet: what rules about responses read of it, and no more.
#[derive(Debug)]
pub struct Paused {
    transaction: Transaction,
}

// === impl Transaction ===

impl Transaction {
    /// Keeps what rules about the response need, and gives the buffers back for other requests.
    ///
    /// Values of the request that no rule of a later phase reads are dropped: what is kept is small even where the body
    /// was not.
    pub fn pause(mut self) -> (Paused, Scratch) {
        let mut scratch = Scratch::default();
        self.machine.rest(&self.program, &mut scratch.machine);
        (Paused { transaction: self }, scratch)
    }

    /// Phase 3: the response's head, as the server sent it. Of a response whose body is decoded before it is shown,
    /// `Content-Encoding` must not be shown: rules pass over bodies that are compressed.
    ///
    /// A refusal means that the caller must not see the response; its status is the rule's, or 500 for a limit.
    pub fn response_head(&mut self, head: &ResponseHead<'_>) -> Verdict {
        if self.verdict.is_refused() {
            return self.verdict;
        }
        head::response(&mut self.machine.store, head);
        self.response_inspected = self.is_inspected_type(head.headers);
        self.run(3)
    }

    /// Whether a response with these fields is one whose body is looked at, unless rules about its head change that:
    /// what to decode, before the head is shown.
    pub fn looks_into(&self, headers: &[Field<'_>]) -> bool {
        self.is_inspected_type(headers) && self.looks_into_bodies()
    }

    fn is_inspected_type(&self, headers: &[Field<'_>]) -> bool {
        let inspected = |kind: &[u8]| {
            self.program.settings.response_body_types.iter().any(|t| kind.eq_ignore_ascii_case(t.as_bytes()))
        };
        // Of several types, whoever reads the response may believe any.
        let mut types = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-type"));
        types.any(|(_, value)| {
            let end = memchr::memchr2(b';', b',', value).unwrap_or(value.len());
            inspected(trim(sub(value, 0, end)))
        })
    }

    fn looks_into_bodies(&self) -> bool {
        self.machine.response_body_access
            && self.program.wanted.has(List::ResponseBody)
            && !self.verdict.is_refused()
            && self.machine.looks_on()
    }

    /// Whether the response's body is wanted; if not, it needn't be collected, and may go on at once.
    pub fn wants_response_body(&self) -> bool {
        self.response_inspected && self.looks_into_bodies()
    }

    /// How many bytes of a response's body are looked at. A caller collects one more at most: that tells a body that
    /// is too long, which is refused or looked at in part, as the rule files say (`SecResponseBodyLimitAction`).
    pub fn response_body_limit(&self) -> usize {
        self.program.settings.response_body_limit
    }

    /// Whether of a longer body the rest may go on unseen; if not, it is refused.
    pub fn response_body_partial(&self) -> bool {
        self.program.settings.response_body_partial
    }

    /// Phase 4: the response's body, decoded, as far as it was collected; empty if it isn't wanted.
    pub fn response_body(&mut self, body: &[u8]) -> Verdict {
        if self.verdict.is_refused() {
            return self.verdict;
        }
        if self.wants_response_body() {
            let limit = self.response_body_limit();
            if body.len() > limit
                && !self.program.settings.response_body_partial
                && self.limit(Limit::BodyTooLong, 500).is_refused()
            {
                return self.verdict;
            }
            let seen = sub(body, 0, limit);
            self.machine.body_bytes = self.machine.body_bytes.saturating_add(seen.len());
            self.machine.store.set_bytes(List::ResponseBody, seen);
        }
        self.run(4)
    }
}

// === impl Paused ===

impl Paused {
    /// Goes on with buffers of the worker that has the response.
    pub fn resume(mut self, mut scratch: Scratch) -> Transaction {
        self.transaction.machine.wake(&self.transaction.program, &mut scratch.machine);
        self.transaction
    }

    /// How many bytes of the request's values are kept.
    pub fn bytes(&self) -> usize {
        self.transaction.machine.store.bytes_kept()
    }
}

#[cfg(test)]
mod tests;
