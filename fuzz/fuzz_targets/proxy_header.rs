//! Any bytes to `portcullis_proxy::fuzz_proxy_header`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_proxy::fuzz_proxy_header(bytes));
