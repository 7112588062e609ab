//! Any bytes to `portcullis_anomaly::fuzz::places`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    portcullis_anomaly::fuzz::places(bytes);
});
