//! A log that is harmed: every harm is found, and told where it is; what was written before it can still be read.

use super::life::{files, restore};
use super::{Place, add, key, log, look, numbers};
use crate::{DamageKind, Expected, verify};
use std::fs;

/// Harms a log of several segments at each byte, and looks whether the line is told in which that byte stands.
fn harmed(harm: impl Fn(&mut Vec<u8>, usize) -> bool) {
    let place = Place::new();
    let log = log(&place);
    (0..5).for_each(|number| add(&log, number));
    let (whole, records) = look(place.path(), 1);
    assert!(whole.is_clean());
    let all = files(&place);
    let mut seq = 0;
    for (name, bytes) in all.iter().filter(|(name, _)| name.ends_with(".log")) {
        let mut lines = Vec::new();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            seq += 1;
            lines.extend(std::iter::repeat_n(seq, line.len()));
        }
        for (at, line) in lines.iter().enumerate() {
            let mut other = bytes.clone();
            if !harm(&mut other, at) {
                continue;
            }
            fs::write(place.path().join(name), &other).unwrap();
            let (report, left) = look(place.path(), 1);
            let first = report.damages.first().unwrap_or_else(|| panic!("{name}, byte {at} was not missed"));
            assert_eq!(first.after + 1, *line, "{name}, byte {at}: {first}");
            assert!(first.file.ends_with(name), "{name}, byte {at}: {first}");
            let before = records.iter().take_while(|record| record.seq < *line).count();
            assert_eq!(left.get(..before), records.get(..before), "{name}, byte {at}: something before it is lost");
        }
        fs::write(place.path().join(name), bytes).unwrap();
    }
    restore(&place, &all);
    assert!(look(place.path(), 1).0.is_clean());
}

#[test]
fn a_flipped_bit_in_any_byte_is_found_where_it_is() {
    // One bit of each byte, in turn.
    harmed(|bytes, at| {
        bytes[at] ^= 1 << (at % 8);
        true
    });
}

#[test]
fn every_cut_is_found_where_it_is() {
    harmed(|bytes, at| {
        bytes.truncate(at);
        true
    });
}

#[test]
fn every_line_that_is_taken_out_is_found() {
    harmed(|bytes, at| {
        let begins = at == 0 || bytes[at - 1] == b'\n';
        if begins {
            let length = bytes[at..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
            bytes.drain(at..at + length);
        }
        begins
    });
}

#[test]
fn a_flipped_bit_in_any_byte_of_the_head_is_found() {
    let place = Place::new();
    let log = log(&place);
    (0..4).for_each(|number| add(&log, number));
    let head = fs::read(place.path().join("head")).unwrap();
    for at in 0..head.len() {
        let mut other = head.clone();
        other[at] ^= 1 << (at % 8);
        fs::write(place.path().join("head"), &other).unwrap();
        let (report, records) = look(place.path(), 1);
        assert!(!report.is_clean(), "byte {at}");
        assert!(numbers(&records).starts_with(&[0, 1, 2]), "byte {at}");
    }
    for length in 0..head.len() {
        fs::write(place.path().join("head"), &head[..length]).unwrap();
        assert!(!look(place.path(), 1).0.is_clean(), "{length} bytes");
    }
}

#[test]
fn without_its_head_a_log_goes_on_and_says_so() {
    let place = Place::new();
    let log = log(&place);
    (0..4).for_each(|number| add(&log, number));
    fs::remove_file(place.path().join("head")).unwrap();
    assert_eq!(look(place.path(), 1).0.damages[0].kind, DamageKind::Head);
    add(&log, 4);
    let (report, records) = look(place.path(), 1);
    assert_eq!(report.damages.iter().map(|damage| damage.kind).collect::<Vec<_>>(), [DamageKind::Told]);
    assert_eq!(numbers(&records), [0, 1, 2, 3, 4]);
}

#[test]
fn a_log_that_was_cut_goes_on_behind_the_cut() {
    let place = Place::new();
    let log = log(&place);
    (0..4).for_each(|number| add(&log, number));
    let (name, bytes) = files(&place).into_iter().rfind(|(name, _)| name.ends_with(".log")).unwrap();
    fs::write(place.path().join(&name), &bytes[..bytes.len() / 2]).unwrap();
    add(&log, 4);
    add(&log, 5);
    let (report, records) = look(place.path(), 1);
    assert!(!report.is_clean());
    assert!(numbers(&records).ends_with(&[4, 5]), "{records:?}");
    let told = report.damages.iter().find(|damage| damage.kind == DamageKind::Told).unwrap();
    // What came after can be looked at by itself.
    let after = records.iter().find(|record| record.seq > told.after).unwrap().seq;
    assert!(look(place.path(), after + 1).0.damages.iter().all(|damage| damage.after > after), "{report:?}");
}

/// Whoever can write but has no key makes the chain anew; only the seals tell.
#[test]
fn a_chain_made_anew_has_no_seals() {
    let (place, other) = (Place::new(), Place::new());
    let forger = crate::AuditLog::open(other.path(), key(2)).unwrap();
    add(&log(&place), 0);
    add(&forger, 7);
    restore(&place, &files(&other));
    let (report, _) = look(place.path(), 1);
    let kinds: Vec<_> = report.damages.iter().map(|damage| damage.kind).collect();
    assert_eq!(kinds, [DamageKind::Stranger, DamageKind::Unsealed]);
    assert_eq!(report.sealed, None);
    let keys = [key(2).public().unwrap()];
    let expected = Expected { keys: &keys, from: 1, anchors: &[] };
    assert!(verify(place.path(), expected, &mut |_| {}).unwrap().is_clean(), "and to the forger it is his own");
}
