//! Tokens that say nothing themselves and are explained by their issuer (RFC 7662).
//!
//! The question and the answer are bytes here; sending the one and receiving the other is for others.

mod answer;
mod flights;
mod request;

#[cfg(test)]
mod tests;

pub use crate::bounded::Digest;
pub use answer::{Answer, AnswerFault, AnswerRules};
pub use flights::{Ask, Dated, Flight, IntrospectionPolicy, Introspections, Moment};
pub use request::{Client, Question};
