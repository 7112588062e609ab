//! A log that nobody harms: what is added is there, in order, whoever adds and whenever a process dies.

use super::{Place, add, key, log, look, numbers};
use crate::{Anchor, AuditLog, AuditLogError, DamageKind, Entry, Expected, PAYLOAD_BYTES_MAX, verify};
use std::fs;

#[test]
fn what_is_added_is_there_over_several_segments() {
    let place = Place::new();
    let log = log(&place);
    for number in 0..20 {
        add(&log, number);
    }
    let (report, records) = look(place.path(), 1);
    assert!(report.is_clean(), "{:?}", report.damages);
    assert_eq!(numbers(&records), (0..20).collect::<Vec<_>>());
    assert!(fs::read_dir(place.path()).unwrap().count() > 3, "there were several segments");
    assert_eq!((report.first, report.checkpoints), (Some(1), 20));
    assert_eq!(report.sealed, report.last);
    let record = records.iter().find(|record| record.kind == "key.created").unwrap();
    assert_eq!((record.at.as_str(), record.actor.as_str()), ("2026-11-23T21:50:45.000Z", "uid:0"));
}

#[test]
fn several_processes_add_to_one_log() {
    let place = Place::new();
    let path = place.path().to_owned();
    std::thread::scope(|scope| {
        for writer in 0..4u64 {
            let path = &path;
            scope.spawn(move || {
                let log = AuditLog::open(path, key(1)).unwrap();
                (0..10).for_each(|number| add(&log, writer * 100 + number));
            });
        }
    });
    let (report, records) = look(&path, 1);
    assert!(report.is_clean(), "{:?}", report.damages);
    let mut found = numbers(&records);
    found.sort_unstable();
    let wanted: Vec<u64> = (0..4).flat_map(|writer| (0..10).map(move |number| writer * 100 + number)).collect();
    assert_eq!(found, wanted);
}

/// Every state in which a process that is killed can leave the files: the segment may have any part of what was written last,
/// the head only what was acknowledged before.
#[test]
fn a_death_at_any_byte_loses_nothing_that_was_acknowledged() {
    let place = Place::new();
    for rounds in [1, 3] {
        let log = log(&place);
        fs::remove_dir_all(place.path()).ok();
        fs::create_dir_all(place.path()).unwrap();
        (0..rounds).for_each(|number| add(&log, number));
        let before = files(&place);
        add(&log, 99);
        let after = files(&place);
        let (name, whole) = after.iter().filter(|(name, _)| name.ends_with(".log")).max().unwrap();
        let had = before.iter().find(|(other, _)| *other == name).map_or(0, |(_, bytes)| bytes.len());
        for cut in had..=whole.len() {
            restore(&place, &before);
            fs::write(place.path().join(name), &whole[..cut]).unwrap();
            let (report, records) = look(place.path(), 1);
            assert_eq!(numbers(&records), (0..rounds).collect::<Vec<_>>(), "{cut}");
            assert!(report.damages.iter().all(|damage| damage.kind == DamageKind::Unfinished), "{:?}", report.damages);
            add(&log, 100);
            let (report, records) = look(place.path(), 1);
            assert!(report.is_clean(), "cut at {cut} of {}: {:?}", whole.len(), report.damages);
            let found = numbers(&records);
            let expected: Vec<u64> = (0..rounds).chain((cut == whole.len()).then_some(99)).chain([100]).collect();
            assert_eq!(found, expected, "cut at {cut}");
        }
    }
}

#[test]
fn lines_that_somebody_else_put_behind_the_head_are_not_sealed() {
    let place = Place::new();
    let ours = log(&place);
    add(&ours, 0);
    let before = files(&place);
    // Another key writes the next lines, and the head is put back.
    add(&AuditLog::open(place.path(), key(2)).unwrap(), 66);
    let head = before.iter().find(|(name, _)| *name == "head").unwrap();
    fs::write(place.path().join("head"), head.1).unwrap();
    add(&ours, 1);
    let (report, records) = look(place.path(), 1);
    assert!(report.is_clean(), "{:?}", report.damages);
    assert_eq!(numbers(&records), [0, 1]);
    let aside = String::from_utf8(fs::read(place.path().join("unfinished")).unwrap()).unwrap();
    assert!(aside.contains("\"number\":66"), "{aside}");
}

#[test]
fn what_is_too_long_is_refused_and_leaves_nothing() {
    let place = Place::new();
    let log = log(&place);
    add(&log, 0);
    let long = Entry::new("key.created", "uid:0").with("text", "x".repeat(PAYLOAD_BYTES_MAX));
    assert!(matches!(log.add(0, &[long]), Err(AuditLogError::TooLong(_))));
    add(&log, 1);
    let (report, records) = look(place.path(), 1);
    assert_eq!((report.is_clean(), numbers(&records)), (true, vec![0, 1]));
}

#[test]
fn an_older_copy_is_found_by_an_anchor() {
    let place = Place::new();
    let log = log(&place);
    add(&log, 0);
    let old = files(&place);
    let anchor: Anchor = log.add(0, &[Entry::new("key.revoked", "uid:0")]).unwrap().to_string().parse().unwrap();
    let keys = [key(1).public().unwrap()];
    let with =
        |anchors: &[Anchor]| verify(place.path(), Expected { keys: &keys, from: 1, anchors }, &mut |_| {}).unwrap();
    assert!(with(&[anchor]).is_clean());
    restore(&place, &old);
    assert!(with(&[]).is_clean(), "nothing in it tells");
    assert_eq!(with(&[anchor]).damages.iter().map(|damage| damage.kind).collect::<Vec<_>>(), [DamageKind::Anchor]);
    // Another line in its place is another line.
    log.add(0, &[Entry::new("key.created", "uid:0")]).unwrap();
    assert_eq!(with(&[anchor]).damages.iter().map(|damage| damage.kind).collect::<Vec<_>>(), [DamageKind::Anchor]);
}

#[test]
fn older_segments_may_be_moved_away_by_whoever_says_so() {
    let place = Place::new();
    let log = log(&place);
    (0..20).for_each(|number| add(&log, number));
    let mut names: Vec<_> = files(&place).into_keys().filter(|name| name.ends_with(".log")).collect();
    names.sort();
    let second: u64 = names[1].trim_end_matches(".log").parse().unwrap();
    fs::remove_file(place.path().join(&names[0])).unwrap();
    let (report, _) = look(place.path(), 1);
    assert_eq!(report.damages.first().map(|damage| damage.kind), Some(DamageKind::Missing));
    let (report, records) = look(place.path(), second);
    assert!(report.is_clean(), "{:?}", report.damages);
    assert_eq!(records.first().map(|record| record.seq), Some(second));
}

type Files = std::collections::BTreeMap<String, Vec<u8>>;

pub(super) fn files(place: &Place) -> Files {
    let entries = fs::read_dir(place.path()).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

pub(super) fn restore(place: &Place, files: &Files) {
    fs::remove_dir_all(place.path()).unwrap();
    fs::create_dir_all(place.path()).unwrap();
    for (name, bytes) in files {
        fs::write(place.path().join(name), bytes).unwrap();
    }
}
