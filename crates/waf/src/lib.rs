//! A rule engine for the OWASP Core Rule Set: reads its rule language, inspects requests and responses, and says
//! which rules matched. Knows no sockets, no clock and no runtime.

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
pub use ruleset::{Counts, Part, RuleSet};
pub use transaction::{Scratch, Transaction};
pub use verdict::{Detail, Limit, Match, Refused, Scores, Step, Verdict};
