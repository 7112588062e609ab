//! The status listener and what operators see.
