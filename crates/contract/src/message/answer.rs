//! Answers: status, fields, media type and body against what the document promises.

use super::body::{fitting, reads};
use super::fields::joined;
use super::{Body, Bounds, Collector, Fits, Part, Refused};
use crate::document::{Answer, Contract, Operation, Statuses};
use crate::json::Json;
use crate::media::{MediaType, Reading};
use crate::schema::Stranger;

/// The status for an answer that breaks its contract.
const BROKEN: u16 = 502;

/// An answer of an upstream.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'r> {
    /// Its status.
    pub status: u16,
    /// Names and values of the header section.
    pub headers: &'r [(&'r str, &'r str)],
    /// The body without its content coding; absent after HEAD.
    pub body: Body<'r>,
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

    /// Members of an answer that the document does not speak of, whether it lets them be there or not.
    #[must_use]
    pub fn strangers(
        &self,
        operation: &Operation,
        (status, content_type): (u16, Option<&str>),
        json: &Json<'_>,
        bounds: &Bounds,
    ) -> Vec<Stranger> {
        let answer = operation.answer(status);
        let found = answer.zip(content_type.and_then(MediaType::parse));
        let found = found.and_then(|(answer, sent)| fitting(&answer.content, &sent));
        let schema = found.filter(|(_, reading)| *reading == Reading::Json).and_then(|(content, _)| content.schema);
        let of = |schema| self.schemas.strangers(schema, json.root(), json.size(), &bounds.effort);
        schema.map(of).unwrap_or_default()
    }
}

// === impl Operation ===

impl Operation {
    pub(super) fn answer(&self, status: u16) -> Option<&Answer> {
        let fitting = self.answers.iter().filter_map(|(statuses, answer)| Some((statuses.fit(status)?, answer)));
        fitting.max_by_key(|(fit, _)| *fit).map(|(_, answer)| answer)
    }

    /// Whether an answer with just this status is described.
    #[must_use]
    pub fn declares(&self, status: u16) -> bool {
        self.answers.iter().any(|(statuses, _)| *statuses == Statuses::One(status))
    }

    /// Whether the body of an answer with this status and `Content-Type` has to be read to be judged. Bodies that go on never
    /// are, where their media type is declared.
    #[must_use]
    pub fn reads_answer(&self, status: u16, content_type: Option<&str>) -> bool {
        self.answer(status).is_some_and(|answer| reads(&answer.content, content_type))
    }
}

// === impl Collector ===

impl Collector<'_> {
    fn answer<'b>(&mut self, operation: &Operation, reply: &Reply<'b>) -> Option<crate::json::Json<'b>> {
        let Some(answer) = operation.answer(reply.status) else {
            // Interim answers and those without content say nothing that a document describes.
            if !self.contract.options.undeclared_statuses && reply.status != 304 && reply.status >= 200 {
                self.object(BROKEN, Part::Status, "", "status", "the contract does not declare this status");
            }
            return None;
        };
        for parameter in &answer.headers {
            self.field(parameter, reply.headers);
        }
        let body = reply.body.present()?;
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
        self.content(&answer.content, &content_type, body, BROKEN)
    }
}
