//! Any bytes to `portcullis_auth::fuzz::key`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_auth::fuzz::key(bytes));
