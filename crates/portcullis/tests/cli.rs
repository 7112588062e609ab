//! The program as people and scripts meet it: what it prints, how it ends, how it lives.

#![allow(clippy::expect_used, clippy::panic, reason = "tests may state facts, and so may what they share")]

mod audit;
mod audit_log;
mod documents;
mod evidence;
mod feed;
mod keys;
mod life;
mod matrices;
mod operate;
mod snapshots;
mod supply;
mod support;
mod tour;
mod versions;
