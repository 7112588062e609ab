//! The binary: command line, signals, wiring.
fn main() {}
