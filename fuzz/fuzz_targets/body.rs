//! Any bytes to `portcullis_h1::fuzz_body`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_h1::fuzz_body(bytes));
