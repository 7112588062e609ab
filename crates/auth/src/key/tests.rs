//! Rows and properties of API keys.

use super::{ENTROPY_BYTES, KeyDigest, KeyError, KeyRecord, KeyText, Pepper, Refused, find_all};
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
        id: key.id().to_owned(),
        digest: KeyDigest::from_bytes(*pepper.digest(key).as_bytes()),
        owner: "ada".to_owned(),
        scopes: Vec::new(),
        roles: Vec::new(),
        expires_at: Some(1000),
        revoked_at: None,
        apis: vec!["orders".to_owned()],
        networks: vec![(address("10.1.0.0"), 16), (address("2001:db8::"), 32)],
    }
}

#[test]
fn a_key_opens_its_own_door_only() {
    let pepper = Pepper::new([3; 32]);
    let key = key(1);
    let record = record(&key, &pepper);
    let admits = |record: &KeyRecord, api, from, now| record.admits(&pepper, &key, api, address(from), now);
    assert_eq!(admits(&record, "orders", "10.1.255.9", 999), Ok(()));
    assert_eq!(admits(&record, "orders", "::ffff:10.1.2.3", 999), Ok(()));
    assert_eq!(admits(&record, "orders", "2001:db8:ffff::1", 999), Ok(()));
    assert_eq!(admits(&record, "orders", "10.2.0.1", 999), Err(Refused::Network));
    assert_eq!(admits(&record, "orders", "2001:db9::1", 999), Err(Refused::Network));
    assert_eq!(admits(&record, "billing", "10.1.0.1", 999), Err(Refused::Api));
    assert_eq!(admits(&record, "orders", "10.1.0.1", 1000), Err(Refused::Expired));
    let revoked = KeyRecord { revoked_at: Some(5), ..record.clone() };
    assert_eq!(admits(&revoked, "orders", "10.1.0.1", 1), Err(Refused::Revoked));
    let everywhere = KeyRecord { networks: vec![(address("0.0.0.0"), 0)], ..record.clone() };
    assert_eq!(admits(&everywhere, "orders", "192.0.2.1", 1), Ok(()));
    let nonsense = KeyRecord { networks: vec![(address("10.1.0.0"), 33)], ..record.clone() };
    assert_eq!(admits(&nonsense, "orders", "10.1.0.0", 1), Err(Refused::Network));
    let others = Pepper::new([4; 32]);
    assert_eq!(record.admits(&others, &key, "orders", address("10.1.0.1"), 1), Err(Refused::Secret));
}

#[test]
fn a_digest_belongs_to_its_id() {
    let pepper = Pepper::new([3; 32]);
    let mut entropy = [1u8; ENTROPY_BYTES];
    let one = KeyText::mint("pk", &entropy).unwrap();
    entropy[0] = 2;
    let other = KeyText::mint("pk", &entropy).unwrap();
    assert_ne!(pepper.digest(&one), pepper.digest(&other));
}

#[test]
fn leaked_keys_are_found_in_a_dump() {
    let (a, b) = (key(1), key(2));
    let broken = b.reveal().replace('_', "-");
    let dump = format!("export KEY={}\n\"pk_not_a_key\" {broken} x{}y pk", a.reveal(), b.reveal());
    let found: Vec<String> = find_all("pk", &dump).map(|key| key.id().to_owned()).collect();
    assert_eq!(found, [a.id(), b.id()]);
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
        assert!(find_all("p", &text).count() <= text.len());
    }
}
