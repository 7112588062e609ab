//! What the fuzzer calls: any bytes are either a plan or a list of mistakes, and never anything else.

use std::path::Path;

use crate::loaded::load_bytes;
use crate::policy::{effective_policy, routes};
use crate::values::Environment;

/// Loads bytes without touching disk or environment, and prints what comes out. Panics only if there is a fault.
pub fn fuzz_load(bytes: &[u8]) {
    match load_bytes("fuzz.yaml", bytes.to_vec(), Path::new(""), &Environment::sealed()) {
        Ok(loaded) => {
            if let Some(row) = routes(&loaded).first() {
                assert!(!effective_policy(&loaded, &row.id).is_empty(), "a route that is listed has a policy");
            }
        }
        Err(failure) => {
            assert!(!failure.diagnostics().is_empty(), "a failure says why");
            assert!(!failure.render(true).is_empty(), "a failure can be printed");
            assert!(failure.to_json().is_object(), "a failure can be read by programs");
        }
    }
}
