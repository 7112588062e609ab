//! Any bytes to `portcullis_testkit::fuzz::fuzz_forward`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_testkit::fuzz::fuzz_forward(bytes));
