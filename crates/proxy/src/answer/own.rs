//! Answers of our own: problems, what a preflight asked for, and documents about APIs.

use crate::head::Head;
use crate::pipeline::Stop;
use crate::pipeline::cors::Preflight;
use crate::problem::{Form, Problem};
use crate::shape::{self, Frame};
use portcullis_h1::Fields;

/// One of them.
#[derive(Debug)]
pub(super) enum Own<'s> {
    Problem(Problem, Form),
    Preflight(&'s Preflight),
    Document(&'s str),
    /// That something was taken.
    Noted,
}

// === impl Own ===

impl<'s> Own<'s> {
    /// What is said to a request with these fields, if there is anybody to say it to.
    pub(super) fn of(stop: &'s Stop, fields: Fields<'_>) -> Option<Self> {
        match stop {
            Stop::Answered(preflight) => Some(Self::Preflight(preflight)),
            Stop::Told(document) => Some(Self::Document(document)),
            Stop::Noted => Some(Self::Noted),
            Stop::Refused(_) | Stop::Failed(_) | Stop::Scrubbed(_) | Stop::Gone => {
                Problem::of(stop).map(|problem| Self::Problem(problem, Form::asked_by(fields)))
            }
        }
    }

    /// Whether the connection ends after it.
    pub(super) fn closes(&self) -> bool {
        match self {
            Self::Problem(problem, _) => problem.close,
            Self::Preflight(_) | Self::Document(_) | Self::Noted => false,
        }
    }

    pub(super) fn body(&self, frame: &Frame<'_>, problem_base: &str) -> String {
        match self {
            Self::Problem(problem, form) => problem.body(*form, frame.id, problem_base),
            Self::Preflight(_) | Self::Noted => String::new(),
            Self::Document(document) => (*document).to_owned(),
        }
    }

    /// Writes the head before a body of `length` bytes.
    pub(super) fn write(&self, length: usize, frame: &Frame<'_>, out: &mut impl Head) {
        match self {
            Self::Problem(problem, form) => shape::problem(problem, *form, length, frame, out),
            Self::Preflight(preflight) => shape::preflight(preflight, frame, out),
            Self::Document(_) => shape::document(length, frame, out),
            Self::Noted => shape::noted(frame, out),
        }
    }
}
