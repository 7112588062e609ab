//! What has to hold for any bytes at all; fuzz targets and seeded tests call the same functions.

use crate::places::{Places, Wanted};
use std::net::IpAddr;

/// A file in MaxMind's form: no panic, and what could be read says of any address something that it has a name for. Whether it could.
///
/// # Panics
/// Where that does not hold.
pub fn places(bytes: &[u8]) -> bool {
    let mut read = false;
    for wanted in [Wanted::Country, Wanted::System] {
        let Ok(places) = Places::read(bytes, wanted) else { continue };
        read = true;
        // Addresses out of the bytes as well: whoever damages a file knows which ones it is about.
        let own = bytes.first_chunk::<16>().map(|bytes| IpAddr::from(*bytes));
        let fixed = ["192.0.2.1", "255.0.0.1", "0.0.0.0", "2001:db8::", "ffff::"]
            .into_iter()
            .filter_map(|text| text.parse().ok());
        for address in fixed.chain(own) {
            let value = places.of(address);
            assert!(value == 0 || places.knows(value), "{value} of {address}");
            assert!(value == 0 || places.name(value).len() > 1, "{value}");
        }
    }
    read
}
