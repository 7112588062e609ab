//! Repository chores, standard library only.
fn main() {}
