//! Any bytes to `portcullis_h1::fuzz_compose`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_h1::fuzz_compose(bytes));
