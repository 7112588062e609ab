//! Files that are good, and files that are anything else.

use super::{Places, PlacesError, Wanted};
use crate::event::mix;
use maxmind::{Said, database};
use std::net::IpAddr;

// Tests of other crates write the same files.
#[expect(unreachable_pub, reason = "elsewhere it is a module of a library")]
#[path = "../../../testkit/src/maxmind.rs"]
mod maxmind;

const ROWS: [(&str, Said); 7] = [
    ("192.0.2.0/24", Said::Country("DE")),
    ("192.0.2.128/25", Said::Country("NO")),
    ("192.0.2.200/32", Said::Country("DE")),
    ("198.51.0.0/16", Said::Country("BR")),
    ("203.0.113.0/24", Said::Nothing),
    ("2001:db8::/32", Said::Country("JP")),
    ("2001:db8:1::/48", Said::Country("DE")),
];

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn an_address_is_where_the_file_says() {
    for bits in [24, 28, 32] {
        let places = Places::read(&database(bits, 6, &ROWS), Wanted::Country).unwrap();
        for (text, expected) in [
            ("192.0.2.0", "DE"),
            ("192.0.2.127", "DE"),
            ("192.0.2.128", "NO"),
            ("192.0.2.199", "NO"),
            ("192.0.2.200", "DE"),
            ("192.0.2.201", "NO"),
            ("198.51.255.255", "BR"),
            ("198.52.0.0", ""),
            ("203.0.113.1", ""),
            ("0.0.0.0", ""),
            ("255.255.255.255", ""),
            ("::ffff:192.0.2.1", "DE"),
            ("2001:db8::1", "JP"),
            ("2001:db8:1:ffff::", "DE"),
            ("2001:db8:2::", "JP"),
            ("2001:db9::", ""),
            ("::", ""),
        ] {
            let value = places.of(address(text));
            let name = if value == 0 { String::new() } else { places.name(value) };
            assert_eq!(name, expected, "{text} with {bits} bits");
        }
        assert_eq!((places.values.len(), places.built_s()), (5, 1_795_392_000));
    }
}

#[test]
fn a_file_of_one_family_and_of_systems() {
    let rows = [("192.0.2.0/24", Said::System(64_500)), ("0.0.0.0/1", Said::System(4_200_000_000))];
    let places = Places::read(&database(28, 4, &[rows[1], rows[0]]), Wanted::System).unwrap();
    assert_eq!(places.name(places.of(address("192.0.2.9"))), "AS64500");
    assert_eq!(places.of(address("127.0.0.1")), 4_200_000_000);
    // Its bits are not those of a file of IPv4.
    assert_eq!(places.of(address("2001:db8::1")), 0);
    assert_eq!(places.of(address("::")), 0);
    assert!(format!("{places:?}").len() < 100 && places.bytes() > 100);
}

#[test]
fn what_is_no_such_file_is_refused() {
    let good = database(24, 6, &ROWS);
    let tree = good.windows(2).position(|pair| pair == b"\xe2\x49").unwrap();
    let changed = |find: &[u8], put: &[u8]| {
        let at = good.windows(find.len()).rposition(|part| part == find).unwrap_or_else(|| panic!("{find:?}"));
        [&good[..at], put, &good[at + find.len()..]].concat()
    };
    for (bytes, expected) in [
        (Vec::new(), PlacesError::OtherForm),
        (b"\xab\xcd\xefMaxMind.com".to_vec(), PlacesError::Malformed),
        ([good.as_slice(), &[0; 200_000]].concat(), PlacesError::OtherForm),
        (changed(b"record_size\xa1\x18", b"record_size\xa1\x19"), PlacesError::OtherVersion),
        (changed(b"major_version\xa1\x02", b"major_version\xa1\x03"), PlacesError::OtherVersion),
        (changed(b"ip_version\xa1\x06", b"ip_version\xa1\x05"), PlacesError::OtherVersion),
        (changed(b"build_epoch", b"build_epoxx"), PlacesError::Malformed),
        // More nodes than there are bytes, and more than there may be.
        (changed(b"node_count\xc1", b"node_count\xc4\x7f\xff\xff"), PlacesError::TooLarge),
        (changed(b"\x42NO", b"\x42no"), PlacesError::Malformed),
        (changed(b"\x42NO", b"\x5eNO"), PlacesError::Malformed),
        // A byte in the gap.
        ([&good[..tree - 2], b"\x01", &good[tree - 1..]].concat(), PlacesError::Malformed),
        (database(24, 6, &[("192.0.2.0/24", Said::Nothing)]), PlacesError::NothingWanted),
        (database(24, 6, &[("192.0.2.0/24", Said::System(7))]), PlacesError::NothingWanted),
    ] {
        assert_eq!(Places::read(&bytes, Wanted::Country).err(), Some(expected), "{} bytes", bytes.len());
    }
    assert_eq!(Places::read(&good, Wanted::System).err(), Some(PlacesError::NothingWanted));
}

/// Good files of each kind with some bytes changed, and cut off.
#[test]
fn fuzz_smoke_places() {
    let (mut rolled, mut read) = (7, 0);
    let mut below = |bound: usize| {
        rolled += 1;
        usize::try_from(mix(rolled) % bound as u64).unwrap()
    };
    let systems = [("192.0.2.0/24", Said::System(64_500)), ("198.51.100.0/24", Said::System(7))];
    let good = [database(24, 6, &ROWS), database(28, 6, &ROWS), database(32, 4, &systems), database(28, 4, &systems)];
    for round in 0..2_000 {
        let mut bytes = good[round % 4].clone();
        // Heads of data and of the description, and the tree: the rest are long texts.
        for _ in 0..=below(3) {
            let length = bytes.len();
            let at = if below(2) == 0 { below(3_000.min(length)) } else { length - 1 - below(900.min(length)) };
            bytes[at] = u8::try_from(below(256)).unwrap();
        }
        if below(4) == 0 {
            bytes.truncate(below(bytes.len()));
        }
        read += usize::from(crate::fuzz::places(&bytes));
    }
    assert!(read > 100, "{read} of 2,000 could be read");
    // Loops among nodes, pointers to pointers, a map of more than there is, and nothing.
    for bytes in [
        &b""[..],
        b"\xab\xcd\xefMaxMind.com\xe0",
        b"\xab\xcd\xefMaxMind.com\xff\xff\xff\xff",
        b"\xab\xcd\xefMaxMind.com\x20\x00",
    ] {
        assert!(!crate::fuzz::places(bytes));
    }
}
