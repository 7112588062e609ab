//! What operations answer. Names of members are a promise to programs: add, never rename. Nothing here holds a secret, but for the
//! one answer that makes a key.

pub(crate) mod accounts;
pub(crate) mod configuration;
pub(crate) mod findings;
pub(crate) mod keys;
pub(crate) mod limits;
pub(crate) mod records;
pub(crate) mod state;
