//! What an account has, and what it can never reach.

use super::{Account, Application, Decision, KeyRequest};
use crate::{Store, StoreError};
use portcullis_auth::key::{ENTROPY_BYTES, KeyRecord, KeyText, Pepper};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

struct House(PathBuf, Store);

impl House {
    /// `a` and `b` have two applications each: 1 and 2, 3 and 4.
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("portcullis-accounts-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        let store = Store::open(&path.join("keys.redb")).unwrap();
        for (name, ids) in [("a", [1, 2]), ("b", [3, 4])] {
            store.create_account(&account(name)).unwrap();
            for id in ids {
                store.create_application(&application(name, id), 2).unwrap();
            }
        }
        Self(path, store)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn account(name: &str) -> Account {
    let (name, password, plan) = (name.to_owned(), "hash".to_owned(), "free".to_owned());
    Account { name, password, plan, created_at: 1, closed_at: None }
}

fn application(account: &str, id: u64) -> Application {
    let (account, name) = (account.to_owned(), format!("application {id}"));
    Application { id, account, name, about: String::new(), created_at: id }
}

fn record(seed: u8, account: &str, now: u64) -> KeyRecord {
    let key = KeyText::mint("pk", &[seed; ENTROPY_BYTES]).unwrap();
    KeyRecord::new(&key, &Pepper::new(1, [9; 32]), account, now)
}

fn request(account: &str, id: u64, application: u64) -> KeyRequest {
    KeyRequest {
        id,
        account: account.to_owned(),
        application,
        apis: vec!["orders".to_owned()],
        scopes: Vec::new(),
        lasts_s: 60,
        why: String::new(),
        asked_at: id,
        decision: Decision::Waiting,
    }
}

#[test]
fn accounts_are_let_in_listed_changed_and_closed() {
    let house = House::new();
    let store = &house.1;
    assert!(matches!(store.create_account(&account("a")), Err(StoreError::Taken(_))));
    let names = |after: &str, count| store.accounts(after, count).unwrap().into_iter().map(|one| one.name);
    assert_eq!(names("", 10).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(names("a", 10).collect::<Vec<_>>(), ["b"]);
    assert_eq!(names("", 1).collect::<Vec<_>>(), ["a"]);
    assert_eq!(store.change_account("a", |one| one.closed_at = Some(7)).unwrap().closed_at, Some(7));
    assert_eq!(store.account("a").unwrap().unwrap().closed_at, Some(7));
    assert!(store.account("c").unwrap().is_none());
    assert!(matches!(store.change_account("c", |_| {}), Err(StoreError::NotOwn(_))));
    assert!(!format!("{:?}", store.account("a").unwrap()).contains("hash"));
}

#[test]
fn there_is_no_more_than_there_may_be() {
    let house = House::new();
    let store = &house.1;
    assert!(matches!(store.create_application(&application("a", 9), 2), Err(StoreError::Full(2, _))));
    let twin = Application { id: 9, ..application("a", 1) };
    assert!(matches!(store.create_application(&twin, 3), Err(StoreError::Taken(_))), "names are told apart");
    store.create_own_key("a", 1, &record(1, "a", 10), 2).unwrap();
    store.create_own_key("a", 2, &record(2, "a", 10), 2).unwrap();
    assert!(matches!(store.create_own_key("a", 1, &record(3, "a", 10), 2), Err(StoreError::Full(2, _))));
    store.create_own_key("b", 3, &record(3, "b", 10), 2).unwrap();
    let first = record(1, "a", 10).number;
    let new = store.rotate_own_key("a", first, record(4, "a", 11), 60).unwrap();
    assert_eq!(store.own_keys("a").unwrap().iter().filter(|one| one.is_open(12)).count(), 3, "both open meanwhile");
    assert!(matches!(store.rotate_own_key("a", first, record(5, "a", 11), 60), Err(StoreError::Unfit(_))));
    assert!(matches!(store.create_own_key("a", 1, &record(5, "a", 12), 2), Err(StoreError::Full(2, _))));
    assert!(store.revoke_own_key("a", new.number, 12).unwrap());
    assert!(matches!(store.rotate_own_key("a", new.number, record(5, "a", 13), 60), Err(StoreError::Unfit(_))));
    store.create_own_key("a", 1, &record(5, "a", 13), 2).unwrap();
    store.ask_for_key(&request("a", 1, 1), 1).unwrap();
    assert!(matches!(store.ask_for_key(&request("a", 2, 1), 1), Err(StoreError::Full(1, _))));
}

#[test]
fn what_has_ended_is_forgotten_at_last() {
    let house = House::new();
    let store = &house.1;
    for seed in 0..30 {
        let record = record(seed, "a", u64::from(seed));
        store.create_own_key("a", 1, &record, 1).unwrap();
        store.revoke_own_key("a", record.number, u64::from(seed)).unwrap();
    }
    let left = store.own_keys("a").unwrap();
    assert_eq!(left.len(), super::keys::DEAD_KEPT + 1);
    assert_eq!(store.len().unwrap(), 21, "nor is it among all keys");
    assert_eq!(left[0].listed.record.created_at, 9, "the oldest are gone");
    for id in 0..30 {
        store.ask_for_key(&request("a", id, 1), 1).unwrap();
        let why = "no".to_owned();
        store.decide_request("a", id, Decision::Declined { by: "x".to_owned(), at: 1, why }).unwrap();
    }
    assert_eq!(store.key_requests("a").unwrap().len(), 21);
}

#[test]
fn nothing_of_another_account_can_be_reached() {
    let house = House::new();
    let store = &house.1;
    let key = record(1, "a", 10);
    store.create_own_key("a", 1, &key, 5).unwrap();
    store.ask_for_key(&request("a", 7, 1), 5).unwrap();
    let not_own = |outcome: Result<(), StoreError>, what: &str| {
        assert!(matches!(outcome, Err(StoreError::NotOwn(_))), "{what}: {outcome:?}");
    };
    not_own(store.application("b", 1).map(drop), "application");
    not_own(store.remove_application("b", 1, 10), "remove_application");
    not_own(store.own_key("b", key.number).map(drop), "own_key");
    not_own(store.create_own_key("b", 1, &record(2, "b", 10), 5), "create_own_key");
    not_own(store.rotate_own_key("b", key.number, record(2, "b", 10), 60).map(drop), "rotate_own_key");
    not_own(store.revoke_own_key("b", key.number, 10).map(drop), "revoke_own_key");
    not_own(store.ask_for_key(&request("b", 8, 1), 5), "ask_for_key");
    not_own(store.decide_request("b", 7, Decision::Waiting).map(drop), "decide_request");
    not_own(store.make_requested_key("b", 7, &record(2, "b", 10), 5), "make_requested_key");
    not_own(store.withdraw_request("b", 7), "withdraw_request");
    assert!(store.own_keys("b").unwrap().is_empty() && store.key_requests("b").unwrap().is_empty());
    assert_eq!(store.own_key("a", key.number).unwrap().listed.record, key, "nothing has happened to it");
    assert_eq!(store.key_requests("a").unwrap(), [request("a", 7, 1)]);
}

#[test]
fn a_key_is_made_once_of_what_was_approved() {
    let house = House::new();
    let store = &house.1;
    store.ask_for_key(&request("a", 7, 1), 5).unwrap();
    store.ask_for_key(&request("b", 8, 3), 5).unwrap();
    let waiting = store.waiting_requests(10).unwrap();
    assert_eq!(waiting.iter().map(|one| one.id).collect::<Vec<_>>(), [7, 8]);
    assert_eq!(store.key_request(8).unwrap().account, "b");
    assert!(matches!(store.make_requested_key("a", 7, &record(1, "a", 9), 5), Err(StoreError::Unfit(_))));
    let approved = || Decision::Approved { by: "user:ada".to_owned(), at: 9 };
    store.decide_request("a", 7, approved()).unwrap();
    assert!(matches!(store.decide_request("a", 7, approved()), Err(StoreError::Unfit(_))), "once");
    assert!(matches!(store.make_requested_key("a", 7, &record(1, "a", 9), 0), Err(StoreError::Full(..))));
    store.make_requested_key("a", 7, &record(1, "a", 9), 5).unwrap();
    assert!(matches!(store.make_requested_key("a", 7, &record(2, "a", 9), 5), Err(StoreError::Unfit(_))));
    assert!(matches!(store.withdraw_request("a", 7), Err(StoreError::Unfit(_))));
    assert_eq!(store.key_requests("a").unwrap()[0].decision, Decision::Made { key: record(1, "a", 9).number });
    store.withdraw_request("b", 8).unwrap();
    assert!(store.waiting_requests(10).unwrap().is_empty());
}

#[test]
fn an_application_ends_with_its_keys() {
    let house = House::new();
    let store = &house.1;
    store.create_own_key("a", 1, &record(1, "a", 10), 5).unwrap();
    store.create_own_key("a", 2, &record(2, "a", 10), 5).unwrap();
    store.ask_for_key(&request("a", 7, 1), 5).unwrap();
    store.remove_application("a", 1, 11).unwrap();
    let open: Vec<_> = store.own_keys("a").unwrap().into_iter().filter(|one| one.is_open(12)).collect();
    assert_eq!(open.iter().map(|one| one.application).collect::<Vec<_>>(), [2]);
    assert!(store.key_requests("a").unwrap().is_empty());
    assert_eq!(store.applications("a").unwrap().len(), 1);
    assert!(matches!(store.remove_application("a", 1, 11), Err(StoreError::NotOwn(_))));
    // An operator who replaces a key leaves it where it is.
    let old = record(2, "a", 10).number;
    let new = store.rotate(old, record(3, "", 20), 20, 0).unwrap();
    assert_eq!(store.own_key("a", new.number).unwrap().application, 2);
}
