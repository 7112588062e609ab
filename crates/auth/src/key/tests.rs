//! Rows and properties of API keys.

use super::{
    Door, ENTROPY_BYTES, KeyError, KeyRecord, KeyText, LeakScan, Pepper, Peppers, RecordError, Refused, StoredKey,
};
use proptest::prelude::{any, proptest};
use std::net::IpAddr;

fn key(seed: u8) -> KeyText {
    KeyText::mint("pk", &[seed; ENTROPY_BYTES]).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_key_has_its_form_and_prints_its_id_only() {
    let key = key(7);
    let text = key.reveal();
    assert_eq!(text.len(), 2 + 1 + 11 + 1 + 43 + 1 + 6);
    assert_eq!(text.split('_').count(), 4);
    assert_eq!(format!("{key:?}"), format!("KeyText({})", key.id()));
    assert_eq!(KeyText::parse("pk", text), Ok(key));
}

#[test]
fn texts_that_are_no_keys_are_known_without_a_look_up() {
    let good = key(9).reveal().to_owned();
    let mut wrong = good.clone();
    let last = wrong.pop().unwrap();
    wrong.push(if last == '0' { '1' } else { '0' });
    for (text, error) in [
        (wrong.as_str(), KeyError::Checksum),
        (&good.replacen("pk_", "sk_", 1), KeyError::Prefix),
        (&good[1..], KeyError::Prefix),
        ("", KeyError::Prefix),
        ("pk_", KeyError::Form),
        (&good[..good.len() - 1], KeyError::Form),
        (&format!("{good}0"), KeyError::Form),
        (&good.replacen('_', "-", 3), KeyError::Prefix),
        (&format!("pk_{}", "_".repeat(62)), KeyError::Form),
        (&format!("pk_{}", "é".repeat(31)), KeyError::Form),
    ] {
        assert_eq!(KeyText::parse("pk", text), Err(error), "{text}");
    }
    for prefix in ["", "PK", "p_k", "a-b", "seventeenletterss"] {
        assert_eq!(KeyText::mint(prefix, &[1; ENTROPY_BYTES]), Err(KeyError::Prefix), "{prefix}");
    }
}

fn record(key: &KeyText, pepper: &Pepper) -> KeyRecord {
    KeyRecord {
        expires_at: Some(1000),
        scopes: vec!["read".to_owned(), "write".to_owned()],
        roles: vec!["clerk".to_owned()],
        apis: vec!["orders".to_owned()],
        networks: vec!["10.1.0.0/16".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        ..KeyRecord::new(key, pepper, "ada", 500)
    }
}

fn peppers(seed: u8) -> Peppers {
    Peppers::new(Pepper::new(2, [seed; 32]), vec![Pepper::new(1, [9; 32])])
}

fn admits(record: &KeyRecord, peppers: &Peppers, key: &KeyText, door: (&str, &str, u64)) -> Result<(), Refused> {
    let bytes = record.encode().unwrap();
    let (api, from, now) = door;
    StoredKey::read(&bytes).unwrap().admits(peppers, key, Door { api, address: address(from), now })
}

#[test]
fn a_key_opens_its_own_door_only() {
    let peppers = peppers(3);
    let key = key(1);
    let record = record(&key, peppers.current());
    let check = |record: &KeyRecord, api, from, now| admits(record, &peppers, &key, (api, from, now));
    assert_eq!(check(&record, "orders", "10.1.255.9", 999), Ok(()));
    assert_eq!(check(&record, "orders", "::ffff:10.1.2.3", 999), Ok(()));
    assert_eq!(check(&record, "orders", "2001:db8:ffff::1", 999), Ok(()));
    assert_eq!(check(&record, "orders", "10.2.0.1", 999), Err(Refused::Network));
    assert_eq!(check(&record, "billing", "10.1.0.1", 999), Err(Refused::Api));
    assert_eq!(check(&record, "orders", "10.1.0.1", 1000), Err(Refused::Expired));
    let revoked = KeyRecord { revoked_at: Some(5), ..record.clone() };
    assert_eq!(check(&revoked, "orders", "10.1.0.1", 1), Err(Refused::Revoked));
    let everywhere = KeyRecord { networks: Vec::new(), apis: Vec::new(), expires_at: None, ..record.clone() };
    assert_eq!(check(&everywhere, "billing", "192.0.2.1", u64::MAX - 1), Ok(()));
}

#[test]
fn a_secret_is_compared_before_anything_else_is_told() {
    let (key, other) = (key(1), self::key(2));
    let mine = peppers(3);
    let revoked = KeyRecord { revoked_at: Some(5), ..record(&key, mine.current()) };
    assert_eq!(admits(&revoked, &mine, &other, ("orders", "10.1.0.1", 1)), Err(Refused::Secret));
    assert_eq!(admits(&revoked, &peppers(4), &key, ("orders", "10.1.0.1", 1)), Err(Refused::Secret));
}

#[test]
fn hashing_keys_rotate_and_a_lost_one_opens_nothing() {
    let key = key(1);
    let before = Pepper::new(1, [9; 32]);
    let record = KeyRecord::new(&key, &before, "ada", 1);
    assert_eq!(admits(&record, &peppers(3), &key, ("orders", "10.1.0.1", 1)), Ok(()));
    let lost = Peppers::new(Pepper::new(2, [3; 32]), Vec::new());
    assert_eq!(admits(&record, &lost, &key, ("orders", "10.1.0.1", 1)), Err(Refused::Pepper));
    assert_eq!(format!("{lost:?}"), "Peppers { current: Pepper(2), earlier: [] }");
}

#[test]
fn a_rotated_key_overlaps_with_its_successor() {
    let peppers = peppers(3);
    let (old_key, new_key) = (key(1), key(2));
    let mut old = KeyRecord { expires_at: None, ..record(&old_key, peppers.current()) };
    let mut new = KeyRecord::new(&new_key, peppers.current(), "", 2000);
    new.replace(&mut old, 2000, 300);
    let check = |record: &KeyRecord, key, now| admits(record, &peppers, key, ("orders", "10.1.0.1", now));
    assert_eq!((new.consumer.as_str(), &new.scopes, &new.apis), ("ada", &old.scopes, &old.apis));
    assert_eq!(old.rotated_to, Some(new_key.number()));
    assert_eq!((check(&old, &old_key, 2299), check(&new, &new_key, 2299)), (Ok(()), Ok(())));
    assert_eq!((check(&old, &old_key, 2300), check(&new, &new_key, 2300)), (Err(Refused::Expired), Ok(())));
    // An overlap never makes a life longer.
    new.replace(&mut old, 2000, 9000);
    assert_eq!(old.expires_at, Some(2300));
}

#[test]
fn a_digest_belongs_to_its_id() {
    let pepper = Pepper::new(1, [3; 32]);
    let mut entropy = [1u8; ENTROPY_BYTES];
    let one = KeyText::mint("pk", &entropy).unwrap();
    entropy[0] = 2;
    let other = KeyText::mint("pk", &entropy).unwrap();
    assert_ne!(pepper.digest(&one), pepper.digest(&other));
}

#[test]
fn records_are_read_whole_or_not_at_all() {
    let key = key(1);
    let record = KeyRecord { rotated_to: Some(7), revoked_at: Some(8), ..record(&key, &Pepper::new(2, [3; 32])) };
    let bytes = record.encode().unwrap();
    assert_eq!(KeyRecord::decode(record.number, &bytes), Ok(record.clone()));
    for length in 1..bytes.len() {
        assert_eq!(KeyRecord::decode(1, &bytes[..length]), Err(RecordError::Malformed), "{length}");
    }
    assert_eq!(KeyRecord::decode(1, &[]), Err(RecordError::Malformed));
    assert_eq!(KeyRecord::decode(1, &[&bytes[..], &[0]].concat()), Err(RecordError::Malformed));
    assert_eq!(KeyRecord::decode(1, &[&[2], &bytes[1..]].concat()), Err(RecordError::Version));
    let long = KeyRecord { consumer: "a".repeat(256), ..record.clone() };
    assert_eq!(long.encode(), Err(RecordError::TooLong));
    let many = KeyRecord { scopes: vec!["a".to_owned(); 256], ..record.clone() };
    assert_eq!(many.encode(), Err(RecordError::TooLong));
    let widest = KeyRecord { scopes: vec!["a".repeat(255); 255], ..record };
    assert_eq!(KeyRecord::decode(widest.number, &widest.encode().unwrap()), Ok(widest));
}

#[test]
fn leaked_keys_are_found_in_a_dump_however_it_is_cut() {
    let (a, b) = (key(1), key(2));
    let broken = b.reveal().replace('_', "-");
    let dump = format!("export KEY={}\n\"pk_not_a_key\" {broken} pk_{}y pk", a.reveal(), b.reveal());
    let mut dump = dump.into_bytes();
    dump.splice(0..0, [0xff, 0xfe, b'p', b'k', b'_']);
    for size in [1, 2, 7, 64, 65, 66, 67, 1000] {
        let mut scan = LeakScan::new("pk");
        let mut found = Vec::new();
        for piece in dump.chunks(size) {
            scan.feed(piece, &mut |key| found.push(key.id().to_owned()));
        }
        assert_eq!(found, [a.id(), b.id()], "{size}");
    }
}

#[test]
fn ids_are_numbers() {
    let key = key(5);
    assert_eq!(KeyText::id_of(key.number()), key.id());
    assert_eq!(KeyText::number_of(key.id()), Some(key.number()));
    assert_eq!(KeyText::number_of(&KeyText::id_of(u64::MAX)), Some(u64::MAX));
    for id in ["", "zzzzzzzzzzz", "0000000000", "000000000000", "0000000000_"] {
        assert_eq!(KeyText::number_of(id), None, "{id}");
    }
}

proptest! {
    #[test]
    fn every_key_is_recognised_and_no_changed_one_is(entropy in any::<[u8; 32]>(), at in 0usize..66, to in 0usize..62) {
        let mut whole = [0u8; ENTROPY_BYTES];
        whole[..32].copy_from_slice(&entropy);
        let key = KeyText::mint("pk", &whole).expect("a good prefix");
        let text = key.reveal().to_owned();
        assert_eq!(KeyText::parse("pk", &text), Ok(key));
        let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut changed = text.clone().into_bytes();
        let at = at.min(changed.len() - 1);
        changed[at] = digits[to];
        let changed = String::from_utf8(changed).expect("ASCII");
        if changed != text {
            assert!(KeyText::parse("pk", &changed).is_err());
        }
    }

    #[test]
    fn no_text_panics(text in ".{0,100}") {
        let _verdict = KeyText::parse("pk", &text);
        let mut count = 0;
        LeakScan::new("p").feed(text.as_bytes(), &mut |_| count += 1);
        assert_eq!(count, 0);
    }

    #[test]
    fn no_bytes_panic_as_a_record(bytes in proptest::collection::vec(any::<u8>(), 0..200), version in 0u8..3) {
        let mut whole = vec![version];
        whole.extend_from_slice(&bytes);
        if let Ok(record) = KeyRecord::decode(1, &whole) {
            assert_eq!(record.encode().as_deref(), Ok(&whole[..]), "one form for one record");
        }
    }
}
