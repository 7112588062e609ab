//! Any bytes to `portcullis_mask::fuzz_mask`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_mask::fuzz_mask(bytes));
