//! Any bytes to `portcullis_waf::fuzzing::fuzz_request`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_waf::fuzzing::fuzz_request(bytes));
