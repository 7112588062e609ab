//! Any bytes to `portcullis_access::fuzz::expression`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_access::fuzz::expression(bytes));
