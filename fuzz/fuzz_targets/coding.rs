//! Any bytes to `portcullis_coding::fuzz_coding`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_coding::fuzz_coding(bytes));
