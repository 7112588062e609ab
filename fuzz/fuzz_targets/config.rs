//! Any bytes to `portcullis_config::fuzz_load`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_config::fuzz_load(bytes));
