//! Any bytes to `portcullis_contract::fuzz::graphql`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| portcullis_contract::fuzz::graphql(bytes));
