//! Regression suites in the ftw format, run in process: reads the tests, builds each request as the format's own
//! runner does, inspects it, and compares rule numbers, log lines and statuses.

mod equal;
mod request;
mod run;
mod suite;
mod yaml;

pub use equal::compare_gates;
pub use request::{RawRequest, parse_request};
pub use run::{Failure, Override, Report, Seen, core_rules, core_rules_as_shipped, core_rules_overrides, observe, run};
pub use suite::{Expect, Stage, Suite, Test};
