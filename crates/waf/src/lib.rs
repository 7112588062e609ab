//! A rule engine for the OWASP Core Rule Set: reads its rule language, inspects requests and responses, and says
//! which rules matched. Knows no sockets, no clock and no runtime.
//!
//! A request: `RuleSet::transaction_with` the buffers of an earlier one, `request_head`, `request_body` (also where
//! there is none). A verdict to refuse ends it. Where `RuleSet::inspects_responses`, the request is kept (`pause`)
//! until its response comes: what it held that no rule reads any more is dropped, and the buffers serve others.
//!
//! A response: `Paused::resume`, then `response_head` with the status and the fields of the final response. Nothing of
//! it has gone to the caller before rules have said that it may. Where `wants_response_body`, the caller collects up to
//! `response_body_limit` bytes and one more, decoded, and shows them to `response_body`; elsewhere it shows nothing,
//! and the body may go on at once. What is longer is refused, or its rest goes on unseen, as the rule files say. Types
//! that `SecResponseBodyMimeType` doesn't name are not looked at, nor is a body without a type. `finish` ends both.
//!
//! A body that isn't what its content type says is refused with 400 where no rule of the set looks at `REQBODY_ERROR`: what
//! can't be read can't be judged. A set whose rule about it was removed has decided, and lets it pass.
//!
//! A refusal because of a rule has the rule's status; because of a limit, 413 for a request and 500 for a response. In
//! `observing` transactions nothing is refused, and `would_refuse` says what would have been, of the request first.

mod body;
mod bytes;
mod classes;
mod diagnostic;
mod engine;
#[cfg(feature = "ftw")]
pub mod ftw;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod gate;
mod loader;
mod message;
mod operator;
mod pack;
mod pattern;
mod random;
mod rule;
mod ruleset;
mod seclang;
mod spared;
mod store;
mod template;
mod transaction;
mod transform;
mod tx;
mod variable;
mod verdict;

pub use diagnostic::Diagnostic;
pub use loader::{Disk, Memory, Source};
pub use message::{Field, LooseHead, RequestHead, ResponseHead};
pub use pack::builtin;
pub use random::Random;
pub use rule::RuleInfo;
pub use ruleset::{Counts, Part, ResponseBodies, RuleSet};
pub use spared::{Place, Promise, Spared, SparedField};
pub use transaction::{Paused, Scratch, Transaction};
pub use verdict::{Detail, Limit, Match, Refused, Scores, Step, Verdict};
