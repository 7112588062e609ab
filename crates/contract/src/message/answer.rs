//! Answers: status, fields, media type and body against what the document promises.

use super::fields::joined;
use super::{Bounds, Collector, Fits, Part, Refused};
use crate::document::{Contract, Operation};

/// The status for an answer that breaks its contract.
const BROKEN: u16 = 502;

/// An answer of an upstream.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'r> {
    /// Its status.
    pub status: u16,
    /// Names and values of the header section.
    pub headers: &'r [(&'r str, &'r str)],
    /// The body without its content coding; `None` where there is none, as after HEAD.
    pub body: Option<&'r [u8]>,
}

// === impl Contract ===

impl Contract {
    /// Whether an answer fits an operation.
    ///
    /// # Errors
    /// All reasons why it does not; the status is always 502.
    pub fn conform_answer<'b>(
        &self,
        operation: &Operation,
        reply: &Reply<'b>,
        bounds: &Bounds,
    ) -> Result<Fits<'b>, Refused> {
        let mut collector = Collector::new(self, bounds);
        let json = collector.answer(operation, reply);
        let outcome = collector.finish().map(|()| Fits { json });
        outcome.map_err(|refused| Refused { status: BROKEN, ..refused })
    }
}

// === impl Collector ===

impl Collector<'_> {
    fn answer<'b>(&mut self, operation: &Operation, reply: &Reply<'b>) -> Option<crate::json::Json<'b>> {
        let fitting =
            operation.answers.iter().filter_map(|(statuses, answer)| Some((statuses.fit(reply.status)?, answer)));
        let Some((_, answer)) = fitting.max_by_key(|(fit, _)| *fit) else {
            // Interim answers and those without content say nothing that a document describes.
            if !self.contract.options.undeclared_statuses && reply.status != 304 && reply.status >= 200 {
                self.object(BROKEN, Part::Status, "", "status", "the contract does not declare this status");
            }
            return None;
        };
        for parameter in &answer.headers {
            self.field(parameter, reply.headers);
        }
        let bytes = reply.body.filter(|bytes| !bytes.is_empty())?;
        if answer.content.is_empty() {
            if !self.contract.options.undeclared_bodies {
                self.object(BROKEN, Part::Body, "", "content", "the contract declares no body here");
            }
            return None;
        }
        let Some(content_type) = joined(reply.headers, "content-type", ",") else {
            self.object(BROKEN, Part::Body, "", "mediaType", "the body has no Content-Type");
            return None;
        };
        self.content(&answer.content, &content_type, bytes, BROKEN)
    }
}
