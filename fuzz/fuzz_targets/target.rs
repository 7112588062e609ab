//! Any bytes to `portcullis_types::fuzz_target`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_types::fuzz_target(bytes));
