//! The store in rows: what is kept, what other processes see, what is refused.

use crate::{LastUsed, Mirror, PepperFile, Refreshed, SigningFile, Store, StoreError};
use portcullis_auth::key::{Door, ENTROPY_BYTES, KeyRecord, KeyText, Pepper, Peppers, Refused};
use portcullis_auth::revocation::{Revocation, RevokedBy, TokenNames};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that is gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("portcullis-store-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn store(&self) -> Store {
        Store::open(&self.0.join("keys.redb")).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn key(seed: u32) -> KeyText {
    let mut entropy = [7u8; ENTROPY_BYTES];
    entropy[..4].copy_from_slice(&seed.wrapping_mul(0x9e37_79b9).to_be_bytes());
    entropy[4..8].copy_from_slice(&seed.to_be_bytes());
    KeyText::mint("pk", &entropy).unwrap()
}

fn pepper() -> Pepper {
    Pepper::new(1, [3; 32])
}

fn record(seed: u32) -> KeyRecord {
    KeyRecord::new(&key(seed), &pepper(), "ada", 1000)
}

fn mirror(store: &Store) -> Mirror {
    Mirror::load(store, Peppers::new(pepper(), Vec::new())).unwrap()
}

fn opens(mirror: &Mirror, seed: u32, now: u64) -> Result<String, Refused> {
    let door = Door { api: "orders", address: "192.0.2.1".parse().unwrap(), now };
    mirror.identify(&key(seed), door).map(|found| found.consumer)
}

#[test]
fn keys_live_from_creation_to_revocation() {
    let folder = Folder::new();
    let store = folder.store();
    let mirror = mirror(&store);
    assert_eq!(opens(&mirror, 1, 2000), Err(Refused::Unknown));
    store.create([record(1), record(2)]).unwrap();
    assert_eq!(mirror.refresh(&store).unwrap(), Refreshed::Changes(2));
    assert_eq!(opens(&mirror, 1, 2000).as_deref(), Ok("ada"));
    let before = mirror.generation();
    assert_eq!(mirror.refresh(&store).unwrap(), Refreshed::Unchanged);
    assert_eq!(mirror.generation(), before);
    assert_eq!(store.revoke(&[key(1).number(), key(9).number()], 2000).unwrap().len(), 1);
    assert_eq!(mirror.refresh(&store).unwrap(), Refreshed::Changes(1));
    assert_ne!(mirror.generation(), before);
    assert_eq!(opens(&mirror, 1, 2000), Err(Refused::Revoked));
    assert_eq!(opens(&mirror, 2, 2000).as_deref(), Ok("ada"));
    assert!(store.revoke(&[key(1).number()], 3000).unwrap().is_empty(), "the first revocation stands");
    assert_eq!(store.key(key(1).number()).unwrap().record.revoked_at, Some(2000));
    assert!(matches!(store.create([record(3), record(2)]), Err(StoreError::Exists)));
    assert_eq!(store.len().unwrap(), 2, "all or none");
    assert!(matches!(store.change(key(9).number(), |_| ()), Err(StoreError::UnknownKey)));
}

#[test]
fn a_rotated_key_overlaps() {
    let folder = Folder::new();
    let store = folder.store();
    store.create([record(1)]).unwrap();
    let mirror = mirror(&store);
    store.rotate(key(1).number(), record(2), 2000, 60).unwrap();
    mirror.refresh(&store).unwrap();
    assert_eq!((opens(&mirror, 1, 2059).is_ok(), opens(&mirror, 2, 2059).is_ok()), (true, true));
    assert_eq!((opens(&mirror, 1, 2060), opens(&mirror, 2, 2060).is_ok()), (Err(Refused::Expired), true));
}

#[test]
fn another_handle_on_the_file_is_followed() {
    let folder = Folder::new();
    let (gateway, command) = (folder.store(), folder.store());
    let mirror = mirror(&gateway);
    command.create([record(1)]).unwrap();
    assert_eq!(mirror.refresh(&gateway).unwrap(), Refreshed::Changes(1));
    assert!(opens(&mirror, 1, 2000).is_ok());
    gateway.revoke(&[key(1).number()], 2000).unwrap();
    assert_eq!(command.key(key(1).number()).unwrap().record.revoked_at, Some(2000));
    drop(command);
    let later = folder.store();
    assert_eq!(later.len().unwrap(), 1);
}

#[test]
fn a_mirror_that_is_far_behind_reads_everything() {
    let folder = Folder::new();
    let store = folder.store();
    store.create([record(0)]).unwrap();
    let mirror = mirror(&store);
    store.create((1..=10_001).map(record)).unwrap();
    store.revoke(&[key(0).number()], 5).unwrap();
    assert_eq!(mirror.refresh(&store).unwrap(), Refreshed::Everything);
    assert_eq!(mirror.size().0, 10_002);
    assert_eq!(opens(&mirror, 0, 2000), Err(Refused::Revoked));
    assert!((1..=10_001).all(|seed| opens(&mirror, seed, 2000).is_ok()));
    assert_eq!(store.list(0, 3).unwrap().len(), 3);
}

#[test]
fn tokens_are_revoked_at_once_and_forgotten_when_they_are_over() {
    let folder = Folder::new();
    let store = folder.store();
    let mirror = mirror(&store);
    let token = TokenNames { issuer: "a", token_id: Some("t"), subject: None, session: None, issued_at: Some(1) };
    let one = Revocation { by: RevokedBy::TokenId, issuer: "a".into(), name: "t".into(), revoked_at: 5, until: 100 };
    store.revoke_tokens(&[one], 5).unwrap();
    mirror.refresh(&store).unwrap();
    assert!(mirror.revocations().covers(token));
    store.revoke_tokens(&[], 100).unwrap();
    mirror.refresh(&store).unwrap();
    assert!(mirror.revocations().is_empty());
}

#[test]
fn last_use_is_written_once_an_hour() {
    let folder = Folder::new();
    let store = folder.store();
    store.create([record(1)]).unwrap();
    let (id, mut used) = (key(1).number(), LastUsed::default());
    let generation = store.generation().unwrap();
    used.note(id, 7201);
    used.note(id, 7300);
    used.note(key(9).number(), 7300);
    store.note_used(&used.take(7400)).unwrap();
    assert_eq!(store.key(id).unwrap().last_used_at, Some(7200));
    used.note(id, 7500);
    assert!(used.take(7600).is_empty());
    used.note(id, 10_800);
    store.note_used(&used.take(10_900)).unwrap();
    store.note_used(&[(id, 1)]).unwrap();
    assert_eq!(store.key(id).unwrap().last_used_at, Some(10_800));
    assert_eq!(store.generation().unwrap(), generation, "nobody has to follow that");
}

#[test]
fn the_hashing_keys_have_a_file_of_their_own() {
    let folder = Folder::new();
    let path = folder.0.join("hash-keys");
    let file = PepperFile::new(&path);
    let first = file.open([1; 32]).unwrap();
    assert_eq!(file.open([2; 32]).unwrap().current().expose(), &[1; 32], "made once");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let second = file.rotate([2; 32]).unwrap();
    assert_eq!((first.current().number(), second.current().number()), (1, 2));
    assert_eq!(second.find(1).unwrap().expose(), &[1; 32]);
    let third = file.prune(|number| number == 2).unwrap();
    assert!(third.find(1).is_none());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(file.read(), Err(StoreError::Exposed(_, 0o640))));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    for text in ["", "# nothing\n", "1 00\n", "x ".repeat(40).as_str(), "1 ".repeat(9000).as_str()] {
        std::fs::write(&path, text).unwrap();
        assert!(matches!(file.open([1; 32]), Err(StoreError::Damaged(..))), "{text}");
    }
}

#[test]
fn each_signing_key_is_known_before_it_signs() {
    let folder = Folder::new();
    let path = folder.0.join("signing-keys");
    let file = SigningFile::new(&path);
    let fresh = |number: u8| [[number; 32], [number + 1; 32]];
    let first = file.open(fresh(1), 10_000, 100).unwrap();
    assert_eq!(first, [(100, [1; 32]), (10_100, [2; 32])]);
    assert_eq!(file.open(fresh(3), 10_000, 10_099).unwrap(), first, "made once");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let second = file.open(fresh(3), 10_000, 10_100).unwrap();
    assert_eq!(second, [(100, [1; 32]), (10_100, [2; 32]), (20_100, [4; 32])], "a turn, and another next key");
    let third = file.open(fresh(5), 10_000, 20_100).unwrap();
    assert_eq!(third, [(10_100, [2; 32]), (20_100, [4; 32]), (30_100, [6; 32])], "what signed last is still there");
    let late = file.open(fresh(7), 10_000, 900_000).unwrap();
    assert_eq!(late, [(30_100, [6; 32]), (910_000, [8; 32])], "after a long sleep the key that was announced signs");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(file.open(fresh(1), 1, 1), Err(StoreError::Exposed(_, 0o644))));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    for text in ["", "# nothing\n", "1 00\n", "x 1\n"] {
        std::fs::write(&path, text).unwrap();
        assert!(matches!(file.open(fresh(1), 1, 1), Err(StoreError::Damaged(..))), "{text}");
    }
}

#[test]
fn files_that_are_no_store_are_refused() {
    let folder = Folder::new();
    let path = folder.0.join("keys.redb");
    std::fs::write(&path, "not a database".repeat(1000)).unwrap();
    assert!(Store::open(&path).is_err());
    std::fs::remove_file(&path).unwrap();
    drop(folder.store());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Exposed(_, 0o644))));
}

#[test]
fn ids_that_are_not_random_are_found_as_well() {
    let index = crate::Index::default();
    let record = record(1).encode().unwrap();
    let ids: Vec<u64> = (0..2_000).map(|at| at * 3).chain([1 << 40, u64::MAX - 1]).collect();
    index.load(ids.iter().map(|id| (*id, record.clone())).collect()).unwrap();
    assert!(ids.iter().all(|id| index.with(*id, |_| ()).is_some()));
    assert!(ids.iter().all(|id| index.with(id + 1, |_| ()).is_none()));
    index.set(3, None).unwrap();
    index.set(4, Some(&record)).unwrap();
    let found: Vec<bool> = (2..7).map(|id| index.with(id, |_| ()).is_some()).collect();
    assert_eq!(found, [false, false, true, false, true]);
    assert_eq!(index.len(), ids.len());
    assert!(index.set(5, Some(&[0])).is_err());
    assert!(index.load(vec![(5, vec![1, 2])]).is_err());
    assert_eq!(index.len(), ids.len(), "a bad load changes nothing");
}

/// Where the other process finds the file.
const FILE: &str = "PORTCULLIS_STORE_TEST_FILE";

/// Runs itself again as the other process.
#[test]
#[expect(clippy::disallowed_methods, reason = "the environment is how one test process tells another what to do")]
fn two_processes_have_the_file_open() {
    if let Some(path) = std::env::var_os(FILE) {
        let store = Store::open(&PathBuf::from(path)).unwrap();
        assert_eq!(store.revoke(&[key(1).number()], 2000).unwrap().len(), 1);
        store.create([record(2)]).unwrap();
        return;
    }
    let folder = Folder::new();
    let store = folder.store();
    store.create([record(1)]).unwrap();
    let mirror = mirror(&store);
    assert!(opens(&mirror, 1, 2000).is_ok());
    let mut other = std::process::Command::new(std::env::current_exe().unwrap());
    let other = other.args(["--exact", "tests::two_processes_have_the_file_open"]);
    let outcome = other.env(FILE, folder.0.join("keys.redb")).output().unwrap();
    assert!(outcome.status.success(), "{}", String::from_utf8_lossy(&outcome.stdout));
    assert_eq!(mirror.refresh(&store).unwrap(), Refreshed::Changes(2));
    assert_eq!(opens(&mirror, 1, 2000), Err(Refused::Revoked));
    assert!(opens(&mirror, 2, 2000).is_ok());
    store.revoke(&[key(2).number()], 3000).unwrap();
    mirror.refresh(&store).unwrap();
    assert_eq!(opens(&mirror, 2, 3000), Err(Refused::Revoked), "and this one goes on writing");
}
