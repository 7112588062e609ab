//! Keys: the hash is the one that was published, parts stay apart, and addresses count as networks.

use super::{Key, KeyHasher, Prefixes};
use portcullis_types::siphash::SipHash;
use std::collections::HashSet;

fn hasher() -> KeyHasher {
    KeyHasher::new([7; 16], Prefixes::default())
}

fn of_address(text: &str) -> Key {
    hasher().key().address(text.parse().unwrap()).finish()
}

/// The first vectors of the reference implementation: key 00..0f, input 00..(n-1).
#[test]
fn the_hash_is_siphash_2_4_128() {
    let key: [u8; 16] = std::array::from_fn(|i| u8::try_from(i).unwrap());
    let (k0, k1) = key.split_at(8);
    let start = SipHash::new(u64::from_le_bytes(k0.try_into().unwrap()), u64::from_le_bytes(k1.try_into().unwrap()));
    let expected = ["a3817f04ba25a8e66df67214c7550293", "da87c1d86b99af44347659119b22fc45"];
    for (length, hex) in expected.iter().enumerate() {
        let mut hash = start;
        hash.write(&key[..length]);
        let out: String = hash.finish().to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(&out, hex, "{length} bytes");
    }
}

#[test]
fn writing_in_pieces_is_writing_at_once() {
    let bytes: Vec<u8> = (0..=63).collect();
    let mut whole = SipHash::new(1, 2);
    whole.write(&bytes);
    for cut in 0..bytes.len() {
        let mut pieces = SipHash::new(1, 2);
        pieces.write(&bytes[..cut]);
        pieces.write(&bytes[cut..]);
        assert_eq!(pieces.finish(), whole.finish(), "cut at {cut}");
    }
}

#[test]
fn parts_do_not_run_into_each_other() {
    let keys: HashSet<Key> = [
        hasher().key().part(b"ab").part(b"c").finish(),
        hasher().key().part(b"a").part(b"bc").finish(),
        hasher().key().part(b"abc").finish(),
        hasher().key().part(b"abc").part(b"").finish(),
        hasher().key().part(b"abc\0").finish(),
        hasher().key().finish(),
        KeyHasher::new([8; 16], Prefixes::default()).key().part(b"abc").finish(),
    ]
    .into();
    assert_eq!(keys.len(), 7);
}

#[test]
fn an_address_counts_as_its_network() {
    assert_eq!(of_address("2001:db8:1:2::1"), of_address("2001:db8:1:2:ffff::9"));
    assert_ne!(of_address("2001:db8:1:2::1"), of_address("2001:db8:1:3::1"));
    assert_ne!(of_address("192.0.2.1"), of_address("192.0.2.2"));
    assert_eq!(of_address("192.0.2.1"), of_address("::ffff:192.0.2.1"), "one client, one account");
}

#[test]
fn prefixes_out_of_range_neither_panic_nor_widen() {
    for (v4_bits, v6_bits, expected) in
        [(0, 0, "0.0.0.0"), (24, 48, "192.0.2.0"), (32, 64, "192.0.2.9"), (255, 255, "192.0.2.9")]
    {
        let network = Prefixes { v4_bits, v6_bits }.network("192.0.2.9".parse().unwrap());
        assert_eq!(network.to_string(), expected, "/{v4_bits}");
    }
    let whole = Prefixes { v4_bits: 32, v6_bits: 255 }.network("2001:db8::1".parse().unwrap());
    assert_eq!(whole.to_string(), "2001:db8::1");
}

#[test]
fn nothing_prints_the_secret() {
    let shown = format!("{:?} {:?}", hasher(), hasher().key().part(b"alice"));
    assert!(!shown.contains("v0") && !shown.contains("alice"), "{shown}");
}

#[test]
fn no_key_is_nought() {
    assert_eq!(Key::from_hash(0).bits(), 1);
    assert_eq!(Key::from_hash(1 << 64).tag(), 1);
}
