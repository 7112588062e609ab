//! The codec and the target against seeded chance: what the fuzzer runs for hours, run for a moment in every test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests state facts"
)]

#[path = "codec/oracle.rs"]
mod oracle;
#[path = "codec/smoke.rs"]
mod smoke;
