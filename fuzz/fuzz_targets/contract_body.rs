//! Any bytes to `portcullis_contract::fuzz::body`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_contract::fuzz::body(bytes));
