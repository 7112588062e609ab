//! Any bytes to `portcullis_auth::fuzz::certificate`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_auth::fuzz::certificate(bytes));
