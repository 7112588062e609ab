//! Any bytes to `portcullis_proxy::fuzz_forwarded`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_proxy::fuzz_forwarded(bytes));
