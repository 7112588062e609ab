//! The real binary under load: chaos, reloads, floods and slow clients, and clients that are not ours.
//!
//! Each proof has a short form, which runs with all tests, and a long one that `cargo xtask prove` asks for: more of the
//! same, against the release build, with the figures as output.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests state facts, and measure them with the machine's own clock"
)]

#[path = "proof/bombs.rs"]
mod bombs;
#[path = "proof/browser.rs"]
mod browser;
#[path = "proof/chaos.rs"]
mod chaos;
#[path = "proof/clients.rs"]
mod clients;
#[path = "proof/console.rs"]
mod console;
#[path = "proof/contracts.rs"]
mod contracts;
#[path = "proof/crowds.rs"]
mod crowds;
#[path = "proof/feed.rs"]
mod feed;
#[path = "proof/floods.rs"]
mod floods;
#[path = "proof/house.rs"]
mod house;
#[path = "proof/identity.rs"]
mod identity;
#[path = "proof/masked.rs"]
mod masked;
#[path = "proof/portal.rs"]
mod portal;
#[path = "proof/provider.rs"]
mod provider;
#[path = "proof/reload.rs"]
mod reload;
#[path = "proof/reports.rs"]
mod reports;
#[path = "proof/secrets.rs"]
mod secrets;
#[path = "proof/sharing.rs"]
mod sharing;
#[path = "proof/slow.rs"]
mod slow;
#[allow(dead_code, reason = "shared with the tests of the command line, which use the rest")]
#[path = "support.rs"]
mod support;
#[path = "proof/trial.rs"]
mod trial;
#[path = "proof/upgrade.rs"]
mod upgrade;
