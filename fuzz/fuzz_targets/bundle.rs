//! Any bytes to `portcullis_patch::fuzz::bundle`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_patch::fuzz::bundle(bytes));
