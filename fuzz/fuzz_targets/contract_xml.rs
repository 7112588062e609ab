//! Any bytes to `portcullis_contract::fuzz::xml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_contract::fuzz::xml(bytes));
