//! Decides what a caller may do: rules by operation over roles, scopes, claims, consumers, networks, time and the object
//! that a request is about. It does not decide who calls.
//!
//! Pure: the caller, the request and the time come in as values. An operation with rules is closed: what no rule allows is
//! refused, what cannot be decided neither allows nor passes a requirement, and every decision names the rule behind it.

mod bits;
mod caller;
pub mod conflict;
pub mod expression;
pub mod fuzz;
pub mod learned;
pub mod outlook;
pub mod policy;
mod request;
pub mod rule;
pub mod window;

pub use caller::{Caller, RoleMap, RoleSource, claim_at};
pub use expression::{Expression, Mistake, Operand, Parameter, Property, Truth};
pub use policy::{Decision, NAMES_MAX, Policy, Unfit, Why};
pub use request::{Ambiguous, Field, Member, Request, is_alike, names, parameter};
pub use rule::{Effect, Mode, Rule, Way};
pub use window::Window;
